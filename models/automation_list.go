package models

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"lobstead/kit/fault"
)

// AutomationEntry is a line of the list of what happens without being asked for: an automation with what came of it, or a channel by which
// people reach an agent.
type AutomationEntry struct {
	Automation *Automation    // nil: a channel
	Channel    *Channel       // nil: an automation
	Instance   string         // its name
	Held       bool           // with all others
	Last       *AutomationRun // nil: it did not run
	Asked      *Turn          // the newest turn of this month that a channel brought; nil: none
	Failures   int            // since the last run that did not fail
	Month      RunCost        // since the month began where the organization is
	Linked     int            // people, of a channel
}

// The kinds of entries, the states that they can be in, and what came of the last run, as lists are narrowed by them.
var (
	EntryKinds    = []string{"schedule", "reminder", "trigger", "channel"}
	EntryStates   = []string{"active", "paused", "done", "failed"}
	EntryOutcomes = []string{"produced", "quiet", "failed", "skipped", "running", "none"}
)

var entryKinds = map[AutomationKind]string{AutomationCron: "schedule", AutomationEvery: "schedule", AutomationOnce: "reminder", AutomationWebhook: "trigger"}

// Kind is one of EntryKinds.
func (e *AutomationEntry) Kind() string {
	if e.Channel != nil {
		return "channel"
	}
	return entryKinds[e.Automation.Kind]
}

// State is one of EntryStates: an automation that is held back with all others is paused, and so is a channel that is switched off.
func (e *AutomationEntry) State() string {
	switch {
	case e.Channel != nil && e.Channel.State == ChannelFailed:
		return "failed"
	case e.Channel != nil && e.Channel.State == ChannelOff, e.Channel == nil && e.Held && e.Automation.State == AutomationActive:
		return "paused"
	case e.Channel != nil:
		return "active"
	}
	return string(e.Automation.State)
}

// Outcome is one of EntryOutcomes: of the last run, or of the last message by a channel.
func (e *AutomationEntry) Outcome() string {
	switch {
	case e.Last != nil:
		return string(e.Last.State)
	case e.Asked == nil:
		return "none"
	case e.Asked.State == TurnFailed:
		return "failed"
	case e.Asked.State == TurnDone:
		return "produced"
	case e.Asked.State.Ended():
		return "skipped"
	}
	return "running"
}

// ID, Name, InstanceID and Owner are those of what it is.
func (e *AutomationEntry) ID() string {
	if e.Channel != nil {
		return e.Channel.ID
	}
	return e.Automation.ID
}

// Name is what people call it.
func (e *AutomationEntry) Name() string {
	if e.Channel != nil {
		return strings.TrimSpace(e.Channel.Kind.Title() + " " + e.Channel.Name)
	}
	return e.Automation.Name
}

// InstanceID is whose agent it is.
func (e *AutomationEntry) InstanceID() string {
	if e.Channel != nil {
		return e.Channel.InstanceID
	}
	return e.Automation.InstanceID
}

// Owner is who made it: a user's id, and the name at that time.
func (e *AutomationEntry) Owner() (userID, name string) {
	if e.Channel != nil {
		return e.Channel.CreatedBy, e.Channel.CreatedName
	}
	return e.Automation.CreatedBy, e.Automation.CreatedName
}

var stateRank = map[AutomationState]int{AutomationActive: 0, AutomationPaused: 1, AutomationDone: 2}

// AutomationFilter narrows the list; empty fields do not.
type AutomationFilter struct {
	Text                    string // in the name, what the agent is told, the instance's name or the owner's
	Kind, State, Outcome    string
	InstanceID, OwnerUserID string
}

// Fits tells whether an entry is to be listed.
func (f AutomationFilter) Fits(e *AutomationEntry) bool {
	owner, name := e.Owner()
	if f.Kind != "" && f.Kind != e.Kind() || f.State != "" && f.State != e.State() || f.Outcome != "" && f.Outcome != e.Outcome() ||
		f.InstanceID != "" && f.InstanceID != e.InstanceID() || f.OwnerUserID != "" && f.OwnerUserID != owner {
		return false
	}
	text := e.Name() + "\n" + e.Instance + "\n" + name
	if e.Automation != nil {
		text += "\n" + e.Automation.Prompt
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(f.Text)))
}

