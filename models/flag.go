package models

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Flag is a feature that staff switch on and off, for everybody or for one organization.
type Flag struct {
	Name        string
	Title       string
	Description string
	Default     bool
}

// FlagAgents decides whether agents answer at all.
const FlagAgents = "agents"

// Flags are all there are; a name that is not here has no effect.
var Flags = []Flag{
	{FlagAgents, "AI agents enabled", "Agents take messages. Switched off, no new turn starts; what runs already ends by itself, and files and conversations stay.", true},
}

// flagNamed finds a declared flag; an unknown one is fault.NotFound.
func flagNamed(name string) (Flag, error) {
	for _, f := range Flags {
		if f.Name == name {
			return f, nil
		}
	}
	return Flag{}, fault.NotFoundf("flag")
}

// FeatureFlag is what was decided for everybody.
type FeatureFlag struct {
	Name      string `gorm:"primaryKey"`
	Enabled   bool
	UpdatedAt time.Time
}

// OrganizationFlag is what was decided for one organization; it wins.
type OrganizationFlag struct {
	ID             string
	OrganizationID string
	Name           string
	Enabled        bool
	CreatedAt      time.Time
}

// FlagState is a flag as it stands.
type FlagState struct {
	Flag
	Installation bool  // for everybody
	Own          *bool // the organization's, nil when it follows the installation
	Since        time.Time
}

// On is what holds.
func (s FlagState) On() bool {
	if s.Own != nil {
		return *s.Own
	}
	return s.Installation
}

// flagLife is how long a process may go by what it read before.
const flagLife = 2 * time.Second

// flagCache keeps the flags of the organizations that were asked for, since every message asks.
type flagCache struct {
	mu    sync.Mutex
	known map[string]cachedFlags
}

type cachedFlags struct {
	states []FlagState
	at     time.Time
}

// maxCachedFlags bounds the cache; beyond, it begins anew.
const maxCachedFlags = 10_000

func (c *flagCache) get(org string, now time.Time) ([]FlagState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[org]
	return k.states, ok && now.Sub(k.at) < flagLife && !now.Before(k.at)
}

func (c *flagCache) put(org string, states []FlagState, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCachedFlags {
		c.known = map[string]cachedFlags{}
	}
	c.known[org] = cachedFlags{states, now}
}

func (c *flagCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = nil
}

// Flags lists every flag as it stands for everybody.
func (sy *System) Flags(ctx context.Context) ([]FlagState, error) {
	rows, err := all[FeatureFlag](sy.read(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]FlagState, len(Flags))
	for i, f := range Flags {
		out[i] = FlagState{Flag: f, Installation: f.Default}
		for _, r := range rows {
			if r.Name == f.Name {
				out[i].Installation, out[i].Since = r.Enabled, r.UpdatedAt
			}
		}
	}
	return out, nil
}

// Flags lists every flag as it stands for the organization.
func (sc *Scope) Flags(ctx context.Context) ([]FlagState, error) {
	out, err := sc.store.AsSystem("flags of the installation").Flags(ctx)
	if err != nil {
		return nil, err
	}
	own, err := all[OrganizationFlag](sc.read(ctx))
	for _, r := range own {
		for i := range out {
			if out[i].Name == r.Name {
				out[i].Own, out[i].Since = &r.Enabled, r.CreatedAt
			}
		}
	}
	return out, err
}

// FlagOn tells whether a feature is on for the organization; it may be two seconds behind a change. An undeclared
// flag is off.
func (sc *Scope) FlagOn(ctx context.Context, name string) (bool, error) {
	now := sc.store.now()
	states, ok := sc.store.flags.get(sc.Org, now)
	if !ok {
		var err error
		if states, err = sc.Flags(ctx); err != nil {
			return false, err
		}
		sc.store.flags.put(sc.Org, states, now)
	}
	for _, s := range states {
		if s.Name == name {
			return s.On(), nil
		}
	}
	return false, nil
}

// AgentsOn refuses work for agents while they are switched off, with Forbidden agents.off. StartTurn asks it of every turn; an edge asks
// it where its API refuses everything then.
func (sc *Scope) AgentsOn(ctx context.Context) error {
	on, err := sc.FlagOn(ctx, FlagAgents)
	if err == nil && !on {
		err = fault.New(fault.Forbidden, "agents.off", "AI agents are switched off for this organization").
			Hinting("Whoever runs this installation can switch them on again")
	}
	return err
}

// SetFlag decides for everybody.
func (sy *System) SetFlag(ctx context.Context, by Actor, name string, on bool) error {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return err
	}
	f, err := flagNamed(name)
	if err != nil {
		return err
	}
	defer sy.store.flags.clear()
	return sy.tx(ctx, func(tx *gorm.DB) error {
		was := f.Default
		old, err := first[FeatureFlag](locked(tx).Where("name = ?", name))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if old != nil {
			was = old.Enabled
		}
		row := FeatureFlag{Name: name, Enabled: on, UpdatedAt: sy.store.now()}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "flag.changed", kind: "flag", id: name, of: f.Title, before: map[string]any{"enabled": was}, after: map[string]any{"enabled": on}})
	})
}

// SetFlag decides for the organization; nil makes it follow the installation again.
func (sc *Scope) SetFlag(ctx context.Context, name string, on *bool) error {
	f, err := flagNamed(name)
	if err != nil {
		return err
	}
	defer sc.store.flags.clear()
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if _, err := sc.heldOrganization(tx); err != nil {
			return err
		}
		before, after := map[string]any{}, map[string]any{}
		old, err := first[OrganizationFlag](tx.Where("name = ?", name))
		switch {
		case err == nil:
			before["enabled"] = old.Enabled
			if err := tx.Where("name = ?", name).Delete(&OrganizationFlag{}).Error; err != nil {
				return err
			}
		case !fault.Is(err, fault.NotFound):
			return err
		}
		if on != nil {
			after["enabled"] = *on
			if err := tx.Create(&OrganizationFlag{ID: id.New(), Name: name, Enabled: *on, CreatedAt: sc.store.now()}).Error; err != nil {
				return err
			}
		}
		return sc.audit(tx, act{name: "flag.changed", kind: "flag", id: name, of: f.Title, before: before, after: after})
	})
}

// FlagOverride is an organization that does not follow the installation.
type FlagOverride struct {
	OrganizationFlag
	OrganizationName string
}

// FlagOverrides lists them, by name of the flag.
func (sy *System) FlagOverrides(ctx context.Context) ([]FlagOverride, error) {
	rows, err := all[OrganizationFlag](sy.read(ctx).Order("name, id").Limit(500))
	if err != nil {
		return nil, err
	}
	return named(ctx, sy, rows, func(r *OrganizationFlag) string { return r.OrganizationID }, func(r OrganizationFlag, org string) FlagOverride { return FlagOverride{r, org} })
}
