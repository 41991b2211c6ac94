package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

// contended is how often in a row another program may have asked for the bot's news before Listen gives up: when this one has just
// taken over from one that ends, it passes.
const contended = 5

// listening is one account's ear.
type listening struct {
	*Telegram
	account service.Account
	hear    func(context.Context, service.Event) error
	me      user
	offset  int64 // the first update that is not kept yet; 0 = whatever Telegram has
	failed  int   // in a row
	beaten  int   // conflicts in a row
}

// Listen asks for news. Asking from an update on is what acknowledges all before it, so an update that was not kept comes again, and
// nothing after it is heard before.
func (s *Telegram) Listen(ctx context.Context, a service.Account, hear func(context.Context, service.Event) error) error {
	l := &listening{Telegram: s, account: a, hear: hear}
	for ctx.Err() == nil {
		err := l.round(ctx)
		if err == nil {
			l.failed, l.beaten = 0, 0
			continue
		}
		if ctx.Err() != nil {
			break
		}
		if err := l.stop(ctx, err); err != nil {
			return err
		}
		l.failed++
		if !clock.Sleep(ctx, l.pause(err)) {
			break
		}
	}
	return ctx.Err()
}

// round asks once and hears what there is.
func (l *listening) round(ctx context.Context) error {
	if l.me.ID == 0 {
		me, err := l.ask(ctx, l.account)
		if err != nil {
			return err
		}
		l.me = me
	}
	poll := cmp.Or(l.Poll, 25*time.Second)
	in := map[string]any{"timeout": int(poll.Seconds()), "limit": 100, "allowed_updates": news}
	if l.offset > 0 {
		in["offset"] = l.offset
	}
	var got []json.RawMessage
	wait, cancel := context.WithTimeout(ctx, poll+15*time.Second)
	defer cancel()
	if err := invoke(wait, l.account, "getUpdates", in, &got); err != nil {
		return err
	}
	if len(got) == 0 { // all before it is acknowledged; ids may begin anew after a quiet week
		l.offset = 0
	}
	updates := make([]update, 0, len(got))
	for _, raw := range got {
		u, err := read(raw)
		if err != nil {
			return err
		}
		updates = append(updates, u)
	}
	slices.SortStableFunc(updates, func(a, b update) int { return cmp.Compare(a.ID, b.ID) })
	for _, u := range updates {
		if e, ok := event(l.me, u); ok {
			if err := l.hear(ctx, e); err != nil { // whatever it says, it says it of us
				return fault.Wrap(err, fault.Unavailable, "telegram.unheard", "A message could not be kept")
			}
		}
		l.offset = u.ID + 1
	}
	return nil
}

// read reads an update. One whose form nobody knows has only its number and is passed over, lest it stands in the way of all
// others for ever.
func read(raw []byte) (update, error) {
	var u update
	err := json.Unmarshal(raw, &u)
	if err == nil && u.ID != 0 {
		return u, nil
	}
	var only struct {
		ID int64 `json:"update_id"`
	}
	if json.Unmarshal(raw, &only) != nil || only.ID == 0 {
		return update{}, fault.Wrap(err, fault.Invalid, "telegram.update", "This is no update of Telegram")
	}
	return update{ID: only.ID}, nil
}

// stop gives the error that ends listening, nil for what passes. A webhook that was set stands in the way and is taken off: who sets an
// account to listen says that its messages go here.
func (l *listening) stop(ctx context.Context, err error) error {
	switch fault.KindOf(err) {
	case fault.Unauthenticated:
		return err
	case fault.Conflict:
		if why, _ := description(err); strings.Contains(why, "webhook") {
			_ = l.Unhook(ctx, l.account) // asked for again by the next conflict
		}
		if l.beaten++; l.beaten >= contended {
			return err
		}
	}
	return nil
}

func (l *listening) pause(err error) time.Duration {
	if at := fault.As(err).RetryAt; !at.IsZero() {
		return max(time.Until(at), 0)
	}
	return clock.Backoff(cmp.Or(l.Pause, 300*time.Millisecond), l.failed)
}
