package text

import (
	"html"
	"strings"
	"unicode/utf8"
)

// Telegram is the Bot API's HTML (parse_mode HTML). A message holds 4,096 UTF-16 units after entities are taken out; the server
// reads no more than 35,000 bytes before, and drops the formatting of more than 100 entities, so these count too.
var Telegram = &Dialect{
	Limit: 4096,
	Size: func(p string) int {
		return max(UTF16(Untag(p)), (len(p)*4096+34999)/35000, strings.Count(p, "</")*4096/100)
	},
	Plain:   func(s string, _ bool) string { return tags.Replace(s) },
	Bold:    tag("b"),
	Italic:  tag("i"),
	Strike:  tag("s"),
	Code:    func(s string) string { return "<code>" + tags.Replace(s) + "</code>" },
	Fence:   telegramFence,
	Link:    func(label, to string) string { return `<a href="` + tags.Replace(to) + `">` + label + "</a>" },
	Bare:    func(to string) string { return tags.Replace(to) },
	Quote:   tag("blockquote"),
	Rule:    "———",
	Bullets: []string{"• ", "◦ ", "▪ "},
	Inside:  Bold | Italic | Strike,
	Label:   Bold | Italic | Strike,

	CodeAlone: true,
}

var tags = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func tag(name string) func(string) string {
	return func(s string) string { return "<" + name + ">" + s + "</" + name + ">" }
}

func telegramFence(language, code string) string {
	if language == "" {
		return "<pre>" + tags.Replace(code) + "</pre>"
	}
	return `<pre><code class="language-` + language + `">` + tags.Replace(code) + "</code></pre>"
}

// Untag gives the words of a piece for Telegram, which hold no markup then.
func Untag(piece string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(piece, "<")
		b.WriteString(before)
		if !found {
			return html.UnescapeString(b.String())
		}
		_, piece, _ = strings.Cut(after, ">")
	}
}

// UTF16 counts code units of UTF-16: what Telegram counts by.
func UTF16(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xffff {
			n++
		}
	}
	return n
}
