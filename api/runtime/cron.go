package runtime

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// CronJob is a schedule in a list (runtime-api.md, section 6).
type CronJob struct {
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	Description       string  `json:"description"`
	Enabled           bool    `json:"enabled"`
	ScheduleKind      string  `json:"schedule_kind"` // cron, every, once
	ScheduleExpr      string  `json:"schedule_expr"`
	AgentID           string  `json:"agent_id"`
	PayloadJSON       string  `json:"payload_json"` // JSON in a string
	LastRunAt         *string `json:"last_run_at"`
	LastStatus        *string `json:"last_status"`
	ConsecutiveErrors int     `json:"consecutive_errors"`
	NextRunAt         *string `json:"next_run_at"`
}

// CronJobs answers GET /api/cron/jobs.
type CronJobs struct {
	Jobs []CronJob `json:"jobs"`
}

// CronJobShown is one whole.
type CronJobShown struct {
	CronJob
	ScheduleEveryMS *int64  `json:"schedule_every_ms"`
	ScheduleTZ      string  `json:"schedule_tz"`
	SessionTarget   string  `json:"session_target"`
	DeliveryMode    string  `json:"delivery_mode"`
	DeliveryChannel *string `json:"delivery_channel"`
	LastDurationMS  *int64  `json:"last_duration_ms"`
	LastError       *string `json:"last_error"`
}

// CronJobMade answers POST /api/cron/jobs.
type CronJobMade struct {
	JobID string `json:"job_id"`
}

// CronJobDeleted answers DELETE /api/cron/jobs/:id.
type CronJobDeleted struct {
	Deleted bool   `json:"deleted"`
	ID      string `json:"id"`
}

// CronJobUpdated answers PUT /api/cron/jobs/:id.
type CronJobUpdated struct {
	Updated bool   `json:"updated"`
	ID      string `json:"id"`
}

// CronJobRan answers POST /api/cron/jobs/:id/run.
type CronJobRan struct {
	JobID      string  `json:"job_id"`
	Status     string  `json:"status"` // success, error, running
	Error      *string `json:"error"`
	OutputText *string `json:"output_text"`
}

// CronRun is one run that has ended.
type CronRun struct {
	ID         string  `json:"id"`
	JobID      string  `json:"job_id"`
	JobName    string  `json:"job_name"`
	Status     string  `json:"status"` // success, error
	DurationMS int64   `json:"duration_ms"`
	Error      *string `json:"error"`
	OutputText *string `json:"output_text"`
	CreatedAt  string  `json:"created_at"`
	Day        string  `json:"day"`
}

// CronRuns answers GET /api/cron/runs.
type CronRuns struct {
	Runs []CronRun `json:"runs"`
}

// NewCronJob presents a schedule; last is nil before its first run.
func NewCronJob(a *models.Automation, last *models.AutomationRun, failures int) CronJob {
	j := CronJob{ID: a.ID, Name: a.Name, Description: a.Description, Enabled: a.State == models.AutomationActive, ScheduleKind: string(a.Kind), ScheduleExpr: exprOf(a),
		AgentID: a.InstanceID, PayloadJSON: payloadOf(a), ConsecutiveErrors: failures, NextRunAt: timeOrNull(a.NextAt)}
	if last != nil {
		status := CronStatus(last)
		j.LastRunAt, j.LastStatus = timeOrNull(&last.CreatedAt), &status
	}
	return j
}

// NewCronJobShown presents one whole.
func NewCronJobShown(a *models.Automation, last *models.AutomationRun, failures int) CronJobShown {
	j := CronJobShown{CronJob: NewCronJob(a, last, failures), ScheduleTZ: a.TimeZone, SessionTarget: "isolated", DeliveryMode: "none"}
	if every, ok := everyOf(a.Expression); ok && a.Kind == models.AutomationEvery {
		ms := every.Milliseconds()
		j.ScheduleEveryMS = &ms
	}
	if last != nil {
		j.LastError = errorOf(last)
		if last.EndedAt != nil {
			ms := last.EndedAt.Sub(last.CreatedAt).Milliseconds()
			j.LastDurationMS = &ms
		}
	}
	return j
}

// CronStatus is what came of a run. Having nothing to report is a success, and being left out is none.
func CronStatus(r *models.AutomationRun) string {
	switch r.State {
	case models.RunRunning:
		return "running"
	case models.RunFailed, models.RunSkipped:
		return "error"
	}
	return "success"
}

