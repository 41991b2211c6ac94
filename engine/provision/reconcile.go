package provision

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/slots"
	"lobstead/models"
)

// Reconciler brings instances to what is wanted of them. Any number of them may share a database.
type Reconciler struct {
	Store  *models.Store
	Bus    *events.Bus
	Driver sandbox.Driver
	// Node names this process; when it is the same after a restart, Recover takes back what it held. Two
	// processes must not share one.
	Node  string
	Log   *slog.Logger
	Clock clock.Clock // nil = the system's
	// Slots is how many instances are worked on at once; 0 = two for each CPU, since a step waits for the
	// kernel about as long as it computes.
	Slots int
	// StepLimit is how long one step may take; 0 = two minutes.
	StepLimit time.Duration

	slots slots.Slots
}

// Reconcile drives one instance until its newest wish is answered. It gives nil when nothing is to do, when
// another reconciler holds the instance, and when a failure was recorded on the row: the row says when to
// try again. An error means that the row may not know: a database or driver that does not answer, or ctx.
func (r *Reconciler) Reconcile(ctx context.Context, org, instance string) error {
	free, err := r.slots.Take(ctx, r.atOnce())
	if err != nil {
		return err
	}
	defer free()
	sc := r.Store.In(org)
	i, err := sc.Instance(ctx, instance)
	if err != nil {
		return gone(err)
	}
	if quiet, err := r.quiet(ctx, i); quiet || err != nil {
		return err
	}
	h := &hold{Reconciler: r, scope: sc, owner: r.Node + "/" + id.New(), log: r.Log.With("instance", instance, "organization", org)}
	if h.row, err = sc.LeaseInstance(ctx, instance, h.owner); err != nil {
		if errors.Is(err, models.ErrInstanceLease) {
			return nil // the holder looks for newer wishes before it lets go
		}
		return gone(err)
	}
	// Between the look and the lease another worker may have done it all.
	if quiet, err := r.quiet(ctx, h.row); quiet || err != nil {
		h.release(ctx)
		return err
	}
	return h.work(ctx)
}

// gone makes an absent row no error: there is nothing left to do.
func gone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// atOnce is how many instances are worked on at once.
func (r *Reconciler) atOnce() int {
	if r.Slots > 0 {
		return r.Slots
	}
	return 2 * runtime.GOMAXPROCS(0)
}

// spare tells whether a place is free.
func (r *Reconciler) spare() bool { return r.slots.Spare(r.atOnce()) }

// quiet tells that nothing is to do: the wish is answered and the sandbox is as the row says, or a failure's
// pause is not over.
func (r *Reconciler) quiet(ctx context.Context, i *models.Instance) (bool, error) {
	if i.RetryAt != nil && i.RetryAt.After(r.now()) {
		return true, nil
	}
	if i.Desired == models.WantDeleted || i.Generation != i.ObservedGeneration {
		return false, nil
	}
	want := wantsProcess(i)
	if right := i.State == models.Suspended || i.State == models.Stopped && !want || i.State == models.Running && (want || i.Asleep()); !right {
		return false, nil
	}
	o, err := r.Driver.Observe(ctx, i.ID)
	return (o.State == sandbox.Running) == want, err
}

// wantsProcess tells whether an instance should have a running sandbox.
func wantsProcess(i *models.Instance) bool {
	return i.Desired == models.WantRunning && i.State != models.Suspended && !i.Asleep()
}

func (r *Reconciler) now() time.Time {
	if r.Clock != nil {
		return r.Clock.Now()
	}
	return clock.Real.Now()
}

// Recover frees what an earlier life of this node held. Call it once, before the first Reconcile.
func (r *Reconciler) Recover(ctx context.Context) error {
	return r.Store.AsSystem("a restarted worker takes back its leases").ReleaseNode(ctx, r.Node)
}

// Follow reconciles as wishes are heard, those that are written after it returns included, until ctx ends. wait
// returns when all that it began is over.
func (r *Reconciler) Follow(ctx context.Context) (wait func()) {
	sub := r.Bus.Subscribe(1024, wishTopic) // what a burst drops is in the queue, and in the sweep
	var work sync.WaitGroup
	work.Go(func() {
		defer sub.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-sub.C():
				if w, ok := readWish(e); ok {
					work.Go(func() { r.try(ctx, w.Org, w.Instance) })
				}
			}
		}
	})
	return work.Wait
}

// try is Reconcile for callers that have nobody to tell.
func (r *Reconciler) try(ctx context.Context, org, instance string) {
	if err := r.Reconcile(ctx, org, instance); err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "reconcile failed, the sweep will try again", "instance", instance, "organization", org, "error", err)
	}
}
