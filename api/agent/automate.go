package agent

import (
	"strings"
	"time"

	"lobstead/api/wire"
	"lobstead/models"
)

// AutomateCommands are what can be asked for (agent-api.md, section 1).
var AutomateCommands = []string{"automate", "schedule", "trigger", "remind", statusCommand}

const statusCommand = "status"

// AutomateRequest is words that are to become a workflow.
type AutomateRequest struct {
	Command  string
	Text     string
	TimeZone string // IANA; "" = the organization's
}

// Lists tells whether the workflows that there are are asked for, and none is to be made.
func (r AutomateRequest) Lists() bool { return r.Command == statusCommand }

// ReadAutomate reads a command with its text, which only status may lack.
func ReadAutomate(f *wire.Fields) (AutomateRequest, error) {
	var r AutomateRequest
	r.Command, _ = f.Enum("command", AutomateCommands...)
	r.Text = strings.TrimSpace(f.Text("text"))
	if r.Text == "" && !r.Lists() {
		f.Issues.Required("text", "string")
	}
	r.TimeZone = f.Text("timezone")
	return r, f.Err()
}

// Workflow is an automation in the family's words.
type Workflow struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"` // when it runs, in words
	Status      string          `json:"status"`      // active, paused, completed
	InstanceID  string          `json:"instance_id"`
	Trigger     WorkflowTrigger `json:"trigger"`
	Steps       []WorkflowStep  `json:"steps"`
	CreatedAt   string          `json:"created_at"`
}

// WorkflowTrigger is what makes it run; what does not concern its type is absent.
type WorkflowTrigger struct {
	Type       string  `json:"type"`           // cron, once, webhook
	Cron       string  `json:"cron,omitempty"` // five fields, or "@every 45 minutes"
	TimeZone   string  `json:"timezone,omitempty"`
	RunAt      *string `json:"run_at,omitempty"`
	WebhookURL string  `json:"webhook_url,omitempty"`
	NextRunAt  *string `json:"next_run_at,omitempty"`
}

// WorkflowStep is what it does: the agent is told the prompt.
type WorkflowStep struct {
	Type   string `json:"type"` // llm
	Prompt string `json:"prompt"`
}

// Automated answers what was made, or for status what there is.
type Automated struct {
	Success       bool        `json:"success"`
	Message       string      `json:"message"` // one line for the chat
	Workflow      *Workflow   `json:"workflow,omitempty"`
	NextRuns      []string    `json:"next_runs,omitempty"`      // at most five
	WebhookSecret string      `json:"webhook_secret,omitempty"` // shown only here
	Workflows     *[]Workflow `json:"workflows,omitempty"`      // of status
}

// NewWorkflow presents an automation; words say when it runs, base is how this server is reached.
func NewWorkflow(a *models.Automation, words, base string) Workflow {
	w := Workflow{ID: a.ID, Name: a.Name, Description: words, Status: string(a.State), InstanceID: a.InstanceID,
		Steps: []WorkflowStep{{Type: "llm", Prompt: a.Prompt}}, CreatedAt: wire.Time(a.CreatedAt)}
	if a.State == models.AutomationDone {
		w.Status = "completed"
	}
	t := WorkflowTrigger{Type: string(a.Kind), TimeZone: a.TimeZone, NextRunAt: wire.TimeOrNull(a.NextAt)}
	switch a.Kind {
	case models.AutomationCron:
		t.Cron = a.Expression
	case models.AutomationEvery:
		t.Type, t.Cron = string(models.AutomationCron), "@every "+a.Expression
	case models.AutomationOnce:
		t.RunAt = wire.TimeOrNull(a.StartsAt)
	case models.AutomationWebhook:
		t.TimeZone, t.WebhookURL = "", TriggerURL(base, a.ID)
	}
	w.Trigger = t
	return w
}

// TriggerURL is where a trigger is called from outside.
func TriggerURL(base, id string) string { return base + "/v1/webhooks/triggers/" + id }

// Times spells moments.
func Times(list []time.Time) []string {
	out := make([]string, len(list))
	for n, at := range list {
		out[n] = wire.Time(at)
	}
	return out
}
