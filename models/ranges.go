package models

import (
	"strconv"
	"strings"

	"lobstead/kit/fault"
)

// Ranges writes ascending numbers in short: "1-20,23".
func Ranges(seqs []int64) string {
	var b strings.Builder
	for i := 0; i < len(seqs); {
		last := i
		for last+1 < len(seqs) && seqs[last+1] == seqs[last]+1 {
			last++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(seqs[i], 10))
		if last > i {
			b.WriteString("-" + strconv.FormatInt(seqs[last], 10))
		}
		i = last + 1
	}
	return b.String()
}

type span struct{ from, to int64 }

func readRanges(text string) ([]span, error) {
	var out []span
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		low, high, pair := strings.Cut(part, "-")
		from, err := strconv.ParseInt(low, 10, 64)
		to := from
		if pair && err == nil {
			to, err = strconv.ParseInt(high, 10, 64)
		}
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "turn_step.seqs", "The events of a step cannot be read")
		}
		out = append(out, span{from, to})
	}
	return out, nil
}
