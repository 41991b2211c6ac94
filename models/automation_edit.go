package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// ErrAutomationOver refuses to resume a schedule whose times are all over.
var ErrAutomationOver = fault.New(fault.Conflict, "automation.over", "Its time is over: give it a new one")

// ErrAutomationChanged refuses an edit of what is not there any more.
var ErrAutomationChanged = fault.New(fault.Conflict, "automation.changed", "Somebody changed it meanwhile")

// EditAutomation replaces what is said of one: n.NextAt is when it is due by what is new. What kind of thing it is stays: a
// trigger is no schedule. A schedule that was over goes on, a paused one stays so, and one whose times were not changed
// keeps its next one. Who changes more than its names answers for it from now on: nobody's words run in the name of somebody
// else. Conflict when it is not what the edit's stamp is of.
func (sc *Scope) EditAutomation(ctx context.Context, automationID string, n NewAutomation) (*Automation, error) {
	return sc.withAutomation(ctx, automationID, "automation.changed", func(tx *gorm.DB, a *Automation) (map[string]any, error) {
		if n.Stamp != "" && n.Stamp != a.Stamp() {
			return nil, ErrAutomationChanged
		}
		over := a.State == AutomationDone && n.sameTimes(a)
		n.Paused = a.State == AutomationPaused || over
		if err := n.check(); err != nil {
			return nil, err
		}
		if (n.Kind == AutomationWebhook) != (a.Kind == AutomationWebhook) {
			var is fault.Issues
			is.Custom("kind", "A schedule does not become a trigger, nor the other way round: make a new one")
			return nil, is.Err()
		}
		set := map[string]any{"name": n.Name, "description": n.Description, "prompt": n.Prompt, "kind": n.Kind, "expression": n.Expression, "starts_at": n.StartsAt,
			"time_zone": n.TimeZone, "missed_policy": n.MissedPolicy, "overlap": n.Overlap, "jitter_seconds": n.JitterSeconds, "action": n.Action,
			"payload": n.Payload, "allowed_from": n.AllowedFrom, "strict": n.Strict}
		if !n.sameWork(a) {
			sc.answer(set)
		}
		if over || n.sameTimes(a) && a.State != AutomationDone || n.Kind == AutomationWebhook {
			return set, nil
		}
		next := n.NextAt
		if held, err := sc.held(tx, a.InstanceID); err != nil || held || n.Paused {
			next = nil
			if err != nil {
				return nil, err
			}
		}
		for column, value := range dueColumns(a.ID, n.JitterSeconds, next) {
			set[column] = value
		}
		if a.State == AutomationDone {
			set["state"] = AutomationActive
		}
		return set, nil
	})
}

func (n *NewAutomation) sameTimes(a *Automation) bool {
	same := n.StartsAt == nil && a.StartsAt == nil || n.StartsAt != nil && a.StartsAt != nil && n.StartsAt.Equal(*a.StartsAt)
	return same && n.Kind == a.Kind && n.Expression == a.Expression && n.TimeZone == a.TimeZone && n.JitterSeconds == a.JitterSeconds
}

// sameWork tells whether only its names are changed.
func (n *NewAutomation) sameWork(a *Automation) bool {
	return n.sameTimes(a) && n.Prompt == a.Prompt && n.MissedPolicy == a.MissedPolicy && n.Overlap == a.Overlap && n.Action == a.Action && n.Payload == a.Payload &&
		n.AllowedFrom == a.AllowedFrom && n.Strict == a.Strict
}

// answer adds the columns of who answers for an automation: the one who acts.
func (sc *Scope) answer(set map[string]any) {
	if sc.Actor.member() {
		set["created_by"], set["created_name"], set["key_id"] = sc.Actor.UserID, sc.Actor.label(), sc.Actor.KeyID
	}
}

