package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"lobstead/api/runtime"
	"lobstead/engine/automate"
	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/models"
)

// RuntimeCron are schedules in the runtime API's spelling (runtime-api.md, section 6).
type RuntimeCron struct{ *App }

// jobOf is the job of the path.
func (h *RuntimeCron) jobOf(c *Ctx) (*models.Automation, error) {
	a, err := c.Scope.Automation(c, c.Param("id"))
	if err == nil && a.Kind == models.AutomationWebhook {
		err = fault.NotFoundf("job")
	}
	return a, missing(err, "cron job %s not found", c.Param("id"))
}

// Index lists those of all agents, by name.
func (h *RuntimeCron) Index(c *Ctx) (Reply, error) {
	rows, err := c.Scope.Automations(c, "")
	if err != nil {
		return nil, err
	}
	last, err := c.Scope.LastRuns(c, "")
	if err != nil {
		return nil, err
	}
	failures, err := c.Scope.RunFailures(c)
	rows = slices.DeleteFunc(rows, func(a models.Automation) bool { return a.Kind == models.AutomationWebhook })
	slices.SortStableFunc(rows, func(x, y models.Automation) int { return strings.Compare(x.Name, y.Name) })
	out := runtime.CronJobs{Jobs: []runtime.CronJob{}}
	for n := range rows {
		var run *models.AutomationRun
		if r, ok := last[rows[n].ID]; ok {
			run = &r
		}
		out.Jobs = append(out.Jobs, runtime.NewCronJob(&rows[n], run, failures[rows[n].ID]))
	}
	return data(out), err
}

// Show is one whole.
func (h *RuntimeCron) Show(c *Ctx) (Reply, error) {
	a, err := h.jobOf(c)
	if err != nil {
		return nil, err
	}
	runs, err := c.Scope.Runs(c, a.ID, 1)
	if err != nil {
		return nil, err
	}
	var last *models.AutomationRun
	if len(runs) > 0 {
		last = &runs[0]
	}
	failures, err := c.Scope.RunFailures(c)
	return data(runtime.NewCronJobShown(a, last, failures[a.ID])), err
}

// Create makes one.
func (h *RuntimeCron) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := runtime.ReadCronJob(f, true)
	if err != nil {
		return nil, err
	}
	i, err := h.cronAgent(c, in.AgentID)
	if err != nil {
		return nil, err
	}
	do, prompt, kept, err := in.Action()
	if err != nil {
		return nil, err
	}
	p := automate.Plan{Name: *in.Name, Prompt: prompt, Options: automate.Options{Action: do, Payload: kept, Paused: in.Enabled != nil && !*in.Enabled}}
	if in.Description != nil {
		p.Description = *in.Description
	}
	never := false
	if p.Schedule, never, err = h.times(c, in); err != nil {
		return nil, err
	}
	if never {
		p.Paused = true
	} else if err := p.Check(h.Automations.Now()); err != nil {
		return nil, err
	}
	a, _, err := h.Automations.Create(c, c.Scope, i.ID, p)
	if err != nil {
		return nil, err
	}
	return data(runtime.CronJobMade{JobID: a.ID}), nil
}

// cronAgent is the agent that a job names, else the one that every call of the family means.
func (h *RuntimeCron) cronAgent(c *Ctx, id *string) (*models.Instance, error) {
	if id == nil {
		return h.instanceOf(c)
	}
	i, err := c.Scope.Instance(c, *id)
	if err == nil && i.Desired == models.WantDeleted {
		err = fault.NotFoundf("instance")
	}
	return i, missing(err, "agent %s not found", *id)
}

// times reads when a job runs; never holds for one that is to run once and does not say when: it is off from the beginning.
func (h *RuntimeCron) times(c *Ctx, in runtime.CronJobRequest) (s when.Schedule, never bool, err error) {
	s = when.Schedule{Kind: when.Kind(*in.Kind), Zone: time.UTC}
	if in.Zone != nil && *in.Zone != "" {
		if s.Zone, err = c.zone(*in.Zone); err != nil {
			return s, false, err
		}
	}
	if in.Expr == nil || strings.TrimSpace(*in.Expr) == "" {
		if s.Kind == when.Once {
			return s, true, nil
		}
		return s, false, runtime.Bad("schedule_expr is required for %s schedule_kind", s.Kind)
	}
	switch s.Kind {
	case when.Cron:
		s.Expr = strings.Join(strings.Fields(*in.Expr), " ")
		if n := len(strings.Fields(s.Expr)); n != 5 && n != 6 {
			err = runtime.Bad("invalid cron expression: expected 5 or 6 fields, got %d", n)
		} else if !when.IsCron(s.Expr) {
			err = runtime.Bad("invalid cron expression: %s", s.Expr)
		}
	case when.Every:
		unit := ""
		s.N, unit, err = runtime.Every(*in.Expr)
		s.Unit = when.Unit(unit)
		s.At = h.Automations.Now().Truncate(time.Second).Add(s.Span())
	case when.Once:
		s.At, err = runtime.Once(*in.Expr)
	}
	return s, false, err
}

