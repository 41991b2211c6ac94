package slack

import (
	"regexp"
	"strings"
)

var angled = regexp.MustCompile(`<([^<>]*)>`)

// plain turns Slack's own spelling of what a person wrote into their words, and tells whether they named the bot, which is taken
// out. Only <…> and three escapes are Slack's; the person's asterisks stay.
func plain(text, bot string) (string, bool) {
	named := false
	var b strings.Builder
	last := 0
	for _, at := range angled.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[last:at[0]])
		last = at[1]
		inner := text[at[2]:at[3]]
		if id, _, _ := strings.Cut(strings.TrimPrefix(inner, "@"), "|"); bot != "" && inner != "" && inner[0] == '@' && id == bot {
			named = true
			if rest := strings.TrimLeft(text[last:], ":, "); strings.TrimSpace(b.String()) == "" {
				last = len(text) - len(rest)
			} else if strings.HasSuffix(b.String(), " ") && strings.HasPrefix(text[last:], " ") {
				last++
			}
			continue
		}
		b.WriteString(reference(inner))
	}
	b.WriteString(text[last:])
	return strings.TrimSpace(unescape.Replace(b.String())), named
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// reference spells one <…>: a person, a channel, a group, a date or a link.
func reference(inner string) string {
	target, label, has := strings.Cut(inner, "|")
	if target == "" {
		return "<" + inner + ">"
	}
	switch target[0] {
	case '@', '#':
		if has && label != "" {
			return target[:1] + strings.TrimPrefix(label, target[:1])
		}
		return target
	case '!':
		if has && label != "" {
			return label
		}
		word, _, _ := strings.Cut(target[1:], "^")
		return "@" + word
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	if !has || label == "" || label == bare || strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"), "/") == label {
		return bare
	}
	return label + " (" + bare + ")"
}
