package models

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// WebhookTarget is where a call goes, and what it is signed with: several secrets while rotations overlap.
type WebhookTarget struct {
	URL     string
	Private bool
	Secrets []secret.String // the newest first
}

// WebhookTarget reads where a delivery goes now: NotFound when the endpoint is gone, Conflict when it is switched off. A
// test goes to one that is off, too.
func (sy *System) WebhookTarget(ctx context.Context, d *Delivery) (*WebhookTarget, error) {
	e, err := first[WebhookEndpoint](sy.read(ctx).Where("organization_id = ? AND id = ?", d.OrganizationID, d.TargetID))
	if err != nil {
		return nil, err
	}
	if !e.Active && d.AboutKind != aboutTest {
		return nil, errWebhookOff
	}
	out := &WebhookTarget{URL: e.URL, Private: e.Private}
	if out.Secrets, err = sy.store.secretsOf(e.secrets()); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "webhook.secret", "The webhook's secret cannot be opened: its key is not configured any more")
	}
	return out, nil
}

var errWebhookOff = fault.New(fault.Conflict, "webhook.off", "The webhook is switched off").Hinting("Switch it on, then send again")

// standing refuses to send again what has nowhere to go.
func standing(tx *gorm.DB, d *Delivery) error {
	e, err := first[WebhookEndpoint](tx.Omit(endpointSecrets...).Where("organization_id = ? AND id = ?", d.OrganizationID, d.TargetID))
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.Conflict, "delivery.gone", "The webhook was removed")
	case err == nil && !e.Active && d.AboutKind != aboutTest:
		return errWebhookOff
	}
	return err
}

func webhookTestBody(now time.Time, e *WebhookEndpoint) ([]byte, error) {
	return json.Marshal(WebhookBody{Type: webhookTest, Timestamp: now.UTC().Truncate(time.Millisecond),
		Data: map[string]any{"webhook_id": e.ID, "name": e.Name, "text": "A test of this webhook. Nothing has happened."}})
}

// WebhookGivesUp is how long nothing but failures switches an endpoint off.
const WebhookGivesUp = 5 * 24 * time.Hour

// noteEndpoint remembers since when nothing arrives, and switches an endpoint off that said it is gone or has answered
// nothing for too long.
func (sy *System) noteEndpoint(tx *gorm.DB, d *Delivery) error {
	if d.Kind != WebhookDelivery || d.AboutKind == aboutTest {
		return nil
	}
	now, mine := sy.store.now(), tx.Model(&WebhookEndpoint{}).Where("organization_id = ? AND id = ?", d.OrganizationID, d.TargetID)
	if d.State == DeliverySent {
		_, err := changed(mine.Where("failing_since IS NOT NULL"), map[string]any{"failing_since": nil})
		return err
	}
	tries := d.Log()
	gone := len(tries) > 0 && tries[len(tries)-1].Status == http.StatusGone
	e, err := first[WebhookEndpoint](tx.Omit(endpointSecrets...).Where("organization_id = ? AND id = ? AND active", d.OrganizationID, d.TargetID))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case gone:
		return sy.switchOff(tx, e, "The server answered 410 Gone: it wants no more calls")
	case e.FailingSince == nil:
		_, err := changed(mine, map[string]any{"failing_since": now})
		return err
	case now.Sub(*e.FailingSince) >= WebhookGivesUp:
		return sy.switchOff(tx, e, "Nothing arrived for five days")
	}
	return nil
}

// switchOff ends an endpoint's calls until a person switches it on again; who made it hears of it.
func (sy *System) switchOff(tx *gorm.DB, e *WebhookEndpoint, why string) error {
	hit, err := changed(tx.Model(&WebhookEndpoint{}).Where("organization_id = ? AND id = ? AND active", e.OrganizationID, e.ID),
		map[string]any{"active": false, "off_reason": why, "updated_at": sy.store.now()})
	if err != nil || !hit {
		return err
	}
	sc := sy.store.In(e.OrganizationID)
	if err := sc.endWaiting(tx, e.ID, "The webhook was switched off"); err != nil {
		return err
	}
	if err := sc.tellOfWebhookOff(tx, e, why); err != nil {
		return err
	}
	return sc.audit(tx, act{name: "webhook.switched_off", kind: "webhook", id: e.ID, of: e.Name, before: map[string]any{"active": true}, after: map[string]any{"active": false, "reason": why}})
}