// Update changes what is said.
func (h *RuntimeCron) Update(c *Ctx) (Reply, error) {
	a, err := h.jobOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := runtime.ReadCronJob(f, false)
	if err != nil {
		return nil, err
	}
	ch := automate.Change{Name: in.Name, Description: in.Description, Enabled: in.Enabled}
	if in.Description != nil && a.Payload == "" && a.Action == models.ActionTask && strings.TrimSpace(*in.Description) != "" { // it is the task
		ch.Prompt = in.Description
	}
	if in.Kind != nil || in.Expr != nil {
		kind := string(a.Kind)
		if in.Kind == nil {
			in.Kind = &kind
		}
		if in.Zone == nil {
			in.Zone = &a.TimeZone
		}
		s, never, err := h.times(c, in)
		if err != nil || never {
			return nil, errOr(err, runtime.Bad("schedule_expr is required for %s schedule_kind", *in.Kind))
		}
		ch.Schedule = &s
	}
	_, err = h.Automations.Edit(c, c.Scope, a.ID, ch)
	return data(runtime.CronJobUpdated{Updated: true, ID: a.ID}), err
}

// errOr is the first of two that is one.
func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Destroy ends one.
func (h *RuntimeCron) Destroy(c *Ctx) (Reply, error) {
	a, err := h.jobOf(c)
	if err == nil {
		err = h.Automations.Delete(c, c.Scope, a.ID)
	}
	if err != nil {
		return nil, err
	}
	return data(runtime.CronJobDeleted{Deleted: true, ID: a.ID}), nil
}

// cronWait is how long a run that was asked for is waited for.
const cronWait = 60 * time.Second

// Run starts one out of its time and waits for its end; a longer one is told as running.
func (h *RuntimeCron) Run(c *Ctx) (Reply, error) {
	a, err := h.jobOf(c)
	if err != nil {
		return nil, err
	}
	run, err := h.Automations.RunNow(c, c.Scope, a.ID)
	if run == nil || err != nil && run.State != models.RunFailed {
		return nil, err
	}
	output := ""
	if run.TurnID != "" {
		ctx, stop := context.WithTimeout(c, cronWait)
		defer stop()
		if _, err := h.Turns.Await(ctx, c.Scope, run.TurnID); err == nil {
			said, err := c.Scope.Answers(c, []string{run.TurnID})
			if err != nil {
				return nil, err
			}
			output = said[run.TurnID]
		}
		if run, err = c.Scope.Run(c, a.ID, run.ID); err != nil {
			return nil, err
		}
	}
	return data(runtime.NewCronJobRan(run, output)), nil
}

// Runs lists those that have ended, newest first.
func (h *RuntimeCron) Runs(c *Ctx) (Reply, error) {
	f := models.RunFilter{AutomationID: c.Query("job_id"), Ended: true, Limit: min(limitOf(c, 1000), 5000)}
	for name, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		at, err := runtime.Once(text)
		if day, bad := time.Parse(time.DateOnly, text); bad == nil {
			if at, err = day, nil; name == "to" {
				at = day.Add(24*time.Hour - time.Nanosecond)
			}
		}
		if err != nil {
			return nil, runtime.Bad("invalid %s: write 2026-11-30 or 2026-11-30T17:00:00Z", name)
		}
		*to = at
	}
	rows, err := c.Scope.Automations(c, "")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, a := range rows {
		if a.Kind != models.AutomationWebhook {
			names[a.ID] = a.Name
		}
	}
	f.Timed = true
	runs, _, err := c.Scope.RunList(c, f)
	if err != nil {
		return nil, err
	}
	turns := []string{}
	for _, r := range runs {
		if r.TurnID != "" {
			turns = append(turns, r.TurnID)
		}
	}
	said, err := c.Scope.Answers(c, turns)
	out := runtime.CronRuns{Runs: []runtime.CronRun{}}
	for n := range runs {
		out.Runs = append(out.Runs, runtime.NewCronRun(&runs[n], names[runs[n].AutomationID], said[runs[n].TurnID]))
	}
	return data(out), err
}
