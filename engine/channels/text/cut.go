package text

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pieces cuts lines into messages within the limit: between blocks where it can, else between lines, else between words.
func (d *Dialect) pieces(lines []line) []string {
	var out []string
	for len(lines) > 0 {
		var piece []line
		piece, lines = d.next(lines)
		if !anyWords(piece, true) { // a rule that stands alone, an empty line of code
			continue
		}
		out = append(out, d.render(piece))
	}
	return out
}

func (d *Dialect) fits(lines []line) bool {
	n := 0
	for i := range lines {
		if n += lines[i].runes(); n > d.Limit { // no rune counts less than one
			return false
		}
	}
	return d.Size(d.render(lines)) <= d.Limit
}

// next takes the first piece off.
func (d *Dialect) next(lines []line) (piece, rest []line) {
	n := d.most(lines)
	if n == len(lines) {
		return lines, nil
	}
	third := func(n int) bool { return n > 0 && 3*d.Size(d.render(lines[:n])) >= d.Limit }
	if c := block(lines, n); third(c) {
		return lines[:c], lines[c:]
	}
	if c := unheaded(lines, n); third(c) {
		return lines[:c], lines[c:]
	}
	if head, tail, ok := d.fill(lines[:n], lines[n]); ok {
		return append(lines[:n:n], head), append([]line{tail}, lines[n+1:]...)
	}
	return lines[:n], lines[n:]
}

// most gives how many lines fit.
func (d *Dialect) most(lines []line) int {
	high := 1
	for high < len(lines) && d.fits(lines[:high]) {
		high *= 2
	}
	high = min(high, len(lines))
	n := sort.Search(high, func(i int) bool { return !d.fits(lines[:i+1]) })
	for n > 0 && !d.fits(lines[:n]) {
		n--
	}
	return n
}

// block gives the last border of blocks up to n that is not under a heading.
func block(lines []line, n int) int {
	for c := n; c > 0; c-- {
		if lines[c].gap && lines[c-1].kind != heading {
			return c
		}
	}
	return 0
}

// unheaded moves a cut before the heading that would stand last.
func unheaded(lines []line, n int) int {
	for n > 0 && lines[n-1].kind == heading {
		n--
	}
	return n
}

// fill puts as much of a long line behind others as fits. Without others it always takes something.
func (d *Dialect) fill(before []line, l line) (head, tail line, ok bool) {
	near, _ := l.cut(d.Limit + 1) // no rune counts less than one
	text := []rune(near.text())
	with := func(n int) bool {
		h, _ := near.cut(n)
		return d.fits(append(before[:len(before):len(before)], h))
	}
	n := sort.Search(len(text), func(i int) bool { return !with(i + 1) })
	for n > 0 && !with(n) {
		n--
	}
	n = l.good(text, n)
	if n == 0 {
		if len(before) > 0 {
			return line{}, line{}, false
		}
		n = 1
	}
	head, tail = l.cut(n)
	return head, tail, true
}

// good moves a cut back to the end of a word, else of a character that a person sees as one, and out of an address.
func (l *line) good(text []rune, n int) int {
	if n >= len(text) {
		return n
	}
	for i := n; i > n/2; i-- {
		if unicode.IsSpace(text[i]) || i > 0 && unicode.IsSpace(text[i-1]) {
			return l.whole(i)
		}
	}
	i := n
	for i > 0 && n-i < 16 && joined(text[i-1], text[i]) {
		i--
	}
	if i > 0 && n-i < 16 {
		n = i
	}
	return l.whole(n)
}

// whole moves a cut before an address that it would part.
func (l *line) whole(n int) int {
	at := 0
	for _, s := range l.spans {
		size := len([]rune(s.words))
		if s.bare && at < n && n < at+size {
			return at
		}
		at += size
	}
	return n
}

// joined tells that two runes are one character to a person: an accent, a joined or coloured emoji, a flag.
func joined(a, b rune) bool {
	switch {
	case unicode.In(b, unicode.Mn, unicode.Me, unicode.Mc), b == 0x200d, a == 0x200d, b >= 0x1f3fb && b <= 0x1f3ff, b >= 0xe0020 && b <= 0xe007f:
		return true
	}
	return a >= 0x1f1e6 && a <= 0x1f1ff && b >= 0x1f1e6 && b <= 0x1f1ff
}

// cut parts a line before its n-th rune. What follows keeps the place of its item but not the mark.
func (l *line) cut(n int) (head, tail line) {
	head, tail = *l, *l
	head.spans, tail.spans = nil, nil
	tail.gap = false
	if l.mark != "" {
		tail.indent, tail.mark = l.indent+strings.Repeat(" ", len([]rune(l.mark))), ""
	}
	for _, s := range l.spans {
		at, k := 0, 0
		for k < n && at < len(s.words) {
			_, size := utf8.DecodeRuneInString(s.words[at:])
			at += size
			k++
		}
		n -= k
		h, t := s, s
		if h.words, t.words = s.words[:at], s.words[at:]; h.words != "" {
			head.spans = append(head.spans, h)
		}
		if t.words != "" {
			tail.spans = append(tail.spans, t)
		}
	}
	return head, tail
}
