// Package fleet is the wire of the fleet API: types and presenters in the shapes of the published contract (fleet-api.md).
package fleet

// WebhookReceived answers a call of a trigger.
type WebhookReceived struct {
	Success   bool   `json:"success"`
	Message   string `json:"message"`
	MessageID string `json:"message_id"` // of the turn that it began
}
