// Package mail owns the way of a letter to the operator's mail server. It must not know what a letter says or who
// asked for it.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// Letter is a plain text to one address. Key names it: a letter that is sent again has the same Message-ID, by which
// mailboxes tell that they have it.
type Letter struct {
	Key, To, Subject, Text string
}

// Sender sends by one server, as one sender.
type Sender struct {
	server *url.URL
	from   string
	domain string // of the sender's address: Message-IDs end with it
}

// limit is how long a letter may take.
const limit = 30 * time.Second

// The codes of errors: Refused will be so again, Failed may pass.
const (
	Refused = "mail.refused"
	Failed  = "mail.send"
)

// New reads smtp://USER:PASSWORD@HOST:PORT (STARTTLS, except to this machine) or smtps://… (TLS from the start), and
// the sender's address, with a name or without. Errors: fault.Invalid mail.url, mail.from; neither shows the password.
func New(server secret.String, from string) (*Sender, error) {
	u, err := url.Parse(server.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fault.New(fault.Invalid, "mail.url", "SMTP_URL is not an smtp:// or smtps:// address")
	}
	a, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fault.New(fault.Invalid, "mail.from", "MAIL_FROM is no mail address")
	}
	return &Sender{server: u, from: from, domain: a.Address[strings.LastIndexByte(a.Address, '@')+1:]}, nil
}

// Send hands a letter to the server and gives its answer; nil means that the server took it. Errors are fault.Upstream:
// Refused for an answer of 5xx to this letter, Failed for everything that may pass, such as 4xx, a server that is away
// or does not let us in, and a connection that was cut before the answer.
func (s *Sender) Send(ctx context.Context, l Letter) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m, err := s.message(l)
	if err != nil {
		return "", fault.Wrap(err, fault.Upstream, Refused, "The email cannot be written")
	}
	c, err := gomail.NewClient(s.server.Hostname(), s.options()...)
	if err == nil {
		err = c.DialAndSendWithContext(ctx, m)
	}
	if err == nil || m.IsDelivered() { // what failed after the server took it is no reason to send it twice
		return m.ServerResponse(), nil
	}
	code := Failed
	if said, ok := errors.AsType[*gomail.SendError](err); ok && said.ErrorCode() != 0 {
		answer = words(said)
		if said.ErrorCode() >= 500 {
			code = Refused
		}
	}
	return answer, fault.Wrap(fmt.Errorf("%s: %w", s.server.Hostname(), err), fault.Upstream, code, "The mail server did not take the email")
}

// words are the server's own in an error: "550 5.1.1 no such mailbox".
func words(e *gomail.SendError) string {
	_, said, _ := strings.Cut(e.Error(), strconv.Itoa(e.ErrorCode())+" ")
	said, _, _ = strings.Cut(said, ", affected ")
	if plain, err := strconv.Unquote(said); err == nil {
		said = plain
	}
	return strconv.Itoa(e.ErrorCode()) + " " + said
}

func (s *Sender) message(l Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg()
	if err := m.From(s.from); err != nil {
		return nil, err
	}
	if err := m.To(l.To); err != nil {
		return nil, err
	}
	if l.Key != "" {
		m.SetMessageIDWithValue(l.Key + "@" + s.domain)
	}
	m.Subject(l.Subject)
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	return m, nil
}

// Check asks whether the server lets us in; nothing is sent. Errors: fault.Upstream Failed.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := gomail.NewClient(s.server.Hostname(), s.options()...)
	if err == nil {
		err = c.DialWithContext(ctx)
	}
	if err != nil {
		return fault.Wrap(fmt.Errorf("%s: %w", s.server.Hostname(), err), fault.Upstream, Failed, "The mail server does not let us in")
	}
	_ = c.Close() // it let us in
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
