// Package automations shows what agents do by themselves: the list, a form of one sentence, and one automation with its runs.
package automations

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

const path = "/automations"

// When is when something runs, as people are shown it.
type When struct {
	Words string      // "every weekday at 09:00", "when it is called"
	Zone  string      // IANA; "" for a trigger
	Next  []time.Time // in the zone
}

// Query is what the list is narrowed by: the page's address.
type Query struct {
	Text, Kind, Instance, State, Outcome, Owner string
	Page                                        int
}

// IndexProps is the page /automations.
type IndexProps struct {
	Frame     layout.FrameProps
	Query     Query
	Lines     []Line // of this page
	From      int    // how many come before them
	Total     int    // that fit
	All       int    // that there are
	Owners    []Owner
	Holds     []models.AutomationHold
	Instances []models.Instance // by name, with their holds
	MayAll    bool              // pause and resume all of them
	BaseURL   string
}

// Line is one of the list: an automation, or a channel.
type Line struct {
	models.AutomationEntry
	When When // of an automation
}

// Owner is somebody who made one.
type Owner struct{ ID, Name string }

// allHeld tells whether nothing at all runs by itself.
func (p IndexProps) allHeld() bool { return len(p.Holds) > 0 && p.Holds[0].InstanceID == "" }

// heldInstance tells whether nothing of an instance runs by itself.
func (p IndexProps) heldInstance(id string) bool {
	return slices.ContainsFunc(p.Holds, func(h models.AutomationHold) bool { return h.InstanceID == id })
}

// Row is one automation.
type Row struct {
	*models.Automation
	Instance string // name
	When     When
	Month    string // what its runs of this month cost, "" without any
	Runs     int    // of this month
	Held     bool   // with all others
	Failures int    // since the last run that did not fail
}

// NewProps is the page /automations/new.
type NewProps struct {
	Frame     layout.FrameProps
	Text      string
	Instance  string // id
	Zone      string
	As        string // automate, remind, trigger
	Preview   bool   // it is only asked what is understood
	Policies  Policies
	Instances []models.Instance
	Reading   *Reading // nil: nothing was written yet
	Errors    map[string]string
	BaseURL   string
}

// Policies are what stands under "More".
type Policies struct {
	When        string // instead of a time in the sentence
	Missed      string
	Overlap     string
	Jitter      string // seconds
	AllowedFrom string
	Strict      bool
}

// EditProps is the page /automations/:id/edit.
type EditProps struct {
	Frame    layout.FrameProps
	ID       string
	Was      string // its name
	Name     string
	Prompt   string
	Zone     string
	Webhook  bool
	Policies Policies
	Owner    string     // who answers for it, "" when that is the reader
	Stamp    string     // of what is changed
	Saved    *EditProps // what somebody else saved meanwhile, nil for nothing
	Reading  *Reading
	Errors   map[string]string
	BaseURL  string
}

// Reading is what was understood of the sentence.
type Reading struct {
	Problem string // why it was not; then the rest is empty
	Name    string
	Prompt  string
	When    When
	Cost    string // of a month, "" when nobody knows
}

// ShowProps is the page of one automation.
type ShowProps struct {
	Frame    layout.FrameProps
	Row      Row
	Runs     []models.AutomationRun // the newest first
	Calls    []Call                 // of a trigger, the newest first
	URL      string                 // of a trigger
	Secret   string                 // of a trigger, right after it was made
	Stopped  bool                   // its instance is
	PerRun   string                 // what a run cost lately, "" when nobody knows
	Estimate string                 // of a month
	Console  Console
	Location *time.Location
}

// Call is one that a trigger took, with the newest of its runs.
type Call struct {
	models.TriggerCall
	Last *models.AutomationRun
}

// Console is where a trigger is tried.
type Console struct {
	ID       string // of the trigger
	Body     string
	Rendered string // what the agent would be told
	Error    string
}

// CallProps is the page of one call.
type CallProps struct {
	Frame    layout.FrameProps
	Row      Row
	Call     models.TriggerCall
	Headers  []ui.Pair
	Body     string
	Runs     []models.AutomationRun
	Location *time.Location
}

// runsShown is what the list of runs holds.
const runsShown = "At most the newest hundred of the last 90 days."

func (n *NewProps) options() []ui.Option {
	out := []ui.Option{}
	for _, i := range n.Instances {
		text := i.Name
		if i.Desired == models.WantStopped {
			text += " (stopped)"
		}
		out = append(out, ui.Option{Value: i.ID, Text: text})
	}
	return out
}

// stopped is the name of the chosen instance when it is, "" otherwise.
func (n *NewProps) stopped() string {
	for _, i := range n.Instances {
		if i.ID == n.Instance && i.Desired == models.WantStopped {
			return i.Name
		}
	}
	return ""
}

var icons = map[models.AutomationKind]ui.Icon{models.AutomationCron: ui.IconCalendarClock, models.AutomationEvery: ui.IconCalendarClock, models.AutomationOnce: ui.IconClock,
	models.AutomationWebhook: ui.IconWebhook}

var kinds = map[models.AutomationKind]string{models.AutomationCron: "Schedule", models.AutomationEvery: "Schedule", models.AutomationOnce: "Once", models.AutomationWebhook: "Trigger"}

var stateBadges = map[models.AutomationState]ui.Badge{models.AutomationActive: {Kind: ui.OK, Text: "Active"}, models.AutomationPaused: {Kind: ui.Warn, Text: "Paused"},
	models.AutomationDone: {Kind: ui.Off, Text: "Done"}}

