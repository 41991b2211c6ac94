package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// A parked turn waits for a person or a time, for days if need be. It is in waiting_approval without a lease, so no
// worker is kept busy and a restart changes nothing; its place in the session stays its own.

// ParkTurn lets go of a held turn until ResumeTurn, with its last events: between two steps, where nothing is half done.
// until is when it is tried again by itself; nil = never.
func (sc *Scope) ParkTurn(ctx context.Context, l Lease, why WaitReason, until *time.Time, data ...EventData) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
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
	})
}

// ResumeTurn lets workers take a parked turn again, at the step where it stopped; one that is not parked stays as it is.
// false: nothing was to be done.
func (sc *Scope) ResumeTurn(ctx context.Context, turnID string) (bool, error) {
	return changed(sc.write(ctx).Model(&Turn{}).Where("id = ? AND state = ? AND waits_for <> ''", turnID, TurnWaitingApproval), map[string]any{
		"state": TurnMoves[TurnWaitingApproval][TurnAnswer], "waits_for": "", "wait_until": nil, "lease_until": time.Unix(0, 0).UTC()})
}

// ParkedTurns lists the turns that wait, oldest first.
func (sc *Scope) ParkedTurns(ctx context.Context) ([]Turn, error) {
	return all[Turn](sc.read(ctx).Where("waits_for <> ''").Order("created_at, id"))
}

// DueParkedTurns finds parked turns whose time has come.
func (sy *System) DueParkedTurns(ctx context.Context, limit int) ([]TurnRef, error) {
	out := []TurnRef{}
	err := sy.read(ctx).Model(&Turn{}).Select("organization_id", "id").Where("waits_for <> '' AND wait_until <= ?", sy.store.now()).Order("wait_until").Limit(limit).Scan(&out).Error
	return out, translate(err)
}
