package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Discord is its Markdown. A message holds 2,000 characters. Backslashes escape; @everyone and @here are parted by a space without
// width, for they know no escape. Whoever sends it still forbids all mentions by allowed_mentions.
var Discord = &Dialect{
	Limit:   2000,
	Size:    utf8.RuneCountInString,
	Plain:   discordPlain,
	Bold:    around("**"),
	Italic:  around("_"),
	Strike:  around("~~"),
	Code:    discordCode,
	Fence:   func(language, code string) string { return "```" + language + "\n" + unfence(code) + "\n```" },
	Link:    func(label, to string) string { return "[" + label + "](<" + to + ">)" },
	Bare:    func(to string) string { return "<" + to + ">" },
	Heading: func(level int, s string) string { return strings.Repeat("#", min(level, 3)) + " " + s },
	Quote:   quoted,
	Rule:    "———",
	Bullets: []string{"- "},
	Inside:  Bold | Strike,
	Label:   Bold | Italic | Strike | Code,
}

func discordPlain(s string, start bool) string {
	var b strings.Builder
	for i, r := range s {
		rest := s[i+utf8.RuneLen(r):]
		switch {
		case strings.ContainsRune("\\*_~`|[]<>:", r):
			if r != ':' || strings.HasPrefix(rest, "//") { // nor an address without its brackets
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		case r == '@':
			b.WriteByte('@')
			if calls(rest) {
				b.WriteString("\u200b")
			}
		case start && strings.TrimSpace(s[:i]) == "" && strings.ContainsRune("#-+", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '.' && start && number(s[:i]):
			b.WriteString("\\.")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// calls tells that what follows an @ calls all, or may with the words after it.
func calls(rest string) bool {
	for _, all := range []string{"everyone", "here"} {
		if strings.HasPrefix(rest, all) || strings.HasPrefix(all, rest) {
			return true
		}
	}
	return false
}

// number tells that a line begins like an item of a numbered list.
func number(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) < 0
}

// discordCode takes more backticks than the words hold.
func discordCode(s string) string {
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	return "`` " + unfence(s) + " ``"
}
