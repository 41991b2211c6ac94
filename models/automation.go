package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Automation is something that an agent does by itself: at times (a schedule), or when it is called from outside (a
// trigger). When a schedule is due is engine/automate's to know; NextAt holds the answer, and whoever moves it on has the run.
type Automation struct {
	ID             string
	OrganizationID string
	InstanceID     string
	SessionID      string // the conversation of its runs; "" until the first one
	Name           string
	Prompt         string
	Kind           AutomationKind
	Expression     string     // of cron five fields, of every "45 minutes"
	StartsAt       *time.Time // of once when, of every the first time
	TimeZone       string     // IANA
	State          AutomationState
	NextAt         *time.Time // when it is due; nil: never, or while it is paused
	SecretSealed   []byte     // of a trigger
	CreatedBy      string
	CreatedName    string
	KeyID          string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// AutomationKind is what makes an automation run.
type AutomationKind string

// The kinds: three of schedules, and a trigger's.
const (
	AutomationCron    AutomationKind = "cron"
	AutomationEvery   AutomationKind = "every"
	AutomationOnce    AutomationKind = "once"
	AutomationWebhook AutomationKind = "webhook"
)

// AutomationState is whether an automation goes on.
type AutomationState string

// The states. A schedule that is never due again is done.
const (
	AutomationActive AutomationState = "active"
	AutomationPaused AutomationState = "paused"
	AutomationDone   AutomationState = "done"
)

const (
	// MaxAutomations is how many an organization can have.
	MaxAutomations = 1000
	// MaxPrompt is how long what an agent is told may be, in bytes.
	MaxPrompt = 16 << 10
	// TriggerSecretPrefix starts the secret of every trigger.
	TriggerSecretPrefix = "whs_"
)

// NewAutomation is what may be said of a new one; the times were read and checked by engine/automate.
type NewAutomation struct {
	InstanceID string
	Name       string
	Prompt     string
	Kind       AutomationKind
	Expression string
	StartsAt   *time.Time
	TimeZone   string
	NextAt     *time.Time // nil for a trigger
}

func (n *NewAutomation) check() error {
	var is fault.Issues
	n.Name = validName(&is, "name", n.Name, 100)
	CheckText(&is, "prompt", n.Prompt, MaxPrompt)
	if strings.TrimSpace(n.Prompt) == "" {
		is.Required("prompt", "string")
	}
	CheckText(&is, "expression", n.Expression, 200)
	if !slices.Contains([]AutomationKind{AutomationCron, AutomationEvery, AutomationOnce, AutomationWebhook}, n.Kind) {
		is.NotOneOf("kind", string(n.Kind), "cron", "every", "once", "webhook")
	}
	if (n.Kind == AutomationWebhook) != (n.NextAt == nil) {
		is.Custom("kind", "A schedule has a next time, and a trigger has none")
	}
	if _, err := time.LoadLocation(n.TimeZone); err != nil || n.TimeZone == "" {
		is.Custom("time_zone", "This is no time zone; one is called Europe/Berlin")
	}
	return is.Err()
}

// CreateAutomation makes one. A trigger's secret is only ever returned here; the others have an empty one.
func (sc *Scope) CreateAutomation(ctx context.Context, n NewAutomation) (*Automation, secret.String, error) {
	if err := n.check(); err != nil {
		return nil, secret.String{}, err
	}
	now := sc.store.now()
	a := &Automation{ID: id.New(), OrganizationID: sc.Org, InstanceID: n.InstanceID, Name: n.Name, Prompt: n.Prompt, Kind: n.Kind, Expression: n.Expression,
		StartsAt: n.StartsAt, TimeZone: n.TimeZone, State: AutomationActive, NextAt: n.NextAt, CreatedBy: sc.Actor.UserID, CreatedName: sc.Actor.label(),
		KeyID: sc.Actor.KeyID, CreatedAt: now, UpdatedAt: now}
	token, err := sc.sealSecret(a)
	if err != nil {
		return nil, secret.String{}, err
	}
	err = sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.lockOrganization(tx); err != nil {
			return err
		}
		if _, err := first[Instance](tx.Select("id").Where("id = ? AND desired <> ?", a.InstanceID, WantDeleted)); err != nil {
			return err
		}
		var have int64
		if err := tx.Model(&Automation{}).Count(&have).Error; err != nil {
			return err
		}
		if have >= MaxAutomations {
			return fault.New(fault.Conflict, "automation.full", "An organization can have %d automations at most", MaxAutomations)
		}
		if err := tx.Create(a).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automation.created", kind: "automation", id: a.ID, of: a.Name, after: a.figures()})
	})
	return a, token, err
}

