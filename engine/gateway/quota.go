package gateway

import (
	"context"
	"sync"
	"time"

	"lobstead/models"
)

// Quota is what a caller may still use: the tightest budgets that the call falls under. Without a budget in money it is what
// the organization has spent in the month.
type Quota struct {
	Spent  int64               // nano-dollars
	Resets time.Time           // when Spent begins again; zero = never
	Money  *models.BudgetState // nil = no limit, as are the next two
	Tokens *models.BudgetState
	// Messages count only where an agent answers.
	Messages *models.BudgetState
}

// quotaLife is how old the figures of a header may be: they are not read for every call.
const quotaLife = 10 * time.Second

const maxQuotas = 10_000

type quotas struct {
	mu  sync.Mutex
	all map[quotaOf]quotaAt
}

// quotaOf is whose it is.
type quotaOf struct{ org, member, key, instance string }

type quotaAt struct {
	Quota
	at time.Time
}

// Quota tells how the caller of an answer stands, at most ten seconds late.
func (a *Answer) Quota(ctx context.Context) (Quota, error) {
	of := quotaOf{org: a.sc.Org, member: a.sc.Actor.UserID, key: a.sc.Actor.KeyID}
	if i := a.ask().Instance; i != nil {
		of.instance = i.ID
	}
	q, err := a.g.quota(ctx, a.sc, of)
	if a.agent == nil {
		q.Messages = nil
	}
	return q, err
}

func (g *Gateway) quota(ctx context.Context, sc *models.Scope, of quotaOf) (Quota, error) {
	now := time.Now().UTC()
	g.quotas.mu.Lock()
	known, ok := g.quotas.all[of]
	g.quotas.mu.Unlock()
	if ok && now.Sub(known.at) < quotaLife && (known.Resets.IsZero() || now.Before(known.Resets)) {
		return known.Quota, nil
	}
	q, err := readQuota(ctx, sc, of, now)
	if err != nil {
		return q, err
	}
	g.quotas.mu.Lock()
	defer g.quotas.mu.Unlock()
	if len(g.quotas.all) > maxQuotas || g.quotas.all == nil {
		g.quotas.all = map[quotaOf]quotaAt{}
	}
	g.quotas.all[of] = quotaAt{q, now}
	return q, nil
}

func readQuota(ctx context.Context, sc *models.Scope, of quotaOf, now time.Time) (Quota, error) {
	states, err := sc.BudgetsOf(ctx, models.Charge{MemberID: of.member, KeyID: of.key, InstanceID: of.instance})
	if err != nil {
		return Quota{}, err
	}
	q := Quota{Money: models.Tightest(states, models.BudgetMoney), Tokens: models.Tightest(states, models.BudgetTokens), Messages: models.Tightest(states, models.BudgetMessages)}
	if q.Money != nil {
		q.Spent, q.Resets = q.Money.Spent, q.Money.Resets
		return q, nil
	}
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	s, err := sc.SpentSince(ctx, month)
	q.Spent, q.Resets = s.CostNanos, month.AddDate(0, 1, 0)
	return q, err
}
