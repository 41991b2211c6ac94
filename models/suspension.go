package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Suspender is who made an organization stand still: only they, or staff, end it.
type Suspender string

// Who suspends.
const (
	SuspendedByBilling Suspender = "billing"
	SuspendedByStaff   Suspender = "staff"
)

// KeptAfterSuspension is for how many days the data of a suspended organization is promised to be kept (cloud-api.md,
// "Instance states"). Nothing deletes it after; that is a person's decision.
const KeptAfterSuspension = 30

// stands is the fault of an organization that is suspended, nil for any other.
func (o *Organization) stands() error {
	switch {
	case o.SuspendedAt == nil:
		return nil
	case o.SuspendedBy == SuspendedByStaff:
		return fault.New(fault.Forbidden, "organization.suspended", "This organization is suspended: %s", o.SuspendedReason).
			Hinting("Ask the operator of this installation")
	}
	return fault.New(fault.Payment, "organization.suspended", "This organization is suspended: %s", o.SuspendedReason).
		Hinting("Its owner can settle this under Settings, Billing")
}

// Suspend makes the organization stand still: no new instances, no turns, and every instance goes to SUSPENDED, from
// where only Resume and a deletion lead. Data stays. Running turns are asked to stop. It gives the instances whose
// reconcilers are to be told (provision.Desk.Announce); none when nothing changed. Staff's suspension goes over
// billing's, and billing cannot change it.
func (sc *Scope) Suspend(ctx context.Context, reason string) ([]Instance, error) {
	var rows []Instance
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		var err error
		rows, err = sc.suspend(tx, reason)
		return err
	})
	return rows, err
}

// Resume lets the organization go on: instances that were wanted running are brought up again, the others are stopped
// as they were. It gives the instances like Suspend. Billing ends only what billing began.
func (sc *Scope) Resume(ctx context.Context) ([]Instance, error) {
	var rows []Instance
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		var err error
		rows, err = sc.resume(tx)
		return err
	})
	return rows, err
}

func (sc *Scope) suspender() Suspender {
	if sc.Actor.Staff {
		return SuspendedByStaff
	}
	return SuspendedByBilling
}

func (sc *Scope) suspend(tx *gorm.DB, reason string) ([]Instance, error) {
	o, err := sc.heldOrganization(tx)
	by, reason := sc.suspender(), sc.store.line(reason, 500)
	switch {
	case err != nil:
		return nil, err
	case o.SuspendedAt != nil && (o.SuspendedBy == SuspendedByStaff && by != SuspendedByStaff || o.SuspendedBy == by && o.SuspendedReason == reason):
		return nil, nil
	}
	now := sc.store.now()
	set := map[string]any{"suspended_reason": reason, "suspended_by": by, "updated_at": now}
	if o.SuspendedAt == nil {
		set["suspended_at"] = now
	}
	if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), set); err != nil {
		return nil, err
	}
	rows, err := sc.stopForSuspension(tx, reason)
	if err != nil {
		return nil, err
	}
	return rows, sc.audit(tx, act{name: "organization.suspended", kind: "organization", id: o.ID, of: o.Name,
		before: map[string]any{"reason": o.SuspendedReason}, after: map[string]any{"reason": reason, "instances": len(rows)}})
}

// stopForSuspension moves the instances and asks their turns to stop.
func (sc *Scope) stopForSuspension(tx *gorm.DB, reason string) ([]Instance, error) {
	why := "The organization is suspended: " + reason
	rows, err := sc.moveInstances(tx, "desired <> ? AND state <> ?", []any{WantDeleted, Suspended}, why, func(*Instance) (InstanceState, string) { return Suspended, why })
	if err != nil {
		return nil, err
	}
	if _, err := changed(tx.Model(&Instance{}).Where("state = ?", Suspended), map[string]any{"reason": why}); err != nil {
		return nil, err
	}
	turns, err := all[Turn](tx.Where("state IN ?", []TurnState{TurnRunning, TurnWaitingApproval}))
	for n := range turns {
		if err == nil {
			_, err = sc.interrupt(tx, &turns[n], why)
		}
	}
	return rows, err
}

func (sc *Scope) resume(tx *gorm.DB) ([]Instance, error) {
	o, err := sc.heldOrganization(tx)
	if err != nil || o.SuspendedAt == nil || o.SuspendedBy == SuspendedByStaff && !sc.Actor.Staff {
		return nil, err
	}
	set := map[string]any{"suspended_at": nil, "suspended_reason": "", "suspended_by": "", "updated_at": sc.store.now()}
	if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), set); err != nil {
		return nil, err
	}
	rows, err := sc.moveInstances(tx, "desired <> ? AND state = ?", []any{WantDeleted, Suspended}, "The organization goes on", func(i *Instance) (InstanceState, string) {
		if i.Desired == WantRunning {
			return Provisioning, ""
		}
		return Stopped, ""
	})
	if err != nil {
		return nil, err
	}
	return rows, sc.audit(tx, act{name: "organization.resumed", kind: "organization", id: o.ID, of: o.Name,
		before: map[string]any{"reason": o.SuspendedReason}, after: map[string]any{"instances": len(rows)}})
}

// moveInstances moves instances to another state as a new wish, with a line in the history of each.
func (sc *Scope) moveInstances(tx *gorm.DB, where string, args []any, line string, to func(*Instance) (InstanceState, string)) ([]Instance, error) {
	rows, err := all[Instance](locked(tx).Where(where, args...).Order("id"))
	if err != nil {
		return nil, err
	}
	now := sc.store.now()
	for n := range rows {
		i := &rows[n]
		i.State, i.Reason = to(i)
		i.Generation, i.StateSince, i.UpdatedAt = i.Generation+1, now, now
		if _, err := changed(tx.Model(&Instance{}).Where("id = ?", i.ID), map[string]any{"state": i.State, "state_since": now, "reason": i.Reason,
			"generation": i.Generation, "attempts": 0, "retry_at": nil, "updated_at": now}); err != nil {
			return nil, err
		}
		if err := sc.log(tx, i.ID, LogWarn, line); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// SuspendStragglers finds instances of suspended organizations that are not suspended, as a creation leaves one that
// began a moment before the suspension, and moves them too. It gives those that it moved.
func (sy *System) SuspendStragglers(ctx context.Context) ([]Instance, error) {
	ids := []string{}
	err := sy.read(ctx).Model(&Organization{}).Where(`suspended_at IS NOT NULL AND EXISTS (SELECT 1 FROM instances i
		WHERE i.organization_id = organizations.id AND i.desired <> ? AND i.state <> ?)`, WantDeleted, Suspended).Pluck("id", &ids).Error
	if err != nil {
		return nil, translate(err)
	}
	out := []Instance{}
	for _, org := range ids {
		sc := sy.store.In(org)
		err := sc.tx(ctx, func(tx *gorm.DB) error {
			o, err := sc.heldOrganization(tx)
			if err != nil || o.SuspendedAt == nil {
				return err
			}
			rows, err := sc.stopForSuspension(tx, o.SuspendedReason)
			out = append(out, rows...)
			return err
		})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return out, err
		}
	}
	return out, nil
}
