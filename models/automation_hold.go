package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// HoldAutomations holds back everything that runs by itself, of an instance or of all (""), until it is released. Runs that
// wait for their turn end as skipped, one that is under way goes on, and "Run now" still works. It gives the sessions whose
// turns ended. All of them are held back by who may edit settings, and whose automations they are hears of it.
func (sc *Scope) HoldAutomations(ctx context.Context, instanceID string) (sessions []string, err error) {
	if err := sc.mayHold(instanceID); err != nil {
		return nil, err
	}
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		name, err := sc.holdMark(tx, instanceID, map[string]any{"automations_held_at": sc.store.now(), "automations_held_by": sc.Actor.label()})
		if err != nil {
			return err
		}
		where, args := ofInstance(instanceID)
		if _, err := changed(tx.Model(&Automation{}).Where("state = ?", AutomationActive).Where(where, args...), map[string]any{"next_at": nil, "fire_at": nil}); err != nil {
			return err
		}
		if sessions, err = sc.dropWaiting(tx, "Automations were paused before it began", where, args...); err != nil {
			return err
		}
		if err := sc.tellOfHold(tx, instanceID, name, "were paused"); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automations.paused", kind: holdKind(instanceID), id: holdID(sc.Org, instanceID), of: name})
	})
	return sessions, err
}

// ReleaseAutomations lets them go on: next gives when each schedule is due from now on, nil for one whose time is over. What
// came due meanwhile is left out; one that had only that one time is over, and its run is listed as skipped.
func (sc *Scope) ReleaseAutomations(ctx context.Context, instanceID string, next func(*Automation) *time.Time) error {
	if err := sc.mayHold(instanceID); err != nil {
		return err
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		name, err := sc.holdMark(tx, instanceID, map[string]any{"automations_held_at": nil, "automations_held_by": ""})
		if err != nil {
			return err
		}
		where, args := ofInstance(instanceID)
		rows, err := all[Automation](locked(tx).Omit(notShown...).Where("state = ? AND kind <> ? AND next_at IS NULL", AutomationActive, AutomationWebhook).Where(where, args...).Order("id"))
		if err != nil {
			return err
		}
		held := map[string]bool{}
		for n := range rows {
			a := &rows[n]
			if _, known := held[a.InstanceID]; !known {
				if held[a.InstanceID], err = sc.held(tx, a.InstanceID); err != nil {
					return err
				}
			}
			if held[a.InstanceID] {
				continue
			}
			if err := sc.releaseOne(tx, a, next(a)); err != nil {
				return err
			}
		}
		if err := sc.tellOfHold(tx, instanceID, name, "go on again"); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automations.resumed", kind: holdKind(instanceID), id: holdID(sc.Org, instanceID), of: name})
	})
}

func (sc *Scope) releaseOne(tx *gorm.DB, a *Automation, next *time.Time) error {
	set := dueColumns(a.ID, a.JitterSeconds, next)
	if next == nil {
		set["state"] = AutomationDone
		due := sc.store.now()
		if a.StartsAt != nil {
			due = *a.StartsAt
		}
		if _, err := sc.skipRun(tx, a, Run{Cause: RunDue, Due: due}, "Automations were paused at its time"); err != nil {
			return err
		}
	}
	_, err := changed(tx.Model(&Automation{}).Where("id = ?", a.ID), set)
	return err
}

// mayHold is the rule: who uses an instance stops and starts what it does by itself, and who edits the organization's settings all of it.
func (sc *Scope) mayHold(instanceID string) error {
	if instanceID == "" && !sc.Actor.May(CanEditSettings) {
		return fault.New(fault.Forbidden, "forbidden", "Only an owner or an admin pauses and resumes all automations").Hinting("Pause those of one instance")
	}
	return nil
}

// holdMark writes who holds what back, and gives its name; the caller holds the organization.
func (sc *Scope) holdMark(tx *gorm.DB, instanceID string, set map[string]any) (string, error) {
	if instanceID == "" {
		o, err := first[Organization](tx.Where("id = ?", sc.Org))
		if err != nil {
			return "", err
		}
		_, err = changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), set)
		return o.Name, err
	}
	i, err := first[Instance](tx.Select("id", "name").Where("id = ? AND desired <> ?", instanceID, WantDeleted))
	if err != nil {
		return "", err
	}
	_, err = changed(tx.Model(&Instance{}).Where("id = ?", i.ID), set)
	return i.Name, err
}

func ofInstance(instanceID string) (string, []any) {
	if instanceID == "" {
		return "1 = 1", nil
	}
	return "instance_id = ?", []any{instanceID}
}

func holdKind(instanceID string) string {
	if instanceID == "" {
		return "organization"
	}
	return "instance"
}

func holdID(org, instanceID string) string {
	if instanceID == "" {
		return org
	}
	return instanceID
}

// held tells whether nothing of an instance may run by itself.
func (sc *Scope) held(tx *gorm.DB, instanceID string) (bool, error) {
	o, err := first[Organization](tx.Select("id", "automations_held_at").Where("id = ?", sc.Org))
	if err != nil || o.AutomationsHeldAt != nil {
		return err == nil, err
	}
	i, err := first[Instance](tx.Select("id", "automations_held_at").Where("id = ?", instanceID))
	return err == nil && i.AutomationsHeldAt != nil, err
}

// errAutomationsHeld refuses a call while everything is held back.
var errAutomationsHeld = fault.New(fault.Forbidden, "trigger.off", "Trigger is disabled: automations are paused")

// AutomationHold is what is held back: of all, or of one instance.
type AutomationHold struct {
	InstanceID string // "" = all
	Name       string
	At         time.Time
	By         string
}

// AutomationHolds lists what is held back in the organization, all of it first.
func (sc *Scope) AutomationHolds(ctx context.Context) ([]AutomationHold, error) {
	o, err := sc.Organization(ctx)
	if err != nil {
		return nil, err
	}
	out := []AutomationHold{}
	if o.AutomationsHeldAt != nil {
		out = append(out, AutomationHold{Name: o.Name, At: *o.AutomationsHeldAt, By: o.AutomationsHeldBy})
	}
	rows, err := all[Instance](sc.read(ctx).Select("id", "name", "automations_held_at", "automations_held_by").Where("automations_held_at IS NOT NULL AND desired <> ?", WantDeleted).Order("name"))
	for _, i := range rows {
		out = append(out, AutomationHold{InstanceID: i.ID, Name: i.Name, At: *i.AutomationsHeldAt, By: i.AutomationsHeldBy})
	}
	return out, err
}