func errorOf(r *models.AutomationRun) *string {
	if r.Reason == "" || CronStatus(r) != "error" {
		return nil
	}
	text := r.Reason
	if r.State == models.RunSkipped {
		text = "skipped: " + text
	}
	return &text
}

// NewCronRun presents a run; job is "" when its schedule is gone, output when it said nothing.
func NewCronRun(r *models.AutomationRun, job, output string) CronRun {
	out := CronRun{ID: r.ID, JobID: r.AutomationID, JobName: job, Status: CronStatus(r), Error: errorOf(r), CreatedAt: Time(r.CreatedAt), Day: r.CreatedAt.UTC().Format(time.DateOnly)}
	if job == "" {
		out.JobName = "unknown"
	}
	if output != "" {
		out.OutputText = &output
	}
	if r.EndedAt != nil {
		out.DurationMS = r.EndedAt.Sub(r.CreatedAt).Milliseconds()
	}
	return out
}

// NewCronJobRan presents a run that was asked for.
func NewCronJobRan(r *models.AutomationRun, output string) CronJobRan {
	n := NewCronRun(r, "", output)
	return CronJobRan{JobID: r.AutomationID, Status: n.Status, Error: n.Error, OutputText: n.OutputText}
}

func timeOrNull(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := Time(*at)
	return &text
}

func exprOf(a *models.Automation) string {
	switch {
	case a.Kind == models.AutomationOnce && a.StartsAt != nil:
		return a.StartsAt.UTC().Format(time.RFC3339)
	case a.Kind == models.AutomationEvery:
		n, unit, _ := strings.Cut(a.Expression, " ")
		return n + unit[:1] // 30s, 5m, 1h, 2d, 1w
	}
	return a.Expression
}

func everyOf(expression string) (time.Duration, bool) {
	n, unit, _ := strings.Cut(expression, " ")
	count, err := strconv.Atoi(n)
	spans := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour}
	return spans[unit] * time.Duration(count), err == nil && spans[unit] > 0
}

// payload is what a job does.
type payload struct {
	Action  string `json:"action"`
	Task    string `json:"task,omitempty"`
	Message string `json:"message,omitempty"`
}

func payloadOf(a *models.Automation) string {
	switch {
	case a.Payload != "":
		return a.Payload
	case a.Action == models.ActionLog:
		return string(wire.JSON(payload{Action: "log", Message: a.Prompt}))
	case a.Action == models.ActionNoop:
		return string(wire.JSON(payload{Action: "noop"}))
	}
	return string(wire.JSON(payload{Action: "agent_task", Task: a.Prompt}))
}

// CronJobRequest is what is said of a job; nil was not said.
type CronJobRequest struct {
	Name, Description, Kind, Expr, AgentID, Payload, Zone *string
	Enabled                                               *bool
}

// ReadCronJob reads one; whole asks for what a new one needs.
func ReadCronJob(f *wire.Fields, whole bool) (CronJobRequest, error) {
	r := CronJobRequest{Name: field(f, "name"), Description: field(f, "description"), Kind: field(f, "schedule_kind"), Expr: field(f, "schedule_expr"), AgentID: field(f, "agent_id"),
		Payload: field(f, "payload_json"), Zone: field(f, "schedule_tz"), Enabled: f.OptionalBool("enabled")}
	if r.Expr == nil {
		r.Expr = field(f, "schedule")
	}
	if err := f.Err(); err != nil {
		return r, unfit(err)
	}
	if whole {
		for name, got := range map[string]*string{"name": r.Name, "schedule_kind": r.Kind} {
			if got == nil {
				return r, fault.New(fault.Unclear, "cron.field", "missing field `%s`", name)
			}
		}
	}
	if r.Kind != nil && *r.Kind == "interval" {
		every := "every"
		r.Kind = &every
	}
	if r.Kind != nil && *r.Kind != "cron" && *r.Kind != "every" && *r.Kind != "once" {
		return r, Bad("invalid schedule_kind '%s': must be one of cron, every, once, interval", *r.Kind)
	}
	return r, r.check()
}

