// Package diff compares texts by lines.
package diff

import (
	"fmt"
	"strings"
)

const (
	diffContext = 3       // unchanged lines around a change
	diffCells   = 1 << 20 // above this many pairs of lines the middle is shown as replaced whole
)

type diffLine struct {
	op   byte // ' ', '-' or '+'
	text string
}

// Unified gives the change from one text to another in the unified format, "" for none, and how many lines came and went.
func Unified(path, before, after string) (diff string, added, removed int) {
	lines := diffLines(splitLines(before), splitLines(after))
	for _, l := range lines {
		switch l.op {
		case '+':
			added++
		case '-':
			removed++
		}
	}
	if added+removed == 0 {
		return "", 0, 0
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", path, path)
	writeHunks(&b, lines)
	return b.String(), added, removed
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// diffLines trims what both texts begin and end with and compares the rest by its longest common subsequence.
func diffLines(a, b []string) []diffLine {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []diffLine
	put := func(op byte, lines []string) {
		for _, l := range lines {
			out = append(out, diffLine{op, l})
		}
	}
	put(' ', a[:head])
	midA, midB := a[head:len(a)-tail], b[head:len(b)-tail]
	if len(midA)*len(midB) > diffCells {
		put('-', midA)
		put('+', midB)
	} else {
		out = append(out, commonDiff(midA, midB)...)
	}
	put(' ', a[len(a)-tail:])
	return out
}

func commonDiff(a, b []string) []diffLine {
	width := len(b) + 1
	length := make([]int32, (len(a)+1)*width) // of the common subsequence of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	var out []diffLine
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, diffLine{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && length[(i+1)*width+j] >= length[i*width+j+1]:
			out = append(out, diffLine{'-', a[i]})
			i++
		default:
			out = append(out, diffLine{'+', b[j]})
			j++
		}
	}
	return out
}

func writeHunks(b *strings.Builder, lines []diffLine) {
	oldLine, newLine := 1, 1 // of lines[at]
	at := 0
	move := func(to int) {
		for ; at < to; at++ {
			if lines[at].op != '+' {
				oldLine++
			}
			if lines[at].op != '-' {
				newLine++
			}
		}
	}
	for from := nextChange(lines, 0); from < len(lines); {
		begin, end := max(from-diffContext, at), from
		for next := from; next < len(lines) && next <= end+2*diffContext; next = nextChange(lines, next+1) {
			end = next
		}
		stop := min(end+diffContext+1, len(lines))
		move(begin)
		olds, news := 0, 0
		for _, l := range lines[begin:stop] {
			if l.op != '+' {
				olds++
			}
			if l.op != '-' {
				news++
			}
		}
		fmt.Fprintf(b, "@@ -%s +%s @@\n", span(oldLine, olds), span(newLine, news))
		for _, l := range lines[begin:stop] {
			b.WriteByte(l.op)
			b.WriteString(l.text)
			if !strings.HasSuffix(l.text, "\n") {
				b.WriteString("\n\\ No newline at end of file\n")
			}
		}
		move(stop)
		from = nextChange(lines, stop)
	}
}

// span is a hunk's range; an empty one names the line before it.
func span(line, count int) string {
	if count == 0 {
		line--
	}
	return fmt.Sprintf("%d,%d", line, count)
}

func nextChange(lines []diffLine, from int) int {
	for from < len(lines) && lines[from].op == ' ' {
		from++
	}
	return from
}
