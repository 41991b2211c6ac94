package agent

import (
	"cmp"
	"context"

	"lobstead/engine/llm"
	"lobstead/engine/policy"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Every call is judged by policy before any of its step runs: what the model asked for then, it asked for before it read
// what the step's calls say. A call that needs a person parks the turn where it is, with the call and those after it open
// in the log; the next worker goes on with them.

// asked ends a worker's hold on a turn: the call waits for a person.
type asked struct {
	call    llm.ToolCall
	verdict policy.Verdict
}

func (a *asked) Error() string { return "the call of " + a.call.Name + " waits for a person" }

// judge decides what becomes of calls, and gives the rows that say so. before is where the step's own events begin, 0 when
// they are not in the log yet.
func (x *run) judge(ctx context.Context, calls []llm.ToolCall, before int64) ([]policy.Verdict, []models.PolicyDecision, error) {
	if len(calls) == 0 {
		return nil, nil, nil
	}
	rules, err := x.sc.PolicyRules(ctx, x.inst.ID)
	if err != nil {
		return nil, nil, err
	}
	verdicts, rows := make([]policy.Verdict, len(calls)), []models.PolicyDecision{}
	for n := range calls {
		if _, known := x.Tools.Get(calls[n].Name); !known || calls[n].Invalid != "" { // it cannot run: the model is told
			verdicts[n].Do = models.Allow
			continue
		}
		if verdicts[n], err = x.verdict(ctx, rules, calls[n], before); err != nil {
			return nil, nil, err
		}
		rows = append(rows, decisionOf(calls[n], verdicts[n]))
	}
	return verdicts, rows, nil
}

func decisionOf(c llm.ToolCall, v policy.Verdict) models.PolicyDecision {
	return models.PolicyDecision{CallID: c.ID, Tool: c.Name, Verdict: v.Do, RuleID: v.RuleID, RuleName: v.Rule, Reason: v.Reason}
}

func (x *run) policyCall(c llm.ToolCall, outward string) policy.Call {
	return policy.Call{InstanceID: x.inst.ID, Tool: c.Name, Input: c.Input, Outward: outward}
}

// verdict judges one call; what a person granted before is not asked for again.
func (x *run) verdict(ctx context.Context, rules []models.PolicyRule, c llm.ToolCall, before int64) (policy.Verdict, error) {
	outward, taint := x.Tools.Outward(c.Name, c.Input), ""
	if outward != "" {
		origin, note, err := tainted(ctx, x.sc, x.turn.SessionID, before)
		if err != nil {
			return policy.Verdict{}, err
		}
		taint = taintWords(origin, note)
	}
	call := x.policyCall(c, outward)
	v := policy.Judge(rules, call, taint)
	if v.Do != models.Ask {
		return v, nil
	}
	shape, err := policy.Fingerprint(call)
	if err != nil {
		return v, err
	}
	g, err := x.sc.GrantFor(ctx, x.inst.ID, x.turn.SessionID, shape)
	switch {
	case fault.Is(err, fault.NotFound):
		return v, nil
	case err != nil:
		return v, err
	}
	return policy.Verdict{Do: models.Allow, Rule: "grant", Reason: "Granted by " + g.GrantedName + " for exactly this call"}, nil
}

// taintWords names what was read; "" when nothing untrusted was.
func taintWords(origin models.Origin, note string) string {
	switch origin {
	case models.FromWeb:
		return cmp.Or(note, "a web page")
	case models.FromChannel:
		return "a message from " + cmp.Or(note, "a channel")
	case models.FromFile:
		return "the file " + note
	case models.FromTool:
		return "what " + note + " answered"
	}
	return ""
}

// refuse is the result of a call that policy does not let run.
func refuse(v policy.Verdict) models.ToolResult {
	return failed("not run: denied by policy (%s): %s. Do not try the same in another way; say what you need and why", v.Rule, v.Reason)
}

// parkForApproval lets go of the turn until a person decides. What is shown, fingerprinted and later run is the call as the
// log has it.
func (x *run) parkForApproval(ctx context.Context, a *asked) {
	c, ok := x.logged(a.call.ID)
	shape, err := policy.Fingerprint(x.policyCall(c, ""))
	if err == nil && ok {
		err = x.sc.AskApproval(ctx, x.lease, &models.Approval{InstanceID: x.inst.ID, CallID: c.ID, Tool: c.Name, Input: string(c.Input), Fingerprint: shape,
			RuleName: a.verdict.Rule, Reason: a.verdict.Reason}, x.letterOfCall(c.Name, cmp.Or(a.verdict.Brief, a.verdict.Reason)), x.tail...)
	}
	x.parked(ctx, err)
}

// logged finds an open call of this turn in the log.
func (x *run) logged(callID string) (llm.ToolCall, bool) {
	for _, c := range models.OpenCalls(x.book.turnEvents(x.turn.ID)) {
		if c.CallID == callID {
			return callOf(c), true
		}
	}
	return llm.ToolCall{}, false
}

func callOf(c models.ToolCall) llm.ToolCall {
	return llm.ToolCall{ID: c.CallID, Name: c.Tool, Input: c.Input, Signature: c.Signature}
}

// decided finds the decision on the first open call when nobody has acted on it yet; nil when there is none.
func (x *run) decided(ctx context.Context, first models.ToolCall) (*models.Approval, error) {
	a, err := x.sc.CallApproval(ctx, x.turn.ID, first.CallID)
	if fault.Is(err, fault.NotFound) || err == nil && (a.Status == models.ApprovalPending || a.BegunAt != nil) {
		return nil, nil
	}
	return a, err
}

// goOn continues with the open calls of a step whose first one was decided on. None of them has begun.
func (x *run) goOn(ctx context.Context, open []models.ToolCall, a *models.Approval) error {
	x.unbegun = true
	calls := make([]llm.ToolCall, len(open))
	for n := range open {
		calls[n] = callOf(open[n])
	}
	verdicts, rows, err := x.judge(ctx, calls, x.stepBegan(open[0].Step))
	if err != nil {
		return err
	}
	if err := x.append(ctx, models.TurnProgress{Policy: skipAsked(rows, a.CallID)}); err != nil {
		return err
	}
	for n := range calls {
		if n == 0 {
			err = x.callDecided(ctx, calls[n], verdicts[n], a)
		} else {
			err = x.call(ctx, calls[n], verdicts[n])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// skipAsked leaves out what policy says of a call on which a person has decided, unless it is no by now.
func skipAsked(rows []models.PolicyDecision, callID string) []models.PolicyDecision {
	if len(rows) > 0 && rows[0].CallID == callID && rows[0].Verdict != models.Deny {
		return rows[1:]
	}
	return rows
}

// stepBegan is the seq of the first call of a step of this turn.
func (x *run) stepBegan(step int) int64 {
	for _, e := range x.book.turnEvents(x.turn.ID) {
		if c, err := models.Decode[models.ToolCall](e); err == nil && c.Step == step {
			return e.Seq
		}
	}
	return 0
}

// callDecided does what a person decided: it runs the call, once and as it was shown, or says why not. A rule that was made
// since then and says no comes first.
func (x *run) callDecided(ctx context.Context, c llm.ToolCall, v policy.Verdict, a *models.Approval) error {
	if err := x.mayGoOn(ctx); err != nil {
		return err
	}
	switch {
	case a.Status == models.ApprovalTimedOut:
		x.unbegun = false
		return x.record(ctx, c, failed("not run: it needed a person's approval, and nobody decided in time"))
	case a.Status != models.ApprovalApproved:
		x.unbegun = false
		return x.record(ctx, c, failed("not run: %s denied it. %s", a.DecidedName, cmp.Or(a.Note, "No reason was given.")))
	case v.Do == models.Deny:
		x.unbegun = false
		return x.record(ctx, c, refuse(v))
	}
	x.Crash(CrashDecided)
	shape, err := policy.Fingerprint(x.policyCall(c, ""))
	if err != nil {
		return err
	}
	mine, err := x.sc.BeginApproved(ctx, x.lease, a.ID, shape)
	if err != nil {
		return err
	}
	x.unbegun = false
	if !mine {
		return x.record(ctx, c, failed("not run: this is not the call that was approved"))
	}
	x.Crash(CrashBegun)
	return x.carryOut(ctx, c)
}
