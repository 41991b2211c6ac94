package door

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

// policyLife is how long a process may go by what it read of an organization's decisions and orders.
const policyLife = 5 * time.Second

const maxPolicies = 10_000

// order is what a person ordered about a provider.
type order struct {
	open  bool
	reset time.Time // zero = never
}

// policy is what an organization decided.
type policy struct {
	shadow  bool
	hedge   time.Duration
	ceiling llm.Tier
	orders  map[string]order // by the provider's name
	edits   map[string]models.CatalogueEdit
	caches  map[string]models.ResponseCache // in use, by instance
	at      time.Time
}

type policies struct {
	mu  sync.Mutex
	all map[string]policy
}

// ceilings are the dearest tiers of the plans. Where plans limit nothing, nothing is too dear.
var ceilings = map[string]llm.Tier{"starter": llm.TierStandard, "pro": llm.TierPremium, "business": llm.TierFlagship,
	"standard": llm.TierPremium, "performance": llm.TierFlagship, "enterprise": llm.TierFlagship}

// CeilingOf gives the dearest tier of a plan by its name, in any case: those of an organization (STARTER, PRO, BUSINESS) and
// those of the agent API (starter, pro, performance, enterprise). ok is false for other words.
func CeilingOf(plan string) (llm.Tier, bool) {
	t, ok := ceilings[strings.ToLower(plan)]
	return t, ok
}

// policy reads what holds, at most every policyLife. What cannot be read is as it was: a call is worth more than its rules.
func (d *Door) policy(ctx context.Context, sc *models.Scope) policy {
	now := d.now()
	d.policies.mu.Lock()
	p, ok := d.policies.all[sc.Org]
	d.policies.mu.Unlock()
	if ok && now.Sub(p.at).Abs() < policyLife {
		return p
	}
	fresh, err := readPolicy(ctx, sc)
	if err != nil {
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "door: what the organization decided cannot be read", "organization", sc.Org, "error", err)
		}
		if !ok {
			p.ceiling = llm.TierFlagship
		}
		return p
	}
	fresh.at = now
	d.policies.mu.Lock()
	defer d.policies.mu.Unlock()
	if d.policies.all == nil || len(d.policies.all) > maxPolicies {
		d.policies.all = map[string]policy{}
	}
	d.policies.all[sc.Org] = fresh
	return fresh
}

func readPolicy(ctx context.Context, sc *models.Scope) (policy, error) {
	p := policy{ceiling: llm.TierFlagship, orders: map[string]order{}, edits: map[string]models.CatalogueEdit{}, caches: map[string]models.ResponseCache{}}
	r, err := sc.Routing(ctx)
	if err != nil {
		return p, err
	}
	p.shadow, p.hedge = r.Shadow, time.Duration(r.HedgeMS)*time.Millisecond
	orders, err := sc.BreakerOrders(ctx)
	if err != nil {
		return p, err
	}
	for _, o := range orders {
		v := order{open: o.ForcedOpen}
		if !o.ForcedOpen {
			v.reset = o.CreatedAt
		}
		p.orders[o.Provider] = v
	}
	edits, err := sc.CatalogueEdits(ctx)
	if err != nil {
		return p, err
	}
	for _, e := range edits {
		p.edits[e.Provider+"/"+e.Model] = e
	}
	caches, err := sc.CachesInUse(ctx)
	if err != nil {
		return p, err
	}
	for _, c := range caches {
		p.caches[c.InstanceID] = c
	}
	plan, limited, err := sc.CeilingPlan(ctx)
	if t, ok := CeilingOf(string(plan)); err == nil && limited && ok {
		p.ceiling = t
	}
	if own := llm.Tier(r.Ceiling); r.Ceiling != "" && own.Rank() < p.ceiling.Rank() {
		p.ceiling = own
	}
	return p, err
}

// Ceiling is the dearest tier that the router may take for an organization now: its own, or its plan's when that is lower.
func (d *Door) Ceiling(ctx context.Context, sc *models.Scope) llm.Tier {
	return d.policy(ctx, sc).ceiling
}

// Forget makes the next call read anew what an organization decided.
func (d *Door) Forget(org string) {
	d.policies.mu.Lock()
	delete(d.policies.all, org)
	d.policies.mu.Unlock()
}
