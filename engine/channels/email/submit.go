package email

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// submission is a line to the server that takes our mail.
type submission struct {
	c      *smtp.Client
	unhook func() bool
}

// How long the server may take for one answer, and to take a mail.
const (
	smtpLimit = 40 * time.Second
	dataLimit = 3 * time.Minute
)

// submit signs in at the server that takes our mail.
func (s *Email) submit(ctx context.Context, a service.Account, b *box) (*submission, error) {
	conn, err := s.line(ctx, a, b.smtp)
	if err != nil {
		return nil, err
	}
	out := &submission{unhook: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if out.c, err = s.greet(ctx, conn, b); err == nil {
		err = out.signIn(b)
	}
	if err != nil {
		_ = conn.Close()
		out.unhook()
		if ctx.Err() != nil {
			err = call.Failed(name, ctx.Err())
		}
		return nil, err
	}
	return out, nil
}

func (s *Email) greet(ctx context.Context, conn net.Conn, b *box) (*smtp.Client, error) {
	if !b.smtp.upgrade {
		c := smtp.NewClient(conn)
		c.CommandTimeout, c.SubmissionTimeout = smtpLimit, dataLimit
		return c, smtpFailed(c.Hello(domainOf(b.address)))
	}
	stop := time.AfterFunc(smtpLimit, func() { _ = conn.Close() })
	defer stop.Stop()
	c, err := smtp.NewClientStartTLS(conn, s.tls(b.smtp))
	if err != nil {
		if ctx.Err() == nil && strings.Contains(err.Error(), "support STARTTLS") {
			return nil, fault.Wrap(err, fault.Invalid, "email.plain", "The mail server does not encrypt this line: try port 465")
		}
		return nil, smtpFailed(err)
	}
	c.CommandTimeout, c.SubmissionTimeout = smtpLimit, dataLimit
	return c, nil
}

func (o *submission) signIn(b *box) error {
	var way sasl.Client
	switch {
	case o.c.SupportsAuth(sasl.Plain):
		way = sasl.NewPlainClient("", b.smtp.user, b.smtp.password)
	case o.c.SupportsAuth(sasl.Login):
		way = sasl.NewLoginClient(b.smtp.user, b.smtp.password)
	default:
		return fault.New(fault.Invalid, "email.login", "The mail server knows no way to sign in with a password")
	}
	err := o.c.Auth(way)
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok && e.Code >= 500 {
		return signedOut(err)
	}
	return smtpFailed(err)
}

// send hands over one mail; nil means that the server took it.
func (o *submission) send(from, to string, raw []byte) error {
	if most, ok := o.c.MaxMessageSize(); ok && most > 0 && len(raw) > most {
		return fault.New(fault.TooLarge, "service.too_large", "The mail server does not take anything so large")
	}
	opts := &smtp.MailOptions{Size: int64(len(raw))}
	if !ascii(from) || !ascii(to) {
		if ok, _ := o.c.Extension("SMTPUTF8"); !ok {
			return fault.New(fault.Invalid, "service.refused", "The mail server does not know addresses with such letters")
		}
		opts.UTF8 = true
	}
	if err := o.c.Mail(from, opts); err != nil {
		return smtpFailed(err)
	}
	if err := o.c.Rcpt(to, nil); err != nil {
		return rcptFailed(err)
	}
	w, err := o.c.Data()
	if err != nil {
		return smtpFailed(err)
	}
	if _, err := bytes.NewReader(raw).WriteTo(w); err != nil {
		return smtpFailed(err)
	}
	return smtpFailed(w.Close())
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0
}

func (o *submission) quit() {
	o.unhook()
	o.c.CommandTimeout = 5 * time.Second
	if o.c.Quit() != nil {
		_ = o.c.Close()
	}
}

func (o *submission) cut() {
	o.unhook()
	_ = o.c.Close()
}

// rcptFailed tells what a server says of the person.
func rcptFailed(err error) error {
	e, ok := errors.AsType[*smtp.SMTPError](err)
	switch {
	case !ok || e.Code < 500 || e.EnhancedCode[1] == 7:
	case e.Code == 550 || e.Code == 551 || e.Code == 553 || e.EnhancedCode[1] == 1:
		return fault.Wrap(err, fault.NotFound, "service.gone", "The mail server knows no such address")
	}
	return smtpFailed(err)
}

// slowly is how long a server that asks for patience gets: greylisting lasts some minutes.
const slowly = 5 * time.Minute

// smtpFailed turns what goes wrong into a fault by the reply's code (RFC 5321) and its enhanced one (RFC 3463); nil for nil.
func smtpFailed(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		return lineFailed(err)
	}
	policy := e.EnhancedCode[1] == 7
	switch {
	case e.Code == 421:
		return fault.Wrap(err, fault.Unavailable, "service.unavailable", "The mail server is busy")
	case e.Code == 450, e.Code == 452, e.Code < 500 && policy:
		return fault.Wrap(err, fault.TooMany, "service.limited", "The mail server asks us to wait").Retrying(time.Now().Add(slowly))
	case e.Code < 500:
		return fault.Wrap(err, fault.Upstream, "service.failed", "The mail server has a problem of its own (status %d)", e.Code)
	case e.Code == 530, e.Code == 534, e.Code == 535, e.Code == 538:
		return signedOut(err)
	case e.Code == 552 || e.EnhancedCode == smtp.EnhancedCode{5, 3, 4} || e.EnhancedCode == smtp.EnhancedCode{5, 2, 3}:
		return fault.Wrap(err, fault.TooLarge, "service.too_large", "The mail server does not take anything so large")
	case policy || e.Code == 550:
		return fault.Wrap(err, fault.Forbidden, "service.forbidden", "The mail server does not let this mail through")
	}
	return fault.Wrap(err, fault.Invalid, "service.refused", "The mail server refuses this mail (status %d)", e.Code)
}
