package settings

import (
	"slices"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
)

// WebhooksPath is where the endpoints are.
const WebhooksPath = "/settings/webhooks"

// WebhookForm is what was typed of an endpoint.
type WebhookForm struct {
	Name, URL, Description, Instance string
	Events                           []string
	Active                           bool
	Private, MayPrivate              bool // an address inside the network; whether the reader may allow one
	Errors                           map[string]string
}

// WebhooksProps is /settings/webhooks. Posts: /settings/webhooks (name, url, description, instance, events…, active, private).
type WebhooksProps struct {
	Frame     layout.FrameProps
	Webhooks  []models.WebhookEndpoint
	Instances map[string]string // id → name
	Names     []models.Instance
	New       WebhookForm
	BaseURL   string
}

// WebhookProps is /settings/webhooks/:id. Posts: there, and below it rotate, test and delete. Key is shown once, after it
// was made.
type WebhookProps struct {
	Frame        layout.FrameProps
	Webhook      *models.WebhookEndpoint
	Names        []models.Instance
	Form         WebhookForm
	Deliveries   []models.Delivery
	Before, Next string // ids: where this page begins, and the next one
	Key          string
	BaseURL      string
}

// FormOf is what a form of an endpoint begins with.
func FormOf(e *models.WebhookEndpoint) WebhookForm {
	f := WebhookForm{Name: e.Name, URL: e.URL, Description: e.Description, Instance: e.InstanceID, Active: e.Active, Private: e.Private}
	for _, w := range e.Chosen() {
		f.Events = append(f.Events, string(w))
	}
	return f
}

func (f WebhookForm) wants(e models.WebhookEvent) bool { return slices.Contains(f.Events, string(e)) }

func (p WebhooksProps) about(e *models.WebhookEndpoint) string {
	of := "all instances"
	if e.InstanceID != "" {
		of = p.Instances[e.InstanceID]
	}
	return strings.ReplaceAll(e.Events, ",", ", ") + " · " + of
}

func (p WebhookProps) path(below string) string { return WebhooksPath + "/" + p.Webhook.ID + below }

func (p WebhookProps) newest() string {
	if p.Before == "" {
		return ""
	}
	return p.path("#log")
}

func (p WebhookProps) older() string {
	if p.Next == "" {
		return ""
	}
	return p.path("?before=" + p.Next + "#log")
}

// overlaps tells whether the secret before a rotation signs too.
func (p WebhookProps) overlaps(now time.Time) bool {
	return p.Webhook.OldSecretUntil != nil && p.Webhook.OldSecretUntil.After(now)
}
