package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// LedgerEntry is one line of what model calls cost. A call reserves its worst case before it is made and
// settles what it took after; entries are never changed.
type LedgerEntry struct {
	ID             string
	OrganizationID string
	CallID         string
	Kind           LedgerKind
	Purpose        string
	InstanceID     string
	SessionID      string
	TurnID         string
	MemberID       string // of the person, or of the key's maker
	KeyID          string
	ScheduleID     string
	Provider       string
	Model          string
	InputTokens    int
	OutputTokens   int
	CostNanos      int64  // billionths of a dollar
	Failure        string // of a settled call: the kind of error, "" for an answer, CancelledCall, LostCall
	Unpriced       bool   // nobody knows what the model costs
	BaselineNanos  *int64 // of a routed call: what it had cost without a router; nil = nothing to compare with
	CreatedAt      time.Time
	ReservedAt     time.Time // when the call began: the period that it counts in
}

// What a call's failure is besides the kind of its error.
const (
	CancelledCall = "cancelled" // its caller left: that is no error
	LostCall      = "lost"      // its process ended before it
)

// Failed tells whether the call ended with an error.
func (e *LedgerEntry) Failed() bool { return e.Failure != "" && e.Failure != CancelledCall }

// Took is how long the call lasted; 0 for one that reserved nothing.
func (e *LedgerEntry) Took() time.Duration { return e.CreatedAt.Sub(e.ReservedAt) }

// LedgerKind is which side of a call an entry is.
type LedgerKind string

// The two sides.
const (
	Reserved LedgerKind = "reserve"
	Settled  LedgerKind = "settle"
)

// settledOnly is the condition that the indexes of entries carry: what is only reserved is in none of them.
const settledOnly = "kind = 'settle'"

// Charge is a call as the ledger sees it.
type Charge struct {
	CallID, Purpose               string
	InstanceID, SessionID, TurnID string
	MemberID, KeyID, ScheduleID   string // without the first two: the turn's, else the scope's actor
	Provider, Model               string
	InputTokens, OutputTokens     int
	CostNanos                     int64
	Unpriced                      bool // nobody knows what the model costs: it cannot run under a budget in money
	Failure                       string
	BaselineNanos                 *int64 // nil = nothing to compare with
}

// callUnits are what calls of models are counted in.
var callUnits = []BudgetUnit{BudgetMoney, BudgetTokens, BudgetOutput}

// units gives what a charge is in a budget's unit.
func (c *Charge) units(u BudgetUnit) int64 {
	switch u {
	case BudgetMoney:
		return c.CostNanos
	case BudgetTokens:
		return int64(c.InputTokens) + int64(c.OutputTokens)
	case BudgetOutput:
		return int64(c.OutputTokens)
	}
	return 0
}

// attribute names who is charged where the charge does not: who sent the turn's message, else who acts.
func (sc *Scope) attribute(tx *gorm.DB, c *Charge) error {
	if c.MemberID != "" || c.KeyID != "" {
		return nil
	}
	c.MemberID, c.KeyID = sc.Actor.UserID, sc.Actor.KeyID
	if c.TurnID == "" {
		return nil
	}
	t, err := first[Turn](tx.Select("created_by", "key_id", "automation_id").Where("id = ?", c.TurnID))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c.MemberID, c.KeyID, c.ScheduleID = t.CreatedBy, t.KeyID, t.AutomationID
	return nil
}

// Reserve notes what a call may cost at most and holds that much of every budget it falls under, in one transaction; it
// must be answered before the call is made. A budget lets a call in when its worst case fits, and one alone when less
// than that is left, so that it can be used up: what is settled is at most the limit and one call.
//
// Faults: Payment budget.reached, with RetryAt when the budget starts again; Payment budget.unpriced; TooMany
// budget.held when calls under way hold what is left.
func (sc *Scope) Reserve(ctx context.Context, c Charge) error {
	return sc.budgeted(ctx, sc.together, func(tx *gorm.DB) error {
		if err := sc.shareLedger(tx); err != nil {
			return err
		}
		if err := sc.attribute(tx, &c); err != nil {
			return err
		}
		now := sc.store.now()
		if err := within(tx).enter(sc.entry(Reserved, c, now, now)); err != nil {
			return err
		}
		held, err := sc.take(tx, &c, now)
		if err != nil {
			return err
		}
		return within(tx).reserve(&Reservation{OrganizationID: sc.Org, CallID: c.CallID, TurnID: c.TurnID, MemberID: c.MemberID,
			KeyID: c.KeyID, Holds: held, LeaseUntil: now.Add(ReservationLease), CreatedAt: now})
	})
}

