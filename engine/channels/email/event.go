package email

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"lobstead/engine/channels/service"
)

// What a mail can be.
const (
	person    = ""
	automatic = "automatic"
	unproved  = "unproved"
	broken    = "unreadable"
)

// judge tells whether a mail is a person's, by its header alone, and who that is. why is for the log.
func (h *head) judge(b *box) (sender service.Sender, what, why string) {
	from, display, ok := h.from()
	if !ok {
		return sender, unproved, "it does not name one sender"
	}
	if why := h.automatic(b, from); why != "" {
		return sender, automatic, why
	}
	if !h.proved(b, from) {
		return sender, unproved, "nothing proves its sender"
	}
	return service.Sender{ID: from, Name: display}, person, ""
}

// mostNamed is how long an address and the name of a conversation are together: what names a session holds no more.
const mostNamed = 190

// commands are the ones that have no words after them but their own.
var commands = regexp.MustCompile(`(?i)^/(link|start|help|stop|new|unlink)(\s.*)?$`)

// pressed is a line that does what a button does elsewhere. Tokens have a digit and are long, so that no sentence is one.
var pressed = regexp.MustCompile(`(?i)^\W{0,3}(approve|deny)\s+([[:graph:]]{16,64})\s*$`)

// event says in our words what a mail of a person tells. m is nil when only the header could be read.
func (h *head) event(b *box, s service.Sender, m *body, at time.Time) service.Event {
	root, begins := h.thread(b)
	if len(root)+len(s.ID) > mostNamed {
		root = digest(root)
	}
	subject := h.subject()
	e := service.Event{ID: h.eventID(s.ID), Kind: service.Said, Message: h.id(), Sender: s, At: at.UTC(),
		Peer: service.Peer{ID: s.ID, Thread: root, Direct: true, Name: subject, Called: true}}
	if all := h.ids("In-Reply-To"); len(all) > 0 {
		e.ReplyTo = all[0]
	}
	said := "(The mail is too large to be read.)"
	if m != nil {
		e.Files = m.files
		said = newWords(m.text, h.forwarded())
	}
	first, _, _ := strings.Cut(said, "\n")
	first = strings.TrimSpace(first)
	if p := pressed.FindStringSubmatch(first); len(p) == 3 && strings.ContainsAny(p[2], "0123456789") {
		e.Kind, e.Token, e.Press, e.Message, e.Files = service.Pressed, strings.Trim(p[2], "`*\"'<>"), h.id(), e.ReplyTo, nil
		return e
	}
	switch {
	case commands.MatchString(first):
		e.Text = first
	case begins && commands.MatchString(subject):
		e.Text = subject
	case begins && subject != "" && said != "":
		e.Text = subject + "\n\n" + said
	case begins && said == "":
		e.Text = subject
	default:
		e.Text = said
	}
	if len(e.Text) > maxText {
		e.Text = e.Text[:maxText]
		for !utf8.ValidString(e.Text) {
			e.Text = e.Text[:len(e.Text)-1]
		}
	}
	return e
}