// AutomationEntries lists all automations, those that go on first and each kind of state by name, so that a line stays where it is while they run; then the channels, oldest first: an organization has MaxAutomations at most.
func (sc *Scope) AutomationEntries(ctx context.Context) ([]AutomationEntry, error) {
	rows, err := sc.Automations(ctx, "")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b Automation) int {
		return cmp.Or(cmp.Compare(stateRank[a.State], stateRank[b.State]), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	instances, err := sc.InstanceNames(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, i := range instances {
		names[i.ID] = i.Name
	}
	holds, err := sc.AutomationHolds(ctx)
	if err != nil {
		return nil, err
	}
	last, err := sc.LastRuns(ctx, "")
	if err != nil {
		return nil, err
	}
	failures, err := sc.RunFailures(ctx)
	if err != nil {
		return nil, err
	}
	since, err := sc.MonthStart(ctx)
	if err != nil {
		return nil, err
	}
	costs, err := sc.RunCosts(ctx, since)
	out := make([]AutomationEntry, 0, len(rows))
	for n := range rows {
		a := &rows[n]
		e := AutomationEntry{Automation: a, Instance: names[a.InstanceID], Failures: failures[a.ID], Month: costs[a.ID], Held: heldBack(holds, a.InstanceID)}
		if run, ok := last[a.ID]; ok {
			e.Last = &run
		}
		out = append(out, e)
	}
	if err != nil {
		return nil, err
	}
	channels, err := sc.channelEntries(ctx, names, since)
	return append(out, channels...), err
}

func heldBack(holds []AutomationHold, instanceID string) bool {
	return slices.ContainsFunc(holds, func(h AutomationHold) bool { return h.InstanceID == "" || h.InstanceID == instanceID })
}

// MonthStart is when the month began where the organization is.
func (sc *Scope) MonthStart(ctx context.Context) (time.Time, error) {
	zone, err := sc.TimeZone(ctx)
	if err != nil {
		return time.Time{}, err
	}
	now := sc.Now().In(zone)
	return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone), nil
}

func (sc *Scope) channelEntries(ctx context.Context, names map[string]string, since time.Time) ([]AutomationEntry, error) {
	rows, err := sc.Channels(ctx, "")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var linked []struct {
		ChannelID string
		People    int
	}
	if err := sc.read(ctx).Model(&ChannelBinding{}).Select("channel_id, count(*) AS people").Group("channel_id").Scan(&linked).Error; err != nil {
		return nil, translate(err)
	}
	people := map[string]int{}
	for _, l := range linked {
		people[l.ChannelID] = l.People
	}
	costs, asked, err := sc.channelCosts(ctx, since)
	out := make([]AutomationEntry, len(rows))
	for n := range rows {
		ch := &rows[n]
		out[n] = AutomationEntry{Channel: ch, Instance: names[ch.InstanceID], Linked: people[ch.ID], Month: costs[ch.ID], Asked: asked[ch.ID]}
	}
	return out, err
}

// channelCosts sums, by channel, what the turns cost that were begun by it since a moment, and gives the newest of each.
func (sc *Scope) channelCosts(ctx context.Context, since time.Time) (map[string]RunCost, map[string]*Turn, error) {
	var rows []struct {
		ChannelID, Newest string
		Runs              int
		CostNanos         int64
	}
	err := sc.read(ctx).WithContext(rawContext(tenantContext(ctx, sc.Org))).Raw(`SELECT m.channel_id, max(t.id) AS newest, count(*) AS runs, sum(t.cost_nanos) AS cost_nanos
		FROM messages m JOIN turns t ON t.organization_id = m.organization_id AND t.id = m.turn_id
		WHERE m.organization_id = ? AND m.role = 'user' AND m.channel_id <> '' AND t.created_at >= ? GROUP BY m.channel_id`, sc.Org, since.UTC()).Scan(&rows).Error
	if err != nil {
		return nil, nil, translate(err)
	}
	costs, newest := map[string]RunCost{}, map[string]*Turn{}
	for _, r := range rows {
		costs[r.ChannelID] = RunCost{Runs: r.Runs, CostNanos: r.CostNanos}
		t, err := sc.Turn(ctx, r.Newest)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, nil, err
		}
		newest[r.ChannelID] = t
	}
	return costs, newest, nil
}
