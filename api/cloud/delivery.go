package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Delivery is a row of the outbox, as the back office sees it. What is secret in it is never given.
type Delivery struct {
	ID             string  `json:"id"`
	OrganizationID *string `json:"organizationId"` // null: the installation's
	Kind           string  `json:"kind"`
	Destination    string  `json:"destination"`
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
	By       string `json:"by"`
	Millis   int64  `json:"ms"`
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
	out := Delivery{ID: d.ID, OrganizationID: text(d.OrganizationID), Kind: string(d.Kind), Destination: d.Destination, AboutKind: d.AboutKind, AboutID: d.AboutID,
		IdempotencyKey: d.IdempotencyKey, State: string(d.State), Reason: text(d.Reason), Attempts: d.Attempts, MaxAttempts: d.MaxAttempts,
		LastError: text(d.LastError), Response: text(d.Response), NextAt: wire.Time(d.NextAt), CreatedAt: wire.Time(d.CreatedAt)}
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
		out.Tries = append(out.Tries, DeliveryTry{At: wire.Time(t.At), By: t.By, Millis: t.Millis, Error: t.Error, Response: t.Response})
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
