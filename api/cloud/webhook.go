package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// WebhookEndpoint is a server that is told of what happens, without its secret.
type WebhookEndpoint struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	URL           string   `json:"url"`
	Description   string   `json:"description"`
	InstanceID    *string  `json:"instanceId"` // null: all instances
	Events        []string `json:"events"`
	Active        bool     `json:"active"`
	OffReason     *string  `json:"offReason"`
	Managed       bool     `json:"managed"`
	FailingSince  *string  `json:"failingSince"`
	RotatingUntil *string  `json:"rotatingUntil"`
	CreatedAt     string   `json:"createdAt"`
	UpdatedAt     string   `json:"updatedAt"`
}

// WebhookEndpointCreated is one with its secret, which no other answer holds.
type WebhookEndpointCreated struct {
	WebhookEndpoint
	Secret string `json:"secret"`
}

// NewWebhookEndpoint presents one.
func NewWebhookEndpoint(e *models.WebhookEndpoint) WebhookEndpoint {
	out := WebhookEndpoint{ID: e.ID, Name: e.Name, URL: e.URL, Description: e.Description, InstanceID: text(e.InstanceID), Events: []string{}, Active: e.Active,
		OffReason: text(e.OffReason), Managed: e.Managed, FailingSince: wire.TimeOrNull(e.FailingSince), RotatingUntil: wire.TimeOrNull(e.OldSecretUntil),
		CreatedAt: wire.Time(e.CreatedAt), UpdatedAt: wire.Time(e.UpdatedAt)}
	for _, w := range e.Chosen() {
		out.Events = append(out.Events, string(w))
	}
	return out
}

// NewWebhookEndpoints presents a list.
func NewWebhookEndpoints(rows []models.WebhookEndpoint) []WebhookEndpoint {
	out := make([]WebhookEndpoint, len(rows))
	for n := range rows {
		out[n] = NewWebhookEndpoint(&rows[n])
	}
	return out
}

// ReadWebhook reads what is said of a new endpoint; it is switched on unless it says otherwise.
func ReadWebhook(f *wire.Fields) (models.WebhookForm, error) {
	w := models.WebhookForm{Name: readName(f), Active: true}
	w.URL, _ = f.String("url")
	if !f.Has("events") {
		f.Issues.Required("events", "array")
	}
	readWebhookRest(f, &w)
	return w, f.Err()
}

// ReadWebhookChange reads a change: what is not said stays as it is.
func ReadWebhookChange(f *wire.Fields, was *models.WebhookEndpoint) (models.WebhookForm, error) {
	w := models.WebhookForm{Name: was.Name, URL: was.URL, Description: was.Description, InstanceID: was.InstanceID, Active: was.Active}
	for _, e := range was.Chosen() {
		w.Events = append(w.Events, string(e))
	}
	if f.Has("name") {
		w.Name = readName(f)
	}
	if f.Has("url") {
		w.URL, _ = f.String("url")
	}
	readWebhookRest(f, &w)
	return w, f.Err()
}

func readWebhookRest(f *wire.Fields, w *models.WebhookForm) {
	if s, _ := f.OptionalString("description"); s != nil {
		w.Description = *s
	}
	for _, name := range []string{"instanceId", "instance_id"} { // the second is an event's spelling
		if s, _ := f.OptionalString(name); s != nil {
			w.InstanceID = *s
		}
	}
	if f.Has("events") {
		w.Events = f.OptionalStrings("events")
	}
	if on := f.OptionalBool("active"); on != nil {
		w.Active = *on
	}
}
