package email

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

// Marks on mails that are passed over, where the server keeps such.
const (
	unprovedMark  imap.Flag = "LobsteadUnproved"
	automaticMark imap.Flag = "LobsteadAutomatic"
	brokenMark    imap.Flag = "LobsteadUnreadable"
)

// reach is how far back unread mail is looked for: as long as servers try to deliver, and a little more.
const reach = 8 * 24 * time.Hour

// How long the server may take for one answer, and for one mail.
const (
	answerLimit = 40 * time.Second
	mailLimit   = 5 * time.Minute
)

// inbox is a mailbox that is open.
type inbox struct {
	c      *imapclient.Client
	news   chan struct{} // something came, at most one waits
	unhook func() bool
	total  uint32 // mails when it was opened
	marks  bool   // the server keeps words of ours
}

// open signs in at the mailbox, whose line is cut when ctx ends.
func (s *Email) open(ctx context.Context, a service.Account, b *box) (*inbox, error) {
	conn, err := s.line(ctx, a, b.imap)
	if err != nil {
		return nil, err
	}
	in := &inbox{news: make(chan struct{}, 1)}
	in.unhook = context.AfterFunc(ctx, func() { _ = conn.Close() })
	o := &imapclient.Options{TLSConfig: s.tls(b.imap), UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages != nil {
			select {
			case in.news <- struct{}{}:
			default:
			}
		}
	}}}
	stop := time.AfterFunc(answerLimit, func() { _ = conn.Close() })
	defer stop.Stop()
	if b.imap.upgrade {
		if in.c, err = imapclient.NewStartTLS(conn, o); err != nil {
			_ = conn.Close()
			in.unhook()
			return nil, lineFailed(err)
		}
	} else {
		in.c = imapclient.New(conn, o)
	}
	if err := in.enter(b); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func (in *inbox) enter(b *box) error {
	if err := in.c.WaitGreeting(); err != nil {
		return imapFailed(err)
	}
	if err := in.c.Login(b.imap.user, b.imap.password).Wait(); err != nil {
		return loginFailed(err)
	}
	d, err := in.c.Select(b.folder, nil).Wait()
	if err != nil {
		if e, ok := errors.AsType[*imap.Error](err); ok && e.Type == imap.StatusResponseTypeNo && (e.Code == "" || e.Code == imap.ResponseCodeNonExistent) {
			return fault.Wrap(err, fault.Invalid, "email.folder", "The mailbox has no such folder")
		}
		return imapFailed(err)
	}
	in.total = d.NumMessages
	keeps := len(d.PermanentFlags) == 0
	for _, f := range d.PermanentFlags {
		keeps = keeps || f == imap.FlagSeen || f == imap.FlagWildcard
		in.marks = in.marks || f == imap.FlagWildcard
	}
	if !keeps {
		return fault.New(fault.Invalid, "email.readonly", "The mailbox may only be read: Lobstead has to mark what it has read")
	}
	return nil
}

// close leaves without ceremony when the server does not answer.
func (in *inbox) close() {
	in.unhook()
	stop := time.AfterFunc(2*time.Second, func() { _ = in.c.Close() })
	defer stop.Stop()
	_ = in.c.Logout().Wait() // it may be gone
	_ = in.c.Close()
}

// within cuts the line when something takes too long: a server that says nothing any more looks like one with nothing to say.
func (in *inbox) within(d time.Duration, do func() error) error {
	stop := time.AfterFunc(d, func() { _ = in.c.Close() })
	defer stop.Stop()
	return do()
}

func (in *inbox) idles() bool { return in.c.Caps().Has(imap.CapIdle) }

// unread lists the mails that nobody has read, oldest first.
func (in *inbox) unread() (uids []imap.UID, err error) {
	return in.find(&imap.SearchCriteria{Since: time.Now().Add(-reach), NotFlag: []imap.Flag{imap.FlagSeen, imap.FlagDeleted}})
}

// count tells how many mails of late have a mark.
func (in *inbox) count(mark imap.Flag) (int, error) {
	all, err := in.find(&imap.SearchCriteria{Since: time.Now().Add(-reach), Flag: []imap.Flag{mark}})
	return len(all), err
}

func (in *inbox) find(what *imap.SearchCriteria) (uids []imap.UID, err error) {
	err = in.within(answerLimit, func() error {
		d, err := in.c.UIDSearch(what, nil).Wait()
		if err != nil {
			return imapFailed(err)
		}
		uids = d.AllUIDs()
		return nil
	})
	return uids, err
}

