package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// endRun settles the run of a turn that ends, in the turn's own transaction.
func (sc *Scope) endRun(tx *gorm.DB, t *Turn, e TurnEnded) error {
	if t.AutomationID == "" {
		return nil
	}
	rows, err := all[AutomationRun](tx.Where("turn_id = ? AND state = ?", t.ID, RunRunning).Limit(1))
	if err != nil || len(rows) == 0 { // its automation was deleted, or what waited was ended
		return err
	}
	run := &rows[0]
	run.CostNanos = t.CostNanos
	switch {
	case e.State != TurnDone:
		return sc.runOver(tx, run, RunFailed, clip(e.Reason, 1000))
	case e.Quiet:
		return sc.runOver(tx, run, RunQuiet, "")
	}
	return sc.runOver(tx, run, RunProduced, "")
}

// runOver writes what came of a run that was begun or could not begin, in the transaction that ends it. Every failure goes
// through here, so whoever is to hear of one is told from here.
func (sc *Scope) runOver(tx *gorm.DB, run *AutomationRun, state RunState, reason string) error {
	now := sc.store.now()
	run.State, run.Reason, run.EndedAt = state, reason, &now
	_, err := changed(tx.Model(&AutomationRun{}).Where("id = ?", run.ID), map[string]any{"state": state, "reason": reason, "ended_at": now, "cost_nanos": run.CostNanos})
	if err != nil || state != RunFailed {
		return err
	}
	return sc.runFailed(tx, run)
}

// skipRun records due times that do not run.
func (sc *Scope) skipRun(tx *gorm.DB, a *Automation, r Run, reason string) (*AutomationRun, error) {
	last, err := all[AutomationRun](tx.Where("automation_id = ?", a.ID).Order("id DESC").Limit(1))
	if err != nil {
		return nil, err
	}
	var before *AutomationRun
	if len(last) > 0 {
		before = &last[0]
	}
	run, again := sc.skipped(a, r, reason, before)
	if again {
		_, err := changed(tx.Model(&AutomationRun{}).Where("id = ?", run.ID), map[string]any{"until_at": run.UntilAt, "ended_at": run.EndedAt, "missed": run.Missed})
		return run, err
	}
	return run, tx.Create(run).Error
}

// skipped is the row of due times that do not run. Those that follow each other for one reason are one: then it is the last
// row of the automation, with more in it.
func (sc *Scope) skipped(a *Automation, r Run, reason string, last *AutomationRun) (run *AutomationRun, again bool) {
	until := r.Due
	if r.Until.After(until) {
		until = r.Until
	}
	now := sc.store.now()
	if last != nil && last.State == RunSkipped && last.Cause == RunDue && last.Reason == reason && until.After(last.covered()) {
		last.UntilAt, last.EndedAt, last.Missed = &until, &now, last.Missed+1+r.Missed
		return last, true
	}
	run = sc.newRun(a, r)
	run.State, run.Reason, run.EndedAt = RunSkipped, reason, &now
	if until.After(run.DueAt) {
		run.UntilAt = &until
	}
	return run, false
}

// covered is the last due time that a run stands for.
func (r *AutomationRun) covered() time.Time {
	if r.UntilAt != nil {
		return *r.UntilAt
	}
	return r.DueAt
}

// mayStillRun holds back what was made by somebody who may not any more, or with a key that was revoked or has expired.
func (sc *Scope) mayStillRun(tx *gorm.DB, a *Automation) error {
	if a.CreatedBy == "" {
		return nil
	}
	raw := tx.WithContext(rawContext(tx.Statement.Context))
	var role Role
	err := raw.Raw("SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id = ? AND u.blocked_at IS NULL", sc.Org, a.CreatedBy).Scan(&role).Error
	if err != nil {
		return err
	}
	if a.KeyID == "" {
		return a.mayStillRun(role, nil, sc.store.now())
	}
	key, err := first[APIKey](tx.Select("id", "revoked_at", "expires_at").Where("id = ?", a.KeyID))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return a.mayStillRun(role, key, sc.store.now())
}

// mayStillRun is the rule: the role is its maker's, "" for somebody who is blocked or gone, and the key the one that made it,
// nil for none or one that was deleted.
func (a *Automation) mayStillRun(role Role, key *APIKey, now time.Time) error {
	switch {
	case a.CreatedBy == "":
		return nil
	case !role.May(CanUseInstances):
		return fault.New(fault.Forbidden, "automation.owner", "%s, who made it, may not use instances of this organization any more", a.CreatedName)
	case key == nil:
		return nil
	case key.RevokedAt != nil:
		return fault.New(fault.Forbidden, "automation.key", "The API key that made it was revoked")
	case key.ExpiresAt != nil && !key.ExpiresAt.After(now):
		return fault.New(fault.Forbidden, "automation.key", "The API key that made it has expired")
	}
	return nil
}

// runSession is the conversation of an automation's runs, made anew when it was deleted.
func (sc *Scope) runSession(tx *gorm.DB, a *Automation) (string, error) {
	if a.SessionID != "" {
		_, err := first[Session](tx.Select("id").Where("id = ?", a.SessionID))
		if !fault.Is(err, fault.NotFound) {
			return a.SessionID, err
		}
	}
	opened, err := sc.openRunSession(tx, a)
	if err != nil {
		return "", err
	}
	_, err = changed(tx.Model(&Automation{}).Where("id = ?", a.ID), map[string]any{"session_id": opened})
	return opened, err
}

// openRunSession makes a conversation for runs.
func (sc *Scope) openRunSession(tx *gorm.DB, a *Automation) (string, error) {
	s := a.newRunSession(sc.store.now())
	return s.ID, tx.Create(s).Error
}

func (a *Automation) newRunSession(now time.Time) *Session {
	return &Session{ID: id.New(), OrganizationID: a.OrganizationID, InstanceID: a.InstanceID, Title: clip(a.Name, 100), TitledBy: "person", Category: "automation", Status: "active",
		CreatedBy: a.CreatedBy, CreatedAt: now, UpdatedAt: now}
}

// failRun records that a run could not start, and says so in its conversation: once, while the reason stays the same.
func (sc *Scope) failRun(ctx context.Context, automationID string, r Run, why error) (*AutomationRun, error) {
	var run *AutomationRun
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		a, err := sc.claimRun(tx, automationID, r)
		if err != nil {
			return err
		}
		r.Delivery = "" // it may come again
		run = sc.newRun(a, r)
		reason := sc.store.line(fault.As(why).Detail, 1000)
		if r.Call != nil { // it can be repeated by hand too
			if run.CallID, err = sc.keepCall(tx, a, r.Call); err != nil {
				return err
			}
		}
		last, err := all[AutomationRun](tx.Where("automation_id = ?", a.ID).Order("id DESC").Limit(1))
		if err != nil {
			return err
		}
		told := len(last) > 0 && last[0].State == RunFailed && last[0].Reason == reason
		if !told {
			if run.SessionID, err = sc.runSession(tx, a); err != nil {
				return err
			}
		}
		if err := tx.Create(run).Error; err != nil {
			return err
		}
		if err := sc.runOver(tx, run, RunFailed, reason); err != nil {
			return err
		}
		if told {
			return nil
		}
		_, err = sc.appendEvents(tx, run.SessionID, nil, 0, Notice{Level: LogWarn, Text: "The run of " + run.DueAt.In(location(a.TimeZone)).Format("2 January 15:04") + " did not start: " + run.Reason})
		return err
	})
	return run, err
}
