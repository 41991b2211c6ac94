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

	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxSource is how much is formatted; what is longer is shown as it is.
const maxSource = 256 << 10

// grammar is CommonMark without raw HTML, with GFM's tables, strikethrough and task lists, links for bare addresses
// and <br> for table cells.
var grammar = sync.OnceValue(func() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(breakParser{}, 250),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(addressParser{}, 999),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
})

// Render gives the HTML of a text. It never fails and never holds more than the vocabulary in verify.go.
func Render(source string) string {
	source = clean(source)
	if len(source) > maxSource || tooDeep(source) || tooTangled(source) {
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

// tooDeep finds lines that open hundreds of blocks inside each other; nobody writes those, and each level costs every
// reader. A ruler of dashes is no such line.
func tooDeep(s string) bool {
	run, same := 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\n':
			run, same = 0, 0
			continue
		case run < 0:
			continue
		case c == ' ' || c == '\t':
			continue
		case strings.IndexByte(">-*+.)0123456789", c) < 0:
			run = -1
			continue
		}
		if run++; i > 0 && s[i-1] == c && c != '>' {
			same++
		}
		if run-same > 200 {
			return true
		}
	}
	return false
}

// tooTangled finds a paragraph with more brackets and stars than a writer needs: goldmark's time goes with their square.
// Table cells are paragraphs of their own, so their lines may hold more.
func tooTangled(s string) bool {
	marks, cells := 0, 0
	for line := range strings.Lines(s) {
		text := strings.TrimLeft(line, " \t")
		n := strings.Count(text, "*") + strings.Count(text, "_") + strings.Count(text, "[") + strings.Count(text, "~")
		switch {
		case strings.TrimSpace(text) == "" || marker([]byte(text)) > 0 || text[0] == '#':
			marks, cells = n, 0
		case text[0] == '|':
			cells += n
		default:
			marks += n
		}
		if marks > 1000 || cells > 4000 {
			return !fenced(s)
		}
	}
	return false
}

// fenced spares a text that is one block of code.
func fenced(s string) bool {
	return strings.HasPrefix(s, "```") && strings.Count(s, "```") <= 2
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
