package models

import (
	"context"
	"math"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// TokenBalance is how many tokens an agent may still write: a total budget of its instance in output tokens, seen from its other end.
type TokenBalance struct {
	Left  int64 // 0 when it is used up
	Used  int64 // since the instance was made
	Limit bool  // false: there is no balance, nothing is limited
}

// BalanceChange is how a balance is changed.
type BalanceChange string

// The ways.
const (
	BalanceIncrement BalanceChange = "increment"
	BalanceSet       BalanceChange = "set"
)

// TokenBalance reads an instance's.
func (sc *Scope) TokenBalance(ctx context.Context, instanceID string) (TokenBalance, error) {
	return sc.tokenBalance(sc.read(ctx), instanceID)
}

func (sc *Scope) tokenBalance(db *gorm.DB, instanceID string) (TokenBalance, error) {
	db = db.Session(&gorm.Session{})
	out := TokenBalance{}
	b := balanceBudget(sc.Org, instanceID)
	var err error
	if out.Used, err = b.spentIn(db, allTime); err != nil {
		return out, translate(err)
	}
	row, err := first[Budget](balanceOf(db, instanceID))
	if fault.Is(err, fault.NotFound) {
		return out, nil
	}
	if err == nil {
		out.Limit, out.Left = true, max(0, row.Amount-out.Used)
	}
	return out, err
}

func balanceBudget(org, instanceID string) *Budget {
	return &Budget{OrganizationID: org, Scope: BudgetOfInstance, TargetID: instanceID, Unit: BudgetOutput, Period: BudgetTotal, WarnPercent: DefaultWarn}
}

func balanceOf(db *gorm.DB, instanceID string) *gorm.DB {
	return db.Where("scope = ? AND target_id = ? AND unit = ? AND period = ?", BudgetOfInstance, instanceID, BudgetOutput, BudgetTotal)
}

// ChangeTokenBalance adds to an instance's balance, or sets it; an instance without one gets it. It gives the balance before and
// after. Turns that wait for tokens are tried again.
func (sc *Scope) ChangeTokenBalance(ctx context.Context, instanceID string, how BalanceChange, amount int64) (before, after int64, err error) {
	if err := checkBalance(how, amount); err != nil {
		return 0, 0, err
	}
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := sc.ownLedger(tx); err != nil {
			return err
		}
		i, err := first[Instance](tx.Select("id", "name").Where("id = ? AND desired <> ?", instanceID, WantDeleted))
		if err != nil {
			return err
		}
		now, err := sc.tokenBalance(tx, instanceID)
		if err != nil {
			return err
		}
		before, after = now.Left, amount
		if how == BalanceIncrement {
			after = min(max(0, now.Left+amount), MaxBudget)
		}
		return sc.setTokenBalance(tx, i, now, after)
	})
	return before, after, err
}

func checkBalance(how BalanceChange, amount int64) error {
	var is fault.Issues
	switch {
	case how != BalanceSet && how != BalanceIncrement:
		is.NotOneOf("type", string(how), string(BalanceIncrement), string(BalanceSet))
	case how == BalanceSet && amount < 0:
		is.NumberTooSmall("amount", 0)
	case amount > MaxBudget || amount < -MaxBudget:
		is.Custom("amount", "This is more than a balance can hold")
	}
	return is.Err()
}

// setTokenBalance makes left, at most MaxBudget, what an instance may still write; the caller owns the ledger.
func (sc *Scope) setTokenBalance(tx *gorm.DB, i *Instance, now TokenBalance, left int64) error {
	at, b := sc.store.now(), balanceBudget(sc.Org, i.ID)
	amount := min(now.Used, math.MaxInt64-MaxBudget) + left
	old, err := first[Budget](balanceOf(locked(tx), i.ID))
	switch {
	case err == nil:
		b = old
		if _, err := changed(tx.Model(&Budget{}).Where("id = ?", b.ID), map[string]any{"amount": amount, "set_by": sc.Actor.label(), "updated_at": at}); err != nil {
			return err
		}
		if err := sc.retryParked(tx, b.ID); err != nil {
			return err
		}
	case !fault.Is(err, fault.NotFound):
		return err
	default:
		b.ID, b.Amount, b.SetBy, b.CreatedAt, b.UpdatedAt = id.New(), amount, sc.Actor.label(), at, at
		if err := tx.Create(b).Error; err != nil {
			return err
		}
		zone, _, err := sc.zone(tx)
		if err == nil {
			err = sc.openBalance(tx, b, zone, at)
		}
		if err != nil {
			return err
		}
	}
	return sc.audit(tx, act{name: "balance.changed", kind: "instance", id: i.ID, of: i.Name, before: map[string]any{"output_tokens": now.Left}, after: map[string]any{"output_tokens": left}})
}
