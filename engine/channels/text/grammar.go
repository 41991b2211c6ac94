package text

import (
	"strings"
	"sync"
	"unicode"

	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
)

// maxSource is how much is formatted; what is longer is sent as it is.
const maxSource = 256 << 10

// grammar is CommonMark without raw HTML, with GFM's tables, strikethrough, task lists and bare addresses.
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
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(), 999),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
})

// clean gives valid UTF-8 with plain line ends, without characters that services refuse or that turn the reading direction.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfeff || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		case r >= 0xfff0 && r <= 0xfffb || r&0xfffe == 0xfffe: // no characters
			return -1
		}
		return r
	}, s)
}

// visible tells what a person sees from spaces and from what only joins or parts.
func visible(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Mn, r) && r != '\u2800' && r != '\u3164' && r != '\u115f' && r != '\u1160' && r != '\uffa0'
}

// tangled finds what nobody writes and what costs the square of its length to read: hundreds of blocks opened inside each other
// by one line, or thousands of stars and brackets in one paragraph.
func tangled(s string) bool {
	marks := 0
	for l := range strings.Lines(s) {
		rest := strings.TrimLeft(l, " \t>-*+.)0123456789")
		lead := l[:len(l)-len(rest)]
		if len(lead) > 200 && strings.Count(lead, ">")+strings.Count(lead, "- ")+strings.Count(lead, "* ")+strings.Count(lead, "+ ")+strings.Count(lead, ". ")+strings.Count(lead, ") ") > 100 {
			return true
		}
		if strings.TrimSpace(l) == "" {
			marks = 0
			continue
		}
		for i := 0; i < len(l); i++ {
			if strings.IndexByte("*_[]~`<", l[i]) >= 0 {
				marks++
			}
		}
		if marks > 4000 {
			return true
		}
	}
	return false
}
