package agent

import (
	"context"
	"errors"
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// finish brings a turn to its end by what its work came to; see docs/turns.md for the table.
func (x *run) finish(ctx context.Context, err error) {
	cause := context.Cause(ctx)
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer done()
	x.parts.flush()
	stopped, draining := errors.Is(err, errStop) || errors.Is(cause, errStop), errors.Is(err, errDrain) || errors.Is(cause, errDrain)
	waits, asks := errors.AsType[*asked](err)
	if stopped || !asks && !(x.unbegun && draining) { // else they stay open for whoever goes on
		x.closeCalls(err, cause)
	}
	x.keepSight(ctx)
	switch {
	case errors.Is(err, models.ErrLeaseLost), errors.Is(cause, errLost):
		x.Log.InfoContext(ctx, "agent: a turn went to another worker", "turn", x.turn.ID, "attempt", x.turn.Attempt)
	case err == nil:
		x.Crash(CrashFinal)
		x.end(ctx, models.TurnFinish, models.TurnEnded{Quiet: quiet(x.tail)})
	case stopped:
		x.end(ctx, models.TurnCut, models.TurnEnded{Code: "interrupted", Killed: x.killed})
	case asks:
		x.parkForApproval(ctx, waits)
	case errors.Is(err, errTime) || errors.Is(cause, errTime):
		reason, code := explain(x.outOfTime())
		x.end(ctx, models.TurnFail, models.TurnEnded{Reason: reason, Code: code, Killed: x.killed})
	case draining:
		x.release(ctx)
	case x.parks(err):
		x.park(ctx, err)
	case passing(err) && x.turn.Attempt < maxAttempts:
		// A write that was not answered may have happened: what is in the log is for the next attempt to read.
		x.Log.WarnContext(ctx, "agent: the database did not answer, the turn is tried again", "turn", x.turn.ID, "error", err)
		x.tail = nil
		x.release(ctx)
	default:
		reason, code := explain(err)
		if fault.KindOf(err) == fault.Internal && llm.KindOf(err) == "" {
			x.Log.ErrorContext(ctx, "agent: a turn failed", "turn", x.turn.ID, "error", err)
		}
		x.end(ctx, models.TurnFail, models.TurnEnded{Reason: reason, Code: code, Killed: x.killed, RetryAt: retryAt(err)})
	}
}

// maxAttempts is how often a turn is taken up again after failures of our own.
const maxAttempts = 10

// passing tells whether an error is the database's and may be over soon: no reason to fail somebody's turn.
func passing(err error) bool {
	if llm.KindOf(err) != "" { // a provider's own timeout is to be told
		return false
	}
	f, ok := errors.AsType[*fault.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && f.Kind == fault.Unavailable && strings.HasPrefix(f.Code, "database.")
}

// closeCalls answers the calls that the end leaves without a result: the log never keeps one open.
func (x *run) closeCalls(err, cause error) {
	text := "no result: the turn ended before this call was done, or begun"
	switch {
	case errors.Is(err, errStop), errors.Is(cause, errStop):
		text = "not run: the turn was stopped first"
	case errors.Is(err, errTime), errors.Is(cause, errTime):
		text = "not run: the turn's time was over first"
	case errors.Is(err, errDrain), errors.Is(cause, errDrain):
		text = "not run: the server was restarting; call again if it is still needed"
	}
	answered := map[string]bool{}
	for _, d := range x.tail {
		if r, ok := d.(models.ToolResult); ok {
			answered[r.CallID] = true
		}
	}
	for _, d := range x.unanswered(text) {
		if !answered[d.(models.ToolResult).CallID] {
			x.tail = append(x.tail, d)
		}
	}
}

// explain gives what a person may read of a failure: the provider's own words, or a fault's.
func explain(err error) (reason, code string) {
	f := fault.As(err)
	if f.Kind == fault.Internal && f.Code == "internal" {
		return "An internal error ended this turn", f.Code
	}
	if f.Hint != "" {
		return f.Detail + ". " + f.Hint, f.Code
	}
	return f.Detail, f.Code
}

// end writes the last events and the end in one transaction, then what follows from it.
func (x *run) end(ctx context.Context, move models.TurnMove, ended models.TurnEnded) {
	turn, err := x.sc.EndTurn(ctx, x.lease, move, ended, x.tail...)
	if err != nil {
		if !errors.Is(err, models.ErrLeaseLost) {
			x.Log.ErrorContext(ctx, "agent: the end of a turn was not written, it will be taken over", "turn", x.turn.ID, "error", err)
		}
		return
	}
	x.Crash(CrashEnded)
	x.parts.close()
	x.Bus.ForgetParts(turn.ID)
	hintSession(ctx, x.Bus, turn.SessionID, 0)
	x.Bus.Publish(ctx, OrgTopic(turn.OrganizationID), nil)
	x.hintNext(ctx)
	x.follow(ctx)
}

// hintNext wakes a worker for the message that waited behind this turn.
func (x *run) hintNext(ctx context.Context) {
	open, err := x.sc.OpenTurns(ctx, x.turn.SessionID)
	if err != nil {
		return // the sweep finds it
	}
	for _, t := range open {
		if t.State == models.TurnQueued {
			hintTurn(ctx, x.Bus, t.OrganizationID, t.ID)
			return
		}
	}
}

// follow asks for what may happen after the answer; losing it harms nobody.
func (x *run) follow(ctx context.Context) {
	if err := x.sc.TouchInstance(ctx, x.turn.InstanceID); err != nil {
		x.Log.WarnContext(ctx, "agent: an instance was not touched", "instance", x.turn.InstanceID, "error", err)
	}
	if x.Jobs == nil || x.session == nil || x.session.TitledBy != "default" {
		return
	}
	_ = x.Jobs.Title(ctx, x.sc.Org, x.turn.SessionID) // the client logs
}

// release gives the turn back. Calls that were cut get their results first: the next worker must not guess.
func (x *run) release(ctx context.Context) {
	if len(x.tail) > 0 {
		if err := x.append(ctx, models.TurnProgress{}, x.tail...); err != nil {
			x.Log.WarnContext(ctx, "agent: a checkpoint was not written", "turn", x.turn.ID, "error", err)
		}
	}
	if err := x.sc.ReleaseTurn(ctx, x.lease); err != nil {
		x.Log.WarnContext(ctx, "agent: a lease was not given back, it will run out", "turn", x.turn.ID, "error", err)
		return
	}
	hintTurn(ctx, x.Bus, x.sc.Org, x.turn.ID)
}
