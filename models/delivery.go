package models

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Delivery is one thing that the product sends: a row of the outbox, written in the transaction of what it tells of.
// engine/outbox sends it, at least once, always with the same idempotency key. What must stay secret is sealed apart
// from the payload and is wiped when the delivery ends.
type Delivery struct {
	ID             string
	OrganizationID string `gorm:"default:null"` // "" = the installation's
	Kind           DeliveryKind
	Destination    string // in the kind's words: of mail, an address
	Lane           string // what is delivered in order
	LeftLane       string // the lane that it held up for too long, and waits beside
	TargetID       string // of a webhook its endpoint, of a channel its account
	ExternalID     string // of a channel: its service's id of the message
	Event          string // of a webhook: "message.completed"
	AboutKind      string // what it tells of: "invitation"
	AboutID        string
	IdempotencyKey string // what the other side tells repetitions by
	Payload        string // JSON, in the kind's shape, with SecretMark where the secret goes
	SecretSealed   []byte
	HasSecret      bool
	State          DeliveryState
	Reason         string // why it is dead or dropped
	Attempts       int
	MaxAttempts    int
	NextAt         time.Time
	ExpiresAt      *time.Time // of no use from then on
	FailingSince   *time.Time // its first failure
	LeaseOwner     string
	LeaseUntil     *time.Time
	LastError      string // for the operator
	Response       string // the last words of the other side
	Tries          string // JSON array of DeliveryTry
	CreatedAt      time.Time
	EndedAt        *time.Time // when it was sent, died or was dropped
}

// DeliveryKind is by which way a delivery goes.
type DeliveryKind string

// The kinds. A further one is a line here and below, a type of its payload, and a Sender in engine/outbox.
const (
	MailDelivery    DeliveryKind = "mail"    // a letter; its payload is a Mail
	WebhookDelivery DeliveryKind = "webhook" // a call of somebody's server; its payload is the body, as it is signed
	ChannelDelivery DeliveryKind = "channel" // a message of a chat; its payload is the channel's
)

// DeliveryKinds lists them.
var DeliveryKinds = []DeliveryKind{MailDelivery, WebhookDelivery, ChannelDelivery}

// Mail is the payload of a letter.
type Mail struct {
	Subject string `json:"subject"`
	Text    string `json:"text"` // plain
}

// SecretMark stands in a payload where the secret goes at the moment of sending.
const SecretMark = "{{secret}}"

// DeliveryTry is one attempt, as the row keeps it.
type DeliveryTry struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"` // the worker
	Millis   int64     `json:"ms"`
	Status   int       `json:"status,omitempty"` // of HTTP
	Error    string    `json:"error,omitempty"`
	Response string    `json:"response,omitempty"`
}

const (
	// DeliveryAttempts is how often a delivery is tried before it is dead: the pauses between them are outbox's.
	DeliveryAttempts = 10
	// aboutInvitation is what a letter with a link to join tells of.
	aboutInvitation = "invitation"
	maxDestination  = 2000
	maxPayload      = 1 << 20
	keptTries       = 50 // a replayed one goes on counting
	// aboutTest is what a call or a letter tells of that only tries whether it arrives.
	aboutTest = "test"
)

// Log gives the attempts, oldest first.
func (d *Delivery) Log() []DeliveryTry {
	out := []DeliveryTry{}
	_ = json.Unmarshal([]byte(d.Tries), &out) // written by us
	return out
}

// Mail reads a letter's payload; the secret is not in it.
func (d *Delivery) Mail() (Mail, error) {
	var m Mail
	if err := json.Unmarshal([]byte(d.Payload), &m); err != nil {
		return m, fault.Wrap(err, fault.Internal, "delivery.payload", "The payload of a letter cannot be read")
	}
	return m, nil
}

// newDelivery is what a verb wants sent.
type newDelivery struct {
	kind               DeliveryKind
	to                 string
	lane               string // within the organization and the kind; "" = to
	target             string // of a webhook its endpoint, of a channel its account
	event              string
	aboutKind, aboutID string
	key                string // "" = the row's id
	payload            any    // made JSON; json.RawMessage stays as it is
	attempts           int    // 0 = DeliveryAttempts
	secret             secret.String
	expires            *time.Time
	after              time.Duration // until then it may be taken back
}

