package emailtest

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one line to the mailbox.
type session struct {
	imapserver.Session
	s *Server
}

func (i *session) Login(user, password string) error {
	var gone, full bool
	i.s.set(func() {
		i.s.signIns++
		if gone, full = i.s.gone, i.s.full > 0; full {
			i.s.full--
		}
	})
	switch {
	case full:
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeUnavailable, Text: "Too many simultaneous connections"}
	case gone:
		return imapserver.ErrAuthFailed
	}
	return i.Session.Login(user, password)
}

func (i *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, o *imap.StoreOptions) error {
	stuck := false
	i.s.set(func() {
		if stuck = i.s.stuck > 0; stuck {
			i.s.stuck--
		}
	})
	if stuck {
		i.s.Cut()
		return errors.New("the disk is away")
	}
	return i.Session.Store(w, set, flags, o)
}

// Idle looks for news by itself: the library's waits for the next when something came just before it began.
func (i *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := i.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-stop:
			return nil
		}
	}
}

// submission is one line of somebody who sends.
type submission struct {
	s        *Server
	c        *smtp.Conn
	signedIn bool
	lose     bool
	from, to string
}

func (o *submission) AuthMechanisms() []string { return []string{sasl.Plain} }

func (o *submission) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		var gone bool
		o.s.set(func() { gone = o.s.gone })
		if gone || user != o.s.Address || subtle.ConstantTimeCompare([]byte(password), []byte(o.s.Password)) != 1 {
			return smtp.ErrAuthFailed
		}
		o.signedIn = true
		return nil
	}), nil
}

func (o *submission) Reset()        { o.from, o.to = "", "" }
func (o *submission) Logout() error { return nil }

func (o *submission) Mail(from string, _ *smtp.MailOptions) error {
	if !o.signedIn {
		return smtp.ErrAuthRequired
	}
	f := o.s.fate()
	if f.code != 0 {
		return &smtp.SMTPError{Code: f.code, EnhancedCode: f.enhanced, Message: "as the test wants it"}
	}
	if o.lose = f.lose; from != o.s.Address {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "sender address rejected: not owned by user"}
	}
	o.from = from
	return nil
}

func (o *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	shut := false
	o.s.set(func() { shut = o.s.closed[to] })
	if shut {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	}
	if bytes.HasPrefix([]byte(to), []byte("nobody@")) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	o.to = to
	return nil
}

func (o *submission) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := readMail(raw)
	if err == nil {
		err = m.valid(o.from, o.to)
	}
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	o.s.set(func() { o.s.sent = append(o.s.sent, *m) })
	if o.lose {
		_ = o.c.Conn().Close()
		return errors.New("lost")
	}
	return nil
}