// Settle notes what a call cost, to the last unit, and gives back what it held; settling twice is a Conflict.
func (sc *Scope) Settle(ctx context.Context, c Charge) error {
	return sc.budgeted(ctx, sc.together, func(tx *gorm.DB) error {
		if err := sc.shareLedger(tx); err != nil {
			return err
		}
		r, err := within(tx).reservation(sc.Org, c.CallID)
		switch {
		case fault.Is(err, fault.NotFound):
			return sc.settleLoose(tx, &c)
		case err != nil:
			return err
		}
		e, err := sc.settle(tx, r, &c)
		if err != nil {
			return err
		}
		return sc.tally(tx, e)
	})
}

// settle ends a reservation: its entry, its holds and itself in one. The caller tallies the entry.
func (sc *Scope) settle(tx *gorm.DB, r *Reservation, c *Charge) (*LedgerEntry, error) {
	now := sc.store.now()
	c.MemberID, c.KeyID = r.MemberID, r.KeyID
	e := sc.entry(Settled, *c, now, r.CreatedAt)
	if err := within(tx).enter(e); err != nil {
		return nil, err
	}
	if _, err := within(tx).exec("DELETE FROM reservations WHERE organization_id = ? AND call_id = ?", sc.Org, r.CallID); err != nil {
		return nil, err
	}
	slices.SortFunc(r.Holds, func(a, b Hold) int { return strings.Compare(a.Balance, b.Balance) }) // adopted ones came later
	for _, h := range r.Holds {
		if err := sc.move(tx, h.Balance, -h.Amount, c.units(h.Unit)); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// settleLoose settles a call that reserved nothing.
func (sc *Scope) settleLoose(tx *gorm.DB, c *Charge) error {
	now := sc.store.now()
	if err := sc.attribute(tx, c); err != nil {
		return err
	}
	e := sc.entry(Settled, *c, now, now)
	if err := within(tx).enter(e); err != nil {
		return err
	}
	rows, err := sc.bearing(tx, c, now, callUnits...)
	if err != nil {
		return err
	}
	for _, b := range rows {
		if err := sc.move(tx, b.Balance.ID, 0, c.units(b.Unit)); err != nil {
			return err
		}
	}
	return sc.tally(tx, e)
}

// move changes a balance; one whose budget was deleted meanwhile is passed over.
func (sc *Scope) move(tx *gorm.DB, balance string, reserved, spent int64) error {
	_, err := within(tx).exec("UPDATE budget_balances SET reserved = reserved + ?, spent = spent + ? WHERE organization_id = ? AND id = ?",
		reserved, spent, sc.Org, balance)
	return err
}

// enter writes an entry.
func (d direct) enter(e *LedgerEntry) error {
	return d.insert("ledger_entries", `id, organization_id, call_id, kind, purpose, instance_id, session_id, turn_id, member_id, key_id, schedule_id,
		provider, model, input_tokens, output_tokens, cost_nanos, failure, unpriced, baseline_nanos, created_at, reserved_at`,
		e.ID, e.OrganizationID, e.CallID, string(e.Kind), e.Purpose, e.InstanceID, e.SessionID, e.TurnID, e.MemberID, e.KeyID, e.ScheduleID,
		e.Provider, e.Model, e.InputTokens, e.OutputTokens, e.CostNanos, e.Failure, e.Unpriced, e.BaselineNanos, e.CreatedAt, e.ReservedAt)
}

func (sc *Scope) entry(k LedgerKind, c Charge, now, reserved time.Time) *LedgerEntry {
	return &LedgerEntry{ID: id.New(), OrganizationID: sc.Org, CallID: c.CallID, Kind: k, Purpose: c.Purpose,
		InstanceID: c.InstanceID, SessionID: c.SessionID, TurnID: c.TurnID, MemberID: c.MemberID, KeyID: c.KeyID, ScheduleID: c.ScheduleID,
		Provider: c.Provider, Model: c.Model, InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, CostNanos: c.CostNanos,
		Failure: c.Failure, Unpriced: c.Unpriced, BaselineNanos: c.BaselineNanos, CreatedAt: now, ReservedAt: reserved}
}

// Spend is a sum over settled calls.
type Spend struct {
	Calls        int64
	InputTokens  int64
	OutputTokens int64
	CostNanos    int64
}

// SpentSince sums what was settled since a time.
func (sc *Scope) SpentSince(ctx context.Context, since time.Time) (Spend, error) {
	var s Spend
	err := sc.read(ctx).Model(&LedgerEntry{}).
		Select(spendColumns).
		Where(settledOnly+" AND created_at >= ?", since).Scan(&s).Error
	return s, translate(err)
}

const spendColumns = "count(*) AS calls, coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost_nanos), 0) AS cost_nanos"
