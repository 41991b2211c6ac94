package automate

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"lobstead/models"
)

// sweep is what one Sweep has done so far.
type sweep struct {
	*Timer
	mu      sync.Mutex
	begun   []models.AutomationRun
	started int
}

// batch starts what is due after an automation, and gives the one to go on after; nil when that was all.
func (s *sweep) batch(ctx context.Context, after *models.Automation) (*models.Automation, error) {
	did, err := s.system().StartDue(ctx, after, func(a *models.Automation) (models.Run, error) { return s.plan(ctx, a) })
	if did.Last == nil || ctx.Err() != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	if err != nil {
		s.Log.WarnContext(ctx, "what is due could not be started together and is started one by one", "error", err)
	}
	for n := range did.Runs {
		s.log(ctx, &did.Runs[n])
	}
	apart := s.apart(ctx, did.Apart)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, did.Runs...)
	s.started += len(did.Runs) + apart
	if len(did.Runs)+len(did.Apart) < models.MostDue {
		return nil, ctx.Err()
	}
	return did.Last, nil
}

// apart starts runs one by one, and gives how many times were taken care of.
func (t *Timer) apart(ctx context.Context, due []models.Automation) int {
	// Several timers read the same rows: each begins elsewhere among them, so that they share the work instead of racing for it.
	rand.Shuffle(len(due), func(a, b int) { due[a], due[b] = due[b], due[a] })
	var work errgroup.Group
	var now atomic.Int64
	work.SetLimit(startAtOnce)
	for n := range due {
		run, err := t.plan(ctx, &due[n])
		if err != nil {
			continue
		}
		work.Go(func() error { now.Add(t.fire(ctx, &due[n], run)); return nil })
	}
	_ = work.Wait()
	return int(now.Load())
}
