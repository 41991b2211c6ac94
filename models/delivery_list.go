package models

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"gorm.io/gorm"
)

// What an organization sees and does of its own deliveries. The back office has the like for all of them.

// Deliveries lists the organization's, newest first, without payloads and attempts.
func (sc *Scope) Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	f.Organization = ""
	return f.rows(sc.read(ctx))
}

// CountDeliveries counts the organization's by state.
func (sc *Scope) CountDeliveries(ctx context.Context) (map[DeliveryState]int, error) {
	return countDeliveries(sc.read(ctx))
}

// Delivery reads one with its payload and attempts, without its secret.
func (sc *Scope) Delivery(ctx context.Context, deliveryID string) (*Delivery, error) {
	return first[Delivery](sc.read(ctx).Omit("secret_sealed").Where("id = ?", deliveryID))
}

// DeadLetters lists what could not be delivered, newest first, with payloads.
func (sc *Scope) DeadLetters(ctx context.Context, limit int) ([]Delivery, error) {
	return all[Delivery](sc.read(ctx).Omit("secret_sealed", "tries").Where("state = ?", DeliveryDead).Order("id DESC").Limit(limit))
}

// ReplayDelivery has a dead one sent again from its first attempt, under the same key, or a webhook's that arrived. Of a
// letter with a secret, which was wiped when it died, an invitation that is still open gets a fresh link, and with it
// another key, since it is another letter. Conflict when it is in another state, or when what it told of is gone.
func (sc *Scope) ReplayDelivery(ctx context.Context, deliveryID string) (*Delivery, error) {
	return sc.changeDelivery(ctx, deliveryID, DeliveryReplay, sc.store.replay)
}

// DropDelivery ends one that is not sent; Conflict when it has ended otherwise.
func (sc *Scope) DropDelivery(ctx context.Context, deliveryID string) (*Delivery, error) {
	return sc.changeDelivery(ctx, deliveryID, DeliveryDrop, sc.store.drop(sc.Actor))
}

func (sc *Scope) changeDelivery(ctx context.Context, deliveryID string, move DeliveryMove, f func(*gorm.DB, *Delivery) (map[string]any, error)) (*Delivery, error) {
	var d *Delivery
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		was, now, err := moveDelivery(tx, deliveryID, move, f)
		if err != nil {
			return err
		}
		d = now
		return sc.audit(tx, deliveryAct(move, was, d))
	})
	return d, err
}

// Trouble says what is wrong with a delivery in words for its organization. What a mail server's connection said is the
// operator's; its answer is everybody's.
func (d *Delivery) Trouble() string {
	switch {
	case d.State == DeliverySent || d.LastError == "":
		return ""
	case d.Kind != MailDelivery:
		return d.LastError
	case d.Response != "":
		return d.Response
	}
	return "The mail server did not take it"
}

// Content is the payload as people read it, without its secret.
func (d *Delivery) Content() string {
	if d.Kind == MailDelivery {
		if m, err := d.Mail(); err == nil {
			return "Subject: " + m.Subject + "\n\n" + strings.ReplaceAll(m.Text, SecretMark, "[redacted]")
		}
	}
	var out bytes.Buffer
	if json.Indent(&out, []byte(d.Payload), "", "  ") == nil {
		return out.String()
	}
	return d.Payload
}

// Service is by whose way a delivery goes: a channel's destination begins with it ("telegram 12345"), the other kinds are
// their own.
func (d *Delivery) Service() (service, to string) {
	if d.Kind == ChannelDelivery {
		if s, rest, ok := strings.Cut(d.Destination, " "); ok {
			return s, rest
		}
	}
	return string(d.Kind), d.Destination
}
