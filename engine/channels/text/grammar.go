package text

import (
	"strings"
	"sync"
	"unicode"

	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"

	"lobstead/kit/commonmark"
)

// grammar has links for bare addresses as GFM has them.
var grammar = sync.OnceValue(func() parser.Parser {
	return commonmark.Parser(util.Prioritized(extension.NewLinkifyParser(), 999))
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
