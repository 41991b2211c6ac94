package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
)

// A turn meets the budgets before each call to a model. When calls under way hold what is left, it waits for them; when
// a budget is used up, it is parked until somebody decides or the budget starts again. Between two steps nothing is half
// done, so it goes on there without a step lost or done twice.

// answering are the sources whose caller waits for the answer and gets the refusal instead: there is nobody to ask.
var answering = map[string]bool{"agent-api": true, "gateway": true, RuntimeSource: true}

// RuntimeSource is the source of a message that came by the runtime API; one that says it came from a channel has the
// channel's name after a slash: somebody outside wrote it.
const RuntimeSource = "runtime-api"

// affordable does a step, as often as calls under way hold what is left of a budget.
func (x *run) affordable(ctx context.Context, step func(context.Context) (bool, error)) (bool, error) {
	for {
		final, err := step(ctx)
		if codeOf(err) != "budget.held" {
			return final, err
		}
		if err := x.mayGoOn(ctx); err != nil {
			return false, err
		}
		select {
		case <-ctx.Done():
		case <-x.draining:
		case <-time.After(heldPause + rand.N(heldPause)):
		}
	}
}

// heldPause is how long, at least, a turn waits for calls under way before it asks again.
const heldPause = 150 * time.Millisecond

func codeOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}

// parks tells whether a turn that met err waits for a decision.
func (x *run) parks(err error) bool {
	code := codeOf(err)
	return (code == "budget.reached" || code == "budget.unpriced") && !answering[way(x.turn.Source)]
}

// way is a source without the channel behind it.
func way(source string) string {
	w, _, _ := strings.Cut(source, "/")
	return w
}

// park lets go of the turn until it may go on, and tells who watches.
func (x *run) park(ctx context.Context, err error) {
	f := fault.As(err)
	text, _ := explain(f)
	p := models.Paused{For: models.WaitBudget, Code: f.Code, Text: text, Until: retryAt(err)}
	var by models.Budget
	if r, ok := errors.AsType[*models.Refusal](err); ok {
		by = r.Budget
	}
	p.BudgetID = by.ID
	x.parked(ctx, x.sc.ParkTurn(ctx, x.lease, by, p.Until, x.letterOfBudget(text), append(x.tail, p)...))
}

// parked tells who watches that the turn waits, or ends it when it is to be stopped.
func (x *run) parked(ctx context.Context, err error) {
	switch {
	case errors.Is(err, models.ErrLeaseLost): // or it is to be stopped
		x.closeCalls(errStop, nil)
		x.end(ctx, models.TurnCut, models.TurnEnded{Code: "interrupted", Killed: x.killed})
		return
	case err != nil:
		x.Log.ErrorContext(ctx, "agent: a turn was not parked, it will be taken over", "turn", x.turn.ID, "error", err)
		return
	}
	x.Crash(CrashParked)
	hintSession(ctx, x.Bus, x.turn.SessionID, 0)
	x.Bus.Publish(ctx, OrgTopic(x.sc.Org), nil)
	x.Bus.Publish(ctx, InboxTopic(x.sc.Org), nil)
}

func retryAt(err error) *time.Time {
	if f, ok := errors.AsType[*fault.Error](err); ok && !f.RetryAt.IsZero() {
		return &f.RetryAt
	}
	return nil
}

// Resume lets a turn go on that waits for a budget; any other stays as it is.
func (t *Turns) Resume(ctx context.Context, sc *models.Scope, turnID string) error {
	turn, err := sc.Turn(ctx, turnID)
	if err != nil {
		return err
	}
	done, err := sc.ResumeTurn(ctx, turnID)
	if err != nil || !done {
		return err
	}
	t.resumed(ctx, sc, turnID, turn.SessionID)
	return nil
}

// resumed wakes a worker for a turn that may go on, and tells who watches.
func (t *Turns) resumed(ctx context.Context, sc *models.Scope, turnID, sessionID string) {
	hintTurn(ctx, t.Bus, sc.Org, turnID)
	hintSession(ctx, t.Bus, sessionID, 0)
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
	t.Bus.Publish(ctx, InboxTopic(sc.Org), nil)
}

// ResumeAll lets every turn go on that waits for a budget: one was changed. Those that are still refused wait again.
func (t *Turns) ResumeAll(ctx context.Context, sc *models.Scope) error {
	parked, err := sc.ParkedTurns(ctx)
	for i := 0; err == nil && i < len(parked); i++ {
		err = t.Resume(ctx, sc, parked[i].ID)
	}
	return err
}

// sweepBatch is how many rows one sweep of the ledger takes; the next one takes the rest.
const sweepBatch = 500

// SweepLedger settles the calls of processes that died, and lets parked turns go on whose time has come: their budget has
// started again, or nobody decided on their call.
// Every worker may do it at any time.
func (t *Turns) SweepLedger(ctx context.Context) error {
	system := t.Store.AsSystem("the sweep looks for calls and turns of all organizations")
	calls, err := system.OrphanedCalls(ctx, sweepBatch)
	if err != nil {
		return err
	}
	for _, c := range calls {
		if _, err := t.Store.In(c.OrganizationID).SettleOrphan(ctx, c.CallID); err != nil {
			return err
		}
	}
	due, err := system.DueParkedTurns(ctx, sweepBatch)
	for i := 0; err == nil && i < len(due); i++ {
		sc := t.Store.In(due[i].OrganizationID)
		if err = t.Resume(ctx, sc, due[i].ID); err == nil {
			err = t.ExpireApprovals(ctx, sc)
		}
	}
	return err
}

// Refused gives the fault by which a turn's call to a model was refused, for callers that wait for the answer; nil when
// it failed otherwise, or did not fail.
func (t *Turns) Refused(ctx context.Context, sc *models.Scope, turnID string) error {
	log, err := sc.TurnEvents(ctx, turnID)
	if err != nil {
		return err
	}
	for _, e := range log {
		if e.Kind != models.KindEnded {
			continue
		}
		d, err := models.Decode[models.TurnEnded](e)
		if err != nil {
			return err
		}
		if d.Code != "budget.reached" && d.Code != "budget.unpriced" {
			return nil
		}
		f := fault.New(fault.Payment, d.Code, "%s", d.Reason)
		if d.RetryAt != nil {
			f.RetryAt = *d.RetryAt
		}
		return f
	}
	return nil
}
