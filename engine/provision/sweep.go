package provision

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lobstead/models"
)

// sweepBatch is how many rows one sweep takes; the next one takes the rest.
const sweepBatch = 500

// enqueueLimit is how long a Redis may take before this worker does the work itself.
const enqueueLimit = time.Second

// Sweeper finds wishes that nobody works on, because a hint, a task or a worker was lost, and has them done.
type Sweeper struct {
	Reconciler *Reconciler
	Jobs       Enqueuer
	Log        *slog.Logger

	mu      sync.Mutex
	started bool
	seen    map[models.InstanceRef]bool // at the sweep before
}

// Sweep has done what is due. The first sweep takes all; a later one takes what the one before saw too, since
// a wish that was written a moment ago is on its way. It tells the queue, and by a hint those who have a place
// free: a queue that is emptied takes every task and gives none. Without a queue the work is done here.
func (s *Sweeper) Sweep(ctx context.Context) error {
	if err := s.finish(ctx); err != nil {
		return err
	}
	due, err := s.due(ctx)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	defer work.Wait()
	for n, ref := range due {
		err := s.enqueue(ctx, ref)
		if err == nil {
			if s.Reconciler.spare() {
				publishWish(ctx, s.Reconciler.Bus, ref.OrganizationID, ref.ID)
			}
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Log.WarnContext(ctx, "no queue, this worker reconciles by itself", "instances", len(due)-n)
		for _, ref := range due[n:] { // one refusal is enough: waiting for each would take minutes
			work.Go(func() { s.Reconciler.try(ctx, ref.OrganizationID, ref.ID) })
		}
		return nil
	}
	return nil
}

// finish removes the organizations that want to be gone and whose instances are.
func (s *Sweeper) finish(ctx context.Context) error {
	ended, err := s.Reconciler.Store.AsSystem("organizations that are being deleted").FinishDeletions(ctx)
	for _, org := range ended {
		s.Log.InfoContext(ctx, "an organization is gone", "organization", org)
	}
	return err
}

func (s *Sweeper) enqueue(ctx context.Context, ref models.InstanceRef) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueLimit)
	defer cancel()
	return s.Jobs.Reconcile(ctx, ref.OrganizationID, ref.ID)
}

func (s *Sweeper) due(ctx context.Context) ([]models.InstanceRef, error) {
	system := s.Reconciler.Store.AsSystem("the sweep looks for wishes of all organizations")
	if _, err := system.SuspendStragglers(ctx); err != nil {
		return nil, err
	}
	refs, err := system.UnsettledInstances(ctx, sweepBatch)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, first := s.seen, !s.started
	s.seen, s.started = map[models.InstanceRef]bool{}, true
	due := []models.InstanceRef{}
	for _, ref := range refs {
		s.seen[ref] = true
		if first || before[ref] {
			due = append(due, ref)
		}
	}
	return due, nil
}
