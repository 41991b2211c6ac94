package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// DeliveryFilter narrows a list of deliveries; zero fields do not.
type DeliveryFilter struct {
	Text         string // in destination, what it tells of, or id
	State        DeliveryState
	Kind         DeliveryKind
	Organization string // id
	Target       string // id of a webhook's endpoint, or of a channel
	Before       string // an id: those that came before, for the next page
	Limit        int    // 0 = 50
}

// Check refuses what no delivery can have: to a program an empty list would say that there are none.
func (f DeliveryFilter) Check() error {
	var is fault.Issues
	if f.State != "" {
		oneOf(&is, "state", f.State, DeliveryStates...)
	}
	if f.Kind != "" {
		oneOf(&is, "kind", f.Kind, DeliveryKinds...)
	}
	if _, ok := id.UUID(f.Before); f.Before != "" && !ok {
		is.Custom("before", "before must be the id of a delivery")
	}
	return is.Err()
}

// DeliveryRow is a delivery with the name of its organization, "" for the installation's. It has no secret.
type DeliveryRow struct {
	Delivery
	OrganizationName string
}

// AllDeliveries lists those of all organizations, newest first, without payloads and attempts.
func (sy *System) AllDeliveries(ctx context.Context, f DeliveryFilter) ([]DeliveryRow, error) {
	rows, err := f.rows(sy.read(ctx))
	if err != nil {
		return nil, err
	}
	ids, out := make([]string, len(rows)), make([]DeliveryRow, len(rows))
	for i := range rows {
		ids[i], out[i] = rows[i].OrganizationID, DeliveryRow{Delivery: rows[i]}
	}
	names, err := sy.OrganizationNames(ctx, ids)
	for i := range out {
		out[i].OrganizationName = names[out[i].OrganizationID]
	}
	return out, err
}

// rows reads what the filter leaves, without payloads and attempts.
func (f DeliveryFilter) rows(db *gorm.DB) ([]Delivery, error) {
	db = db.Omit("payload", "secret_sealed", "tries")
	for column, v := range map[string]string{"state": string(f.State), "kind": string(f.Kind), "organization_id": f.Organization, "target_id": f.Target} {
		if v != "" {
			db = db.Where(column+" = ?", v)
		}
	}
	return all[Delivery](Listing{Text: f.Text, Before: f.Before, Limit: f.Limit}.apply(db, "destination", "about_id", "event", "id"))
}

// DeliveryByID reads one of any organization, without its secret.
func (sy *System) DeliveryByID(ctx context.Context, deliveryID string) (*DeliveryRow, error) {
	d, err := first[Delivery](sy.read(ctx).Omit("secret_sealed").Where("id = ?", deliveryID))
	if err != nil {
		return nil, err
	}
	names, err := sy.OrganizationNames(ctx, []string{d.OrganizationID})
	return &DeliveryRow{Delivery: *d, OrganizationName: names[d.OrganizationID]}, err
}

// CountDeliveries counts them by state.
func (sy *System) CountDeliveries(ctx context.Context) (map[DeliveryState]int, error) {
	return countDeliveries(sy.read(ctx))
}

