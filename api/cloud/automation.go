package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Automation is one line of what happens without being asked for: a schedule, a reminder, a trigger, or a channel.
type Automation struct {
	ID           string  `json:"id"`
	Kind         string  `json:"kind"` // schedule, reminder, trigger, channel
	Name         string  `json:"name"`
	InstanceID   string  `json:"instanceId"`
	InstanceName string  `json:"instanceName"`
	State        string  `json:"state"` // active, paused, done, failed
	When         string  `json:"when"`  // in words; empty for a channel
	NextRunAt    *string `json:"nextRunAt"`
	LastOutcome  string  `json:"lastOutcome"` // produced, quiet, failed, skipped, running, none
	LastAt       *string `json:"lastAt"`
	LastReason   *string `json:"lastReason"`
	Failures     int     `json:"failures"`  // in a row, since the last run that did not fail
	MonthRuns    int     `json:"monthRuns"` // runs, or messages of a channel, since the month began
	MonthCost    float64 `json:"monthCost"` // of those, in US dollars
	OwnerID      *string `json:"ownerId"`
	OwnerName    string  `json:"ownerName"`
}

// Automations is a page of them.
type Automations struct {
	Automations []Automation `json:"automations"`
	Total       int          `json:"total"` // that fit, on all pages
}

// NewAutomation presents one; when is engine/automate's to say.
func NewAutomation(e *models.AutomationEntry, when string) Automation {
	owner, name := e.Owner()
	out := Automation{ID: e.ID(), Kind: e.Kind(), Name: e.Name(), InstanceID: e.InstanceID(), InstanceName: e.Instance, State: e.State(), When: when, LastOutcome: e.Outcome(),
		Failures: e.Failures, MonthRuns: e.Month.Runs, MonthCost: models.Dollars(e.Month.CostNanos), OwnerID: text(owner), OwnerName: name}
	switch {
	case e.Channel != nil:
		out.LastAt, out.LastReason = wire.TimeOrNull(e.Channel.LastActiveAt), text(e.Channel.LastError)
		return out
	case e.Last != nil:
		out.LastAt, out.LastReason = wire.TimeOrNull(&e.Last.DueAt), text(e.Last.Reason)
	}
	if e.State() == "active" {
		out.NextRunAt = wire.TimeOrNull(e.Automation.NextAt)
	}
	return out
}
