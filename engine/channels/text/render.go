package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// render writes lines as one message.
func (d *Dialect) render(lines []line) string {
	var b strings.Builder
	for i := 0; i < len(lines); {
		if i > 0 {
			b.WriteByte('\n')
			if lines[i].gap {
				b.WriteByte('\n')
			}
		}
		n := i + 1
		switch l := lines[i]; {
		case l.kind == fenced:
			for n < len(lines) && lines[n].kind == fenced && lines[n].block == l.block {
				n++
			}
			b.WriteString(d.fence(lines[i:n]))
		case l.quote:
			for n < len(lines) && lines[n].quote && lines[n].kind != fenced {
				n++
			}
			b.WriteString(d.Quote(d.joined(lines[i:n])))
		default:
			b.WriteString(d.line(l))
		}
		i = n
	}
	return b.String()
}

func (d *Dialect) fence(lines []line) string {
	texts := make([]string, len(lines))
	for i := range lines {
		texts[i] = lines[i].text()
	}
	return d.Fence(lines[0].lang, strings.Join(texts, "\n"))
}

func (d *Dialect) joined(lines []line) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
			if l.gap {
				b.WriteByte('\n')
			}
		}
		b.WriteString(d.line(l))
	}
	return b.String()
}

func (d *Dialect) line(l line) string {
	if l.kind == rule {
		return d.Rule
	}
	r := inline{d: d, start: true}
	s := r.spans(trim(l.spans), Bold|Italic|Strike, false)
	if l.kind == heading && d.Heading != nil && l.indent == "" && l.mark == "" && !l.quote {
		s = d.Heading(l.level, s)
	}
	return l.indent + l.mark + s
}

// trim takes the spaces at both ends of a line away.
func trim(spans []span) []span {
	out := make([]span, 0, len(spans))
	for _, s := range spans {
		if len(out) == 0 {
			if s.words = strings.TrimLeft(s.words, " \t"); s.words == "" {
				continue
			}
		}
		out = append(out, s)
	}
	for n := len(out); n > 0; n = len(out) {
		if out[n-1].words = strings.TrimRight(out[n-1].words, " \t"); out[n-1].words != "" {
			break
		}
		out = out[:n-1]
	}
	return out
}

// inline writes the spans of one line. last is the rune before what comes next, next the one after it.
type inline struct {
	d     *Dialect
	start bool // nothing of the line is written yet
	last  rune
}

var marks = []Style{Bold, Italic, Strike}

// spans writes neighbours: the style or link that reaches furthest is the outermost.
func (r *inline) spans(all []span, left Style, linked bool) string {
	var b strings.Builder
	for i := 0; i < len(all); {
		s := all[i]
		what, n := Style(0), 0
		for _, m := range marks {
			if s.style&m&left == 0 {
				continue
			}
			if k := reach(all[i:], func(o span) bool { return o.style&m != 0 && !o.bare }); k > n {
				what, n = m, k
			}
		}
		if s.link != "" && !s.bare && !linked {
			if k := reach(all[i:], func(o span) bool { return o.link == s.link && !o.bare }); k > n {
				b.WriteString(r.link(all[i:i+k], left))
				i += k
				continue
			}
		}
		if n == 0 {
			b.WriteString(r.leaf(s, linked))
			i++
			continue
		}
		b.WriteString(r.styled(what, all[i:i+n], all[i+n:], left&^what, linked))
		i += n
	}
	return b.String()
}

func reach(all []span, same func(span) bool) int {
	for i, s := range all {
		if !same(s) {
			return i
		}
	}
	return len(all)
}

func (r *inline) link(in []span, left Style) string {
	if r.d.Link == nil {
		return r.spans(in, left, true)
	}
	return r.d.Link(r.spans(in, left&r.d.Label, true), in[0].link)
}

// styled wraps spans, leaving the spaces at both ends outside, and leaves the style out where the service would not see it.
func (r *inline) styled(m Style, in, after []span, left Style, linked bool) string {
	core := trim(in)
	if len(core) == 0 {
		return r.spans(in, left, linked)
	}
	text := (&line{spans: in}).text()
	lead := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	trail := text[len(strings.TrimRight(text, " \t")):]
	before, next := r.last, first(after)
	if lead != "" {
		before = ' '
	}
	if trail != "" {
		next = ' '
	}
	wrap := r.wrapper(m)
	if wrap == nil || r.d.Inside&m == 0 && (word(before) || word(next)) {
		return r.spans(in, left, linked)
	}
	if lead != "" {
		r.start = false
	}
	r.last = 0
	if lead == "" {
		r.last = before
	}
	inner := r.spans(core, left, linked)
	if trail != "" {
		r.last = ' '
	}
	return lead + wrap(inner) + trail
}

func (r *inline) wrapper(m Style) func(string) string {
	switch m {
	case Bold:
		return r.d.Bold
	case Italic:
		return r.d.Italic
	}
	return r.d.Strike
}

// leaf writes one span without its styles, but code.
func (r *inline) leaf(s span, linked bool) string {
	start := r.start
	r.start = false
	r.last, _ = utf8.DecodeLastRuneInString(s.words)
	switch {
	case s.bare:
		return r.d.bare(s.words)
	case s.style&Code != 0 && (!linked || r.d.Label&Code != 0) && strings.TrimSpace(s.words) != "":
		return r.d.Code(s.words)
	}
	return r.d.Plain(s.words, start)
}

func (d *Dialect) bare(address string) string {
	if d.Bare == nil {
		return address
	}
	return d.Bare(address)
}

func first(all []span) rune {
	for _, s := range all {
		if r, n := utf8.DecodeRuneInString(s.words); n > 0 {
			return r
		}
	}
	return 0
}

// word tells the characters of words.
func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
