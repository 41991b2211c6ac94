package provision

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Why the work on a wish ended early.
var (
	errNewWish   = errors.New("provision: a newer wish came")
	errLeaseLost = errors.New("provision: another worker took the instance over")
)

// wrapUp is how long the last writes of a cancelled worker may take.
const wrapUp = 2 * time.Second

// hold is one reconciler's hold on one instance.
type hold struct {
	*Reconciler
	scope *models.Scope
	owner string
	row   *models.Instance // as last read
	log   *slog.Logger
}

// work passes over the instance until no newer wish is there; the check and the release are one commit, so
// that no wish falls between.
func (h *hold) work(ctx context.Context) error {
	for {
		again, err := h.pass(ctx)
		switch {
		case errors.Is(err, errLeaseLost), errors.Is(err, models.ErrInstanceLease):
			h.log.WarnContext(ctx, "lost the lease, another worker goes on")
			return nil
		case err != nil:
			h.release(ctx)
			return err
		case !again:
			return nil
		}
	}
}

// release lets others go on at once; when it fails, the lease runs out.
func (h *hold) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	if err := h.scope.ReleaseInstance(ctx, h.row.ID, h.owner); err != nil {
		h.log.WarnContext(ctx, "release failed, the lease will run out", "error", err)
	}
}

// pass drives one wish to its end. again: a newer one is there and the lease was kept.
func (h *hold) pass(ctx context.Context) (again bool, err error) {
	deleting := h.row.Desired == models.WantDeleted
	work, stop := h.watch(ctx)
	rec := &recorder{hold: h, generation: h.row.Generation, fail: stop}
	saw, err := h.drive(work, rec)
	cause := context.Cause(work)
	stop(nil) // before the release, else a late renewal would take the lease again
	rep := models.Report{Steps: rec.finish(), Generation: rec.generation, Release: true}
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err() // nobody's failure: the next holder begins the step again
	case err != nil && (errors.Is(cause, errNewWish) || errors.Is(err, errNewWish)):
		rep.Release = false
	case errors.Is(cause, errLeaseLost):
		return false, errLeaseLost
	case err != nil:
		h.log.WarnContext(ctx, "step failed", "generation", rec.generation, "error", err)
		rep.Observed = &models.Observed{Saw: models.SawFailure, Generation: rec.generation, Reason: retried(err, deleting)}
	case deleting:
		return false, h.remove(ctx)
	default:
		rep.Observed = &saw
	}
	if err := h.report(ctx, rep, Steps, State, Logs); err != nil {
		return false, err
	}
	return h.row.LeaseOwner == h.owner, nil
}

// report writes, reads the row anew and tells who listens.
func (h *hold) report(ctx context.Context, rep models.Report, what ...What) error {
	row, err := h.scope.ReportInstance(ctx, h.row.ID, h.owner, rep)
	if err != nil {
		return err
	}
	h.row = row
	publish(ctx, h.Bus, row.OrganizationID, row.ID, what...)
	return nil
}

// remove forgets an instance whose files are gone.
func (h *hold) remove(ctx context.Context) error {
	if err := h.scope.RemoveInstance(ctx, h.row.ID); err != nil {
		return err
	}
	publish(ctx, h.Bus, h.row.OrganizationID, h.row.ID, State)
	return nil
}

// watch renews the lease while work goes on, and cuts the work short when a newer wish comes or the lease is
// lost. stop ends the watch and waits for it; a cause given to it ends the work too.
func (h *hold) watch(ctx context.Context) (work context.Context, stop func(error)) {
	work, cancel := context.WithCancelCause(ctx)
	id, generation, done := h.row.ID, h.row.Generation, make(chan struct{})
	news := make(chan struct{}, 1)
	deaf := h.Bus.Listen(wishTopic, func(e events.Event) {
		if w, ok := readWish(e); ok && w.Instance != id {
			return
		}
		select {
		case news <- struct{}{}:
		default:
		}
	})
	go func() {
		defer close(done)
		tick := time.NewTicker(models.ReconcileLease / 3)
		defer tick.Stop()
		for {
			var row *models.Instance
			var err error
			select {
			case <-work.Done():
				return
			case <-news:
				row, err = h.scope.Instance(work, id)
			case <-tick.C:
				row, err = h.scope.LeaseInstance(work, id, h.owner)
			}
			switch {
			case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
				cancel(errLeaseLost)
			case err == nil && row.Generation > generation:
				cancel(errNewWish)
			}
		}
	}()
	return work, func(cause error) {
		cancel(cause)
		if cause == nil {
			deaf()
			<-done
		}
	}
}
