package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// Decision is which model was chosen for a call, why, and what became of it. Rows are never changed; the minute's tidying
// forgets them after DecisionLife. Features, Candidates and Attempts are JSON of the door's types.
type Decision struct {
	ID             string
	OrganizationID string
	CallID         string // the ledger's, of the attempt that answered or of the last one
	Purpose        string
	InstanceID     string
	SessionID      string
	TurnID         string
	Requested      string
	Routed         bool
	Shadow         bool // decided, but served as without a router
	Complexity     int
	Tier           string
	Reason         string
	Chosen         string // "provider/model" that the router would take
	Features       string
	Candidates     string
	Attempts       string
	Provider       string       // that served
	Model          string       // that served
	Failure        string       // the kind of error that the caller saw, "" = answered
	Cached         CacheOutcome // nobody was asked
	BaselineModel  string
	BaselineReason string
	BaselineNanos  *int64 // nil = nobody can say
	CostNanos      int64
	CreatedAt      time.Time
}

// DecisionLife is how long a decision is kept.
const DecisionLife = 90 * 24 * time.Hour

// Decide writes a decision down, without keeping the caller waiting; its id and time are set here.
func (sc *Scope) Decide(ctx context.Context, d *Decision) {
	d.ID, d.OrganizationID, d.CreatedAt = id.New(), sc.Org, sc.store.now()
	for _, text := range []*string{&d.Features, &d.Candidates, &d.Attempts} {
		if *text == "" {
			*text = "[]"
		}
	}
	for _, text := range []*string{&d.Requested, &d.Reason, &d.Chosen, &d.Provider, &d.Model, &d.BaselineModel} {
		*text = clip(cleanText(*text), 300)
	}
	sc.soon(ctx, "a decision", func(tx *gorm.DB) error {
		return within(tx).insert("decisions", `id, organization_id, call_id, purpose, instance_id, session_id, turn_id, requested, routed, shadow, complexity, tier,
			reason, chosen, features, candidates, attempts, provider, model, failure, cached, baseline_model, baseline_reason, baseline_nanos, cost_nanos, created_at`,
			d.ID, d.OrganizationID, d.CallID, d.Purpose, d.InstanceID, d.SessionID, d.TurnID, d.Requested, d.Routed, d.Shadow, d.Complexity, d.Tier,
			d.Reason, d.Chosen, d.Features, d.Candidates, d.Attempts, d.Provider, d.Model, d.Failure, string(d.Cached), d.BaselineModel, d.BaselineReason, d.BaselineNanos, d.CostNanos, d.CreatedAt)
	})
}

// forAnswers are the decisions about who answers; a summary that a turn needs on its way has one of its own.
const forAnswers = "purpose <> 'compaction'"

// TurnDecisions reads those about a turn's answers, in their order.
func (sc *Scope) TurnDecisions(ctx context.Context, turnID string) ([]Decision, error) {
	sc.store.caughtUp(ctx)
	return all[Decision](sc.read(ctx).Where("turn_id = ? AND "+forAnswers, turnID).Order("id"))
}

// Decisions reads the newest n of the organization, newest first.
func (sc *Scope) Decisions(ctx context.Context, n int) ([]Decision, error) {
	sc.store.caughtUp(ctx)
	return all[Decision](sc.read(ctx).Order("id DESC").Limit(n))
}

// DecidedWords gives the first 300 characters of the message that began each decision's turn, by turn.
func (sc *Scope) DecidedWords(ctx context.Context, rows []Decision) (map[string]string, error) {
	turns, out := []string{}, map[string]string{}
	for i := range rows {
		if t := rows[i].TurnID; t != "" && !slices.Contains(turns, t) {
			turns = append(turns, t)
		}
	}
	if len(turns) == 0 {
		return out, nil
	}
	events, err := all[Event](sc.read(ctx).Where("turn_id IN ? AND kind = ?", turns, KindUser))
	for _, e := range events {
		if m, err := Decode[UserMessage](e); err == nil && e.TurnID != nil {
			out[*e.TurnID] = clip(m.Text, 300)
		}
	}
	return out, err
}

// TrimDecisions forgets what is older than DecisionLife.
func (sy *System) TrimDecisions(ctx context.Context) error {
	return translate(sy.write(ctx).Where("created_at < ?", sy.store.now().Add(-DecisionLife)).Delete(&Decision{}).Error)
}
