package work

import (
	"context"
	"sync"
	"time"
)

// The periods. Sweep, check and deliver are read by every worker from its own clock, because Redis may be empty or
// away; the others run once for all workers, by a task whose id is the period's.
const (
	sweepEvery   = time.Second
	checkEvery   = time.Second
	deliverEvery = time.Second
	ledgerEvery  = 2 * time.Second
	measureEvery = 15 * time.Second
	tidyEvery    = time.Minute
	filesEvery   = 5 * time.Minute // every worker for the sandboxes of its host
)

// tick starts the periodic work; it ends with ctx.
func (s *Server) tick(ctx context.Context, work *sync.WaitGroup) {
	work.Go(func() { s.every(ctx, sweepEvery, "sweep", s.Sweeper.Sweep) })
	work.Go(func() { s.every(ctx, checkEvery, "check", s.Observer.Check) })
	work.Go(func() { s.every(ctx, deliverEvery, "deliver", s.Outbox.Sweep) })
	work.Go(func() { s.every(ctx, ledgerEvery, "ledger", s.Ledger.SweepLedger) })
	if s.Files != nil {
		work.Go(func() { s.every(ctx, filesEvery, "files", s.Files) })
	}
	work.Go(func() { s.each(ctx, measureEvery, s.jobs.Metrics) })
	work.Go(func() { s.each(ctx, tidyEvery, s.jobs.Sweep) })
}

// every calls f at once and then with pauses of d; a call that takes longer delays the next one.
func (s *Server) every(ctx context.Context, d time.Duration, name string, f func(context.Context) error) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "periodic work failed", "work", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// each enqueues a task for every period, at its beginning; periods are the same for all workers.
func (s *Server) each(ctx context.Context, d time.Duration, enqueue func(context.Context, time.Time) error) {
	for {
		next := time.Now().Truncate(d).Add(d)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
			_ = enqueue(ctx, next) // logged by the client; the next period has its own
		}
	}
}
