package ui

import (
	"strconv"
	"strings"
)

// Unified reads a change in the unified format, at most so many lines of it.
func Unified(diff string, most int) []DiffLine {
	var out []DiffLine
	before, after, inside := 0, 0, false
	for line := range strings.Lines(diff) {
		line = strings.TrimRight(line, "\r\n")
		if len(out) == most {
			return append(out, DiffLine{Op: '@', Text: "… more lines are not shown"})
		}
		switch {
		case strings.HasPrefix(line, "@@"):
			before, after = hunk(line)
			inside = true
			out = append(out, DiffLine{Op: '@', Text: line})
		case !inside, strings.HasPrefix(line, `\`):
		case strings.HasPrefix(line, "+"):
			out = append(out, DiffLine{Op: '+', New: after, Text: line[1:]})
			after++
		case strings.HasPrefix(line, "-"):
			out = append(out, DiffLine{Op: '-', Old: before, Text: line[1:]})
			before++
		default:
			out = append(out, DiffLine{Op: ' ', Old: before, New: after, Text: strings.TrimPrefix(line, " ")})
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
