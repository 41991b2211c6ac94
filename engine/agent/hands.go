package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// wakeLimit is how long a tool call waits for a sandbox, a first provisioning included.
const wakeLimit = 30 * time.Second

// hands is a turn's hold on its sandbox. It is opened by the first tool call that needs it, so that no answer
// waits for a sandbox that it does not need.
type hands struct {
	run *run
	mu  sync.Mutex
	now sandbox.Hands
	had bool // this turn has used a sandbox already
	up  bool // it was seen to it that the sandbox does not sleep
}

// get gives a sandbox that answers, and starts one where none does.
func (h *hands) get(ctx context.Context) (sandbox.Hands, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now != nil {
		if h.now.Ping(ctx) == nil {
			return h.now, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		h.drop()
	}
	slept, err := h.rouse(ctx)
	if err != nil {
		return nil, err
	}
	now, err := h.reach(ctx)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.NotFound) { // stopped, or not there yet
		now, err = h.wake(ctx, slept)
	}
	if err != nil {
		return nil, err
	}
	h.now, h.had = now, true
	return now, nil
}

// rouse ends the sleep of the sandbox: true when it slept. An instance does not fall asleep while a turn is open.
func (h *hands) rouse(ctx context.Context) (slept bool, err error) {
	if h.up || !h.run.inst.Asleep() {
		return false, nil
	}
	slept, err = h.run.sc.WakeInstance(ctx, h.run.inst.ID)
	h.up = err == nil
	return slept, err
}

// reach takes hold of the sandbox that runs now. One that is on its way out is still there for its driver: it is a
// sandbox when it answers.
func (h *hands) reach(ctx context.Context) (sandbox.Hands, error) {
	now, err := h.run.Driver.Hands(ctx, h.run.inst.ID)
	if err != nil {
		return nil, err
	}
	if err := now.Ping(ctx); err != nil {
		_ = now.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.Wrap(err, fault.Unavailable, "sandbox.gone", "the sandbox does not answer")
	}
	return now, nil
}

// wake brings a sandbox up. The reconciler may be doing the same: both calls are idempotent. slept: nothing of the turn was lost with it.
func (h *hands) wake(ctx context.Context, slept bool) (sandbox.Hands, error) {
	ctx, done := context.WithTimeout(ctx, wakeLimit)
	defer done()
	x := h.run
	inst, err := x.sc.Instance(ctx, x.inst.ID)
	if err != nil {
		return nil, err
	}
	if inst.Desired != models.WantRunning || inst.State == models.Suspended {
		return nil, fault.New(fault.Unavailable, "sandbox.stopped", "the instance was stopped: it has no sandbox now")
	}
	replaced := h.had || inst.State == models.Running && !slept
	spec, err := x.Spec(x.sc, inst)
	if err != nil {
		return nil, err
	}
	if err := x.Driver.Ensure(ctx, spec); err != nil {
		return nil, err
	}
	if err := x.Driver.Start(ctx, spec.ID); err != nil {
		return nil, err
	}
	now, err := x.Driver.Hands(ctx, spec.ID)
	if err == nil && replaced {
		x.notice(ctx, models.LogWarn, "The sandbox had stopped: a fresh one was started, files are intact")
	}
	return now, err
}

// lost tells whether an error means that the sandbox went away under a call; the next one gets a fresh one.
func (h *hands) lost(err error) bool {
	if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Upstream) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop()
	return true
}

func (h *hands) drop() {
	if h.now != nil {
		_ = h.now.Close()
		h.now = nil
	}
}

func (h *hands) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop()
}

// placeUploads puts the files of the message into the workspace before the model hears of them.
func (x *run) placeUploads(ctx context.Context) {
	if x.turn.Attempt > 1 && x.steps > 0 {
		return
	}
	var err error
	for _, turn := range append(slices.Clone(x.alike), x.turn.ID) {
		if err != nil || !x.book.hasUploads(turn) {
			continue
		}
		var files []models.Attachment
		if files, err = x.sc.Attachments(ctx, turn); err == nil && len(files) > 0 {
			err = x.writeUploads(ctx, files)
		}
	}
	if err != nil && ctx.Err() == nil {
		x.notice(ctx, models.LogWarn, "The attached files could not be put into the workspace: %s", fault.As(err).Detail)
	}
}

func (x *run) writeUploads(ctx context.Context, files []models.Attachment) error {
	h, err := x.hands.get(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := h.WriteFile(ctx, f.Path, f.Data, 0o644); err != nil {
			return fault.Wrap(err, fault.KindOf(err), "upload.write", "%s", fmt.Sprintf("%s: %s", f.Name, fault.As(err).Detail))
		}
	}
	return nil
}
