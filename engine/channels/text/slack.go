package text

import (
	"strings"
	"unicode/utf8"
)

// Slack is its mrkdwn. A message holds more, but is cut or refused from about 4,000 characters on. &, < and > are escaped, which takes
// mentions apart; other marks know no escape and are replaced by look-alikes where they could be taken for formatting.
var Slack = &Dialect{
	Limit:  3900,
	Size:   utf8.RuneCountInString,
	Plain:  func(s string, start bool) string { return angles.Replace(unmark(s, start)) },
	Bold:   around("*"),
	Italic: around("_"),
	Strike: around("~"),
	Code:   func(s string) string { return "`" + angles.Replace(strings.ReplaceAll(s, "`", "ˋ")) + "`" },
	Fence:  func(_, code string) string { return "```\n" + angles.Replace(unfence(code)) + "\n```" },
	Link: func(label, to string) string {
		return "<" + slackAddress(to) + "|" + strings.ReplaceAll(label, "|", "¦") + ">"
	},
	Bare:    func(to string) string { return "<" + slackAddress(to) + ">" },
	Quote:   quoted,
	Rule:    "———",
	Bullets: []string{"• ", "◦ ", "▪ "},
}

var angles = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackAddress(to string) string { return angles.Replace(strings.ReplaceAll(to, "|", "%7C")) }
