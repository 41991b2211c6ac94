package provision

import (
	"context"
	"sync"
	"time"

	"lobstead/kit/events"
	"lobstead/models"
)

// Enqueuer is the durable path of a wish to a worker; *jobs.Client is one.
type Enqueuer interface {
	Reconcile(ctx context.Context, org, instance string) error
}

// Desk is where every edge asks for something: a verb writes the wish and hints at it. The row is the truth.
// A wish that no worker has begun soon after the hint is enqueued; what that loses too, the sweep finds.
type Desk struct {
	Bus  *events.Bus
	Jobs Enqueuer

	once   sync.Once
	nudges sync.WaitGroup
	room   chan struct{}
	closed chan struct{}
	shut   sync.Once
}

const (
	// A task costs two to three scripts in Redis, a fifth of all processor time of a hundred creations at
	// once on the embedded one, and is late anyway: only wishes that a hint did not start need it.
	grace        = 250 * time.Millisecond
	nudgesAtOnce = 32              // beyond, a burst leaves the rest to the sweep
	nudgeLimit   = 5 * time.Second // for a Redis that hangs
	awaitPoll    = 250 * time.Millisecond
)

// Create deploys a new instance.
func (d *Desk) Create(ctx context.Context, sc *models.Scope, n models.NewInstance) (*models.Instance, error) {
	i, err := sc.CreateInstance(ctx, n)
	return d.asked(ctx, sc, i, err)
}

// Update renames, or changes tier or model.
func (d *Desk) Update(ctx context.Context, sc *models.Scope, id string, c models.InstanceChange) (*models.Instance, error) {
	i, err := sc.UpdateInstance(ctx, id, c)
	return d.asked(ctx, sc, i, err)
}

// Act starts, stops, restarts, recovers or deletes.
func (d *Desk) Act(ctx context.Context, sc *models.Scope, id string, a models.Action) (*models.Instance, error) {
	i, err := sc.ActOnInstance(ctx, id, a)
	return d.asked(ctx, sc, i, err)
}

// Stand brings an agent to a standing; see models.Scope.SetStanding.
func (d *Desk) Stand(ctx context.Context, sc *models.Scope, id string, to models.Standing, from ...models.Standing) (*models.Instance, error) {
	i, err := sc.SetStanding(ctx, id, to, from...)
	return d.asked(ctx, sc, i, err)
}

// Wake has the sandbox of a sleeping instance brought up; it does not wait for it.
func (d *Desk) Wake(ctx context.Context, sc *models.Scope, id string) error {
	slept, err := sc.WakeInstance(ctx, id)
	if slept {
		publish(ctx, d.Bus, sc.Org, id, State, Logs)
		publishWish(ctx, d.Bus, sc.Org, id)
	}
	return err
}

// Waker is Wake for those who have no scope: they were let in before.
func (d *Desk) Waker(s *models.Store) func(context.Context, *models.Instance) error {
	return func(ctx context.Context, i *models.Instance) error { return d.Wake(ctx, s.In(i.OrganizationID), i.ID) }
}

// Delete asks for the end of an instance; its row goes when its files are gone.
func (d *Desk) Delete(ctx context.Context, sc *models.Scope, id string) (*models.Instance, error) {
	return d.Act(ctx, sc, id, models.Delete)
}

// End asks for the end of a whole organization: its instances go first, its rows when they are gone.
func (d *Desk) End(ctx context.Context, sc *models.Scope) error {
	rows, err := sc.DeleteOrganization(ctx)
	if err == nil {
		d.Announce(ctx, sc.Org, rows)
	}
	return err
}

// Look has an instance looked at now, whatever its row says; the caller noted why. fault.Unavailable when no queue
// takes it: then the sweep does, if there is something to do.
func (d *Desk) Look(ctx context.Context, org, id string) error {
	publish(ctx, d.Bus, org, id, State, Logs)
	publishWish(ctx, d.Bus, org, id)
	return d.Jobs.Reconcile(ctx, org, id)
}

