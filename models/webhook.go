package models

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// WebhookEndpoint is a server outside that is told of what happens, by signed calls of the outbox.
type WebhookEndpoint struct {
	ID              string
	OrganizationID  string
	InstanceID      string `gorm:"default:null"` // "" = of all instances
	Name            string
	URL             string
	Description     string
	Events          string // words with commas; see Chosen
	Active          bool
	OffReason       string // why it was switched off by itself
	Private         bool   // an operator allowed an address inside the network
	Managed         bool   // made by the instance's configuration, and changed there
	SecretSealed    []byte
	OldSecretSealed []byte // those before, which sign too until then
	OldSecretUntil  *time.Time
	FailingSince    *time.Time // since when nothing arrived
	CreatedBy       string
	CreatedName     string
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

const (
	// MaxWebhooks is how many endpoints an organization can have.
	MaxWebhooks = 100
	// WebhookSecretPrefix starts the secret of every endpoint, as Standard Webhooks has it.
	WebhookSecretPrefix = "whsec_"
	// WebhookOverlap is how long the secret before a rotation signs too.
	WebhookOverlap = 24 * time.Hour
	maxWebhookURL  = maxDestination
)

// endpointSecrets are the columns that only the sender reads.
var endpointSecrets = []string{"secret_sealed", "old_secret_sealed"}

// WebhookForm is what may be said of an endpoint.
type WebhookForm struct {
	Name        string
	URL         string
	Description string
	InstanceID  string // "" = all
	Events      []string
	Active      bool
	Private     bool // an operator says it: addresses inside the network are allowed
}

func (f *WebhookForm) check() error {
	var is fault.Issues
	f.Name = validName(&is, "name", f.Name, 100)
	f.URL = strings.TrimSpace(f.URL)
	CheckText(&is, "url", f.URL, maxWebhookURL)
	CheckText(&is, "description", f.Description, 500)
	if problem := webhookAddress(f.URL, f.Private); problem != "" {
		is.Custom("url", problem)
	}
	chosen := []string{}
	for _, e := range WebhookEventNames() { // in our order, each once
		if slices.Contains(f.Events, e) {
			chosen = append(chosen, e)
		}
	}
	for _, e := range f.Events {
		if !slices.Contains(chosen, e) {
			is.NotOneOf("events", e, WebhookEventNames()...)
		}
	}
	if len(f.Events) == 0 {
		is.Custom("events", "Choose at least one")
	}
	f.Events = chosen
	return is.Err()
}

// webhookAddress says what is wrong with an address, "" for nothing. What its name resolves to is judged at each call.
func webhookAddress(address string, private bool) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "Write the whole address: https://example.com/hook"
	case u.User != nil:
		return "A name or password in the address is not sent; leave it out"
	case u.Fragment != "":
		return "What follows # is not sent; leave it out"
	}
	blocked, ok := errors.AsType[*dial.BlockedError](dial.Policy{AllowPrivate: private}.CheckHost(u.Hostname()))
	switch {
	case ok && !blocked.Addr.IsValid():
		return "This is no host that can be called: " + blocked.Reason
	case ok:
		return "This address is inside a network; only whoever runs this installation can allow it"
	}
	if host := strings.ToLower(u.Hostname()); !private && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		return "This address is this server's own; only whoever runs this installation can allow it"
	}
	return ""
}

func (f *WebhookForm) columns() map[string]any {
	var instance any
	if f.InstanceID != "" {
		instance = f.InstanceID
	}
	return map[string]any{"name": f.Name, "url": f.URL, "description": f.Description, "instance_id": instance, "events": joinEvents(f.Events),
		"active": f.Active, "private": f.Private}
}

func joinEvents(names []string) string { return strings.Join(names, ",") }

func (e *WebhookEndpoint) figures() map[string]any {
	return map[string]any{"name": e.Name, "url": e.URL, "instance": e.InstanceID, "events": e.Events, "active": e.Active, "private": e.Private}
}

// CreateWebhook makes an endpoint; its secret is only ever returned here and by RotateWebhook.
func (sc *Scope) CreateWebhook(ctx context.Context, f WebhookForm) (*WebhookEndpoint, secret.String, error) {
	if err := f.check(); err != nil {
		return nil, secret.String{}, err
	}
	var e *WebhookEndpoint
	var key secret.String
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		var err error
		e, key, err = sc.addEndpoint(tx, f, false)
		return err
	})
	return e, key, err
}

