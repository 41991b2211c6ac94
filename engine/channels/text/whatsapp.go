package text

import (
	"strings"
	"unicode/utf8"
)

// WhatsApp is the formatting that WhatsApp's own clients read. A message holds 4,096 characters. There is no escape: marks in
// words are replaced by look-alikes where they could be taken for formatting, and links have no labels.
var WhatsApp = &Dialect{
	Limit:   4096,
	Size:    utf8.RuneCountInString,
	Plain:   unmark,
	Bold:    around("*"),
	Italic:  around("_"),
	Strike:  around("~"),
	Code:    func(s string) string { return "`" + strings.ReplaceAll(s, "`", "ˋ") + "`" },
	Fence:   func(_, code string) string { return "```" + unfence(code) + "```" },
	Quote:   quoted,
	Rule:    "———",
	Bullets: []string{"• ", "◦ ", "▪ "},

	CodeAlone: true,
}
