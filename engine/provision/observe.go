package provision

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/models"
)

// Observer compares what runs with what the rows say: it finds sandboxes that died, measures those that
// live, and ends those that nobody wants. It changes no state itself: it nudges the reconcilers, which work
// under a lease.
type Observer struct {
	Store  *models.Store
	Bus    *events.Bus
	Driver sandbox.Driver
	Log    *slog.Logger
	Clock  clock.Clock // nil = the system's

	mu        sync.Mutex
	revivals  map[string]revival
	strangers map[string]time.Time // when a sandbox without an owner was first seen
}

// revival slows down the revival of a sandbox that dies again and again.
type revival struct {
	times int
	last  time.Time
}

const (
	calmAfter    = 2 * time.Minute // a sandbox that lived that long may die anew without a pause
	quickTimes   = 10              // deaths within it that are made good at once
	shortPause   = 250 * time.Millisecond
	longestPause = time.Minute
	orphanAge    = time.Minute
	atOnce       = 8 // drivers answer from the host, not from a network
)

func (o *Observer) now() time.Time {
	if o.Clock != nil {
		return o.Clock.Now()
	}
	return clock.Real.Now()
}

// Check looks at every instance that should run and asks for those to be brought up again whose sandbox is
// gone; at start-up these may be all. It does not wait for them: one that hangs must not hide the others.
func (o *Observer) Check(ctx context.Context) error {
	o.forget()
	return o.live(ctx, func(i *models.Instance, saw sandbox.Observed) error {
		if saw.State == sandbox.Running || !o.mayRevive(i.ID) {
			return nil
		}
		o.Log.WarnContext(ctx, "a sandbox is gone, it is to be brought up again", "instance", i.ID, "organization", i.OrganizationID, "reason", goneReason(saw))
		publishWish(ctx, o.Bus, i.OrganizationID, i.ID)
		return nil
	})
}

// forget drops what is known of sandboxes that live quietly, or no more.
func (o *Observer) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	maps.DeleteFunc(o.revivals, func(_ string, r revival) bool { return now.Sub(r.last) >= calmAfter })
}

// mayRevive notes a revival, or tells that it is too soon for one.
func (o *Observer) mayRevive(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.revivals == nil {
		o.revivals = map[string]revival{}
	}
	r, now := o.revivals[id], o.now()
	pause := shortPause
	if r.times > quickTimes {
		pause = min(time.Second<<min(r.times-quickTimes, 6), longestPause)
	}
	if now.Sub(r.last) < pause {
		return false
	}
	o.revivals[id] = revival{r.times + 1, now}
	return true
}

// Measure stores one reading of every running instance; call it once a period, from one worker.
func (o *Observer) Measure(ctx context.Context) error {
	return o.live(ctx, func(i *models.Instance, saw sandbox.Observed) error {
		if saw.State != sandbox.Running {
			return nil
		}
		u := saw.Usage
		_, err := o.Store.In(i.OrganizationID).Measure(ctx, i.ID, models.Reading{
			CPUSeconds: u.CPUSeconds, MemoryBytes: u.MemoryBytes, DiskBytes: u.DiskBytes, Processes: u.Processes,
		})
		if err == nil {
			publish(ctx, o.Bus, i.OrganizationID, i.ID, Metrics)
		}
		return err
	})
}

// live observes all instances that should run and calls f for each, a few at once. One that fails does not
// keep the others waiting.
func (o *Observer) live(ctx context.Context, f func(*models.Instance, sandbox.Observed) error) error {
	rows, err := o.system().LiveInstances(ctx)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for n := range rows {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			saw, err := o.Driver.Observe(ctx, rows[n].ID)
			if err == nil {
				err = f(&rows[n], saw)
			}
			if err != nil && ctx.Err() == nil {
				o.Log.WarnContext(ctx, "an instance could not be observed", "instance", rows[n].ID, "organization", rows[n].OrganizationID, "error", err)
			}
			return err
		})
	}
	return g.Wait()
}

func (o *Observer) system() *models.System {
	return o.Store.AsSystem("the observer looks at all sandboxes of this host")
}

// Tidy ends what nobody wants: sandboxes that no row knows for a minute, and processes of instances that
// should be stopped. It also forgets history beyond what is kept.
func (o *Observer) Tidy(ctx context.Context) error {
	ids, err := o.Driver.List(ctx)
	if err != nil {
		return err
	}
	rows, err := o.system().FindInstances(ctx, ids)
	if err != nil {
		return err // nothing is an orphan while the database does not answer
	}
	known := map[string]bool{}
	var failed []error
	for n := range rows {
		known[rows[n].ID] = true
		failed = append(failed, o.stopStray(ctx, &rows[n]))
	}
	for _, id := range o.orphans(ctx, ids, known) {
		o.Log.WarnContext(ctx, "a sandbox without an instance is removed", "instance", id)
		failed = append(failed, o.Driver.Destroy(ctx, id))
	}
	return errors.Join(append(failed, o.rest(ctx), o.system().Trim(ctx), o.system().TrimDecisions(ctx), o.system().TrimInspected(ctx), o.system().MakeUsageDays(ctx))...)
}

// rest puts to sleep what nobody uses.
func (o *Observer) rest(ctx context.Context) error {
	slept, err := o.system().SleepIdle(ctx)
	for _, ref := range slept {
		publish(ctx, o.Bus, ref.OrganizationID, ref.ID, State, Logs)
		publishWish(ctx, o.Bus, ref.OrganizationID, ref.ID)
	}
	return err
}

// stopStray has a sandbox stopped that runs against the wish of its instance.
func (o *Observer) stopStray(ctx context.Context, i *models.Instance) error {
	if wantsProcess(i) || i.Desired == models.WantDeleted || i.Generation != i.ObservedGeneration {
		return nil // right, or the reconciler's business anyway
	}
	saw, err := o.Driver.Observe(ctx, i.ID)
	if err != nil || saw.State != sandbox.Running {
		return err
	}
	o.Log.WarnContext(ctx, "a sandbox runs that should be stopped", "instance", i.ID, "organization", i.OrganizationID)
	publishWish(ctx, o.Bus, i.OrganizationID, i.ID)
	return nil
}

// orphans gives the ids that were unknown for a minute. A row is there before its sandbox, so a minute is
// only for a database that was just put back from a copy.
func (o *Observer) orphans(ctx context.Context, ids []string, known map[string]bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, now, out := o.strangers, o.now(), []string{}
	o.strangers = map[string]time.Time{}
	for _, id := range ids {
		if known[id] {
			continue
		}
		since, seen := before[id]
		if !seen {
			since = now
			if saw, err := o.Driver.Observe(ctx, id); err == nil && !saw.Since.IsZero() && saw.Since.Before(now) {
				since = saw.Since
			}
		}
		if now.Sub(since) >= orphanAge {
			out = append(out, id)
		} else {
			o.strangers[id] = since
		}
	}
	return out
}
