package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// TriggerCall is what a trigger was called with: kept for thirty days, so that it can be read and repeated. Only calls that
// proved to know the secret are kept.
type TriggerCall struct {
	ID             string
	OrganizationID string
	AutomationID   string
	Source         CallSource
	Address        string
	Headers        string // JSON: name to value, secrets taken out
	Body           []byte
	Repeats        int // how often it came again and started nothing
	RepeatedAt     *time.Time
	CreatedAt      time.Time
}

// CallSource is where a call came from.
type CallSource string

// The sources: outside, or the console of the trigger's page.
const (
	CallOutside CallSource = "call"
	CallConsole CallSource = "console"
)

// keptCalls is how long calls are kept.
const keptCalls = 30 * 24 * time.Hour

// NewCall is what is kept of a call.
type NewCall struct {
	Source  CallSource
	Address string
	Headers map[string]string // of which the edge has taken the credentials out
	Body    []byte
}

// keepCall writes a call down, in the transaction of its run.
func (sc *Scope) keepCall(tx *gorm.DB, a *Automation, n *NewCall) (string, error) {
	headers, err := json.Marshal(n.Headers)
	if err != nil {
		return "", err
	}
	body := n.Body
	if sc.store.scrub != nil { // a secret that we know stands in no row in clear
		body = []byte(sc.store.scrub(string(body)))
	}
	if body == nil {
		body = []byte{}
	}
	c := &TriggerCall{ID: id.New(), OrganizationID: sc.Org, AutomationID: a.ID, Source: n.Source, Address: n.Address, Headers: sc.store.storable(headers), Body: body, CreatedAt: sc.store.now()}
	return c.ID, tx.Create(c).Error
}

// repeatedCall notes that a call came again.
func (sc *Scope) repeatedCall(tx *gorm.DB, callID string) error {
	if callID == "" {
		return nil
	}
	_, err := changed(tx.Model(&TriggerCall{}).Where("id = ?", callID), map[string]any{"repeats": gorm.Expr("repeats + 1"), "repeated_at": sc.store.now()})
	return err
}

// TriggerCalls lists those of a trigger without their bodies, newest first.
func (sc *Scope) TriggerCalls(ctx context.Context, automationID string, limit int) ([]TriggerCall, error) {
	return all[TriggerCall](sc.read(ctx).Omit("body").Where("automation_id = ?", automationID).Order("id DESC").Limit(limit))
}

// TriggerCall reads one of a trigger.
func (sc *Scope) TriggerCall(ctx context.Context, automationID, callID string) (*TriggerCall, error) {
	return first[TriggerCall](sc.read(ctx).Where("automation_id = ? AND id = ?", automationID, callID))
}

// CallRuns lists the runs that a call started, the first one first: later ones repeat it.
func (sc *Scope) CallRuns(ctx context.Context, callIDs ...string) ([]AutomationRun, error) {
	if len(callIDs) == 0 {
		return nil, nil
	}
	return all[AutomationRun](sc.read(ctx).Where("call_id IN ?", callIDs).Order("id"))
}
