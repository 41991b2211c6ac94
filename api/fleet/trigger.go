package fleet

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// TriggerFields are a trigger's own; like a schedule's they are shown flat and wrapped.
type TriggerFields struct {
	Named
	AgentUUID       string `json:"agent_uuid"`
	Name            string `json:"name"`
	MessageTemplate string `json:"message_template"`
	Enabled         bool   `json:"enabled"`
	WebhookURL      string `json:"webhook_url"`
	CreatedAt       string `json:"created_at"`
	UpdatedAt       string `json:"updated_at"`
}

// Trigger is one with its wrapped copy. The secret is in the answer to its making alone.
type Trigger struct {
	TriggerFields
	WebhookSecret string         `json:"webhook_secret,omitempty"`
	Wrapped       WrappedTrigger `json:"trigger"`
}

// WrappedTrigger is the copy.
type WrappedTrigger struct {
	TriggerFields
	WebhookSecret string `json:"webhook_secret,omitempty"`
}

// TriggerList is a page of them.
type TriggerList struct {
	Triggers   []Trigger  `json:"triggers"`
	Pagination Pagination `json:"pagination"`
}

// NewTrigger presents a trigger; url is where it is called, secret "" but for a new one.
func NewTrigger(a *models.Automation, url, secret string) Trigger {
	f := TriggerFields{Named: Name(a.ID), AgentUUID: a.InstanceID, Name: a.Name, MessageTemplate: a.Prompt, Enabled: a.State == models.AutomationActive, WebhookURL: url,
		CreatedAt: wire.Time(a.CreatedAt), UpdatedAt: wire.Time(a.UpdatedAt)}
	return Trigger{f, secret, WrappedTrigger{f, secret}}
}

// TriggerRequest is what is said of a trigger; nil was not said.
type TriggerRequest struct {
	Name, Template *string
	Enabled        *bool
}

// ReadTrigger reads one; whole asks for all that a new one needs.
func ReadTrigger(f *wire.Fields, whole bool) (TriggerRequest, error) {
	r := TriggerRequest{Name: text(f, "name", 255, whole), Template: text(f, "message_template", models.MaxPrompt, whole), Enabled: f.OptionalBool("enabled")}
	return r, f.Err()
}