// recent gives the headers of the last n mails.
func (in *inbox) recent(n uint32) ([][]byte, error) {
	if in.total == 0 {
		return nil, nil
	}
	var set imap.SeqSet
	set.AddRange(max(in.total, n)-n+1, in.total)
	var out [][]byte
	err := in.within(answerLimit, func() error {
		return in.fetch(set, imap.PartSpecifierHeader, maxHead, func(m *letter) { out = append(out, m.raw) })
	})
	return out, err
}

// letter is what was fetched of a mail.
type letter struct {
	raw  []byte
	size int64
	at   time.Time // when it arrived
	seen bool
	cut  bool // raw is not all
}

// one fetches a mail's header, or all of it; nil when it is there no more.
func (in *inbox) one(uid imap.UID, what imap.PartSpecifier, most int64) (out *letter, err error) {
	err = in.within(mailLimit, func() error {
		return in.fetch(imap.UIDSetNum(uid), what, most, func(m *letter) { out = m })
	})
	return out, err
}

func (in *inbox) fetch(set imap.NumSet, what imap.PartSpecifier, most int64, take func(*letter)) error {
	cmd := in.c.Fetch(set, &imap.FetchOptions{UID: true, Flags: true, RFC822Size: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{{Specifier: what, Peek: true, Partial: &imap.SectionPartial{Size: most + 1}}}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		m := &letter{}
		body := false
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch d := item.(type) {
			case imapclient.FetchItemDataBodySection:
				if d.Literal == nil {
					continue
				}
				raw, err := io.ReadAll(io.LimitReader(d.Literal, most+1))
				if err != nil {
					_ = cmd.Close() // the line is broken, and says so too
					return imapFailed(err)
				}
				m.cut = int64(len(raw)) > most
				m.raw, body = raw[:min(int64(len(raw)), most)], true
			case imapclient.FetchItemDataRFC822Size:
				m.size = d.Size
			case imapclient.FetchItemDataInternalDate:
				m.at = d.Time
			case imapclient.FetchItemDataFlags:
				for _, f := range d.Flags {
					m.seen = m.seen || strings.EqualFold(string(f), string(imap.FlagSeen))
				}
			}
		}
		if body {
			take(m)
		}
	}
	return imapFailed(cmd.Close())
}

// mark says of a mail that it is done with.
func (in *inbox) mark(uid imap.UID, mark imap.Flag) error {
	if mark != "" && in.marks {
		err := in.store(uid, imap.FlagSeen, mark)
		if !fault.Is(err, fault.Upstream) {
			return err
		}
		in.marks = false // it keeps none after all
	}
	return in.store(uid, imap.FlagSeen)
}

func (in *inbox) store(uid imap.UID, flags ...imap.Flag) error {
	return in.within(answerLimit, func() error {
		return imapFailed(in.c.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: flags}, nil).Close())
	})
}

// wait waits for news: until the server tells of some, or until it is time to look by ourselves. A server that went away without a word
// is found out when the waiting ends.
func (in *inbox) wait(ctx context.Context, idle, poll time.Duration) error {
	if !in.idles() {
		if clock.Sleep(ctx, poll) {
			return in.within(answerLimit, func() error { return imapFailed(in.c.Noop().Wait()) })
		}
		return ctx.Err()
	}
	var cmd *imapclient.IdleCommand
	err := in.within(answerLimit, func() (err error) {
		cmd, err = in.c.Idle()
		return imapFailed(err)
	})
	if err != nil {
		return err
	}
	t := time.NewTimer(idle)
	defer t.Stop()
	select {
	case <-in.news:
	case <-t.C:
	case <-in.c.Closed():
	case <-ctx.Done():
		return ctx.Err()
	}
	return in.within(answerLimit, func() error {
		if err := cmd.Close(); err != nil {
			return imapFailed(err)
		}
		return imapFailed(cmd.Wait())
	})
}

// loginFailed tells a refused password from a server that has no room now.
func loginFailed(err error) error {
	e, ok := errors.AsType[*imap.Error](err)
	if !ok || e.Type != imap.StatusResponseTypeNo {
		return imapFailed(err)
	}
	switch low := strings.ToLower(e.Text); {
	case e.Code == imap.ResponseCodeUnavailable, e.Code == imap.ResponseCodeInUse, e.Code == imap.ResponseCodeLimit, e.Code == imap.ResponseCodeServerBug,
		strings.Contains(low, "too many"), strings.Contains(low, "try again"), strings.Contains(low, "temporar"), strings.Contains(low, "rate limit"):
		return fault.Wrap(err, fault.Unavailable, "service.unavailable", "The mail server is too busy to let us in")
	}
	return signedOut(err)
}

// imapFailed turns what goes wrong on a line into a fault; nil for nil.
func imapFailed(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*imap.Error](err); ok {
		return fault.Wrap(e, fault.Upstream, "service.failed", "The mail server has a problem of its own")
	}
	return call.Failed(name, err)
}