// addEndpoint writes a new endpoint inside a transaction that holds the organization.
func (sc *Scope) addEndpoint(tx *gorm.DB, f WebhookForm, managed bool) (*WebhookEndpoint, secret.String, error) {
	if f.InstanceID != "" {
		if _, err := first[Instance](tx.Select("id").Where("id = ? AND desired <> ?", f.InstanceID, WantDeleted)); err != nil {
			return nil, secret.String{}, err
		}
	}
	var have int64
	if err := tx.Model(&WebhookEndpoint{}).Count(&have).Error; err != nil {
		return nil, secret.String{}, err
	}
	if have >= MaxWebhooks {
		return nil, secret.String{}, fault.New(fault.Conflict, "webhook.full", "An organization can have %d webhooks at most", MaxWebhooks)
	}
	now := sc.store.now()
	e := &WebhookEndpoint{ID: id.New(), OrganizationID: sc.Org, InstanceID: f.InstanceID, Name: f.Name, URL: f.URL, Description: f.Description, Events: joinEvents(f.Events),
		Active: f.Active, Private: f.Private, Managed: managed, CreatedBy: sc.Actor.UserID, CreatedName: sc.Actor.label(), CreatedAt: now, UpdatedAt: now}
	key, sealed, err := sc.newSigningKey(e.ID)
	if err != nil {
		return nil, key, err
	}
	e.SecretSealed = sealed
	if err := tx.Create(e).Error; err != nil {
		return nil, key, err
	}
	return e, key, sc.audit(tx, act{name: "webhook.created", kind: "webhook", id: e.ID, of: e.Name, after: e.figures()})
}

func (sc *Scope) newSigningKey(endpointID string) (secret.String, []byte, error) {
	key := secret.SigningKey(WebhookSecretPrefix)
	sc.store.learn(key)
	sealed, err := sc.store.box.Seal([]byte(key.Reveal()), endpointID)
	return key, sealed, err
}

// Webhooks lists the endpoints, oldest first.
func (sc *Scope) Webhooks(ctx context.Context) ([]WebhookEndpoint, error) {
	return all[WebhookEndpoint](sc.read(ctx).Omit(endpointSecrets...).Order("created_at, id"))
}

// Webhook reads one.
func (sc *Scope) Webhook(ctx context.Context, endpointID string) (*WebhookEndpoint, error) {
	return first[WebhookEndpoint](sc.read(ctx).Omit(endpointSecrets...).Where("id = ?", endpointID))
}

// UpdateWebhook changes an endpoint. What waits for it is due at once when its address changes or it is switched on: it
// goes where the endpoint is then. What waits for one that is switched off is dead, and can be replayed later.
func (sc *Scope) UpdateWebhook(ctx context.Context, endpointID string, f WebhookForm) (*WebhookEndpoint, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return sc.changeWebhook(ctx, endpointID, "webhook.changed", func(tx *gorm.DB, was *WebhookEndpoint) (map[string]any, error) {
		if f.InstanceID != "" && f.InstanceID != was.InstanceID {
			if _, err := first[Instance](tx.Select("id").Where("id = ? AND desired <> ?", f.InstanceID, WantDeleted)); err != nil {
				return nil, err
			}
		}
		set := f.columns()
		if f.Active && !was.Active || f.URL != was.URL {
			set["failing_since"], set["off_reason"] = nil, ""
		}
		switch {
		case !f.Active:
			return set, sc.endWaiting(tx, endpointID, "The webhook was switched off")
		case f.URL != was.URL:
			return set, sc.hurryWaiting(tx, endpointID, f.URL)
		}
		return set, nil
	})
}

// changeWebhook does one change inside a transaction that holds the organization, and notes it.
func (sc *Scope) changeWebhook(ctx context.Context, endpointID, name string, f func(tx *gorm.DB, was *WebhookEndpoint) (map[string]any, error)) (*WebhookEndpoint, error) {
	var e *WebhookEndpoint
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		was, err := first[WebhookEndpoint](locked(tx).Where("id = ?", endpointID))
		if err != nil {
			return err
		}
		set, err := f(tx, was)
		if err != nil {
			return err
		}
		set["updated_at"] = sc.store.now()
		if _, err := changed(tx.Model(&WebhookEndpoint{}).Where("id = ?", endpointID), set); err != nil {
			return err
		}
		if e, err = first[WebhookEndpoint](tx.Omit(endpointSecrets...).Where("id = ?", endpointID)); err != nil {
			return err
		}
		return sc.audit(tx, act{name: name, kind: "webhook", id: e.ID, of: e.Name, before: was.figures(), after: e.figures()})
	})
	return e, err
}

