// Package markdown turns what a model wrote into HTML that is safe to show. Two locks hold independently: the walk over
// goldmark's tree can only write the elements of its own vocabulary, for there is no raw HTML in the grammar; and verify
// reads every result once more, strictly, and gives the source as plain text when it finds anything else.
//
// Nothing is made before the first use: the sandbox daemon is the same binary and must start at once. That is also why
// code is coloured by the small lexer in highlight.go, which writes chroma's classes: chroma itself adds 10–20 ms to
// every process start and colours 0.2 MB/s, ours some hundred times that. It knows no model and no route.
package markdown

import (
	"strings"
	"sync"

	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"lobstead/kit/commonmark"
)

// grammar has <br> for table cells, and links for bare addresses.
var grammar = sync.OnceValue(func() parser.Parser {
	return commonmark.Parser(util.Prioritized(breakParser{}, 250), util.Prioritized(addressParser{}, 999))
})

// Render gives the HTML of a text. It never fails and never holds more than the vocabulary in verify.go.
func Render(source string) string {
	source = clean(source)
	if commonmark.Costly(source) {
		return plain(source)
	}
	src := []byte(source)
	w := walker{source: src}
	if strings.IndexFunc(source, fromRight) >= 0 {
		w.auto = ` dir="auto"`
	}
	w.b = make([]byte, 0, len(src)+len(src)/2+256)
	w.children(grammar().Parse(text.NewReader(src)), 0)
	html := string(w.b)
	if !verify(html) {
		return plain(source)
	}
	return html
}

// clean gives valid UTF-8 with plain line ends and nothing that a page cannot hold.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexFunc(s, odd) < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case odd(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// fromRight tells letters of Hebrew, Arabic and their like.
func fromRight(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc
}

// odd tells control characters from text. Those that turn the reading direction of what follows are among them: code
// that reads otherwise than it runs is an attack.
func odd(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
		return true
	}
	return r == 0xfeff
}

// plain shows a text as it was written.
func plain(source string) string {
	b := append(make([]byte, 0, len(source)+64), `<p class="plain">`...)
	return string(append(escape(b, source), "</p>\n"...))
}

// escape appends text for content and quoted attributes alike.
func escape(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		var e string
		switch s[i] {
		case '&':
			e = "&amp;"
		case '<':
			e = "&lt;"
		case '>':
			e = "&gt;"
		case '"':
			e = "&#34;"
		case '\'':
			e = "&#39;"
		default:
			continue
		}
		b = append(append(b, s[from:i]...), e...)
		from = i + 1
	}
	return append(b, s[from:]...)
}
