package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
)

// errTime ends a turn that worked for as long as its agent's settings let it.
var errTime = errors.New("the turn's time is over")

// limitTime cancels the turn's context when its time is over; the returned function lets go. The time counts from the turn's begin, over
// all workers that had it. What it waited for a person or a budget does not count: then it begins anew with the claim after.
func (x *run) limitTime(cancel context.CancelCauseFunc) (stop func()) {
	limit := x.rules.Timeout()
	if limit <= 0 {
		return func() {}
	}
	began := x.Clock.Now()
	parked := slices.ContainsFunc(x.book.turnEvents(x.turn.ID), func(e models.Event) bool { return e.Kind == models.KindPaused || e.Kind == models.KindDecided })
	if x.turn.StartedAt != nil && !parked {
		began = *x.turn.StartedAt
	}
	timer := time.AfterFunc(max(0, limit-x.Clock.Now().Sub(began)), func() { cancel(errTime) })
	return func() { timer.Stop() }
}

// outOfTime is what people read of a turn that was ended so.
func (x *run) outOfTime() error {
	return fault.New(fault.Timeout, "turn.time", "The turn took longer than the %s that its agent allows (timeout_seconds)", x.rules.Timeout())
}

// announceMessage tells the agent what its settings have it told with each message by a channel. It stands in the log, once, whoever goes
// on with the turn.
func (x *run) announceMessage(ctx context.Context) {
	text := x.rules.Hooks[models.HookReceived]
	if x.turn.Channel == "" || strings.TrimSpace(text) == "" {
		return
	}
	for _, e := range x.book.turnEvents(x.turn.ID) {
		if e.Kind != models.KindUser {
			return
		}
	}
	x.notice(ctx, models.LogInfo, "%s", text)
}

// remind tells the agent of messages that wait behind the one that it works on, each time that the pause of its settings has passed.
func (x *run) remind(ctx context.Context) {
	now, pause := x.Clock.Now(), x.rules.Reminder()
	if x.turn.StartedAt == nil || pause <= 0 || now.Sub(cmp.Or(x.reminded, *x.turn.StartedAt)) < pause {
		return
	}
	x.reminded = now
	open, err := x.sc.OpenTurns(ctx, x.turn.SessionID)
	if err != nil {
		return // nobody waits for a reminder
	}
	waiting := 0
	for _, t := range open {
		if t.State == models.TurnQueued && t.Channel != "" {
			waiting++
		}
	}
	if waiting > 0 {
		usual := fmt.Sprintf("Messages that wait for you: %d. They are answered when this one is.", waiting)
		x.notice(ctx, models.LogInfo, "%s", cmp.Or(x.rules.Hooks[models.HookReminder], usual))
	}
}
