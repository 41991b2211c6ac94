package chat

import (
	"strconv"
	"strings"

	"lobstead/views/ui"
)

// maxDiff is how many lines of a change a card shows.
const maxDiff = 400

// diff reads the result's unified diff; without one it makes a plain one of the edit's own words.
func (k card) diff() []ui.DiffLine {
	if k.result == nil || k.result.Error {
		return nil
	}
	if k.result.Diff != "" {
		return unified(k.result.Diff)
	}
	if k.tool != "edit_file" || k.args.Old == "" && k.args.New == "" {
		return nil
	}
	var out []ui.DiffLine
	add := func(op byte, text string) {
		for line := range strings.Lines(text) {
			if len(out) < maxDiff {
				out = append(out, ui.DiffLine{Op: op, Text: strings.TrimSuffix(line, "\n")})
			}
		}
	}
	add('-', k.args.Old)
	add('+', k.args.New)
	return out
}

func unified(diff string) []ui.DiffLine {
	var out []ui.DiffLine
	before, after, inside := 0, 0, false
	for line := range strings.Lines(diff) {
		line = strings.TrimRight(line, "\r\n")
		if len(out) == maxDiff {
			return append(out, ui.DiffLine{Op: '@', Text: "… more lines are not shown"})
		}
		switch {
		case strings.HasPrefix(line, "@@"):
			before, after = hunk(line)
			inside = true
			out = append(out, ui.DiffLine{Op: '@', Text: line})
		case !inside, strings.HasPrefix(line, `\`):
		case strings.HasPrefix(line, "+"):
			out = append(out, ui.DiffLine{Op: '+', New: after, Text: line[1:]})
			after++
		case strings.HasPrefix(line, "-"):
			out = append(out, ui.DiffLine{Op: '-', Old: before, Text: line[1:]})
			before++
		default:
			out = append(out, ui.DiffLine{Op: ' ', Old: before, New: after, Text: strings.TrimPrefix(line, " ")})
			before, after = before+1, after+1
		}
	}
	return out
}

// hunk reads "@@ -12,4 +12,7 @@".
func hunk(line string) (before, after int) {
	f := strings.Fields(line)
	at := func(i int, sign string) int {
		if len(f) <= i {
			return 0
		}
		n, _, _ := strings.Cut(strings.TrimPrefix(f[i], sign), ",")
		v, _ := strconv.Atoi(n)
		return v
	}
	return at(1, "-"), at(2, "+")
}
