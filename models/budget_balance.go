package models

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// BudgetBalance is what is used of a budget in one period.
type BudgetBalance struct {
	ID             string
	OrganizationID string
	BudgetID       string
	PeriodStart    time.Time
	Reserved       int64
	Spent          int64
	ReachedAt      *time.Time // when programs were told that it is used up
	CreatedAt      time.Time
}

// balance finds that of a period; nil when nobody opened it yet.
func (b *Budget) balance(rows []BudgetBalance, w window) *BudgetBalance {
	n := slices.IndexFunc(rows, func(r BudgetBalance) bool { return r.BudgetID == b.ID && r.PeriodStart.Equal(w.start) })
	if n < 0 {
		return nil
	}
	return &rows[n]
}

// Hold is what a reservation keeps of one balance.
type Hold struct {
	Balance string     `json:"b"`
	Unit    BudgetUnit `json:"u"`
	Amount  int64      `json:"n"`
}

// Holds are stored as JSON, since they are only ever read whole.
type Holds []Hold

// Value writes them.
func (h Holds) Value() (driver.Value, error) {
	b, err := json.Marshal(h)
	return string(b), err
}

// Scan reads them.
func (h *Holds) Scan(v any) error {
	switch t := v.(type) {
	case string:
		return json.Unmarshal([]byte(t), h)
	case []byte:
		return json.Unmarshal(t, h)
	}
	return fmt.Errorf("models: holds are stored as %T", v)
}

// errUnopened means that a period has begun whose balance nobody opened yet.
var errUnopened = errors.New("models: a balance is not open")

// budgeted is a transaction that meets budgets: when a period has begun, its balances are opened first, and it runs
// again. How is one of tx and together.
func (sc *Scope) budgeted(ctx context.Context, how func(context.Context, func(tx *gorm.DB) error) error, f func(tx *gorm.DB) error) error {
	for range 10 {
		err := how(ctx, f)
		if !errors.Is(err, errUnopened) {
			return sc.tellReached(ctx, err)
		}
		if err := sc.openBalances(ctx); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "database.busy", "The budgets are being changed").Hinting("Try again in a moment.")
}

