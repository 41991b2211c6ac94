package app

import (
	"slices"
	"time"

	"lobstead/api/fleet"
	"lobstead/engine/automate"
	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetSchedules are schedules in the fleet API's spelling (fleet-api.md, section 5).
type FleetSchedules struct{ *App }

// automationOf is the schedule or trigger of an agent that the path names; noun says which. Another agent's is not there.
func (a *App) automationOf(c *Ctx, noun string) (*models.Automation, error) {
	i, err := a.agentOf(c)
	if err != nil {
		return nil, err
	}
	gone := fault.New(fault.NotFound, noun+".missing", "Not found")
	id, err := c.ID(noun)
	if err != nil {
		return nil, gone
	}
	row, err := c.Scope.Automation(c, id)
	if fault.Is(err, fault.NotFound) || err == nil && (row.InstanceID != i.ID || (row.Kind == models.AutomationWebhook) != (noun == "trigger")) {
		return nil, gone
	}
	return row, err
}

// automationsOf are those of an agent, the newest first.
func (a *App) automationsOf(c *Ctx, triggers bool) (*models.Instance, []models.Automation, error) {
	i, err := a.agentOf(c)
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.Scope.Automations(c, i.ID)
	rows = slices.DeleteFunc(rows, func(r models.Automation) bool { return (r.Kind == models.AutomationWebhook) != triggers })
	slices.SortStableFunc(rows, func(x, y models.Automation) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return i, rows, err
}

// Index lists a page of them.
func (h *FleetSchedules) Index(c *Ctx) (Reply, error) {
	p, err := c.fleetPage()
	if err != nil {
		return nil, err
	}
	i, rows, err := h.automationsOf(c, false)
	if err != nil {
		return nil, err
	}
	last, err := c.Scope.LastRuns(c, i.ID)
	out := fleet.ScheduleList{Schedules: []fleet.Schedule{}, Pagination: fleet.NewPagination(p.page, p.limit, len(rows))}
	for n := p.skip(); n < min(p.skip()+p.limit, len(rows)); n++ {
		out.Schedules = append(out.Schedules, fleet.NewSchedule(&rows[n], lastRun(last, rows[n].ID)))
	}
	return data(out), err
}

func lastRun(last map[string]models.AutomationRun, id string) *time.Time {
	if r, ok := last[id]; ok {
		return &r.CreatedAt
	}
	return nil
}

// one presents a schedule.
func (h *FleetSchedules) one(c *Ctx, a *models.Automation, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	runs, err := c.Scope.Runs(c, a.ID, 1)
	if err != nil {
		return nil, err
	}
	var last *time.Time
	if len(runs) > 0 {
		last = &runs[0].CreatedAt
	}
	return data(fleet.NewSchedule(a, last)), nil
}

// Create makes one. Messages of a schedule wait in the agent's queue, as the contract has it.
func (h *FleetSchedules) Create(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadSchedule(f, true)
	if err != nil {
		return nil, err
	}
	s, err := h.schedule(c, in, nil)
	if err != nil {
		return nil, err
	}
	p := automate.Plan{Name: *in.Name, Prompt: *in.Template, Schedule: *s, Options: automate.Options{Overlap: models.OverlapQueue, Paused: in.Enabled != nil && !*in.Enabled}}
	if err := p.Check(h.Automations.Now()); err != nil {
		return nil, err
	}
	a, _, err := h.Automations.Create(c, c.Scope, i.ID, p)
	r, err := h.one(c, a, fleet.OfTemplate(err))
	if err != nil {
		return nil, err
	}
	return r.with(201), nil
}

// schedule reads the times that a request says; nil when it says none. a is what is changed, nil for a new one.
func (h *FleetSchedules) schedule(c *Ctx, in fleet.ScheduleRequest, a *models.Automation) (*when.Schedule, error) {
	if in.Cron == nil && in.Zone == nil {
		return nil, nil
	}
	name := "UTC"
	if a != nil {
		name = a.TimeZone
	}
	if in.Zone != nil {
		name = *in.Zone
	}
	zone, err := c.zone(name)
	if err != nil {
		return nil, err
	}
	if in.Cron == nil || a != nil && fleet.NewSchedule(a, nil).CronExpression == *in.Cron { // the zone alone
		s, err := automate.Schedule(a)
		s.Zone = zone
		return &s, err
	}
	if !when.IsCron(*in.Cron) {
		return nil, fleet.BadCron()
	}
	return &when.Schedule{Kind: when.Cron, Expr: *in.Cron, Zone: zone}, nil
}

// Show is one.
func (h *FleetSchedules) Show(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "schedule")
	return h.one(c, a, err)
}

// Update changes one.
func (h *FleetSchedules) Update(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "schedule")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadSchedule(f, false)
	if err != nil {
		return nil, err
	}
	s, err := h.schedule(c, in, a)
	if err != nil {
		return nil, err
	}
	a, err = h.Automations.Edit(c, c.Scope, a.ID, automate.Change{Name: in.Name, Prompt: in.Template, Schedule: s, Enabled: in.Enabled})
	return h.one(c, a, fleet.OfTemplate(err))
}

// Toggle turns one on or off, or round.
func (h *FleetSchedules) Toggle(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "schedule")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	on := f.OptionalBool("enabled")
	if err := f.Err(); err != nil {
		return nil, err
	}
	a, err = h.Automations.Toggle(c, c.Scope, a.ID, on)
	return h.one(c, a, err)
}

// Destroy ends one.
func (h *FleetSchedules) Destroy(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "schedule")
	if err == nil {
		err = h.Automations.Delete(c, c.Scope, a.ID)
	}
	return data(fleet.Done{Message: "Schedule deleted successfully"}), err
}

// Executions lists a page of its runs, newest first.
func (h *FleetSchedules) Executions(c *Ctx) (Reply, error) {
	p, err := c.fleetPage()
	if err != nil {
		return nil, err
	}
	a, err := h.automationOf(c, "schedule")
	if err != nil {
		return nil, err
	}
	rows, total, err := c.Scope.RunList(c, models.RunFilter{AutomationID: a.ID, Limit: p.limit, Offset: p.skip()})
	if err != nil {
		return nil, err
	}
	turns := make([]string, len(rows))
	for n := range rows {
		turns[n] = rows[n].TurnID
	}
	messages, err := c.Scope.MessagesOf(c, turns)
	out := fleet.ExecutionList{Executions: []fleet.Execution{}, Pagination: fleet.NewPagination(p.page, p.limit, total)}
	for n := range rows {
		out.Executions = append(out.Executions, fleet.NewExecution(a, &rows[n], messages[rows[n].TurnID]))
	}
	return data(out), err
}
