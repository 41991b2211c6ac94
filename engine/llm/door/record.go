package door

import (
	"context"
	"encoding/json"
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

func (t *tries) note(a Attempt) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempts = append(t.attempts, a)
	return len(t.attempts) - 1
}

// begin notes an attempt that is on its way.
func (t *tries) begin(r Route) int {
	a := Attempt{Provider: r.service, Model: r.Model, Outcome: Lost, WaitedMS: t.waited.Milliseconds()}
	t.waited = 0
	return t.note(a)
}

// end notes how an attempt ended.
func (t *tries) end(at int, err error, began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.attempts[at]
	a.TotalMS = time.Since(began).Milliseconds()
	switch {
	case err != nil && a.CallID == "" && llm.KindOf(err) != "":
		a.Outcome = Skipped
	case err != nil:
		a.Outcome = Failed
	case t.left:
		a.Outcome, t.won = Left, at
	default:
		a.Outcome, t.won = Answered, at
	}
	if err != nil {
		a.Kind, a.Error = llm.KindOf(err), clip(llm.AsError(err).Message, 200)
		if a.Kind == "" {
			a.Error = clip(err.Error(), 200)
		}
	}
}

// close tells what it took, and keeps the decision with what became of it.
func (t *tries) close(ctx context.Context) {
	t.mu.Lock()
	t.spent.Attempts = t.attempts
	spent := t.spent
	t.mu.Unlock()
	if t.won >= 0 {
		won := t.costs[t.attempts[t.won].CallID]
		spent.CallID, spent.Provider, spent.Model = won.CallID, won.Provider, won.Model
	}
	if t.ask.Call.Settled != nil {
		t.ask.Call.Settled(spent)
	}
	if t.plan.kept != nil && t.plan.kept.Swap(true) && len(t.attempts) < 2 && t.final == nil {
		return // one more call of a plan that is known, and nothing to tell of it
	}
	t.sc.Decide(ctx, t.row(spent))
}

func (t *tries) row(s Spent) *models.Decision {
	d, c := t.plan.Decision, t.ask.Call
	row := &models.Decision{CallID: s.CallID, Purpose: c.Purpose, InstanceID: c.InstanceID, SessionID: c.SessionID, TurnID: c.TurnID, Requested: d.Requested,
		Routed: d.Routed, Shadow: d.Shadow, Complexity: d.Complexity, Tier: string(d.Tier), Reason: d.Reason, Chosen: d.Chosen,
		Features: text(d.Features), Candidates: text(d.Candidates), Attempts: text(t.attempts), CostNanos: s.CostNanos}
	if t.final != nil {
		if row.Failure = string(llm.KindOf(t.final)); row.Failure == "" {
			row.Failure = "refused"
		}
	}
	if t.won >= 0 {
		row.Provider, row.Model = s.Provider, s.Model
	}
	if b := d.Baseline; b != nil {
		row.BaselineModel, row.BaselineReason = b.Model, b.Reason
		if t.won >= 0 {
			if n, ok := b.Price(t.costs[s.CallID].Usage, t.door.now()); ok {
				row.BaselineNanos = &n
			}
		}
	}
	return row
}

// text is a list as JSON; "" when there is none.
func text[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	b, err := json.Marshal(list)
	if err != nil {
		return ""
	}
	return string(b)
}