// endWaiting ends what waits for an endpoint: it can be replayed.
func (sc *Scope) endWaiting(tx *gorm.DB, endpointID, reason string) error {
	_, err := changed(tx.Model(&Delivery{}).Where("organization_id = ? AND target_id = ? AND state = ?", sc.Org, endpointID, DeliveryPending),
		ended(DeliveryMoves[DeliveryPending][DeliveryDie], reason, sc.store.now()))
	return err
}

// hurryWaiting makes what waits for an endpoint due, at its new address.
func (sc *Scope) hurryWaiting(tx *gorm.DB, endpointID, address string) error {
	_, err := changed(tx.Model(&Delivery{}).Where("target_id = ? AND state = ?", endpointID, DeliveryPending), map[string]any{"next_at": sc.store.now(), "destination": address})
	return err
}

// DeleteWebhook removes an endpoint; what waits for it is dropped, and what was sent stays in the log of deliveries.
func (sc *Scope) DeleteWebhook(ctx context.Context, endpointID string) (*WebhookEndpoint, error) {
	var e *WebhookEndpoint
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		var err error
		if e, err = first[WebhookEndpoint](locked(tx).Omit(endpointSecrets...).Where("id = ?", endpointID)); err != nil {
			return err
		}
		return sc.removeEndpoint(tx, e)
	})
	return e, err
}

func (sc *Scope) removeEndpoint(tx *gorm.DB, e *WebhookEndpoint) error {
	set := ended(DeliveryDropped, "The webhook was removed", sc.store.now())
	if _, err := changed(tx.Model(&Delivery{}).Where("target_id = ? AND state IN ?", e.ID, DeliveryDrop.sources()), set); err != nil {
		return err
	}
	if err := tx.Where("id = ?", e.ID).Delete(&WebhookEndpoint{}).Error; err != nil {
		return err
	}
	return sc.audit(tx, act{name: "webhook.deleted", kind: "webhook", id: e.ID, of: e.Name, before: e.figures()})
}

func (e *WebhookEndpoint) secrets() secretRow {
	return secretRow{id: e.ID, sealed: e.SecretSealed, old: e.OldSecretSealed, until: e.OldSecretUntil}
}

// RotateWebhook gives an endpoint a new secret. The one before signs too for WebhookOverlap, so that no call is refused
// while the other side changes it; those that sign from earlier rotations do so till their own end. Conflict when too many do.
func (sc *Scope) RotateWebhook(ctx context.Context, endpointID string) (*WebhookEndpoint, secret.String, error) {
	var key secret.String
	e, err := sc.changeWebhook(ctx, endpointID, "webhook.rotated", func(_ *gorm.DB, was *WebhookEndpoint) (map[string]any, error) {
		fresh, sealed, err := sc.newSigningKey(endpointID)
		if err != nil {
			return nil, err
		}
		key = fresh
		set, err := sc.store.keepSecrets(was.secrets(), WebhookOverlap)
		if err == nil {
			set["secret_sealed"] = sealed
		}
		return set, err
	})
	return e, key, err
}

// TestWebhook has a test event sent, once, past what waits for the endpoint.
func (sc *Scope) TestWebhook(ctx context.Context, endpointID string) (*Delivery, error) {
	var d *Delivery
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		e, err := first[WebhookEndpoint](tx.Omit(endpointSecrets...).Where("id = ?", endpointID))
		if err != nil {
			return err
		}
		body, err := webhookTestBody(sc.store.now(), e)
		if err != nil {
			return err
		}
		n := e.call(webhookTest, body)
		n.lane, n.aboutKind, n.aboutID, n.attempts = e.ID+"/"+aboutTest+"/"+id.New(), aboutTest, e.ID, 1
		if d, err = sc.deliver(tx, n); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "webhook.tested", kind: "webhook", id: e.ID, of: e.Name, after: map[string]any{"delivery": d.ID}})
	})
	return d, err
}
