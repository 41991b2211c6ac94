package telegramtest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-telegram/bot/models"

	"lobstead/engine/channels/text"
)

var kinds = map[string]models.MessageEntityType{"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "s": "strikethrough", "strike": "strikethrough",
	"del": "strikethrough", "u": "underline", "ins": "underline", "code": "code", "pre": "pre", "a": "text_link", "blockquote": "blockquote", "tg-spoiler": "spoiler"}

var (
	opening   = regexp.MustCompile(`^<([a-z-]+)((?:\s+[a-z]+="[^"<>]*")*)\s*>`)
	closing   = regexp.MustCompile(`^</([a-z-]+)>`)
	attribute = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
	named     = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&")
)

type open struct {
	tag, href string
	at        int
}

// ParseHTML reads a text of parse_mode HTML as strictly as the Bot API, and gives its words and their formatting.
func ParseHTML(s string) (string, []models.MessageEntity, error) {
	var plain strings.Builder
	var stack []open
	var out []models.MessageEntity
	for at := 0; at < len(s); {
		if s[at] != '<' {
			n := strings.IndexByte(s[at:], '<')
			if n < 0 {
				n = len(s) - at
			}
			plain.WriteString(named.Replace(s[at : at+n]))
			at += n
			continue
		}
		here := text.UTF16(plain.String())
		if m := closing.FindStringSubmatch(s[at:]); m != nil {
			if len(stack) == 0 {
				return "", nil, fmt.Errorf("unexpected end tag at byte offset %d", at)
			}
			last := stack[len(stack)-1]
			if last.tag != m[1] {
				return "", nil, fmt.Errorf("unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", at, last.tag, m[1])
			}
			stack = stack[:len(stack)-1]
			if here > last.at && len(out) < 100 {
				out = append(out, models.MessageEntity{Type: kinds[last.tag], Offset: last.at, Length: here - last.at, URL: last.href})
			}
			at += len(m[0])
			continue
		}
		m := opening.FindStringSubmatch(s[at:])
		if m == nil || kinds[m[1]] == "" {
			return "", nil, fmt.Errorf("unsupported start tag at byte offset %d", at)
		}
		next := open{tag: m[1], at: here}
		for _, a := range attribute.FindAllStringSubmatch(m[2], -1) {
			if a[1] == "href" {
				next.href = named.Replace(a[2])
			}
		}
		stack = append(stack, next)
		at += len(m[0])
	}
	if len(stack) > 0 {
		return "", nil, fmt.Errorf("can't find end tag corresponding to start tag \"%s\"", stack[len(stack)-1].tag)
	}
	return plain.String(), out, nil
}
