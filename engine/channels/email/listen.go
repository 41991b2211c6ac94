package email

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

// idleFor is how long one waiting for announcements lasts: routers cut quiet lines, and servers forget to announce what came just before.
const idleFor = 2 * time.Minute

// listening is one account's ear.
type listening struct {
	*Email
	account service.Account
	box     *box
	hear    func(context.Context, service.Event) error
	failed  int              // in a row
	sore    map[imap.UID]int // how often a mail could not be kept
}

// Listen reads what is unread, and waits for more. A mail that could not be kept stays unread and comes again, behind the others: none of them
// waits for one that nobody can keep.
func (s *Email) Listen(ctx context.Context, a service.Account, hear func(context.Context, service.Event) error) error {
	b, err := settings(a)
	if err != nil {
		return err
	}
	l := &listening{Email: s, account: a, box: b, hear: hear, sore: map[imap.UID]int{}}
	for ctx.Err() == nil {
		err := l.connected(ctx)
		if ctx.Err() != nil {
			break
		}
		if k := fault.KindOf(err); k == fault.Unauthenticated || k == fault.Invalid {
			return err
		}
		l.failed++
		l.log().InfoContext(ctx, "a mailbox is read again after a pause", "channel", a.ID, "error", err)
		if !clock.Sleep(ctx, clock.Backoff(cmp.Or(l.Pause, time.Second), l.failed)) {
			break
		}
	}
	return ctx.Err()
}

// connected reads over one line until it breaks.
func (l *listening) connected(ctx context.Context) error {
	in, err := l.open(ctx, l.account, l.box)
	if err != nil {
		return err
	}
	defer in.close()
	for {
		select { // what came until now is read now
		case <-in.news:
		default:
		}
		if err := l.round(ctx, in); err != nil {
			return err
		}
		l.failed = 0
		if err := in.wait(ctx, idleFor, cmp.Or(l.Poll, time.Minute)); err != nil {
			return err
		}
	}
}

// round reads all that is unread.
func (l *listening) round(ctx context.Context, in *inbox) error {
	uids, err := in.unread()
	if err != nil {
		return err
	}
	slices.SortStableFunc(uids, func(a, b imap.UID) int {
		return cmp.Or(cmp.Compare(l.sore[a], l.sore[b]), cmp.Compare(a, b))
	})
	for _, uid := range uids {
		if err := l.read(ctx, in, uid); err != nil {
			return err
		}
	}
	return nil
}

// read hears one mail and marks it.
func (l *listening) read(ctx context.Context, in *inbox, uid imap.UID) error {
	m, err := in.one(uid, imap.PartSpecifierHeader, maxHead)
	if err != nil || m == nil || m.seen {
		return err
	}
	h, err := readHead(m.raw)
	if err != nil || m.cut {
		return l.pass(ctx, in, uid, brokenMark, "its header cannot be read")
	}
	sender, what, why := h.judge(l.box)
	switch what {
	case automatic:
		return l.pass(ctx, in, uid, automaticMark, why)
	case unproved:
		return l.pass(ctx, in, uid, unprovedMark, why)
	}
	var said *body
	if m.size <= maxMail {
		whole, err := in.one(uid, imap.PartSpecifierNone, maxMail)
		if err != nil || whole == nil {
			return err
		}
		if !whole.cut {
			if said, err = readBody(whole.raw); err != nil {
				return l.pass(ctx, in, uid, brokenMark, "it cannot be read")
			}
		}
	}
	e := h.event(l.box, sender, said, m.at)
	if e.Kind == service.Said && e.Text == "" && len(e.Files) == 0 {
		return l.pass(ctx, in, uid, brokenMark, "it says nothing")
	}
	if err := l.hear(ctx, e); err != nil { // whatever it says, it says it of us
		l.sore[uid]++
		return fault.Wrap(err, fault.Unavailable, "email.unheard", "A mail could not be kept")
	}
	delete(l.sore, uid)
	return in.mark(uid, "")
}

// pass lets a mail lie.
func (l *listening) pass(ctx context.Context, in *inbox, uid imap.UID, mark imap.Flag, why string) error {
	l.log().InfoContext(ctx, "a mail was passed over", "channel", l.account.ID, "uid", uint32(uid), "why", why)
	return in.mark(uid, mark)
}

func (s *Email) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
