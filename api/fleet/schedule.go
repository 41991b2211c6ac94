package fleet

import (
	"cmp"
	"time"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// ScheduleFields are a schedule's own. The published pages show them flat and wrapped; every answer has both.
type ScheduleFields struct {
	Named
	AgentUUID       string  `json:"agent_uuid"`
	Name            string  `json:"name"`
	CronExpression  string  `json:"cron_expression"` // five fields, six that begin with the second, "@every 45 minutes", or "@once <time>"
	MessageTemplate string  `json:"message_template"`
	Timezone        string  `json:"timezone"`
	Enabled         bool    `json:"enabled"`
	LastRunAt       *string `json:"last_run_at"`
	NextRunAt       *string `json:"next_run_at"` // null when it is disabled, or over
	CreatedAt       string  `json:"created_at"`
	UpdatedAt       string  `json:"updated_at"`
}

// Schedule is one with its wrapped copy.
type Schedule struct {
	ScheduleFields
	Wrapped WrappedSchedule `json:"schedule"`
}

// WrappedSchedule is the copy, with the next time under its other name.
type WrappedSchedule struct {
	ScheduleFields
	NextExecution *string `json:"next_execution"`
}

// ScheduleList is a page of them.
type ScheduleList struct {
	Schedules  []Schedule `json:"schedules"`
	Pagination Pagination `json:"pagination"`
}

// NewSchedule presents a schedule; last is when it ran last, nil before its first run. Times are in its zone.
func NewSchedule(a *models.Automation, last *time.Time) Schedule {
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	f := ScheduleFields{Named: Name(a.ID), AgentUUID: a.InstanceID, Name: a.Name, CronExpression: cronOf(a, zone), MessageTemplate: a.Prompt, Timezone: a.TimeZone,
		Enabled: a.State == models.AutomationActive, LastRunAt: zoned(last, zone), NextRunAt: zoned(a.NextAt, zone), CreatedAt: wire.Time(a.CreatedAt), UpdatedAt: wire.Time(a.UpdatedAt)}
	return Schedule{f, WrappedSchedule{f, f.NextRunAt}}
}

func cronOf(a *models.Automation, zone *time.Location) string {
	switch a.Kind {
	case models.AutomationEvery:
		return "@every " + a.Expression
	case models.AutomationOnce:
		if a.StartsAt != nil {
			return "@once " + a.StartsAt.In(zone).Format(time.RFC3339)
		}
	}
	return a.Expression
}

func zoned(at *time.Time, zone *time.Location) *string {
	if at == nil {
		return nil
	}
	text := at.In(zone).Format(time.RFC3339)
	return &text
}

// ScheduleRequest is what is said of a schedule; nil was not said.
type ScheduleRequest struct {
	Name, Cron, Template, Zone *string
	Enabled                    *bool
}

// ReadSchedule reads one; whole asks for all that a new one needs.
func ReadSchedule(f *wire.Fields, whole bool) (ScheduleRequest, error) {
	r := ScheduleRequest{Name: text(f, "name", 255, whole), Cron: text(f, "cron_expression", 200, whole), Template: text(f, "message_template", models.MaxPrompt, whole),
		Zone: text(f, "timezone", 100, false), Enabled: f.OptionalBool("enabled")}
	return r, f.Err()
}

// text reads a text that must say something.
func text(f *wire.Fields, name string, most int, required bool) *string {
	if required && !f.Has(name) {
		f.Issues.Custom(name, name+" is a required field")
		return nil
	}
	s, _ := f.OptionalString(name)
	switch {
	case s == nil:
	case *s == "":
		f.Issues.Custom(name, name+" must not be empty")
	case len(*s) > 4*most:
		f.Issues.TooBig(name, most)
	}
	return s
}

// Execution is one run of a schedule.
type Execution struct {
	Named
	ScheduleUUID string  `json:"schedule_uuid"`
	AgentUUID    string  `json:"agent_uuid"`
	Status       string  `json:"status"` // success, failed
	MessageUUID  *string `json:"message_uuid"`
	Error        *string `json:"error"`
	ExecutedAt   string  `json:"executed_at"`
	CreatedAt    string  `json:"created_at"`

	Outcome string  `json:"outcome"` // ours: running, produced, quiet, failed, skipped
	CostUSD float64 `json:"cost_usd"`
}

// ExecutionList is a page of them, newest first.
type ExecutionList struct {
	Executions []Execution `json:"executions"`
	Pagination Pagination  `json:"pagination"`
}

// NewExecution presents a run; message is what it said to the agent, "" when it said nothing. A message that lies in the agent's queue is a
// success; what was left out is none.
func NewExecution(a *models.Automation, r *models.AutomationRun, message string) Execution {
	e := Execution{Named: Name(r.ID), ScheduleUUID: a.ID, AgentUUID: a.InstanceID, Status: "success", ExecutedAt: wire.Time(r.DueAt), CreatedAt: wire.Time(r.CreatedAt),
		Outcome: string(r.State), CostUSD: float64(r.CostNanos) / 1e9}
	e.MessageUUID = orNull(message)
	if r.State == models.RunFailed || r.State == models.RunSkipped {
		why := cmp.Or(r.Reason, string(r.State))
		e.Status, e.Error = "failed", &why
	}
	return e
}

// Done says that something was done.
type Done struct {
	Message string `json:"message"`
}

// OfTemplate names the field that a schedule's or a trigger's prompt was sent by.
func OfTemplate(err error) error { return fault.Renamed(err, "prompt", "message_template") }

// BadCron refuses what is no cron expression.
func BadCron() error {
	var is fault.Issues
	is.Custom("cron_expression", "Invalid cron_expression: five fields, or six that begin with the second")
	return is.Err()
}
