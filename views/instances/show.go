package instances

import (
	"encoding/json"
	"strconv"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

// How much of the longer lists a page shows.
const (
	shownSessions = 8
	shownReadings = 20
)

func (p ShowProps) path(below string) string { return "/instances/" + p.Instance.ID + below }

// badge is the state without its reason, which stands in the banner beneath.
func (p ShowProps) badge() ui.Badge {
	b := StateBadge(p.Instance)
	if _, text := note(p.Instance); text != "" {
		b.Reason = ""
	}
	return b
}

// waits says how many messages do.
func (p ShowProps) waits() string {
	switch p.Waiting {
	case 0:
		return "No message waits."
	case 1:
		return "1 message waits."
	}
	return strconv.Itoa(p.Waiting) + " messages wait."
}

func (p ShowProps) sessionTotal() int { return max(p.SessionTotal, len(p.Sessions)) }

func (p ShowProps) facts() []ui.Pair {
	i := p.Instance
	pairs := []ui.Pair{
		{Key: "Tier", Value: string(i.Tier)},
		{Key: "Memory", Value: megabytes(i.MemoryMB)},
		{Key: "Storage", Value: megabytes(i.StorageMB)},
		{Key: "Processors", Value: strconv.FormatFloat(i.CPUs, 'f', -1, 64)},
		{Key: "Processes", Value: "at most " + strconv.Itoa(i.Processes)},
	}
	model := p.Model
	if model == "" {
		model = "—"
	}
	active := ui.Time{}
	if i.LastActiveAt != nil {
		active.At = *i.LastActiveAt
	}
	return append(pairs, ui.Pair{Key: "Region", Value: i.Region}, ui.Pair{Key: "Model", Value: model},
		ui.Pair{Key: "Created", Part: ui.Time{At: i.CreatedAt, Form: ui.Date}}, ui.Pair{Key: "Last active", Part: active},
		ui.Pair{Key: "Id", Value: i.ID, Mono: true})
}

func (p ShowProps) applied() string {
	n := 0
	for _, l := range p.Isolation {
		if l.Applied {
			n++
		}
	}
	return strconv.Itoa(n) + " of " + strconv.Itoa(len(p.Isolation)) + " applied"
}

func (p ShowProps) keyPlaceholder() string {
	if p.OwnKey != "" {
		return "Set, ending in " + p.OwnKey
	}
	return ""
}

// patch is the JSON of the settings form as it stands.
func (p ShowProps) patch() string {
	b, _ := json.Marshal(struct {
		Name   string `json:"name"`
		Tier   string `json:"tier"`
		Region string `json:"region"`
		Model  string `json:"model"`
	}{p.Instance.Name, string(p.Instance.Tier), p.Instance.Region, p.Instance.Model})
	return string(b)
}

// deletion is what the dialog and the page ask.
func (p ShowProps) deletion() ui.ConfirmProps {
	files := "All files in its workspace"
	if len(p.Metrics) > 0 {
		files += ", " + amount(p.Metrics[0].DiskMB)
	}
	lost := []string{files}
	if n := p.sessionTotal(); n > 0 {
		lost = append(lost, ui.Plural(n, "session with all its messages", "sessions with all their messages"))
	}
	lost = append(lost, "What it was told to remember, and to do by itself", "Its log and its readings", "Its gateway token: clients that use it are refused at once")
	return ui.ConfirmProps{ID: "delete-instance", Title: "Delete " + p.Instance.Name, Text: "Every process of it stops at once. This cannot be undone.",
		Lost: lost, Name: p.Instance.Name, Action: p.path("/delete"), Button: "Delete instance", Cancel: p.path(""), Error: p.Errors["confirm"]}
}

// working tells whether the newest wish is still being fulfilled, or failed.
func (p ShowProps) working() bool {
	i := p.Instance
	if i.Desired == models.WantDeleted || i.State == models.Provisioning || i.State == models.Errored {
		return true
	}
	for _, s := range p.Steps {
		if s.State != models.StepDone {
			return true
		}
	}
	return i.State != models.Suspended && waiting(i)
}

func (p ShowProps) stepsHidden() bool { return len(p.Steps) == 0 && !p.working() }

func (p ShowProps) stepsTitle() string {
	i := p.Instance
	switch {
	case i.State == models.Errored && !waiting(i) || i.State == models.Errored && failed(p.Steps):
		return "How far it came"
	case i.Desired == models.WantDeleted:
		return "Deleting"
	case i.Desired == models.WantStopped && p.working():
		return "Stopping"
	case i.Desired == models.WantStopped:
		return "How it stopped"
	case p.working():
		return "Starting"
	}
	return "How it started"
}

func failed(list []models.InstanceStep) bool {
	for _, s := range list {
		if s.State == models.StepFailed {
			return true
		}
	}
	return false
}

// stepsTook sums up folded steps: "4 steps, 47 ms".
func (p ShowProps) stepsTook() string {
	var from, to time.Time
	for _, s := range p.Steps {
		if from.IsZero() || s.StartedAt.Before(from) {
			from = s.StartedAt
		}
		if s.FinishedAt != nil && s.FinishedAt.After(to) {
			to = *s.FinishedAt
		}
	}
	text := ui.Plural(len(p.Steps), "step", "steps")
	if to.After(from) {
		text += ", " + ui.Took(to.Sub(from))
	}
	return text
}

var stepStates = map[models.StepState]ui.StepState{
	models.StepRunning: ui.StepRun, models.StepDone: ui.StepDone, models.StepFailed: ui.StepFail,
}

func steps(list []models.InstanceStep) []ui.Step {
	out := make([]ui.Step, 0, len(list))
	for _, s := range list {
		step := ui.Step{ID: "step-" + s.ID, State: stepStates[s.State], Text: s.Name, Note: s.Detail}
		if s.FinishedAt != nil {
			step.Took = max(time.Millisecond, s.FinishedAt.Sub(s.StartedAt))
		}
		out = append(out, step)
	}
	return out
}

func (p ShowProps) logs() []models.InstanceLog { return p.Logs[:min(len(p.Logs), models.ShownLogs)] }

// logForm is a clock for what is fresh and a date for what is not: a clock alone would lie about the day.
func logForm(at time.Time) ui.TimeForm {
	if time.Since(at) < 20*time.Hour {
		return ui.Clock
	}
	return ui.Date
}
