package automate

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lobstead/engine/automate/when"
	"lobstead/models"
)

// Timer starts what is due. Any number of them may share a database: each due time has one run, whoever starts it.
type Timer struct {
	Desk *Desk
	Log  *slog.Logger
}

const (
	// lookEvery is how long a lost hint, or a clock that was moved, goes unnoticed.
	lookEvery = time.Second
	// dueBatch is how many rows are read at once, startAtOnce how many are started.
	dueBatch, startAtOnce = 500, 8
)

// Run starts runs at their time until ctx ends: never early, and what was missed while no timer ran, once.
func (t *Timer) Run(ctx context.Context) {
	sub := t.Desk.Bus.Subscribe(1, topic)
	defer sub.Close()
	clock := time.NewTimer(0)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.C():
		case <-clock.C:
		}
		wait, err := t.look(ctx)
		if err != nil && ctx.Err() == nil {
			t.Log.WarnContext(ctx, "what is due could not be looked at", "error", err)
		}
		clock.Reset(wait)
	}
}

// look starts what is due and tells how long to wait before the next look.
func (t *Timer) look(ctx context.Context) (time.Duration, error) {
	next, err := t.system().NextDue(ctx)
	if err != nil || next == nil {
		return lookEvery, err
	}
	if wait := next.Sub(t.Desk.Now()); wait > 0 {
		return min(wait, lookEvery), nil
	}
	started, err := t.Sweep(ctx)
	if started == 0 { // another worker was quicker, or the database is away
		return lookEvery, err
	}
	return 0, err
}

// Sweep starts everything that is due now and gives how many runs that were.
func (t *Timer) Sweep(ctx context.Context) (int, error) {
	started := 0
	for {
		due, err := t.system().DueAutomations(ctx, dueBatch)
		if err != nil || len(due) == 0 {
			return started, err
		}
		var work errgroup.Group
		var now atomic.Int64
		work.SetLimit(startAtOnce)
		for n := range due {
			work.Go(func() error { now.Add(t.fire(ctx, &due[n])); return nil })
		}
		_ = work.Wait()
		started += int(now.Load())
		if len(due) < dueBatch || now.Load() == 0 {
			return started, ctx.Err()
		}
	}
}

func (t *Timer) system() *models.System { return t.Desk.Store.AsSystem("what is due, of all") }

// fire starts one run for all the times that have come, and gives how many that were: 1, or 0 when another worker has it or
// the database did not answer. A run that met a rule is on its row with the reason.
func (t *Timer) fire(ctx context.Context, a *models.Automation) int64 {
	log := t.Log.With("automation", a.ID, "organization", a.OrganizationID, "due", a.NextAt)
	s, err := Schedule(a)
	if err != nil {
		log.ErrorContext(ctx, "a schedule cannot be read", "error", err)
		return 0
	}
	due, now := *a.NextAt, t.Desk.Now()
	if now.Before(due) { // the clock was set back just now
		now = due
	}
	run, err := t.Desk.start(ctx, t.Desk.Store.In(a.OrganizationID), a, models.Run{Cause: models.RunDue, Due: due, Next: stored(s.Next(now)), Missed: missed(s, due, now)})
	switch {
	case run != nil:
		log.InfoContext(ctx, "a run of an automation", "state", run.State, "reason", run.Reason)
		return 1
	case !errors.Is(err, models.ErrNotDue) && ctx.Err() == nil: // else another worker's, or changed meanwhile
		log.WarnContext(ctx, "a run could not be started and is tried again", "error", err)
	}
	return 0
}

// mostMissed bounds what is counted: after years it does not matter.
const mostMissed = 1000

// missed counts the times after due that have come too: they have no run of their own.
func missed(s when.Schedule, due, now time.Time) int {
	n := 0
	for at := s.Next(due); !at.IsZero() && !at.After(now) && n < mostMissed; at = s.Next(at) {
		n++
	}
	return n
}
