package automate

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
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
		// Several timers read the same rows: each begins elsewhere among them, so that they share the work instead of racing for it.
		rand.Shuffle(len(due), func(a, b int) { due[a], due[b] = due[b], due[a] })
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

// fire starts one run for the times that have come, and gives how many were taken care of: 1, or 0 when another worker has it or
// the database did not answer. A run that met a rule is on its row with the reason.
func (t *Timer) fire(ctx context.Context, a *models.Automation) int64 {
	log := t.Log.With("automation", a.ID, "organization", a.OrganizationID, "due", a.NextAt)
	s, err := Schedule(a)
	if err != nil || a.NextAt == nil {
		log.ErrorContext(ctx, "a schedule cannot be read", "error", err)
		return 0
	}
	run, err := t.Desk.start(ctx, t.Desk.Store.In(a.OrganizationID), a, due(a, s, t.Desk.Now()))
	switch {
	case run != nil:
		log.InfoContext(ctx, "a run of an automation", "state", run.State, "reason", run.Reason)
		return 1
	case !errors.Is(err, models.ErrNotDue) && ctx.Err() == nil: // else another worker's, or changed meanwhile
		log.WarnContext(ctx, "a run could not be started and is tried again", "error", err)
	}
	return 0
}

const (
	// mostMissed bounds what is counted: after years it does not matter.
	mostMissed = 1000
	// mostMadeUp is how many missed times are made up for, the newest; the first of these runs stands for those before.
	mostMadeUp = 30
	// missedAfter is how late a time is missed: less is a worker that was busy.
	missedAfter = time.Minute
)

// due says what is to be done about the times that have come, by the policy for those that were missed.
func due(a *models.Automation, s when.Schedule, now time.Time) models.Run {
	first := *a.NextAt
	if now.Before(first) { // the clock was set back just now
		now = first
	}
	r := models.Run{Cause: models.RunDue, Due: first, Next: stored(s.Next(now))}
	var more []time.Time // that have come too
	for at := s.Next(first); !at.IsZero() && !at.After(now) && len(more) < mostMissed; at = s.Next(at) {
		more = append(more, at)
	}
	stale := now.Sub(first) > missedAfter
	switch {
	case a.MissedPolicy == models.MissedAll:
		r.Waits = stale
		if r.Missed = max(len(more)-mostMadeUp, 0); len(more) > r.Missed {
			r.Next = stored(more[r.Missed])
		}
	case a.MissedPolicy == models.MissedSkip && stale:
		r.Skip, r.Until = "No worker was there at its time", first
		for _, at := range more {
			if now.Sub(at) <= missedAfter {
				r.Next = stored(at)
				break
			}
			r.Until = at
			r.Missed++
		}
	default:
		r.Missed = len(more)
	}
	return r
}
