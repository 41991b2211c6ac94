package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// DeliveryLease is how long a worker has for one attempt; after it another one tries.
const DeliveryLease = time.Minute

// ErrDeliveryHeld means that a delivery is not to be had: it is held, ended, not due, or behind another one.
var ErrDeliveryHeld = fault.New(fault.Conflict, "delivery.held", "This delivery is not to be had now")

// ErrDeliveryLease means that a worker's hold is over: another one has the delivery, or somebody dropped it.
var ErrDeliveryLease = fault.New(fault.Conflict, "delivery.lease", "Another worker took this delivery over")

// deliverable is what may be sent now: due, held by nobody, and the first of its lane.
const deliverable = `state = 'pending' AND next_at <= ? AND (lease_until IS NULL OR lease_until < ?) AND NOT EXISTS (SELECT 1 FROM deliveries o
	WHERE o.lane = deliveries.lane AND o.state = 'pending' AND o.id <> deliveries.id AND (o.id < deliveries.id OR o.lease_until >= ?))`

// DueDeliveries names what may be sent now of some kinds, the longest due first: one of each lane.
func (sy *System) DueDeliveries(ctx context.Context, kinds []DeliveryKind, limit int) ([]string, error) {
	ids, now := []string{}, sy.store.now()
	err := sy.read(ctx).Model(&Delivery{}).Where("kind IN ?", kinds).Where(deliverable, now, now, now).Order("next_at, id").Limit(limit).Pluck("id", &ids).Error
	return ids, translate(err)
}

// NextDelivery names what may be sent now in the lane of one that ended, "" for nothing.
func (sy *System) NextDelivery(ctx context.Context, d *Delivery) (string, error) {
	ids, now := []string{}, sy.store.now()
	err := sy.read(ctx).Model(&Delivery{}).Where("lane = ?", d.Lane).Where(deliverable, now, now, now).Order("id").Limit(1).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return "", translate(err)
	}
	return ids[0], nil
}

// Claim is a worker's hold on a delivery, with its secret. Attempt fences it: who claims after the lease has another.
type Claim struct {
	Delivery
	Owner  string
	Secret secret.String // empty without one
}

// ClaimDelivery takes a delivery for one attempt: ErrDeliveryHeld when it is not to be had. The attempt is counted here,
// so that one that kills its workers ends. One that is of no use any more, or whose attempts are used up, dies here.
func (sy *System) ClaimDelivery(ctx context.Context, deliveryID, owner string, kinds []DeliveryKind) (*Claim, error) {
	c := &Claim{Owner: owner}
	died := false
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		now := sy.store.now()
		hit, err := changed(tx.Model(&Delivery{}).Where("id = ? AND kind IN ?", deliveryID, kinds).Where(deliverable, now, now, now),
			map[string]any{"lease_owner": owner, "lease_until": now.Add(DeliveryLease), "attempts": gorm.Expr("attempts + 1")})
		if err != nil || !hit {
			return errOr(err, ErrDeliveryHeld)
		}
		d, err := first[Delivery](tx.Where("id = ?", deliveryID))
		if err != nil {
			return err
		}
		c.Delivery = *d
		why := sy.unsendable(c, now)
		if died = why != ""; !died {
			return nil
		}
		_, err = changed(tx.Model(&Delivery{}).Where("id = ?", deliveryID), ended(DeliveryMoves[d.State][DeliveryDie], why, now))
		return err
	})
	if err == nil && died {
		err = ErrDeliveryHeld
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// unsendable says why a claimed delivery cannot be tried, and opens its secret when it can.
func (sy *System) unsendable(c *Claim, now time.Time) string {
	switch {
	case c.ExpiresAt != nil && !c.ExpiresAt.After(now):
		return "It was not sent before it lost its use"
	case c.Attempts > c.MaxAttempts:
		return "No worker finished an attempt: each one was ended before"
	case c.HasSecret:
		plain, err := sy.store.box.Open(c.SecretSealed, c.ID)
		if err != nil {
			return "What is secret in it cannot be opened: its key is not configured any more"
		}
		c.Secret = secret.Of(string(plain))
	}
	return ""
}

// Attempt is what came of handing a delivery over.
type Attempt struct {
	Sent      bool
	Permanent bool          // another attempt would end the same way
	Error     string        // for the operator
	Response  string        // the other side's words
	Took      time.Duration // of the attempt
	Pause     time.Duration // before the next one
}

// SettleDelivery records an attempt and gives the row as it is now: sent, pending again, or dead. ErrDeliveryLease when
// the hold is over.
func (sy *System) SettleDelivery(ctx context.Context, c *Claim, a Attempt) (*Delivery, error) {
	var d *Delivery
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		row, err := sy.holdDelivery(tx, c)
		if err != nil {
			return err
		}
		set, err := sy.settled(row, a)
		if err != nil {
			return err
		}
		if _, err := changed(tx.Model(&Delivery{}).Where("id = ?", row.ID), set); err != nil {
			return err
		}
		d, err = first[Delivery](tx.Where("id = ?", row.ID))
		return err
	})
	return d, err
}

// holdDelivery reads the row under a claim: the fence before every write.
func (sy *System) holdDelivery(tx *gorm.DB, c *Claim) (*Delivery, error) {
	row, err := first[Delivery](locked(tx).Where("id = ? AND state = ? AND lease_owner = ? AND attempts = ?", c.ID, DeliveryPending, c.Owner, c.Attempts))
	if fault.Is(err, fault.NotFound) {
		err = ErrDeliveryLease
	}
	return row, err
}

// settled gives the columns of an attempt's end.
func (sy *System) settled(d *Delivery, a Attempt) (map[string]any, error) {
	s, now := sy.store, sy.store.now()
	a.Error, a.Response = s.line(a.Error, 1000), s.line(a.Response, 1000)
	tries := append(d.Log(), DeliveryTry{At: now, By: d.LeaseOwner, Millis: a.Took.Milliseconds(), Error: a.Error, Response: a.Response})
	text, err := json.Marshal(tries[max(0, len(tries)-keptTries):])
	if err != nil {
		return nil, err
	}
	set := map[string]any{"lease_owner": "", "lease_until": nil}
	switch {
	case a.Sent:
		set = ended(DeliveryMoves[d.State][DeliverySend], "", now)
	case a.Permanent:
		set = ended(DeliveryMoves[d.State][DeliveryDie], "It was refused for good", now)
	case d.Attempts >= d.MaxAttempts:
		set = ended(DeliveryMoves[d.State][DeliveryDie], "Every attempt failed", now)
	default:
		set["state"], set["next_at"] = DeliveryMoves[d.State][DeliveryRetry], now.Add(a.Pause)
	}
	set["last_error"], set["response"], set["tries"] = a.Error, a.Response, string(text)
	return set, nil
}

// ReleaseDelivery gives a delivery back for another worker at once, as if it had not been tried: what a draining process
// does.
func (sy *System) ReleaseDelivery(ctx context.Context, c *Claim) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		row, err := sy.holdDelivery(tx, c)
		if err != nil {
			return err
		}
		_, err = changed(tx.Model(&Delivery{}).Where("id = ?", row.ID), map[string]any{"lease_owner": "", "lease_until": nil, "attempts": row.Attempts - 1})
		return err
	})
}
