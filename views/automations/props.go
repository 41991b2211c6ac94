// Package automations shows what agents do by themselves: the list, a form of one sentence, and one automation with its runs.
package automations

import (
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

// IndexProps is the page /automations.
type IndexProps struct {
	Frame   layout.FrameProps
	Rows    []Row
	BaseURL string
}

// Row is one automation of the list.
type Row struct {
	*models.Automation
	Instance string // name
	When     When
	Last     *models.AutomationRun // nil: it did not run yet
}

// NewProps is the page /automations/new.
type NewProps struct {
	Frame     layout.FrameProps
	Text      string
	Instance  string // id
	Zone      string
	As        string // automate, remind, trigger
	Preview   bool   // it is only asked what is understood
	Instances []models.Instance
	Reading   *Reading // nil: nothing was written yet
	Errors    map[string]string
	BaseURL   string
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
	URL      string                 // of a trigger
	Secret   string                 // of a trigger, right after it was made
	Location *time.Location
}

// runsShown is what the list of runs holds.
const runsShown = "At most the newest hundred of the last 90 days."

func (n *NewProps) options() []ui.Option {
	out := []ui.Option{}
	for _, i := range n.Instances {
		out = append(out, ui.Option{Value: i.ID, Text: i.Name})
	}
	return out
}

var icons = map[models.AutomationKind]ui.Icon{models.AutomationCron: ui.IconCalendarClock, models.AutomationEvery: ui.IconCalendarClock, models.AutomationOnce: ui.IconClock,
	models.AutomationWebhook: ui.IconWebhook}

var kinds = map[models.AutomationKind]string{models.AutomationCron: "Schedule", models.AutomationEvery: "Schedule", models.AutomationOnce: "Once", models.AutomationWebhook: "Trigger"}

var stateBadges = map[models.AutomationState]ui.Badge{models.AutomationActive: {Kind: ui.OK, Text: "Active"}, models.AutomationPaused: {Kind: ui.Warn, Text: "Paused"},
	models.AutomationDone: {Kind: ui.Off, Text: "Done"}}

var runBadges = map[models.RunState]ui.Badge{models.RunRunning: {Kind: ui.Info, Text: "Running"}, models.RunProduced: {Kind: ui.OK, Text: "Produced"},
	models.RunFailed: {Kind: ui.Bad, Text: "Failed"}, models.RunSkipped: {Kind: ui.Off, Text: "Skipped"}}

var causes = map[models.RunCause]string{models.RunDue: "on time", models.RunNow: "by hand", models.RunCall: "by a call"}

func at(t time.Time) string { return t.Format("Mon 2 Jan 2006 15:04") }

// sentence says when, with the zone.
func (w When) sentence() string {
	if w.Zone == "" {
		return w.Words
	}
	return w.Words + ", " + w.Zone
}

func (r Row) path(more string) string { return path + "/" + r.ID + more }

// missed tells what a run stands for besides its own time.
func missed(n int) string {
	if n == 0 {
		return ""
	}
	return ", and for " + ui.Plural(n, "missed time", "missed times")
}