// PauseAutomation holds one back until it is resumed; one that is over stays so. Its runs that wait for their turn end as
// skipped: what a trigger was called with is kept and can be repeated.
func (sc *Scope) PauseAutomation(ctx context.Context, automationID string) (*Automation, error) {
	return sc.withAutomation(ctx, automationID, "automation.paused", func(tx *gorm.DB, a *Automation) (map[string]any, error) {
		if a.State != AutomationActive {
			return nil, errAutomationState(a)
		}
		_, err := sc.dropWaiting(tx, "Paused before it began", "automation_id = ?", a.ID)
		return map[string]any{"state": AutomationPaused, "next_at": nil, "fire_at": nil}, err
	})
}

// ResumeAutomation lets a paused one go on. next is when it is due; nil for a trigger.
func (sc *Scope) ResumeAutomation(ctx context.Context, automationID string, next *time.Time) (*Automation, error) {
	return sc.withAutomation(ctx, automationID, "automation.resumed", func(tx *gorm.DB, a *Automation) (map[string]any, error) {
		if a.State != AutomationPaused {
			return nil, errAutomationState(a)
		}
		held, err := sc.held(tx, a.InstanceID)
		if held {
			next = nil
		}
		set := dueColumns(a.ID, a.JitterSeconds, next)
		set["state"] = AutomationActive
		return set, err
	})
}

func errAutomationState(a *Automation) error {
	return fault.New(fault.Conflict, "automation.state", "This automation is %s", a.State)
}

// withAutomation changes one's columns inside a transaction that holds it.
func (sc *Scope) withAutomation(ctx context.Context, automationID, name string, change func(tx *gorm.DB, a *Automation) (map[string]any, error)) (*Automation, error) {
	var out *Automation
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		a, err := first[Automation](locked(tx).Omit(notShown...).Where("id = ?", automationID))
		if err != nil {
			return err
		}
		set, err := change(tx, a)
		if err != nil {
			return err
		}
		set["updated_at"] = sc.store.now()
		if _, err := changed(tx.Model(&Automation{}).Where("id = ?", a.ID), set); err != nil {
			return err
		}
		if out, err = first[Automation](tx.Omit(notShown...).Where("id = ?", a.ID)); err != nil {
			return err
		}
		before, after := map[string]any{"state": a.State}, map[string]any{"state": out.State}
		if name == "automation.changed" {
			before, after = a.figures(), out.figures()
		}
		return sc.audit(tx, act{name: name, kind: "automation", id: a.ID, of: out.Name, before: before, after: after})
	})
	return out, err
}

// DeleteAutomation removes one with the list of its runs and calls; its conversation stays, a run that is under way goes on,
// and those that wait for their turn end.
func (sc *Scope) DeleteAutomation(ctx context.Context, automationID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		a, err := first[Automation](locked(tx).Omit(notShown...).Where("id = ?", automationID))
		if err != nil {
			return err
		}
		if _, err := sc.dropWaiting(tx, "Its automation was deleted before it began", "automation_id = ?", a.ID); err != nil {
			return err
		}
		if err := tx.Where("id = ?", a.ID).Delete(&Automation{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automation.deleted", kind: "automation", id: a.ID, of: a.Name, before: a.figures()})
	})
}

// dropWaiting ends turns of automations that no worker has begun, and gives their sessions. Their runs were no failures.
func (sc *Scope) dropWaiting(tx *gorm.DB, reason, where string, args ...any) ([]string, error) {
	waiting, err := all[Turn](locked(tx).Where("automation_id <> '' AND state = ?", TurnQueued).Where(where, args...).Order("id"))
	sessions := []string{}
	for n := range waiting {
		t := &waiting[n]
		_, err := changed(tx.Model(&AutomationRun{}).Where("turn_id = ? AND state = ?", t.ID, RunRunning),
			map[string]any{"state": RunSkipped, "reason": reason, "ended_at": sc.store.now()})
		if err != nil {
			return nil, err
		}
		if _, err := sc.interrupt(tx, t, reason); err != nil {
			return nil, err
		}
		sessions = append(sessions, t.SessionID)
	}
	return sessions, err
}
