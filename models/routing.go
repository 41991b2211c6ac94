package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Routing is what an organization decided about the choice of models; the zero value holds for who decided nothing.
type Routing struct {
	ID             string
	OrganizationID string
	Shadow         bool   // decide and store, but serve what would be served without a router
	HedgeMS        int    `gorm:"column:hedge_ms"` // silence after which a second model is asked too; 0 = never
	Ceiling        string // of ModelTiers: the dearest tier that the router may take; "" = as the plan says
	CreatedAt      time.Time
}

// maxHedge bounds the silence before a second model is asked, in milliseconds.
const maxHedge = 60_000

// Routing reads what holds.
func (sc *Scope) Routing(ctx context.Context) (Routing, error) {
	row, err := first[Routing](sc.read(ctx))
	if fault.Is(err, fault.NotFound) {
		return Routing{OrganizationID: sc.Org}, nil
	}
	if err != nil {
		return Routing{}, err
	}
	return *row, nil
}

// SetRouting decides; of r only Shadow, HedgeMS (0 = never, or 50 to 60,000) and Ceiling count.
func (sc *Scope) SetRouting(ctx context.Context, r Routing) error {
	var is fault.Issues
	if r.HedgeMS != 0 && (r.HedgeMS < 50 || r.HedgeMS > maxHedge) {
		is.Custom("hedge_ms", "Give 0, or 50 to 60000 milliseconds")
	}
	if r.Ceiling != "" && !slices.Contains(ModelTiers, r.Ceiling) {
		is.NotOneOf("ceiling", r.Ceiling, ModelTiers...)
	}
	if err := is.Err(); err != nil {
		return err
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("1 = 1").Delete(&Routing{}).Error; err != nil {
			return err
		}
		row := &Routing{ID: id.New(), OrganizationID: sc.Org, Shadow: r.Shadow, HedgeMS: r.HedgeMS, Ceiling: r.Ceiling, CreatedAt: sc.store.now()}
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "routing.changed", kind: "organization", id: sc.Org, after: map[string]any{"shadow": r.Shadow, "hedge_ms": r.HedgeMS, "ceiling": r.Ceiling}})
	})
}

// BreakerOrder is the newest order of a person about a provider: held open, or reset.
type BreakerOrder struct {
	ID             string
	OrganizationID string
	Provider       string
	ForcedOpen     bool
	CreatedAt      time.Time
}

// BreakerOrders reads the orders that stand.
func (sc *Scope) BreakerOrders(ctx context.Context) ([]BreakerOrder, error) {
	return all[BreakerOrder](sc.read(ctx).Order("provider"))
}

// OrderBreaker holds a provider open until it is reset, or resets it; every process follows within seconds.
func (sc *Scope) OrderBreaker(ctx context.Context, provider string, open bool) error {
	var is fault.Issues
	if provider == "" {
		is.TooSmall("provider", 1)
	}
	CheckText(&is, "provider", provider, 200)
	if err := is.Err(); err != nil {
		return err
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("provider = ?", provider).Delete(&BreakerOrder{}).Error; err != nil {
			return err
		}
		if err := tx.Create(&BreakerOrder{ID: id.New(), OrganizationID: sc.Org, Provider: provider, ForcedOpen: open, CreatedAt: sc.store.now()}).Error; err != nil {
			return err
		}
		name := "breaker.reset"
		if open {
			name = "breaker.opened"
		}
		return sc.audit(tx, act{name: name, kind: "provider", of: provider})
	})
}

// CeilingPlan is the plan that bounds the choice of models; ok is false where plans limit nothing.
func (sc *Scope) CeilingPlan(ctx context.Context) (plan Tier, ok bool, err error) {
	if !sc.store.limits {
		return "", false, nil
	}
	o := sc.known
	if o == nil {
		if o, err = sc.Organization(ctx); err != nil {
			return "", false, err
		}
	}
	return o.Plan, true, nil
}
