package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Reservation is a call under way, with what it holds of the budgets it falls under.
type Reservation struct {
	OrganizationID string `gorm:"primaryKey"`
	CallID         string `gorm:"primaryKey"`
	TurnID         string
	MemberID       string
	KeyID          string
	Holds          Holds
	InputTokens    int // known so far, as its caller last said
	OutputTokens   int
	CostNanos      int64
	LeaseUntil     time.Time
	CreatedAt      time.Time
}

// reserve writes a reservation of which nothing is known yet.
func (d direct) reserve(r *Reservation) error {
	return d.insert("reservations", "organization_id, call_id, turn_id, member_id, key_id, holds, lease_until, created_at",
		r.OrganizationID, r.CallID, r.TurnID, r.MemberID, r.KeyID, r.Holds, r.LeaseUntil, r.CreatedAt)
}

// reservation reads that of a call and holds it; fault.NotFound when the call is not under way.
func (d direct) reservation(org, call string) (*Reservation, error) {
	r := &Reservation{OrganizationID: org, CallID: call}
	err := d.one("SELECT r.turn_id, r.member_id, r.key_id, r.holds, r.created_at FROM reservations r WHERE r.organization_id = ? AND r.call_id = ?"+d.lock("r"),
		[]any{org, call}, &r.TurnID, &r.MemberID, &r.KeyID, &r.Holds, &r.CreatedAt)
	return r, err
}

// ReservationLease is how long a call counts as under way when nobody says that it still is.
const ReservationLease = time.Minute

// KeepReservation renews the lease of a call and notes what it is known to have cost so far: that is what counts when
// its process dies. false: the call was settled.
func (sc *Scope) KeepReservation(ctx context.Context, c Charge) (bool, error) {
	return changed(sc.write(ctx).Model(&Reservation{}).Where("call_id = ?", c.CallID), map[string]any{"lease_until": sc.store.now().Add(ReservationLease),
		"input_tokens": c.InputTokens, "output_tokens": c.OutputTokens, "cost_nanos": c.CostNanos})
}

// CallRef names a call over all organizations.
type CallRef struct{ OrganizationID, CallID string }

// OrphanedCalls finds calls whose process is gone: their lease ran out.
func (sy *System) OrphanedCalls(ctx context.Context, limit int) ([]CallRef, error) {
	out := []CallRef{}
	err := sy.read(ctx).Model(&Reservation{}).Select("organization_id", "call_id").Where("lease_until < ?", sy.store.now()).Order("lease_until").Limit(limit).Scan(&out).Error
	return out, translate(err)
}

// SettleOrphan settles a call whose lease ran out by what is known of it, which may be nothing: the worst case was held,
// never spent. false: it is under way, or another sweep was first.
func (sc *Scope) SettleOrphan(ctx context.Context, callID string) (bool, error) {
	done := false
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.shareLedger(tx); err != nil {
			return err
		}
		r, err := first[Reservation](locked(tx).Where("call_id = ? AND lease_until < ?", callID, sc.store.now()))
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		done = true
		e, err := sc.settleKnown(tx, r)
		if err != nil {
			return err
		}
		return sc.tally(tx, e)
	})
	return done && err == nil, err
}

// settleTurn settles the calls that a turn leaves behind when it ends or another worker takes it: no reservation
// outlives its turn.
func (sc *Scope) settleTurn(tx *gorm.DB, turnID string) error {
	var n int64
	if err := tx.Model(&Reservation{}).Where("turn_id = ?", turnID).Count(&n).Error; err != nil || n == 0 {
		return err
	}
	if err := sc.shareLedger(tx); err != nil {
		return err
	}
	left, err := all[Reservation](locked(tx).Where("turn_id = ?", turnID).Order("call_id"))
	settled := make([]*LedgerEntry, len(left))
	for i := 0; err == nil && i < len(left); i++ {
		settled[i], err = sc.settleKnown(tx, &left[i])
	}
	if err != nil {
		return err
	}
	return sc.tally(tx, settled...)
}

func (sc *Scope) settleKnown(tx *gorm.DB, r *Reservation) (*LedgerEntry, error) {
	e, err := first[LedgerEntry](tx.Where("call_id = ? AND kind = ?", r.CallID, Reserved))
	if err != nil {
		return nil, err
	}
	c := e.charge()
	c.InputTokens, c.OutputTokens, c.CostNanos, c.Failure = r.InputTokens, r.OutputTokens, r.CostNanos, LostCall
	return sc.settle(tx, r, &c)
}

// Reservations lists the calls under way, oldest first.
func (sc *Scope) Reservations(ctx context.Context) ([]Reservation, error) {
	return all[Reservation](sc.read(ctx).Order("created_at, call_id"))
}