func countDeliveries(db *gorm.DB) (map[DeliveryState]int, error) {
	var rows []struct {
		State DeliveryState
		N     int
	}
	err := db.Model(&Delivery{}).Select("state, count(*) AS n").Group("state").Scan(&rows).Error
	out := map[DeliveryState]int{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, translate(err)
}

// ReplayDelivery has one of any organization sent again, as staff; see Scope.ReplayDelivery.
func (sy *System) ReplayDelivery(ctx context.Context, by Actor, deliveryID string) (*Delivery, error) {
	return sy.changeDelivery(ctx, by, deliveryID, DeliveryReplay, sy.store.replay)
}

// replay gives the columns of one that is sent again, from its first attempt and under its own key. A secret was wiped
// when it died: an invitation that is still open gets a fresh link, and with it another key, since it is another letter.
func (s *Store) replay(tx *gorm.DB, d *Delivery) (map[string]any, error) {
	now := s.now()
	set := map[string]any{"reason": "", "attempts": 0, "next_at": now, "ended_at": nil, "failing_since": nil}
	if d.LeftLane != "" {
		set["lane"], set["left_lane"] = d.LeftLane, ""
	}
	leave(tx, func(w *Written) { w.Deliveries = append(w.Deliveries, d.ID) })
	if d.Kind == WebhookDelivery {
		if err := standing(tx, d); err != nil {
			return nil, err
		}
	}
	if !d.HasSecret {
		return set, nil
	}
	token, err := renewInvitation(tx, d, now)
	if err != nil {
		return nil, err
	}
	if set["secret_sealed"], err = s.box.Seal([]byte(token.Reveal()), d.ID); err != nil {
		return nil, err
	}
	set["idempotency_key"] = d.AboutKind + "-" + d.AboutID + "-" + id.New()
	return set, nil
}

// renewInvitation gives an open invitation a new link; the old one works no more.
func renewInvitation(tx *gorm.DB, d *Delivery, now time.Time) (secret.String, error) {
	token, hash := secret.Token("")
	hit, err := changed(tx.Model(&Invitation{}).Where("id = ? AND expires_at > ?", d.AboutID, now), map[string]any{"token_hash": hash})
	if err == nil && !hit {
		err = fault.New(fault.Conflict, "delivery.gone", "What it told of was used, was withdrawn or has expired").Hinting("Only the organization can ask again")
	}
	return token, err
}

// DropDelivery ends one that is not sent; Conflict when it has ended otherwise.
func (sy *System) DropDelivery(ctx context.Context, by Actor, deliveryID string) (*Delivery, error) {
	return sy.changeDelivery(ctx, by, deliveryID, DeliveryDrop, sy.store.drop(by))
}

func (s *Store) drop(by Actor) func(*gorm.DB, *Delivery) (map[string]any, error) {
	return func(*gorm.DB, *Delivery) (map[string]any, error) {
		return ended(DeliveryDropped, "Dropped by "+by.label(), s.now()), nil
	}
}

var deliveryActs = map[DeliveryMove]string{DeliveryReplay: "delivery.replayed", DeliveryDrop: "delivery.dropped"}

// changeDelivery does an act of staff: it stands in the log of the organization whose delivery it is.
func (sy *System) changeDelivery(ctx context.Context, by Actor, deliveryID string, move DeliveryMove, f func(*gorm.DB, *Delivery) (map[string]any, error)) (*Delivery, error) {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return nil, err
	}
	known, err := first[Delivery](sy.read(ctx).Select("id", "organization_id").Where("id = ?", deliveryID))
	if err != nil {
		return nil, err
	}
	var d *Delivery
	err = sy.tx(ctx, func(tx *gorm.DB) error {
		sc := sy.store.In(known.OrganizationID).As(by)
		if known.OrganizationID != "" { // before the delivery, as all who take both
			if err := sc.lockOrganization(tx); err != nil {
				return err
			}
		}
		was, now, err := moveDelivery(tx, deliveryID, move, f)
		if err != nil {
			return err
		}
		d = now
		if known.OrganizationID == "" {
			return sy.audit(tx, by, deliveryAct(move, was, d))
		}
		return sc.audit(tx, deliveryAct(move, was, d))
	})
	return d, err
}

// moveDelivery does one move by the table, with the columns that f adds, and gives the row before and after.
func moveDelivery(tx *gorm.DB, deliveryID string, move DeliveryMove, f func(*gorm.DB, *Delivery) (map[string]any, error)) (was, now *Delivery, err error) {
	if was, err = first[Delivery](locked(tx).Where("id = ?", deliveryID)); err != nil {
		return nil, nil, err
	}
	next, ok := DeliveryMoves[was.State][move]
	if !ok || !was.May(move) {
		_, done, _ := strings.Cut(deliveryActs[move], ".")
		return nil, nil, fault.New(fault.Conflict, "delivery.state", "A delivery that is %s cannot be %s", was.State, done)
	}
	set, err := f(tx, was)
	if err != nil {
		return nil, nil, err
	}
	set["state"] = next
	if _, err := changed(tx.Model(&Delivery{}).Where("id = ?", deliveryID), set); err != nil {
		return nil, nil, err
	}
	now, err = first[Delivery](tx.Where("id = ?", deliveryID))
	return was, now, err
}

func deliveryAct(move DeliveryMove, was, now *Delivery) act {
	return act{name: deliveryActs[move], kind: "delivery", id: now.ID, of: now.Destination, before: map[string]any{"state": was.State}, after: map[string]any{"state": now.State}}
}

// AskTestMail has a letter sent that belongs to no organization: whether letters arrive can only be tried.
func (sy *System) AskTestMail(ctx context.Context, by Actor, address string, m Mail) (*Delivery, error) {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return nil, err
	}
	normal, ok := NormalEmail(address)
	if !ok {
		var is fault.Issues
		is.BadString("address", "email")
		return nil, is.Err()
	}
	var d *Delivery
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		var err error
		if d, err = sy.deliver(tx, newDelivery{kind: MailDelivery, to: normal, aboutKind: aboutTest, payload: m}); err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "mail.tested", kind: "delivery", id: d.ID, of: normal})
	})
	return d, err
}

// How long ended deliveries are kept: what was sent to whom is nobody's business for ever.
const (
	keptDeliveries = 30 * 24 * time.Hour
	keptDead       = 90 * 24 * time.Hour
)

// TidyDeliveries forgets what ended long ago.
func (sy *System) TidyDeliveries(ctx context.Context) error {
	now := sy.store.now()
	return translate(sy.write(ctx).Where("ended_at < ? AND (state <> ? OR ended_at < ?)", now.Add(-keptDeliveries), DeliveryDead, now.Add(-keptDead)).Delete(&Delivery{}).Error)
}
