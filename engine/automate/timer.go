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

	crowded atomic.Int64 // since when a sweep of several batches is under way, in Unix milliseconds; 0 = none is
}

const (
	// lookEvery is how long a lost hint, or a clock that was moved, goes unnoticed.
	lookEvery = time.Second
	// startAtOnce is how many are started at once of those that are not started together.
	startAtOnce = 8
	// mostLanes is how many batches are written at once.
	mostLanes = 4
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

// Sweep starts everything that is due now and gives how many runs that were. Workers are woken when all of it is accepted: those
// of the first turns would make the last due times wait.
func (t *Timer) Sweep(ctx context.Context) (int, error) {
	s := sweep{Timer: t}
	defer func() { t.Desk.begun(ctx, s.begun) }()
	last, err := s.batch(ctx, nil)
	if last != nil {
		t.crowded.Store(time.Now().UnixMilli())
		defer t.crowded.Store(0)
	}
	var lanes errgroup.Group
	for range min(t.Desk.Store.Writers(), mostLanes) {
		lanes.Go(func() (err error) {
			for at := last; at != nil && err == nil; {
				at, err = s.batch(ctx, at)
			}
			return err
		})
	}
	if more := lanes.Wait(); err == nil {
		err = more
	}
	return s.started, err
}

// mostCrowded is how long a crowd keeps others waiting.
const mostCrowded = 3 * time.Second

// Crowded tells whether more is due than one batch and is being started: what nobody waits for can wait so long, else the turns
// of the first batch take the database from the last.
func (t *Timer) Crowded() bool {
	since := t.crowded.Load()
	return since > 0 && time.Since(time.UnixMilli(since)) < mostCrowded
}

func (t *Timer) system() *models.System { return t.Desk.Store.AsSystem("what is due, of all") }

// fire starts one run for the times that have come, and gives how many were taken care of: 1, or 0 when another worker has it or
// the database did not answer. A run that met a rule is on its row with the reason.
func (t *Timer) fire(ctx context.Context, a *models.Automation, r models.Run) int64 {
	run, err := t.Desk.start(ctx, t.Desk.Store.In(a.OrganizationID), a, r)
	switch {
	case run != nil:
		t.log(ctx, run)
		return 1
	case !errors.Is(err, models.ErrNotDue) && ctx.Err() == nil: // else another worker's, or changed meanwhile
		t.Log.WarnContext(ctx, "a run could not be started and is tried again", "automation", a.ID, "organization", a.OrganizationID, "due", a.NextAt, "error", err)
	}
	return 0
}

func (t *Timer) log(ctx context.Context, run *models.AutomationRun) {
	t.Log.InfoContext(ctx, "a run of an automation", "automation", run.AutomationID, "organization", run.OrganizationID, "due", run.DueAt, "state", run.State, "reason", run.Reason)
}

// plan says what is to be done about an automation that is due.
func (t *Timer) plan(ctx context.Context, a *models.Automation) (models.Run, error) {
	s, err := Schedule(a)
	if err == nil && a.NextAt == nil {
		err = models.ErrNotDue
	}
	if err != nil {
		t.Log.ErrorContext(ctx, "a schedule cannot be read", "automation", a.ID, "organization", a.OrganizationID, "error", err)
		return models.Run{}, err
	}
	r := due(a, s, t.Desk.Now())
	r.Source, r.Text = ScheduleSource, told(a, r.Due)
	return r, nil
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
		if r.Missed = len(more); r.Missed > 0 { // if it is left out for its overlap, so are they
			r.Until = more[r.Missed-1]
		}
	}
	return r
}