// Suspend makes an organization stand still; see models.Scope.Suspend.
func (d *Desk) Suspend(ctx context.Context, sc *models.Scope, reason string) error {
	rows, err := sc.Suspend(ctx, reason)
	if err == nil {
		d.Announce(ctx, sc.Org, rows)
	}
	return err
}

// Resume lets an organization go on; see models.Scope.Resume.
func (d *Desk) Resume(ctx context.Context, sc *models.Scope) error {
	rows, err := sc.Resume(ctx)
	if err == nil {
		d.Announce(ctx, sc.Org, rows)
	}
	return err
}

// Announce tells workers of the wishes that a verb on a whole organization wrote, and whoever watches the
// organization. What it loses, the sweep finds.
func (d *Desk) Announce(ctx context.Context, org string, rows []models.Instance) {
	d.Bus.Publish(ctx, OrgTopic(org), nil)
	for n := range rows {
		publish(ctx, d.Bus, org, rows[n].ID, State, Logs)
		publishWish(ctx, d.Bus, org, rows[n].ID)
	}
}

func (d *Desk) asked(ctx context.Context, sc *models.Scope, i *models.Instance, err error) (*models.Instance, error) {
	if err != nil {
		return nil, err
	}
	publish(ctx, d.Bus, i.OrganizationID, i.ID, State, Logs)
	if i.Desired == models.WantDeleted || i.Generation != i.ObservedGeneration { // not for a new name
		publishWish(ctx, d.Bus, i.OrganizationID, i.ID)
		d.nudge(ctx, sc, i)
	}
	return i, nil
}

// nudge enqueues what nobody has begun after the grace. It does not hold up the answer.
func (d *Desk) nudge(ctx context.Context, sc *models.Scope, i *models.Instance) {
	d.open()
	select {
	case d.room <- struct{}{}:
	default:
		return
	}
	d.nudges.Go(func() {
		defer func() { <-d.room }()
		select {
		case <-time.After(grace):
		case <-d.closed:
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nudgeLimit)
		defer cancel()
		now, err := sc.Instance(ctx, i.ID)
		if err == nil && now.LeaseOwner == "" && (now.Desired == models.WantDeleted || now.ObservedGeneration < i.Generation) {
			_ = d.Jobs.Reconcile(ctx, i.OrganizationID, i.ID) // logged by the client
		}
	})
}

func (d *Desk) open() {
	d.once.Do(func() { d.room, d.closed = make(chan struct{}, nudgesAtOnce), make(chan struct{}) })
}

// Close enqueues what waits for its grace; call it when nobody asks any more, before the store is closed.
func (d *Desk) Close() {
	d.open()
	d.shut.Do(func() { close(d.closed) })
	d.nudges.Wait()
}

// Await waits until the wish with this generation was answered, with success or with state ERROR, and gives
// the row. When ctx ends first it gives the row as it is, without an error. NotFound: it is gone, which is
// the success of Delete.
func (d *Desk) Await(ctx context.Context, sc *models.Scope, id string, generation int64) (*models.Instance, error) {
	sub := d.Bus.Subscribe(1, InstanceTopic(id)) // before the first read: nothing falls between
	defer sub.Close()
	tick := time.NewTicker(awaitPoll)
	defer tick.Stop()
	for {
		// One read must succeed even for a caller whose time is up.
		i, err := sc.Instance(context.WithoutCancel(ctx), id)
		if err != nil || answered(i, generation) {
			return i, err
		}
		select {
		case <-ctx.Done():
			return i, nil
		case <-sub.C():
		case <-tick.C:
		}
	}
}

// answered: an action resets attempts, so ERROR with an attempt is this wish's or a newer one's. A deletion
// is answered by the row's end only.
func answered(i *models.Instance, generation int64) bool {
	failed := i.State == models.Errored && i.Attempts > 0 && i.Generation >= generation
	return i.ObservedGeneration >= generation || failed
}
