package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Delivery is a row of the outbox. What is secret in it is never given.
type Delivery struct {
	ID             string  `json:"id"`
	OrganizationID *string `json:"organizationId"` // null: the installation's
	Kind           string  `json:"kind"`
	Destination    string  `json:"destination"`
	WebhookID      *string `json:"webhookId"` // the endpoint, of a webhook
	Event          *string `json:"event"`
	AboutKind      string  `json:"aboutKind"`
	AboutID        string  `json:"aboutId"`
	IdempotencyKey string  `json:"idempotencyKey"`
	State          string  `json:"state"` // pending, sent, dead, dropped
	Reason         *string `json:"reason"`
	Attempts       int     `json:"attempts"`
	MaxAttempts    int     `json:"maxAttempts"`
	LastError      *string `json:"lastError"`
	Response       *string `json:"response"`
	NextAt         string  `json:"nextAt"`
	CreatedAt      string  `json:"createdAt"`
	EndedAt        *string `json:"endedAt"`
}

// DeliveryTry is one attempt.
type DeliveryTry struct {
	At       string `json:"at"`
	By       string `json:"by,omitempty"` // the worker, for the back office
	Millis   int64  `json:"ms"`
	Status   int    `json:"status,omitempty"` // of HTTP
	Error    string `json:"error,omitempty"`
	Response string `json:"response,omitempty"`
}

// DeliveryDetail is one with its attempts and its payload, which has a mark where the secret goes.
type DeliveryDetail struct {
	Delivery
	Payload string        `json:"payload"`
	Tries   []DeliveryTry `json:"tries"`
}

// Deliveries is a page of them. Next is what to ask for as "before" to get the next one.
type Deliveries struct {
	Deliveries []Delivery     `json:"deliveries"`
	Counts     map[string]int `json:"counts"` // by state, of all
	Next       *string        `json:"next"`
}

// NewDelivery presents one.
func NewDelivery(d *models.DeliveryRow) Delivery {
	out := Delivery{ID: d.ID, OrganizationID: text(d.OrganizationID), Kind: string(d.Kind), Destination: d.Destination, Event: text(d.Event), AboutKind: d.AboutKind, AboutID: d.AboutID,
		IdempotencyKey: d.IdempotencyKey, State: string(d.State), Reason: text(d.Reason), Attempts: d.Attempts, MaxAttempts: d.MaxAttempts,
		LastError: text(d.LastError), Response: text(d.Response), NextAt: wire.Time(d.NextAt), CreatedAt: wire.Time(d.CreatedAt)}
	if d.Kind == models.WebhookDelivery {
		out.WebhookID = text(d.TargetID)
	}
	if d.EndedAt != nil {
		at := wire.Time(*d.EndedAt)
		out.EndedAt = &at
	}
	return out
}

// NewDeliveryDetail presents one with everything but its secret.
func NewDeliveryDetail(d *models.DeliveryRow) DeliveryDetail {
	out := DeliveryDetail{Delivery: NewDelivery(d), Payload: d.Payload, Tries: []DeliveryTry{}}
	for _, t := range d.Log() {
		out.Tries = append(out.Tries, DeliveryTry{At: wire.Time(t.At), By: t.By, Millis: t.Millis, Status: t.Status, Error: t.Error, Response: t.Response})
	}
	return out
}

// NewDeliveries presents a page of them.
func NewDeliveries(rows []models.DeliveryRow, counts map[models.DeliveryState]int, next string) Deliveries {
	out := Deliveries{Deliveries: make([]Delivery, len(rows)), Counts: map[string]int{}, Next: text(next)}
	for i := range rows {
		out.Deliveries[i] = NewDelivery(&rows[i])
	}
	for _, s := range models.DeliveryStates {
		out.Counts[string(s)] = counts[s]
	}
	return out
}

// NewOwnDelivery presents one to its organization: what only the operator should read is left out.
func NewOwnDelivery(d *models.Delivery) Delivery {
	out := NewDelivery(&models.DeliveryRow{Delivery: *d})
	out.LastError = text(d.Trouble())
	return out
}

// NewOwnDeliveryDetail presents one with its payload and attempts.
func NewOwnDeliveryDetail(d *models.Delivery) DeliveryDetail {
	out := DeliveryDetail{Delivery: NewOwnDelivery(d), Payload: d.Payload, Tries: []DeliveryTry{}}
	for _, t := range d.Log() {
		try := DeliveryTry{At: wire.Time(t.At), Millis: t.Millis, Status: t.Status, Error: t.Error, Response: t.Response}
		if d.Kind == models.MailDelivery && t.Error != "" {
			try.Error = "The mail server did not take it"
		}
		out.Tries = append(out.Tries, try)
	}
	return out
}

// NewOwnDeliveries presents a page of them.
func NewOwnDeliveries(rows []models.Delivery, counts map[models.DeliveryState]int, next string) Deliveries {
	out := NewDeliveries(nil, counts, next)
	for n := range rows {
		out.Deliveries = append(out.Deliveries, NewOwnDelivery(&rows[n]))
	}
	return out
}
