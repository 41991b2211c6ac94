package models

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

const (
	// LaneHold is how long one that fails keeps those behind it waiting. Then it waits beside the lane: order is a promise
	// to those whose server answers, and what is refused alone must not silence the rest.
	LaneHold = 15 * time.Minute
	// askedLimit is how long pauses that the other side asks for cost no attempt, and hold the lane.
	askedLimit = 24 * time.Hour
)

// DeliveryLease is how long a worker has for one attempt; after it another one tries.
const DeliveryLease = time.Minute

// ErrDeliveryHeld means that a delivery is not to be had: it is held, ended, not due, or behind another one.
var ErrDeliveryHeld = fault.New(fault.Conflict, "delivery.held", "This delivery is not to be had now")

// ErrDeliveryLease means that a worker's hold is over: another one has the delivery, or somebody dropped it.
var ErrDeliveryLease = fault.New(fault.Conflict, "delivery.lease", "Another worker took this delivery over")

// deliveriesOfOne is how many deliveries of one organization are on their way at once, over all workers: half of a worker's places.
// Servers of one that never answer hold up nobody else.
const deliveriesOfOne = "32"

// deliverable is what may be sent now: due, held by nobody, and the first of its lane.
const deliverable = `state = 'pending' AND next_at <= ? AND (lease_until IS NULL OR lease_until < ?) AND NOT EXISTS (SELECT 1 FROM deliveries o
	WHERE o.lane = deliveries.lane AND o.state = 'pending' AND o.id <> deliveries.id AND (o.id < deliveries.id OR o.lease_until >= ?))
	AND (organization_id IS NULL OR (SELECT count(*) FROM deliveries u WHERE u.organization_id = deliveries.organization_id AND ` + underWay + `) < ` + deliveriesOfOne + `)`

const underWay = `u.state = 'pending' AND u.lease_until >= ?`

// laneHeads steps from lane to lane in the index and looks at the first of each: what waits behind a head costs nothing,
// however much it is. Organizations take turns, the longest due of each first.
const laneHeads = `WITH RECURSIVE lanes(lane) AS (SELECT min(lane) FROM deliveries WHERE state = 'pending'
	UNION ALL SELECT (SELECT min(d.lane) FROM deliveries d WHERE d.state = 'pending' AND d.lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL),
	busy AS (SELECT u.organization_id FROM deliveries u WHERE ` + underWay + ` GROUP BY u.organization_id HAVING u.organization_id IS NOT NULL AND count(*) >= ` + deliveriesOfOne + `)
	SELECT d.id FROM lanes JOIN deliveries d ON d.id = (SELECT h.id FROM deliveries h WHERE h.lane = lanes.lane AND h.state = 'pending' ORDER BY h.id LIMIT 1)
	WHERE d.next_at <= ? AND (d.lease_until IS NULL OR d.lease_until < ?) AND d.kind IN ? AND NOT EXISTS (SELECT 1 FROM busy b WHERE b.organization_id = d.organization_id)
	ORDER BY row_number() OVER (PARTITION BY d.organization_id ORDER BY d.next_at, d.id), d.next_at, d.id LIMIT ?`

// DueDeliveries names what may be sent now of some kinds: one of each lane, in the order in which they are to be sent.
func (sy *System) DueDeliveries(ctx context.Context, kinds []DeliveryKind, limit int) ([]string, error) {
	ids, now := []string{}, sy.store.now()
	err := sy.read(ctx).Raw(laneHeads, now, now, now, kinds, limit).Scan(&ids).Error
	return ids, translate(err)
}

