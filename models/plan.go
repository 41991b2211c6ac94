package models

import (
	"context"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Plan is what a tier gives an instance, how many instances an organization on it may have, and what it costs. An
// organization's plan and an instance's tier are the same words (cloud-api.md, "Tiers"). Staff may edit the rows.
type Plan struct {
	Size             `gorm:"embedded"`
	Instances        int // an organization may have, where plans limit
	PriceMonthCents  int // US cents
	PriceYearCents   int
	StripePriceMonth string // id of a price in Stripe; "" = made at the checkout from the figures above
	StripePriceYear  string
	UpdatedAt        time.Time
}

// Price is what a plan costs in US cents, a month or a year.
func (p *Plan) Price(annual bool) int {
	if annual {
		return p.PriceYearCents
	}
	return p.PriceMonthCents
}

// StripePrice is the id of the price in Stripe, "" when it is made at the checkout.
func (p *Plan) StripePrice(annual bool) string {
	if annual {
		return p.StripePriceYear
	}
	return p.StripePriceMonth
}

// PlanLife is how long a process may go on with a plan that another one has changed.
const PlanLife = 5 * time.Second

// planCache saves every creation from reading three rows that hardly ever change.
type planCache struct {
	mu   sync.Mutex
	rows []Plan
	at   time.Time
	turn int // of the last change: what was read before it is not kept
}

// Plans lists the plans, smallest first. Another process's change is seen within PlanLife.
func (sc *Scope) Plans(ctx context.Context) ([]Plan, error) { return sc.store.plans(ctx) }

// Plans lists the plans, smallest first. Another process's change is seen within PlanLife.
func (sy *System) Plans(ctx context.Context) ([]Plan, error) { return sy.store.plans(ctx) }

func (s *Store) plans(ctx context.Context) ([]Plan, error) {
	c, now := &s.cache, s.now()
	c.mu.Lock()
	rows, turn, fresh := c.rows, c.turn, c.rows != nil && now.Sub(c.at).Abs() < PlanLife
	c.mu.Unlock()
	if fresh {
		return slices.Clone(rows), nil
	}
	rows, err := all[Plan](s.AsSystem("plans are everybody's").read(ctx).Order("memory_mb, tier"))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == turn {
		c.rows, c.at = rows, now
	}
	return slices.Clone(rows), nil
}

// forgetPlans makes the next reader read.
func (s *Store) forgetPlans() {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.rows = nil
	s.cache.turn++
}

// plan reads one; NotFound for an unknown tier.
func (s *Store) plan(ctx context.Context, t Tier) (*Plan, error) {
	rows, err := s.plans(ctx)
	if err != nil {
		return nil, err
	}
	return planOf(rows, t)
}

func planOf(rows []Plan, t Tier) (*Plan, error) {
	for n := range rows {
		if rows[n].Tier == t {
			return &rows[n], nil
		}
	}
	return nil, fault.NotFoundf("plan")
}

// Plan reads the plan of a tier; NotFound for an unknown one.
func (sc *Scope) Plan(ctx context.Context, t Tier) (*Plan, error) { return sc.store.plan(ctx, t) }

// PlanChange holds what to change of a plan; nil leaves a field as it is. The names of issues are the columns'.
type PlanChange struct {
	MemoryMB, StorageMB, Processes             *int
	CPUs                                       *float64
	Instances, PriceMonthCents, PriceYearCents *int
	StripePriceMonth, StripePriceYear          *string
}

const maxPlanNumber = 100_000_000

func (c *PlanChange) columns() (map[string]any, error) {
	var is fault.Issues
	set := map[string]any{}
	for _, n := range []struct {
		name  string
		value *int
		least int
	}{{"memory_mb", c.MemoryMB, 64}, {"storage_mb", c.StorageMB, 64}, {"processes", c.Processes, 8}, {"instances", c.Instances, 0},
		{"price_month_cents", c.PriceMonthCents, 0}, {"price_year_cents", c.PriceYearCents, 0}} {
		if n.value == nil {
			continue
		}
		if *n.value < n.least || *n.value > maxPlanNumber {
			is.Custom(n.name, "This number is out of its range")
		}
		set[n.name] = *n.value
	}
	if c.CPUs != nil {
		if !(*c.CPUs >= 0.05 && *c.CPUs <= 1024) { // NaN too
			is.Custom("cpus", "This number is out of its range")
		}
		set["cpus"] = *c.CPUs
	}
	for name, id := range map[string]*string{"stripe_price_month": c.StripePriceMonth, "stripe_price_year": c.StripePriceYear} {
		if id != nil {
			CheckText(&is, name, *id, 255)
			set[name] = *id
		}
	}
	return set, is.Err()
}

// UpdatePlan changes a plan, for staff: by needs a reason. Instances that exist keep the size that they were made with
// until their tier is changed; the number of instances and the prices hold from now on, subscriptions that run keep the
// price that they were bought for. NotFound for an unknown tier.
func (sy *System) UpdatePlan(ctx context.Context, by Actor, t Tier, c PlanChange) (*Plan, error) {
	set, err := c.columns()
	if err != nil {
		return nil, err
	}
	var out *Plan
	err = sy.tx(ctx, func(tx *gorm.DB) error {
		was, err := first[Plan](locked(tx).Where("tier = ?", t))
		if err != nil {
			return err
		}
		if out = was; len(set) == 0 {
			return nil
		}
		before, after := was.facts(), set
		for name := range before {
			if _, ok := after[name]; !ok || before[name] == after[name] {
				delete(before, name)
				delete(after, name)
			}
		}
		if len(after) == 0 {
			return nil
		}
		note := act{name: "plan.changed", kind: "plan", id: string(t), of: string(t), before: before, after: map[string]any{}}
		for name, v := range after {
			note.after[name] = v
		}
		after["updated_at"] = sy.store.now()
		if _, err := changed(tx.Model(&Plan{}).Where("tier = ?", t), after); err != nil {
			return err
		}
		if out, err = first[Plan](tx.Where("tier = ?", t)); err != nil {
			return err
		}
		return sy.audit(tx, by, note)
	})
	sy.store.forgetPlans()
	return out, err
}

// facts are the columns that can be changed.
func (p *Plan) facts() map[string]any {
	return map[string]any{"memory_mb": p.MemoryMB, "storage_mb": p.StorageMB, "processes": p.Processes, "cpus": p.CPUs, "instances": p.Instances,
		"price_month_cents": p.PriceMonthCents, "price_year_cents": p.PriceYearCents, "stripe_price_month": p.StripePriceMonth,
		"stripe_price_year": p.StripePriceYear}
}

// Allowance is how many instances an organization may have and has.
type Allowance struct {
	Limited bool // false: as many as it likes
	Limit   int
	Used    int // those that are being deleted do not count: their sandboxes end, and nothing brings them back
}

// allowance gives the limit of an organization: its own, else the plan's where plans limit.
func (s *Store) allowance(o *Organization, plans []Plan) (limit int, limited bool, err error) {
	switch {
	case o.InstanceLimit != nil:
		return *o.InstanceLimit, true, nil
	case !s.limits:
		return 0, false, nil
	}
	plan, err := planOf(plans, o.Plan)
	if err != nil {
		return 0, false, err
	}
	return plan.Instances, true, nil
}

// Allowance reads how many instances the organization may have and has.
func (sc *Scope) Allowance(ctx context.Context) (a Allowance, err error) {
	o, err := sc.Organization(ctx)
	if err != nil {
		return a, err
	}
	plans, err := sc.store.plans(ctx)
	if err != nil {
		return a, err
	}
	if a.Limit, a.Limited, err = sc.store.allowance(o, plans); err != nil {
		return a, err
	}
	a.Used, err = sc.livingInstances(sc.read(ctx))
	return a, err
}

func (sc *Scope) livingInstances(db *gorm.DB) (int, error) {
	var n int64
	err := db.Model(&Instance{}).Where("desired <> ?", WantDeleted).Count(&n).Error
	return int(n), translate(err)
}

// mayAddInstance is asked inside the transaction of a creation. Where something limits the organization its row is held
// until the end, so that two creations at once cannot both be the last one. Otherwise it costs nothing when the request
// knows the organization; one that is suspended in that moment is caught by SuspendStragglers. The plans are read before:
// a transaction that waits for a second connection could wait for ever.
func (sc *Scope) mayAddInstance(tx *gorm.DB, plans []Plan) error {
	o := sc.known
	if o == nil || sc.store.limits || o.InstanceLimit != nil {
		var err error
		if o, err = sc.heldOrganization(tx); err != nil {
			return err
		}
	}
	if err := o.stands(); err != nil {
		return err
	}
	limit, limited, err := sc.store.allowance(o, plans)
	if err != nil || !limited {
		return err
	}
	n, err := sc.livingInstances(tx)
	if err == nil && n >= limit {
		err = fault.New(fault.Forbidden, "instance.limit", "Instance limit reached").
			Hinting("Delete an instance, or ask the owner to choose a bigger plan under Settings, Billing")
	}
	return err
}

// SetPlan puts the organization on another plan, for staff; a subscription that Stripe reports on later decides again.
func (sc *Scope) SetPlan(ctx context.Context, t Tier) (*Organization, error) {
	var is fault.Issues
	if CheckTier(&is, t); len(is) > 0 {
		return nil, is.Err()
	}
	return sc.changeOrganization(ctx, func(o *Organization) (map[string]any, act) {
		if o.Plan == t {
			return nil, act{}
		}
		return map[string]any{"plan": t}, act{name: "organization.plan_changed", before: map[string]any{"plan": o.Plan}, after: map[string]any{"plan": t}}
	})
}

// SetInstanceLimit gives the organization a limit of its own instead of its plan's, for staff; nil takes it away. It
// holds also where billing is not configured.
func (sc *Scope) SetInstanceLimit(ctx context.Context, limit *int) (*Organization, error) {
	var is fault.Issues
	if limit != nil && (*limit < 0 || *limit > maxPlanNumber) {
		is.Custom("instance_limit", "This number is out of its range")
		return nil, is.Err()
	}
	return sc.changeOrganization(ctx, func(o *Organization) (map[string]any, act) {
		if (o.InstanceLimit == nil) == (limit == nil) && (limit == nil || *limit == *o.InstanceLimit) {
			return nil, act{}
		}
		return map[string]any{"instance_limit": limit}, act{name: "organization.limit_changed",
			before: map[string]any{"instance_limit": o.InstanceLimit}, after: map[string]any{"instance_limit": limit}}
	})
}
