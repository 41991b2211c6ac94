package email

import (
	"time"

	"lobstead/engine/channels/service"
)

// Mailbox is enough of one to judge mails.
func Mailbox(address, authserv string) *box { return &box{address: address, authserv: authserv} }

// Judge tells who a header is of, and why not.
func Judge(b *box, raw string) (sender, what, why string) {
	h, err := readHead([]byte(raw))
	if err != nil {
		return "", broken, err.Error()
	}
	s, what, why := h.judge(b)
	return s.ID, what, why
}

// Read gives the event of a whole mail, judged or not.
func Read(b *box, raw string) (service.Event, error) {
	h, err := readHead([]byte(raw))
	if err != nil {
		return service.Event{}, err
	}
	s, _, _ := h.judge(b)
	m, err := readBody([]byte(raw))
	if err != nil {
		return service.Event{}, err
	}
	return h.event(b, s, m, time.Time{}), nil
}

var (
	Normal   = normal
	Aligned  = aligned
	NewWords = newWords
	HTMLText = htmlText
	Unflow   = unflow
)

// Vouches tells whether a field says that a domain's mail is proved.
func Vouches(field, authserv, domain string) bool {
	h, err := readHead([]byte("Authentication-Results: " + field + "\r\n\r\n"))
	return err == nil && h.proved(&box{authserv: authserv}, "x@"+domain)
}
