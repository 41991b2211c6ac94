package text

import (
	"strings"
	"unicode/utf8"
)

// likes stand for the marks of services that know no escape: they look alike and mean nothing.
var likes = map[rune]rune{'*': '∗', '_': '＿', '~': '∼', '`': 'ˋ', '>': '﹥'}

// unmark replaces the marks that a service without escapes could take for formatting. One between letters or between spaces is
// none; neither is a greater-than sign within a line.
func unmark(s string, start bool) string {
	if !strings.ContainsAny(s, "*_~`>") {
		return s
	}
	var b strings.Builder
	last := rune(0)
	for i, r := range s {
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		out := r
		switch r {
		case '`':
			out = likes[r]
		case '*', '_', '~':
			inWord := letter(last) && letter(next)
			apart := last == ' ' && next == ' '
			if !inWord && !apart {
				out = likes[r]
			}
		case '>':
			if start && strings.Trim(s[:i], " >") == "" {
				out = likes[r]
			}
		}
		b.WriteRune(out)
		last = r
	}
	return b.String()
}

// letter tells what stands in words, marks themselves left out.
func letter(r rune) bool { return word(r) && r != '_' && r != utf8.RuneError }

// quoted puts a mark before each line.
func quoted(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

// around wraps words in a mark.
func around(mark string) func(string) string {
	return func(s string) string { return mark + s + mark }
}

// unfence leaves no backticks next to each other in code, nor at its ends: they would end it.
func unfence(code string) string {
	code = strings.ReplaceAll(strings.ReplaceAll(code, "``", "`\u200b`"), "``", "`\u200b`")
	if strings.HasPrefix(code, "`") {
		code = "\u200b" + code
	}
	if strings.HasSuffix(code, "`") {
		code += "\u200b"
	}
	return code
}
