package emailtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Mail is one that was sent to somebody. Peer is the address, Thread what it answers.
type Mail struct {
	servicetest.Sent
	Subject string
	Header  gomail.Header
	HTML    string
	Raw     string
}

func readMail(raw []byte) (*Mail, error) {
	for l := range bytes.Lines(raw) {
		if len(l) > 1000 {
			return nil, errors.New("a line is too long")
		}
	}
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	m := &Mail{Header: r.Header, Raw: string(raw)}
	if m.Subject, err = r.Header.Subject(); err != nil {
		return nil, err
	}
	if m.ID, err = r.Header.MessageID(); err != nil {
		return nil, err
	}
	if to, err := r.Header.AddressList("To"); err == nil && len(to) == 1 {
		m.Peer = to[0].Address
	}
	if all, err := r.Header.MsgIDList("In-Reply-To"); err == nil && len(all) == 1 {
		m.Thread = all[0]
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !message.IsUnknownCharset(err) {
			return nil, err
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			return nil, err
		}
		m.part(p, data)
	}
	m.Key = m.ID
	for _, c := range choice.FindAllStringSubmatch(m.Text, -1) {
		m.Buttons = append(m.Buttons, service.Button{Label: c[1], Token: c[3], Bad: c[2] == "DENY"})
	}
	return m, nil
}

var choice = regexp.MustCompile(`(?m)^(.+): reply with this line:\n\n {4}(APPROVE|DENY) (\S+)$`)

func (m *Mail) part(p *gomail.Part, data []byte) {
	switch h := p.Header.(type) {
	case *gomail.InlineHeader:
		kind, _, _ := h.ContentType()
		s := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
		if kind == "text/html" {
			m.HTML = s
		} else {
			m.Text = s
		}
	case *gomail.AttachmentHeader:
		kind, _, _ := h.ContentType()
		file, _ := h.Filename()
		m.File = &service.Upload{Name: file, MediaType: kind, Data: data}
	}
}

// valid is what a strict server wants of a mail.
func (m *Mail) valid(from, to string) error {
	list, err := m.Header.AddressList("From")
	switch {
	case err != nil || len(list) != 1 || list[0].Address != from:
		return fmt.Errorf("the sender is not %s", from)
	case m.Peer != to:
		return fmt.Errorf("the recipient is not %s", to)
	case m.ID == "" || !strings.Contains(m.ID, "@"):
		return errors.New("there is no Message-ID")
	case m.Header.Get("Auto-Submitted") != "auto-replied":
		return errors.New("a program does not say that it is one")
	}
	if _, err := m.Header.Date(); err != nil || m.Header.Get("Date") == "" {
		return errors.New("there is no Date")
	}
	if m.Text == "" || m.HTML == "" {
		return errors.New("there are no words")
	}
	return nil
}

// Sent are the mails that were taken, in their order.
func (s *Server) Sent() (out []Mail) {
	s.set(func() { out = append(out, s.sent...) })
	return out
}
