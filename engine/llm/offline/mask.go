package offline

import (
	"strings"
)

// A request is masked before the grammar reads it: fenced blocks, code spans and quotations become one
// private-use character each, so that their words are never taken for the request's.

type span struct {
	kind rune // 'f' fenced block, 'c' code span, 'q' quotation
	lang string
	text string
}

const maskBase = 0xE000

type masked struct {
	text  string
	spans []span
}

var (
	fenced   = late("(?s)(?:```|~~~)([\\w+-]*)[ \t]*\n(.*?)\n?(?:```|~~~)")
	spanned  = late("``([^\n]+?)``|`([^`\n]+)`")
	quoted   = late(`"([^"\n]*)"|“([^”\n]*)”|(^|[\s(=:])'([^'\n]+)'($|[\s).,;:!?])`)
	maskRune = late(`[\x{E000}-\x{F8FF}]`)
)

func mask(s string) masked {
	m := masked{text: maskRune.ReplaceAllString(s, "")}
	put := func(sp span) string {
		if len(m.spans) >= 4000 {
			return sp.text
		}
		m.spans = append(m.spans, sp)
		return string(rune(maskBase + len(m.spans) - 1))
	}
	m.text = fenced.ReplaceAllStringFunc(m.text, func(x string) string {
		g := fenced.FindStringSubmatch(x)
		return " " + put(span{'f', strings.ToLower(g[1]), g[2]}) + " "
	})
	m.text = spanned.ReplaceAllStringFunc(m.text, func(x string) string {
		g := spanned.FindStringSubmatch(x)
		return put(span{kind: 'c', text: strings.TrimSpace(g[1] + g[2])})
	})
	m.text = quoted.ReplaceAllStringFunc(m.text, func(x string) string {
		g := quoted.FindStringSubmatch(x)
		return g[3] + put(span{kind: 'q', text: g[1] + g[2] + g[4]}) + g[5]
	})
	return m
}

// value gives what a captured piece means: a masked span's text, or the words with the spans put back.
func (m masked) value(s string) string {
	s = strings.TrimSpace(s)
	if sp, ok := m.span(s); ok {
		return sp.text
	}
	return maskRune.ReplaceAllStringFunc(s, func(x string) string {
		sp, _ := m.span(x)
		switch sp.kind {
		case 'c':
			return "`" + sp.text + "`"
		case 'q':
			return `"` + sp.text + `"`
		}
		return sp.text
	})
}

// span gives the span that a piece is, false when it is more or less than one.
func (m masked) span(s string) (span, bool) {
	r := []rune(strings.TrimSpace(s))
	if len(r) != 1 || r[0] < maskBase || int(r[0]-maskBase) >= len(m.spans) {
		return span{}, false
	}
	return m.spans[r[0]-maskBase], true
}

// codes gives the code spans and fenced blocks in a piece, in order.
func (m masked) codes(s string) []span {
	var out []span
	for _, x := range maskRune.FindAllString(s, -1) {
		if sp, ok := m.span(x); ok && sp.kind != 'q' {
			out = append(out, sp)
		}
	}
	return out
}
