package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// CatalogueEdit is what an administrator knows better than the catalogue of models, for the whole installation. Prices
// are micro-dollars for one million tokens; nil = as the catalogue says.
type CatalogueEdit struct {
	ID         string
	Provider   string // as in ProviderKinds
	Model      string
	Tier       string // "" = by the price
	Input      *int64
	Output     *int64
	CacheRead  *int64
	CacheWrite *int64
	Context    *int // tokens
	CreatedAt  time.Time
}

// ModelTiers are the words that a tier may be.
var ModelTiers = []string{"nano", "small", "standard", "premium", "flagship"}

const (
	maxModelPrice = 100_000_000_000 // micro-dollars for a million tokens: 100,000 $
	maxContext    = 100_000_000     // tokens
)

// CatalogueEdits lists them all, by provider and model.
func (sc *Scope) CatalogueEdits(ctx context.Context) ([]CatalogueEdit, error) {
	return sc.store.AsSystem("prices are everybody's").CatalogueEdits(ctx)
}

// CatalogueEdits lists them all, by provider and model.
func (sy *System) CatalogueEdits(ctx context.Context) ([]CatalogueEdit, error) {
	return all[CatalogueEdit](sy.read(ctx).Order("provider, model"))
}

// EditCatalogue replaces what was said of a model. A price needs both sides.
func (sy *System) EditCatalogue(ctx context.Context, by Actor, e CatalogueEdit) error {
	e.Model = strings.ToLower(strings.TrimSpace(e.Model))
	if err := e.check(); err != nil {
		return err
	}
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("provider = ? AND model = ?", e.Provider, e.Model).Delete(&CatalogueEdit{}).Error; err != nil {
			return err
		}
		e.ID, e.CreatedAt = id.New(), sy.store.now()
		if err := tx.Create(&e).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "catalogue.edited", kind: "model", id: e.Model, of: e.Provider + "/" + e.Model,
			after: map[string]any{"tier": e.Tier, "input": e.Input, "output": e.Output, "context": e.Context}})
	})
}

func (e *CatalogueEdit) check() error {
	var is fault.Issues
	if !slices.Contains(ProviderKinds, e.Provider) {
		is.NotOneOf("provider", e.Provider, ProviderKinds...)
	}
	if e.Model == "" {
		is.TooSmall("model", 1)
	}
	CheckText(&is, "model", e.Model, 200)
	if e.Tier != "" && !slices.Contains(ModelTiers, e.Tier) {
		is.NotOneOf("tier", e.Tier, ModelTiers...)
	}
	if (e.Input == nil) != (e.Output == nil) {
		is.Custom("output", "Give both prices, or none")
	}
	for name, p := range map[string]*int64{"input": e.Input, "output": e.Output, "cache_read": e.CacheRead, "cache_write": e.CacheWrite} {
		if p != nil && (*p < 0 || *p > maxModelPrice) {
			is.Custom(name, "This price is out of its range")
		}
	}
	if e.Context != nil && (*e.Context < 1 || *e.Context > maxContext) {
		is.Custom("context", "This number is out of its range")
	}
	return is.Err()
}

// ForgetCatalogueEdit lets the catalogue speak again; NotFound when nothing was said.
func (sy *System) ForgetCatalogueEdit(ctx context.Context, by Actor, provider, model string) error {
	model = strings.ToLower(strings.TrimSpace(model))
	return sy.tx(ctx, func(tx *gorm.DB) error {
		res := tx.Where("provider = ? AND model = ?", provider, model).Delete(&CatalogueEdit{})
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.NotFoundf("model")
		}
		if res.Error != nil {
			return res.Error
		}
		return sy.audit(tx, by, act{name: "catalogue.restored", kind: "model", id: model, of: provider + "/" + model})
	})
}