// deliver writes a delivery inside the transaction of what it tells of; the workers hear of it after the commit.
// A key that was used gives the row that has it: what asks twice is sent once.
func (sc *Scope) deliver(tx *gorm.DB, n newDelivery) (*Delivery, error) {
	return sc.store.deliver(tx, sc.Org, n)
}

// deliver is the same for what belongs to no organization.
func (sy *System) deliver(tx *gorm.DB, n newDelivery) (*Delivery, error) {
	return sy.store.deliver(tx, "", n)
}

func (s *Store) deliver(tx *gorm.DB, org string, n newDelivery) (*Delivery, error) {
	var is fault.Issues
	CheckText(&is, "destination", n.to, maxDestination)
	payload, err := plainJSON(n.payload)
	if err != nil {
		return nil, err
	}
	if len(payload) > maxPayload {
		is.TooBig("payload", maxPayload)
	}
	if err := is.Err(); err != nil {
		return nil, err
	}
	now := s.now()
	d := &Delivery{ID: id.New(), OrganizationID: org, Kind: n.kind, Destination: n.to, Lane: lane(org, n.kind, cmp.Or(n.lane, n.to)), TargetID: n.target, Event: n.event,
		AboutKind: n.aboutKind, AboutID: n.aboutID, IdempotencyKey: n.key, Payload: s.storable(payload), HasSecret: !n.secret.Empty(), State: DeliveryPending,
		MaxAttempts: cmp.Or(n.attempts, DeliveryAttempts), NextAt: now.Add(n.after), ExpiresAt: n.expires, Tries: "[]", CreatedAt: now}
	if d.IdempotencyKey == "" {
		d.IdempotencyKey = d.ID
	} else if old, err := first[Delivery](ofOrganization(tx, org).Where("idempotency_key = ?", d.IdempotencyKey)); !fault.Is(err, fault.NotFound) {
		return old, err
	}
	if d.HasSecret {
		if d.SecretSealed, err = s.box.Seal([]byte(n.secret.Reveal()), d.ID); err != nil {
			return nil, err
		}
	}
	leaveDelivery(tx, d, now)
	return d, tx.Create(d).Error
}

// plainJSON is json.Marshal without the escapes that only HTML needs: people read payloads.
func plainJSON(v any) ([]byte, error) {
	if raw, ok := v.(json.RawMessage); ok {
		return raw, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func lane(org string, kind DeliveryKind, to string) string {
	if org == "" {
		org = InstallationChain
	}
	return org + "/" + string(kind) + "/" + to
}

func ofOrganization(tx *gorm.DB, org string) *gorm.DB {
	if org == "" {
		return tx.Where("organization_id IS NULL")
	}
	return tx.Where("organization_id = ?", org)
}

// dropAbout takes back the letters and notifications of something that is gone or decided, inside that one's transaction.
// A letter that a worker is just handing over may still arrive; programs hear of what happened, whatever came of it.
func (s *Store) dropAbout(tx *gorm.DB, kind string, ids []string, reason string) error {
	if len(ids) == 0 {
		return nil
	}
	set := ended(DeliveryDropped, reason, s.now())
	_, err := changed(tx.Model(&Delivery{}).Where("kind = ? AND about_kind = ? AND about_id IN ? AND state IN ?", MailDelivery, kind, ids, DeliveryDrop.sources()), set)
	if err != nil {
		return err
	}
	return s.overAbout(tx, kind, ids)
}

// ended are the columns of an end: the secret is wiped with it.
func ended(state DeliveryState, reason string, now time.Time) map[string]any {
	return map[string]any{"state": state, "reason": reason, "ended_at": now, "secret_sealed": nil, "lease_owner": "", "lease_until": nil}
}

// InvitationDeliveries gives the newest letter of each invitation that was mailed, by the invitation's id.
func (sc *Scope) InvitationDeliveries(ctx context.Context, invitations []Invitation) (map[string]Delivery, error) {
	ids := make([]string, len(invitations))
	for i := range invitations {
		ids[i] = invitations[i].ID
	}
	rows, err := all[Delivery](sc.read(ctx).Omit("payload", "secret_sealed", "tries").Where("about_kind = ? AND about_id IN ?", aboutInvitation, ids).Order("id"))
	out := map[string]Delivery{}
	for _, d := range rows {
		out[d.AboutID] = d
	}
	return out, err
}
