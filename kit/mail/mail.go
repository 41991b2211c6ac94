// Package mail owns the way of a letter to the operator's mail server. It must not know what a letter says or who
// asked for it.
package mail

import (
	"context"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// Letter is a plain text to one address.
type Letter struct {
	To, Subject, Text string
}

// Sender sends by one server, as one sender.
type Sender struct {
	server *url.URL
	from   string
}

// limit is how long a letter may take: whoever asked for it waits.
const limit = 15 * time.Second

// New reads smtp://USER:PASSWORD@HOST:PORT (STARTTLS, except to this machine) or smtps://… (TLS from the start), and
// the sender's address, with a name or without. Errors: fault.Invalid mail.url, mail.from; neither shows the password.
func New(server secret.String, from string) (*Sender, error) {
	u, err := url.Parse(server.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fault.New(fault.Invalid, "mail.url", "SMTP_URL is not an smtp:// or smtps:// address")
	}
	if _, err := mail.ParseAddress(from); err != nil {
		return nil, fault.New(fault.Invalid, "mail.from", "MAIL_FROM is no mail address")
	}
	return &Sender{server: u, from: from}, nil
}

// Send hands a letter to the server; nil means that the server took it. Errors: fault.Upstream mail.send.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m := gomail.NewMsg()
	if err := m.From(s.from); err != nil {
		return fault.Wrap(err, fault.Upstream, "mail.send", "The letter could not be sent")
	}
	if err := m.To(l.To); err != nil {
		return fault.Wrap(err, fault.Upstream, "mail.send", "The letter could not be sent")
	}
	m.Subject(l.Subject)
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	c, err := gomail.NewClient(s.server.Hostname(), s.options()...)
	if err == nil {
		err = c.DialAndSendWithContext(ctx, m)
	}
	if err != nil {
		return fault.Wrap(fmt.Errorf("%s: %w", s.server.Hostname(), err), fault.Upstream, "mail.send", "The letter could not be sent")
	}
	return nil
}

func (s *Sender) options() []gomail.Option {
	// The operator named this server; it may well be in the operator's own network.
	dialer := dial.NewDialer(dial.Policy{AllowPrivate: true, Connect: limit})
	out := []gomail.Option{gomail.WithTimeout(limit), gomail.WithDialContextFunc(dialer.DialContext)}
	switch {
	case s.server.Scheme == "smtps":
		out = append(out, gomail.WithSSL(), gomail.WithPort(465))
	case onThisMachine(s.server.Hostname()):
		out = append(out, gomail.WithTLSPolicy(gomail.TLSOpportunistic), gomail.WithPort(587))
	default:
		out = append(out, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithPort(587))
	}
	if port, err := strconv.Atoi(s.server.Port()); err == nil {
		out = append(out, gomail.WithPort(port))
	}
	if user := s.server.User.Username(); user != "" {
		password, _ := s.server.User.Password()
		out = append(out, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(user), gomail.WithPassword(password))
	}
	return out
}

func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
