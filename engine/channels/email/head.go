package email

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"regexp"
	"strings"

	"github.com/emersion/go-message/charset"
	"github.com/emersion/go-message/textproto"

	"lobstead/kit/fault"
)

// head is a mail's header, in its order.
type head struct {
	textproto.Header
	raw []byte
}

var words = &mime.WordDecoder{CharsetReader: charset.Reader}

// readHead reads a header whole, or not at all.
func readHead(raw []byte) (*head, error) {
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil && !errors.Is(err, io.EOF) || h.Len() == 0 || bytes.IndexByte(raw, 0) >= 0 {
		return nil, fault.Wrap(err, fault.Invalid, "email.header", "The header of the mail cannot be read")
	}
	return &head{h, raw}, nil
}

// all gives the values of a field, topmost first.
func (h *head) all(field string) []string {
	var out []string
	for f := h.FieldsByKey(field); f.Next(); {
		out = append(out, f.Value())
	}
	return out
}

// words gives a field's decoded text.
func (h *head) words(field string) string {
	s := h.Get(field)
	if plain, err := words.DecodeHeader(s); err == nil {
		s = plain
	}
	return clean(s, 500)
}

var messageID = regexp.MustCompile(`<([^<>[:^graph:]]{3,250})>`)

// usable tells what may stand in a field of ours as a mail's id.
func usable(id string) bool {
	m := messageID.FindString("<" + id + ">")
	return len(m) == len(id)+2 && strings.Contains(id, "@")
}

// ids gives the message ids in a field, without their brackets.
func (h *head) ids(field string) []string {
	var out []string
	for _, v := range h.all(field) {
		for _, m := range messageID.FindAllStringSubmatch(v, 200) {
			out = append(out, m[1])
		}
	}
	return out
}

// id gives the mail's own, "" when it has none that can be used.
func (h *head) id() string {
	if all := h.ids("Message-Id"); len(all) == 1 {
		return all[0]
	}
	return ""
}

// eventID names the mail among all of its mailbox. Its sender is part of that: an id that somebody saw cannot be taken before its owner comes.
func (h *head) eventID(sender string) string {
	id := h.id()
	if id == "" {
		return "none-" + digest(string(h.raw))
	}
	if id += " " + sender; len(id) > 240 {
		return "long-" + digest(id)
	}
	return id
}

// thread names the conversation by the mail that began it, and tells whether this is that one.
func (h *head) thread(b *box) (root string, begins bool) {
	refs := append(h.ids("References"), h.ids("In-Reply-To")...)
	for _, r := range refs {
		if root := rootOf(b, r); root != "" {
			return root, false
		}
	}
	if len(refs) > 0 {
		return short(refs[0]), false
	}
	return short(h.id()), true
}

// longest is how long an id may be as the name of a conversation.
const longest = 90

func short(id string) string {
	if len(id) > longest {
		return digest(id)
	}
	return id
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// ours is the beginning of the ids of our mails: then the key's hash, and the conversation's name, so that whoever answers with
// In-Reply-To alone stays in it.
const ours = "lobstead."

func mailID(b *box, key, thread string) string {
	sum := sha256.Sum256([]byte(key))
	return ours + hex.EncodeToString(sum[:12]) + "." + base64.RawURLEncoding.EncodeToString([]byte(thread)) + "@" + domainOf(b.address)
}

func rootOf(b *box, id string) string {
	rest, ok := strings.CutPrefix(id, ours)
	if !ok {
		return ""
	}
	rest, ok = strings.CutSuffix(rest, "@"+domainOf(b.address))
	_, thread, found := strings.Cut(rest, ".")
	if !ok || !found {
		return ""
	}
	root, err := base64.RawURLEncoding.DecodeString(thread)
	if err != nil || len(root) > longest || !usable(string(root)) {
		return ""
	}
	return string(root)
}

var answering = regexp.MustCompile(`(?i)^((re|aw|antw|sv|vs|ref|rif|tr|fw|fwd|wg)(\[\d+\])?\s*:\s*)+`)

// subject gives the words of the subject without the marks of answers.
func (h *head) subject() string { return answering.ReplaceAllString(h.words("Subject"), "") }

var forwarding = regexp.MustCompile(`(?i)^\s*(fw|fwd|wg|tr|rv|i|doorst|vb)\s*:`)

func (h *head) forwarded() bool { return forwarding.MatchString(h.words("Subject")) }

func (h *head) lowered(field string) string {
	v, _, _ := strings.Cut(cmp.Or(h.Get(field), ""), ";")
	return strings.ToLower(strings.TrimSpace(v))
}
