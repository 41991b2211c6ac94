package models

import (
	"context"
	"time"

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
	Provider       string
	Model          string
	InputTokens    int
	OutputTokens   int
	CostNanos      int64 // billionths of a dollar
	CreatedAt      time.Time
}

// LedgerKind is which side of a call an entry is.
type LedgerKind string

// The two sides.
const (
	Reserved LedgerKind = "reserve"
	Settled  LedgerKind = "settle"
)

// Charge is a call as the ledger sees it.
type Charge struct {
	CallID, Purpose               string
	InstanceID, SessionID, TurnID string
	Provider, Model               string
	InputTokens, OutputTokens     int
	CostNanos                     int64
}

// Reserve notes what a call may cost at most; it must be answered before the call is made.
func (sc *Scope) Reserve(ctx context.Context, c Charge) error { return sc.enter(ctx, Reserved, c) }

// Settle notes what a call cost; settling twice is a Conflict.
func (sc *Scope) Settle(ctx context.Context, c Charge) error { return sc.enter(ctx, Settled, c) }

func (sc *Scope) enter(ctx context.Context, k LedgerKind, c Charge) error {
	return translate(sc.write(ctx).Create(&LedgerEntry{ID: id.New(), OrganizationID: sc.Org, CallID: c.CallID, Kind: k, Purpose: c.Purpose,
		InstanceID: c.InstanceID, SessionID: c.SessionID, TurnID: c.TurnID, Provider: c.Provider, Model: c.Model,
		InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, CostNanos: c.CostNanos, CreatedAt: sc.store.now()}).Error)
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
		Where("kind = ? AND created_at >= ?", Settled, since).Scan(&s).Error
	return s, translate(err)
}

const spendColumns = "count(*) AS calls, coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost_nanos), 0) AS cost_nanos"