// openBalances gives every budget of the organization the balance of the period that runs, where a new one has begun.
func (sc *Scope) openBalances(ctx context.Context) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		zone, err := sc.ownLedger(tx)
		if err != nil {
			return err
		}
		list, err := all[Budget](tx.Order("id"))
		if err != nil {
			return err
		}
		for i := range list {
			if err := sc.openBalance(tx, &list[i], zone, sc.store.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// openBalance opens the balance of a budget's period, unless it is: with what was spent in it so far, and with a hold
// for each call under way. The caller owns the ledger.
func (sc *Scope) openBalance(tx *gorm.DB, b *Budget, zone *time.Location, now time.Time) error {
	w := b.Period.around(now, zone)
	var n int64
	if err := tx.Model(&BudgetBalance{}).Where("budget_id = ? AND period_start = ?", b.ID, w.start).Count(&n).Error; err != nil || n > 0 {
		return err
	}
	row := &BudgetBalance{ID: id.New(), OrganizationID: sc.Org, BudgetID: b.ID, PeriodStart: w.start, CreatedAt: now}
	var err error
	if row.Spent, err = b.spentIn(tx, w); err != nil {
		return err
	}
	if row.Reserved, err = sc.adopt(tx, b, row.ID, w); err != nil {
		return err
	}
	return tx.Create(row).Error
}

// spentIn sums the entries that a budget counts: the truth that balances are held against.
func (b *Budget) spentIn(tx *gorm.DB, w window) (int64, error) {
	sum, db, at := "coalesce(sum(cost_nanos), 0)", tx.Model(&LedgerEntry{}).Where(settledOnly), "reserved_at"
	switch b.Unit {
	case BudgetTokens:
		sum = "coalesce(sum(input_tokens + output_tokens), 0)"
	case BudgetOutput:
		sum = "coalesce(sum(output_tokens), 0)"
	case BudgetMessages:
		sum, db, at = "count(*)", tx.Model(&MessageEntry{}), "created_at"
	}
	if b.Scope != BudgetOfOrganization {
		db = db.Where(string(b.Scope)+"_id = ?", b.TargetID)
	}
	if !w.end.IsZero() {
		db = db.Where(at+" >= ? AND "+at+" < ?", w.start, w.end)
	}
	var n int64
	err := db.Select(sum).Scan(&n).Error
	return n, err
}

// adopt makes the calls under way hold what they reserved of a balance that is being opened.
func (sc *Scope) adopt(tx *gorm.DB, b *Budget, balance string, w window) (int64, error) {
	if b.Unit == BudgetMessages {
		return 0, nil
	}
	db := tx.Order("call_id")
	if !w.end.IsZero() {
		db = db.Where("created_at >= ? AND created_at < ?", w.start, w.end)
	}
	open, err := all[Reservation](db)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, r := range open {
		e, err := first[LedgerEntry](tx.Where("call_id = ? AND kind = ?", r.CallID, Reserved))
		if err != nil {
			return 0, err
		}
		if !b.counts(e) {
			continue
		}
		c := e.charge()
		n := c.units(b.Unit)
		sum += n
		if _, err := changed(tx.Model(&Reservation{}).Where("call_id = ?", r.CallID), map[string]any{"holds": append(r.Holds, Hold{balance, b.Unit, n})}); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// counts tells whether an entry falls under a budget.
func (b *Budget) counts(e *LedgerEntry) bool {
	switch b.Scope {
	case BudgetOfOrganization:
		return true
	case BudgetOfMember:
		return e.MemberID == b.TargetID
	case BudgetOfKey:
		return e.KeyID == b.TargetID
	case BudgetOfInstance:
		return e.InstanceID == b.TargetID
	case BudgetOfSession:
		return e.SessionID == b.TargetID
	case BudgetOfSchedule:
		return e.ScheduleID == b.TargetID
	}
	return false
}

func (e *LedgerEntry) charge() Charge {
	return Charge{CallID: e.CallID, Purpose: e.Purpose, InstanceID: e.InstanceID, SessionID: e.SessionID, TurnID: e.TurnID, MemberID: e.MemberID,
		KeyID: e.KeyID, ScheduleID: e.ScheduleID, Provider: e.Provider, Model: e.Model, InputTokens: e.InputTokens, OutputTokens: e.OutputTokens, CostNanos: e.CostNanos, Unpriced: e.Unpriced}
}

// MessageEntry is one message that was accepted: what budgets in messages count.
type MessageEntry struct {
	ID             string
	OrganizationID string
	TurnID         string
	InstanceID     string
	SessionID      string
	MemberID       string
	KeyID          string
	ScheduleID     string
	CreatedAt      time.Time
}

func (t *Turn) messageEntry(now time.Time) *MessageEntry {
	return &MessageEntry{ID: id.New(), OrganizationID: t.OrganizationID, TurnID: t.ID, InstanceID: t.InstanceID, SessionID: t.SessionID,
		MemberID: t.CreatedBy, KeyID: t.KeyID, ScheduleID: t.AutomationID, CreatedAt: now}
}

// countMessage takes one of every budget in messages that a message falls under, or refuses it.
func (sc *Scope) countMessage(tx *gorm.DB, t *Turn) error {
	if err := sc.shareLedger(tx); err != nil {
		return err
	}
	now := sc.store.now()
	m := t.messageEntry(now)
	if err := tx.Create(m).Error; err != nil {
		return err
	}
	rows, err := sc.bearing(tx, &Charge{InstanceID: m.InstanceID, SessionID: m.SessionID, MemberID: m.MemberID, KeyID: m.KeyID, ScheduleID: m.ScheduleID}, now, BudgetMessages)
	if err != nil {
		return err
	}
	for i := range rows {
		b := &rows[i]
		ok, err := changed(tx.Model(&BudgetBalance{}).Where("id = ? AND spent + 1 <= ?", b.Balance.ID, b.Amount),
			map[string]any{"spent": gorm.Expr("spent + 1")})
		if err != nil {
			return err
		}
		if !ok {
			return b.refusal(tx)
		}
	}
	return nil
}