// NextDelivery names what may be sent now in the lane of one that ended, "" for nothing.
func (sy *System) NextDelivery(ctx context.Context, d *Delivery) (string, error) {
	ids, now := []string{}, sy.store.now()
	err := sy.read(ctx).Model(&Delivery{}).Where("lane = ?", d.Lane).Where(deliverable, now, now, now, now).Order("id").Limit(1).Pluck("id", &ids).Error
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
	c, held, died := &Claim{}, false, false
	err := sy.together(ctx, func(tx *gorm.DB) error { // it may run twice
		*c, held, died = Claim{Owner: owner}, false, false
		now := sy.store.now()
		hit := []Delivery{} // one statement less for each delivery
		res := tx.Model(&hit).Clauses(clause.Returning{}).Where("id = ? AND kind IN ?", deliveryID, kinds).Where(deliverable, now, now, now, now).
			Updates(map[string]any{"lease_owner": owner, "lease_until": now.Add(DeliveryLease), "attempts": gorm.Expr("attempts + 1")})
		if held = res.Error == nil && len(hit) == 0; res.Error != nil || held {
			return res.Error
		}
		d := &hit[0]
		c.Delivery = *d
		why := sy.unsendable(c, now)
		if died = why != ""; !died {
			return nil
		}
		if _, err := changed(tx.Model(&Delivery{}).Where("id = ?", deliveryID), ended(DeliveryMoves[d.State][DeliveryDie], why, now)); err != nil {
			return err
		}
		d.Reason = why
		return sy.tellOfDead(tx, d)
	})
	if err == nil && (held || died) {
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
	Status    int           // of HTTP, 0 for other ways
	Response  string        // the other side's words
	Took      time.Duration // of the attempt
	Pause     time.Duration // before the next one
	Asked     bool          // the other side asked for the pause
}

// SettleDelivery records an attempt and gives the row as it is now: sent, pending again, or dead. ErrDeliveryLease when
// the hold is over.
func (sy *System) SettleDelivery(ctx context.Context, c *Claim, a Attempt) (*Delivery, error) {
	var d *Delivery
	write := sy.together // most are; what was not sent tells people after its commit
	if !a.Sent {
		write = sy.tx
	}
	err := write(ctx, func(tx *gorm.DB) error {
		if c.Kind == WebhookDelivery && !a.Sent { // its endpoint may be switched off: the organization comes first for all who take both
			if err := sy.store.In(c.OrganizationID).lockOrganization(tx); err != nil {
				return err
			}
		}
		row, err := sy.holdDelivery(tx, c)
		if err != nil {
			return err
		}
		set, err := sy.settled(row, a)
		if err != nil {
			return err
		}
		now := []Delivery{}
		res := tx.Model(&now).Clauses(clause.Returning{}).Where("id = ?", row.ID).Updates(set)
		if res.Error != nil || len(now) == 0 {
			return errOr(res.Error, ErrDeliveryLease)
		}
		d = &now[0]
		return sy.after(tx, row, d)
	})
	return d, err
}

// after does what an attempt's end brings about: what waits beside the lane follows when it is open again, somebody hears
// of what died, and an endpoint remembers since when nothing arrived.
func (sy *System) after(tx *gorm.DB, was, d *Delivery) error {
	switch {
	case d.State == DeliverySent:
		set := map[string]any{"next_at": sy.store.now()}
		if _, err := changed(tx.Model(&Delivery{}).Where("left_lane = ? AND state = ? AND lease_until IS NULL", cmp.Or(was.LeftLane, was.Lane), DeliveryPending), set); err != nil {
			return err
		}
	case d.State == DeliveryDead:
		if err := sy.tellOfDead(tx, d); err != nil {
			return err
		}
	}
	return sy.noteEndpoint(tx, d)
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
	tries := append(d.Log(), DeliveryTry{At: now, By: d.LeaseOwner, Millis: a.Took.Milliseconds(), Status: a.Status, Error: a.Error, Response: a.Response})
	text, err := json.Marshal(tries[max(0, len(tries)-keptTries):])
	if err != nil {
		return nil, err
	}
	var set map[string]any
	switch {
	case a.Sent:
		set = ended(DeliveryMoves[d.State][DeliverySend], "", now)
	case a.Permanent:
		set = ended(DeliveryMoves[d.State][DeliveryDie], "It was refused for good", now)
	case d.Attempts >= d.MaxAttempts:
		set = ended(DeliveryMoves[d.State][DeliveryDie], "Every attempt failed", now)
	default:
		set = againColumns(d, a, now)
	}
	set["last_error"], set["response"], set["tries"] = a.Error, a.Response, string(text)
	return set, nil
}

// againColumns gives the columns of one that is tried again, in its lane or beside it.
func againColumns(d *Delivery, a Attempt, now time.Time) map[string]any {
	since, hold, attempts := now, LaneHold, d.Attempts
	if d.FailingSince != nil {
		since = *d.FailingSince
	}
	if a.Asked { // of everybody who would come
		hold = askedLimit
		if now.Sub(d.CreatedAt) < askedLimit {
			attempts--
		}
	}
	next := now.Add(a.Pause)
	set := map[string]any{"lease_owner": "", "lease_until": nil, "state": DeliveryMoves[d.State][DeliveryRetry], "next_at": next, "failing_since": since, "attempts": attempts}
	if d.LeftLane == "" && next.Sub(since) > hold {
		set["left_lane"], set["lane"] = d.Lane, d.Lane+"/"+d.ID
	}
	return set
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
