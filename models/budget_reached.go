package models

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// tellReached tells programs of a budget that is used up and refused a call or a message: once in each of its periods, and once
// more after it was changed. What was refused is rolled back, so this is a transaction of its own; err is what is to be answered.
func (sc *Scope) tellReached(ctx context.Context, err error) error {
	r, ok := errors.AsType[*Refusal](err)
	if !ok || fault.As(err).Code != "budget.reached" || r.balance.ReachedAt != nil {
		return err
	}
	failed := sc.tx(context.WithoutCancel(ctx), func(tx *gorm.DB) error {
		first, err := changed(tx.Model(&BudgetBalance{}).Where("id = ? AND reached_at IS NULL", r.balance.ID), map[string]any{"reached_at": sc.store.now()})
		if err != nil || !first {
			return err
		}
		return sc.budgetReached(tx, &r.charge, &r.Budget, r.until)
	})
	if failed != nil { // the next refusal tells
		slog.WarnContext(ctx, "models: nobody was told of a budget that is used up", "organization", sc.Org, "budget", r.Budget.ID, "error", failed)
	}
	return err
}

// budgetReached tells programs of what a budget refused: once for what is refused in one period.
func (sc *Scope) budgetReached(tx *gorm.DB, c *Charge, b *Budget, until *time.Time) error {
	return sc.emit(tx, occurrence{event: BudgetReached, instance: c.InstanceID, aboutKind: aboutBudget, aboutID: b.ID, once: b.once(until, sc.store.now()), data: func() (map[string]any, error) {
		data := map[string]any{"budget_id": b.ID, "scope": b.Scope, "target_id": b.TargetID, "unit": b.Unit, "period": b.Period, "amount": b.Amount}
		for name, v := range map[string]string{"instance_id": c.InstanceID, "session_id": c.SessionID, "turn_id": c.TurnID, "key_id": c.KeyID, "user_id": c.MemberID, "automation_id": c.ScheduleID} {
			if v != "" {
				data[name] = v
			}
		}
		if until != nil {
			data["resets_at"] = until.UTC()
		}
		return data, nil
	}})
}

// once names a budget as it is in a period that ends; without an end, as it is today: one in total can be met again long after
// somebody stopped the first turn.
func (b *Budget) once(until *time.Time, now time.Time) string {
	key := aboutBudget + "-" + b.ID + "-" + strconv.FormatInt(b.UpdatedAt.UnixMicro(), 36) + "-"
	if until == nil {
		return key + now.Format(time.DateOnly)
	}
	return key + strconv.FormatInt(until.Unix(), 36)
}