func (sc *Scope) sealSecret(a *Automation) (secret.String, error) {
	if a.Kind != AutomationWebhook {
		return secret.String{}, nil
	}
	token, _ := secret.Token(TriggerSecretPrefix)
	sc.store.learn(token)
	var err error
	a.SecretSealed, err = sc.store.box.Seal([]byte(token.Reveal()), a.ID)
	return token, err
}

func (a *Automation) figures() map[string]any {
	return map[string]any{"instance": a.InstanceID, "kind": a.Kind, "expression": a.Expression, "starts": a.StartsAt, "zone": a.TimeZone, "prompt": clip(a.Prompt, 500)}
}

// ErrAutomationOver refuses to resume a schedule whose times are all over.
var ErrAutomationOver = fault.New(fault.Conflict, "automation.over", "Its time is over: make a new one")

// notShown are the columns that lists and pages do without.
const notShown = "secret_sealed"

// Automations lists those of an instance, or of all ("") : what is due first comes first, then triggers, then what is over.
func (sc *Scope) Automations(ctx context.Context, instanceID string) ([]Automation, error) {
	q := sc.read(ctx).Omit(notShown).Order("CASE WHEN next_at IS NULL THEN 1 ELSE 0 END, next_at, CASE state WHEN 'active' THEN 0 WHEN 'paused' THEN 1 ELSE 2 END, created_at DESC, id DESC")
	if instanceID != "" {
		q = q.Where("instance_id = ?", instanceID)
	}
	return all[Automation](q)
}

// Automation reads one.
func (sc *Scope) Automation(ctx context.Context, automationID string) (*Automation, error) {
	return first[Automation](sc.read(ctx).Omit(notShown).Where("id = ?", automationID))
}

// PauseAutomation holds one back until it is resumed; one that is over stays so.
func (sc *Scope) PauseAutomation(ctx context.Context, automationID string) (*Automation, error) {
	return sc.changeAutomation(ctx, automationID, "automation.paused", AutomationActive, map[string]any{"state": AutomationPaused, "next_at": nil})
}

// ResumeAutomation lets a paused one go on. next is when it is due; nil for a trigger.
func (sc *Scope) ResumeAutomation(ctx context.Context, automationID string, next *time.Time) (*Automation, error) {
	return sc.changeAutomation(ctx, automationID, "automation.resumed", AutomationPaused, map[string]any{"state": AutomationActive, "next_at": next})
}

func (sc *Scope) changeAutomation(ctx context.Context, automationID, name string, from AutomationState, set map[string]any) (*Automation, error) {
	var out *Automation
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		a, err := first[Automation](locked(tx).Omit(notShown).Where("id = ?", automationID))
		if err != nil {
			return err
		}
		if a.State != from {
			return fault.New(fault.Conflict, "automation.state", "This automation is %s", a.State)
		}
		set["updated_at"] = sc.store.now()
		if _, err := changed(tx.Model(&Automation{}).Where("id = ?", a.ID), set); err != nil {
			return err
		}
		if out, err = first[Automation](tx.Omit(notShown).Where("id = ?", a.ID)); err != nil {
			return err
		}
		return sc.audit(tx, act{name: name, kind: "automation", id: a.ID, of: a.Name, before: map[string]any{"state": a.State}, after: map[string]any{"state": out.State}})
	})
	return out, err
}

// DeleteAutomation removes one with the list of its runs; its conversation stays, and a run that is under way goes on.
func (sc *Scope) DeleteAutomation(ctx context.Context, automationID string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		a, err := first[Automation](locked(tx).Omit(notShown).Where("id = ?", automationID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", a.ID).Delete(&Automation{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automation.deleted", kind: "automation", id: a.ID, of: a.Name, before: a.figures()})
	})
}

// DueAutomations finds schedules whose time has come, over all organizations, the longest due first.
func (sy *System) DueAutomations(ctx context.Context, limit int) ([]Automation, error) {
	return all[Automation](sy.read(ctx).Omit(notShown).Where("state = 'active' AND next_at IS NOT NULL AND next_at <= ?", sy.store.now()).Order("next_at, id").Limit(limit))
}

// NextDue is when the next schedule of any organization is due; nil: none is.
func (sy *System) NextDue(ctx context.Context) (*time.Time, error) {
	rows, err := all[Automation](sy.read(ctx).Select("next_at").Where("state = 'active' AND next_at IS NOT NULL").Order("next_at").Limit(1))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].NextAt, nil
}

// Now is the store's time, by which it is told what is due.
func (s *Store) Now() time.Time { return s.now() }
