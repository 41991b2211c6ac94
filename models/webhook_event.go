package models

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// WebhookEvent names something that happens and that servers outside can be told of.
type WebhookEvent string

// The events.
const (
	MessageCompleted    WebhookEvent = "message.completed"
	MessageFailed       WebhookEvent = "message.failed"
	AgentError          WebhookEvent = "agent.error"
	ApprovalRequested   WebhookEvent = "approval.requested"
	BudgetReached       WebhookEvent = "budget.reached"
	RunFailedEvent      WebhookEvent = "run.failed"
	NotificationCreated WebhookEvent = "notification.created"
	webhookTest         WebhookEvent = "webhook.test" // goes where somebody asks for it, and is never chosen
)

// WebhookEventKind is an event with what it tells of.
type WebhookEventKind struct {
	Name WebhookEvent
	Says string
}

// WebhookEvents lists what an endpoint can be told of. A new event is a name, a line here, and an emit where it happens.
var WebhookEvents = []WebhookEventKind{
	{MessageCompleted, "An agent has answered a message"},
	{MessageFailed, "A message ended without an answer"},
	{AgentError, "An instance is in ERROR"},
	{ApprovalRequested, "A tool call waits for a person"},
	{BudgetReached, "A budget is used up and refused a call, or stopped an agent in its work"},
	{RunFailedEvent, "A run of an automation failed"},
	{NotificationCreated, "Somebody was notified who chose webhooks for it"},
}

// WebhookEventNames lists the names.
func WebhookEventNames() []string {
	out := make([]string, len(WebhookEvents))
	for n, e := range WebhookEvents {
		out[n] = string(e.Name)
	}
	return out
}

// WebhookBody is what an endpoint is sent, in the words of Standard Webhooks.
type WebhookBody struct {
	Type      WebhookEvent   `json:"type"`
	Timestamp time.Time      `json:"timestamp"` // when it happened; the attempt's own is in the header
	Data      map[string]any `json:"data"`
}

// occurrence is something that happened.
type occurrence struct {
	event              WebhookEvent
	instance           string // "" = no instance's: endpoints of one instance are not told
	aboutKind, aboutID string
	once               string // what repetitions are told by; "" = each is another
	data               func() (map[string]any, error)
}

// webhookText bounds a text in a body, in bytes.
const webhookText = 64 << 10

// emit writes a delivery for every endpoint that wants to be told, inside the transaction of what happened. What is told
// is read only when somebody listens.
func (sc *Scope) emit(tx *gorm.DB, o occurrence) error {
	endpoints, err := sc.listening(tx, o.event, o.instance)
	if err != nil || len(endpoints) == 0 {
		return err
	}
	data, err := o.data()
	if err != nil {
		return err
	}
	body, err := plainJSON(WebhookBody{Type: o.event, Timestamp: sc.store.now().UTC().Truncate(time.Millisecond), Data: data})
	if err != nil {
		return err
	}
	for n := range endpoints {
		call := endpoints[n].call(o.event, body)
		call.aboutKind, call.aboutID = o.aboutKind, o.aboutID
		if o.once != "" {
			call.key = string(o.event) + "-" + o.once + "-" + endpoints[n].ID
		}
		if _, err := sc.deliver(tx, call); err != nil {
			return err
		}
	}
	return nil
}

// call is a delivery to an endpoint: each has a lane of its own, whatever its address is.
func (e *WebhookEndpoint) call(event WebhookEvent, body []byte) newDelivery {
	return newDelivery{kind: WebhookDelivery, to: e.URL, lane: e.ID, target: e.ID, event: string(event), payload: json.RawMessage(body)}
}

// listening gives the active endpoints that an event goes to.
func (sc *Scope) listening(tx *gorm.DB, event WebhookEvent, instance string) ([]WebhookEndpoint, error) {
	rows, err := all[WebhookEndpoint](tx.Omit(endpointSecrets...).Where("organization_id = ? AND active AND (instance_id IS NULL OR instance_id = ?)", sc.Org, instance).Order("id"))
	return slices.DeleteFunc(rows, func(e WebhookEndpoint) bool { return !e.Wants(event) }), err
}

// Wants tells whether the endpoint is told of an event.
func (e *WebhookEndpoint) Wants(event WebhookEvent) bool { return slices.Contains(e.Chosen(), event) }

// Chosen lists the events that the endpoint is told of.
func (e *WebhookEndpoint) Chosen() []WebhookEvent {
	out := []WebhookEvent{}
	for _, word := range strings.Split(e.Events, ",") {
		out = append(out, WebhookEvent(word))
	}
	return out
}

// aboutTurnOf gives the fields that every event of a turn has.
func aboutTurnOf(t *Turn) map[string]any {
	data := map[string]any{"instance_id": t.InstanceID, "session_id": t.SessionID, "turn_id": t.ID, "source": t.Source}
	if t.AutomationID != "" {
		data["automation_id"] = t.AutomationID
	}
	return data
}

// answerOf gives the words of a turn's last message.
func (sc *Scope) answerOf(tx *gorm.DB, turnID string) (string, error) {
	said, err := all[Event](tx.Where("organization_id = ? AND turn_id = ? AND kind = ?", sc.Org, turnID, KindAssistant).Order("seq DESC").Limit(1))
	if err != nil || len(said) == 0 {
		return "", err
	}
	m, err := Decode[AssistantMessage](said[0])
	return m.Text, err
}
