package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// showAfter is how long a step runs before it is written as running. One that ends sooner is written with its
// end, together with its neighbours: nobody could have seen it, and a hundred creations at once share one
// writer on SQLite. So a creation that goes well costs two commits, and a slow step is still watched live.
const showAfter = 100 * time.Millisecond

const stepLimit = 2 * time.Minute

// recorder keeps the steps of one wish.
type recorder struct {
	*hold
	generation int64
	fail       func(error) // ends the work

	mu    sync.Mutex
	steps []models.InstanceStep
	dirty bool
	ended bool
	timer *time.Timer
}

// step runs f as a step with a deadline; f's text says what was done.
func (rec *recorder) step(ctx context.Context, name string, f func(context.Context) (string, error)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	limit := rec.StepLimit
	if limit <= 0 {
		limit = stepLimit
	}
	late := fault.New(fault.Timeout, "provision.slow", "%s took longer than %s", name, limit).
		Hinting("Look at the load and the free memory of the host")
	n := rec.begin(ctx, name)
	inner, cancel := context.WithTimeoutCause(ctx, limit, late)
	detail, err := f(inner)
	if err != nil && errors.Is(context.Cause(inner), late) {
		err = late
	}
	cancel()
	rec.end(ctx, n, detail, err)
	return err
}

func (rec *recorder) begin(ctx context.Context, name string) int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.steps = append(rec.steps, models.InstanceStep{ID: id.New(), Name: name, State: models.StepRunning, StartedAt: rec.now()})
	rec.dirty = true
	if rec.timer == nil {
		rec.timer = time.AfterFunc(showAfter, func() { rec.show(ctx) })
	} else {
		rec.timer.Reset(showAfter)
	}
	return len(rec.steps) - 1
}

func (rec *recorder) end(ctx context.Context, n int, detail string, err error) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	s, now := &rec.steps[n], rec.now()
	switch {
	case err == nil:
		s.State, s.Detail = models.StepDone, detail
	case errors.Is(context.Cause(ctx), errNewWish):
		s.State, s.Detail = models.StepFailed, "Given up for a newer wish"
	case ctx.Err() != nil:
		return // stays as running: nobody's failure
	default:
		s.State, s.Detail = models.StepFailed, reason(err)
	}
	s.FinishedAt, rec.dirty = &now, true
}

// show writes what a slow step left people waiting for.
func (rec *recorder) show(ctx context.Context) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.ended || !rec.dirty || ctx.Err() != nil {
		return
	}
	rep := models.Report{Steps: slices.Clone(rec.steps), Generation: rec.generation}
	row, err := rec.scope.ReportInstance(ctx, rec.row.ID, rec.owner, rep)
	switch {
	case errors.Is(err, models.ErrInstanceLease), fault.Is(err, fault.NotFound):
		rec.fail(errLeaseLost)
	case err != nil:
		rec.log.WarnContext(ctx, "a step was not recorded", "error", err)
	default:
		rec.dirty = false
		publish(ctx, rec.Bus, row.OrganizationID, row.ID, Steps)
	}
}

// finish ends the record and gives what is not written yet.
func (rec *recorder) finish() []models.InstanceStep {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.ended = true
	if rec.timer != nil {
		rec.timer.Stop()
	}
	if !rec.dirty {
		return nil
	}
	return rec.steps
}

// reason is what people read: what went wrong and what to do.
func reason(err error) string {
	f := fault.As(err)
	text := f.Detail
	if f.Kind == fault.Internal {
		text = "It failed for a reason that only the server's log may tell"
	}
	if f.Hint != "" {
		text = strings.TrimSuffix(text, ".") + ". " + f.Hint
	}
	return strings.TrimSuffix(text, ".")
}

// retried is the reason on the row, which also says what happens next.
func retried(err error, deleting bool) string {
	if deleting {
		return reason(err) + ". It is tried again by itself."
	}
	return reason(err) + ". It is tried again by itself; Recover tries at once."
}