var runBadges = map[models.RunState]ui.Badge{models.RunRunning: {Kind: ui.Info, Text: "Running"}, models.RunProduced: {Kind: ui.OK, Text: "Produced"}, models.RunQuiet: {Kind: ui.Off, Text: "Quiet"},
	models.RunFailed: {Kind: ui.Bad, Text: "Failed"}, models.RunSkipped: {Kind: ui.Off, Text: "Skipped"}}

var causes = map[models.RunCause]string{models.RunDue: "on time", models.RunNow: "by hand", models.RunCall: "by a call", models.RunReplay: "by a repeated call",
	models.RunTest: "in the console"}

// at shows a time; its seconds only when it has some that were meant.
func at(t time.Time) string {
	if t.Second() != 0 && t.Nanosecond() == 0 {
		return t.Format("Mon 2 Jan 2006 15:04:05")
	}
	return t.Format("Mon 2 Jan 2006 15:04")
}

// sentence says when, with the zone.
func (w When) sentence() string {
	if w.Zone == "" {
		return w.Words
	}
	return w.Words + ", " + w.Zone
}

func (r Row) path(more string) string { return path + "/" + r.ID + more }

// missed tells what a run stands for besides its own time.
func missed(r *models.AutomationRun) string {
	switch {
	case r.Missed == 0:
		return ""
	case r.State == models.RunSkipped:
		return ", " + ui.Plural(r.Missed+1, "time", "times") + " in a row"
	}
	return ", and for " + ui.Plural(r.Missed, "missed time", "missed times")
}

// span is the time of a run, or from when to when times were left out.
func (p ShowProps) span(r *models.AutomationRun) string { return span(r, p.Location) }

func span(r *models.AutomationRun, zone *time.Location) string {
	from := r.DueAt.In(zone)
	said := at(from)
	if r.UntilAt == nil {
		return said
	}
	until := r.UntilAt.In(zone)
	if until.YearDay() == from.YearDay() && until.Year() == from.Year() {
		return said + " to " + until.Format("15:04")
	}
	return said + " to " + at(until)
}

// outcomes counts what came of the runs that are shown.
func (p ShowProps) outcomes() string {
	counts := map[models.RunState]int{}
	for n := range p.Runs {
		counts[p.Runs[n].State]++
		if p.Runs[n].State == models.RunSkipped {
			counts[models.RunSkipped] += p.Runs[n].Missed
		}
	}
	said := []string{}
	for _, s := range []models.RunState{models.RunProduced, models.RunQuiet, models.RunFailed, models.RunSkipped, models.RunRunning} {
		if counts[s] > 0 {
			said = append(said, strconv.Itoa(counts[s])+" "+string(s))
		}
	}
	return strings.Join(said, ", ")
}

// costOf is what a run cost.
func costOf(r *models.AutomationRun) string {
	if r.TurnID == "" || r.EndedAt == nil {
		return ""
	}
	return " · " + models.BudgetMoney.FormatAmount(r.CostNanos)
}

var missedOptions = []ui.Option{{Value: "once", Text: "Run once for all of them"}, {Value: "skip", Text: "Leave them out"}, {Value: "all", Text: "Catch up, one by one"}}

// overlapOptions of a trigger have no skipping: a call is never left out.
func overlapOptions(webhook bool) []ui.Option {
	out := []ui.Option{{Value: "queue", Text: "Wait for it"}, {Value: "allow", Text: "Run beside it"}}
	if webhook {
		return out
	}
	return append([]ui.Option{{Value: "skip", Text: "Leave this one out"}}, out...)
}

func word(options []ui.Option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Text
		}
	}
	return value
}

var doing = map[models.AutomationAction]string{models.ActionLog: "Writes a line into the instance's log", models.ActionNoop: "Nothing: it only marks its times"}

// badge is its state; held back with all others is one too.
func (r Row) badge() ui.Badge {
	if r.Held && r.State == models.AutomationActive {
		return ui.Badge{Kind: ui.Warn, Text: "Held back"}
	}
	if r.Failures > 1 && r.State == models.AutomationActive {
		return ui.Badge{Kind: ui.Bad, Text: "Failing: " + strconv.Itoa(r.Failures) + " in a row"}
	}
	return stateBadges[r.State]
}

// failed is the newest run that did, of one that fails again and again; nil otherwise.
func (p ShowProps) failed() *models.AutomationRun {
	for n := range p.Runs {
		if p.Row.Failures > 1 && p.Runs[n].State == models.RunFailed {
			return &p.Runs[n]
		}
	}
	return nil
}

// trouble says what keeps an automation from its work, "" when nothing does.
func (p ShowProps) trouble() string {
	last, words := p.failed(), []string{}
	if p.Row.State != models.AutomationActive {
		return ""
	}
	if p.Stopped {
		words = append(words, stoppedWords(p.Row.Instance))
	}
	if last != nil {
		words = append(words, ui.Plural(p.Row.Failures, "run", "runs")+" failed in a row.")
	}
	if last != nil && last.Reason != "" && !p.Stopped {
		words = append(words, "The last one: "+strings.TrimRight(last.Reason, ".")+".")
	}
	return strings.Join(words, " ")
}

func resumePath(h models.AutomationHold) string {
	if h.InstanceID == "" {
		return path + "/resume"
	}
	return path + "/resume?instance=" + h.InstanceID
}
