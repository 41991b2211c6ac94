package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// A parked turn waits for a person or a time, for days if need be. It is in waiting_approval without a lease, so no
// worker is kept busy and a restart changes nothing; its place in the session stays its own.

// ParkTurn lets go of a held turn that a budget refused, until ResumeTurn, with its last events: between two steps, where
// nothing is half done. until is when it is tried again by itself; nil = when the budget is changed. One that was changed
// since it refused has woken nobody who was not parked yet: the turn is due at once then. letter tells who can do something
// about it; nil = nobody is written to, and they are only notified.
func (sc *Scope) ParkTurn(ctx context.Context, l Lease, refused Budget, until *time.Time, letter *Mail, data ...EventData) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.park(tx, l, WaitBudget, until, data); err != nil {
			return err
		}
		b, err := first[Budget](locked(tx).Where("id = ?", refused.ID)) // who changes it waits until this turn can be seen
		if fault.Is(err, fault.NotFound) || err == nil && !b.UpdatedAt.Equal(refused.UpdatedAt) {
			return sc.retryParked(tx, refused.ID)
		}
		if err != nil {
			return err
		}
		if err := sc.tellWaiting(tx, l.TurnID, b.whose()+" is used up."); err != nil {
			return err
		}
		return sc.tellOfBudget(tx, letter, l.TurnID, b, until)
	})
}

// retryParked makes the turns that wait for a budget due: whoever changes one does so in the same transaction, so that no
// turn sleeps on when the process dies before it could wake them. Letters about the budget as it was are taken back.
func (sc *Scope) retryParked(tx *gorm.DB, budgetID string) error {
	if err := sc.store.dropAbout(tx, aboutBudget, []string{budgetID}, "the budget was changed"); err != nil {
		return err
	}
	_, err := changed(tx.Model(&Turn{}).Where("waits_for = ?", WaitBudget), map[string]any{"wait_until": sc.store.now()})
	return err
}

func (sc *Scope) park(tx *gorm.DB, l Lease, why WaitReason, until *time.Time, data []EventData) error {
	if err := sc.hold(tx, l, map[string]any{}); err != nil {
		return err
	}
	t, err := first[Turn](tx.Where("id = ?", l.TurnID))
	if err != nil {
		return err
	}
	next, ok := TurnMoves[t.State][TurnAsk]
	if !ok {
		return ErrLeaseLost // it is to be stopped: its worker hears of that
	}
	if _, err := sc.appendEvents(tx, l.SessionID, &l.TurnID, l.Attempt, data...); err != nil {
		return err
	}
	if err := sc.settleTurn(tx, t.ID); err != nil {
		return err
	}
	_, err = changed(tx.Model(&Turn{}).Where("id = ?", t.ID), map[string]any{"state": next, "waits_for": why, "wait_until": until,
		"lease_owner": "", "lease_until": nil})
	return err
}

// ResumeTurn lets workers take a turn again that waits for a budget, at the step where it stopped; any other stays as it
// is. false: nothing was to be done.
func (sc *Scope) ResumeTurn(ctx context.Context, turnID string) (bool, error) {
	return sc.resumeTurn(sc.write(ctx), turnID, WaitBudget)
}

func (sc *Scope) resumeTurn(tx *gorm.DB, turnID string, why WaitReason) (bool, error) {
	return changed(tx.Model(&Turn{}).Where("id = ? AND state = ? AND waits_for = ?", turnID, TurnWaitingApproval, why), map[string]any{
		"state": TurnMoves[TurnWaitingApproval][TurnAnswer], "waits_for": "", "wait_until": nil, "lease_until": time.Unix(0, 0).UTC()})
}

// ParkedTurns lists the turns that wait for a budget, oldest first.
func (sc *Scope) ParkedTurns(ctx context.Context) ([]Turn, error) {
	return all[Turn](sc.read(ctx).Where("waits_for = ?", WaitBudget).Order("created_at, id"))
}

// WaitingCount counts the turns that wait for a person, whatever for.
func (sc *Scope) WaitingCount(ctx context.Context) (int, error) {
	var n int64
	err := sc.read(ctx).Model(&Turn{}).Where("waits_for <> ''").Count(&n).Error
	return int(n), translate(err)
}

// DueParkedTurns finds parked turns whose time has come: the budget starts again, or nobody decided.
func (sy *System) DueParkedTurns(ctx context.Context, limit int) ([]TurnRef, error) {
	out := []TurnRef{}
	err := sy.read(ctx).Model(&Turn{}).Select("organization_id", "id").Where("waits_for <> '' AND wait_until <= ?", sy.store.now()).Order("wait_until").Limit(limit).Scan(&out).Error
	return out, translate(err)
}