// unfit says of a field of the wrong type what the family says: 422.
func unfit(err error) error {
	e := fault.As(err)
	if len(e.Fields) > 0 && e.Fields[0].Code == "invalid_type" {
		return fault.New(fault.Unclear, "cron.field", "%v: %s", e.Fields[0].Path[0], e.Fields[0].Message)
	}
	return err
}

// field reads a text; null is as good as absent.
func field(f *wire.Fields, name string) *string {
	if f.Null(name) {
		return nil
	}
	s, _ := f.OptionalString(name)
	return s
}

const shortField, longField = 256, 4096 // bytes

func (r CronJobRequest) check() error {
	for _, f := range []struct {
		name string
		text *string
		most int
		full bool
	}{{"name", r.Name, shortField, true}, {"description", r.Description, longField, false}, {"schedule_expr", r.Expr, shortField, false}, {"agent_id", r.AgentID, shortField, true},
		{"payload_json", r.Payload, 2 * longField, false}} {
		switch {
		case f.text == nil:
		case f.full && strings.TrimSpace(*f.text) == "":
			return Bad("%s must not be empty", f.name)
		case len(*f.text) > f.most:
			return Bad("%s exceeds max length (%d)", f.name, f.most)
		}
	}
	return nil
}

// Bad is a refusal in a sentence of the family's own.
func Bad(format string, args ...any) error {
	return fault.New(fault.Invalid, "cron.invalid", format, args...)
}

// Action reads what a job does: what its payload says, else a task of its description, else a line in the log. What this
// server cannot do is refused.
func (r CronJobRequest) Action() (do models.AutomationAction, prompt, kept string, err error) {
	if r.Payload == nil || *r.Payload == "" {
		if r.Description != nil && strings.TrimSpace(*r.Description) != "" {
			return models.ActionTask, *r.Description, "", nil
		}
		return models.ActionLog, *r.Name, "", nil
	}
	var p payload
	if !json.Valid([]byte(*r.Payload)) {
		return "", "", "", Bad("payload_json must be valid JSON")
	}
	if err := json.Unmarshal([]byte(*r.Payload), &p); err != nil {
		return "", "", "", Bad("payload_json must be an object with an action")
	}
	switch p.Action {
	case "agent_task":
		if strings.TrimSpace(p.Task) == "" {
			return "", "", "", Bad("payload_json: an agent_task needs a task")
		}
		return models.ActionTask, p.Task, *r.Payload, nil
	case "log":
		if p.Message == "" {
			p.Message = *r.Name
		}
		return models.ActionLog, p.Message, *r.Payload, nil
	case "noop":
		return models.ActionNoop, "", *r.Payload, nil
	}
	return "", "", "", Bad("unsupported action '%s' in payload_json: this server runs agent_task, log and noop", clip(p.Action, 60))
}

var everyPattern = regexp.MustCompile(`^(\d{1,9})(s|m|h|d)?$`)

// Every reads the span of an interval: 30s, 5m, 1h, 2d, seconds, or several of these together (1h30m). Less than a second becomes a
// minute; what is left of a second is refused.
func Every(text string) (n int, unit string, err error) {
	text = strings.TrimSpace(text)
	if m := everyPattern.FindStringSubmatch(text); m != nil {
		n, _ = strconv.Atoi(m[1])
		unit = map[string]string{"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "hours"}[m[2]]
		if m[2] == "d" {
			n *= 24
		}
		if n == 0 {
			n, unit = 60, "seconds"
		}
		return n, unit, nil
	}
	said := text
	if strings.Trim(text, "0123456789.") == "" {
		said += "s"
	}
	span, err := time.ParseDuration(said)
	switch {
	case err != nil, strings.HasPrefix(text, "-"), span >= time.Second && span%time.Second != 0:
		return 0, "", Bad("invalid interval '%s': write 30s, 5m, 1h, 1h30m or a number of seconds", clip(text, 60))
	case span < time.Second:
		return 60, "seconds", nil
	case span%time.Hour == 0:
		return int(span / time.Hour), "hours", nil
	case span%time.Minute == 0:
		return int(span / time.Minute), "minutes", nil
	}
	return int(span / time.Second), "seconds", nil
}

// Once reads the time of a job that runs one time.
func Once(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04"} {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return at, nil
		}
	}
	return time.Time{}, Bad("invalid timestamp '%s' for once schedule_kind", clip(text, 60))
}
