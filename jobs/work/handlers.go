package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"lobstead/jobs"
)

// mux gives the handlers. run is the worker's life: when it ends, handlers are told.
func (s *Server) mux(run context.Context) *asynq.ServeMux {
	m := asynq.NewServeMux()
	handle(m, run, jobs.TaskReconcile, func(ctx context.Context, p jobs.ReconcileInstance) error {
		return s.Reconciler.Reconcile(ctx, p.Org, p.Instance)
	})
	handle(m, run, jobs.TaskMetrics, func(ctx context.Context, _ jobs.CollectMetrics) error {
		return s.Observer.Measure(ctx)
	})
	handle(m, run, jobs.TaskSweep, func(ctx context.Context, _ jobs.SweepRows) error {
		return errors.Join(s.Observer.Tidy(ctx), s.Outbox.Tidy(ctx), s.unfinishedBackups(ctx))
	})
	handle(m, run, jobs.TaskTitle, func(ctx context.Context, p jobs.TitleSession) error {
		return s.Titler.Title(ctx, p.Org, p.Session)
	})
	handle(m, run, jobs.TaskBackup, func(ctx context.Context, p jobs.MakeBackup) error {
		return s.Backups.MakeBackup(ctx, p.Backup)
	})
	handle(m, run, jobs.TaskRehearse, func(ctx context.Context, p jobs.RehearseBackup) error {
		return s.Backups.RehearseBackup(ctx, p.Backup)
	})
	handle(m, run, jobs.TaskDeliver, func(ctx context.Context, p jobs.SendDelivery) error {
		return s.Outbox.Deliver(ctx, p.Delivery)
	})
	return m
}

// handle decodes a task for f. A payload that cannot be read is not tried again: it will not mend itself.
func handle[P any](m *asynq.ServeMux, run context.Context, name string, f func(context.Context, P) error) {
	m.HandleFunc(name, func(ctx context.Context, t *asynq.Task) error {
		v, err := jobs.Decode(name, t.Payload())
		p, ok := v.(P)
		if err != nil || !ok {
			return fmt.Errorf("%w: %w", asynq.SkipRetry, err)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(run, cancel)()
		return f(ctx, p)
	})
}
