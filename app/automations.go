package app

import (
	"cmp"
	"context"
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/engine/automate"
	"lobstead/models"
	"lobstead/views/automations"
	"lobstead/views/instances"
)

// Automations are the pages of what agents do by themselves.
type Automations struct{ *App }

const (
	automationsPath = "/automations"
	runsListed      = 100
	callsListed     = 50
)

func automationRow(a *models.Automation, instance string, holds []models.AutomationHold, costs map[string]models.RunCost, o automate.Outlook) automations.Row {
	row := automations.Row{Automation: a, Instance: instance, When: shownWhen(o)}
	for _, h := range holds {
		row.Held = row.Held || h.InstanceID == "" || h.InstanceID == a.InstanceID
	}
	if cost, ok := costs[a.ID]; ok {
		row.Month, row.Runs = models.BudgetMoney.FormatAmount(cost.CostNanos), cost.Runs
	}
	return row
}

// monthCosts are what runs cost since the month began where the organization is.
func monthCosts(ctx context.Context, sc *models.Scope) (map[string]models.RunCost, error) {
	since, err := sc.MonthStart(ctx)
	if err != nil {
		return nil, err
	}
	return sc.RunCosts(ctx, since)
}

func shownWhen(o automate.Outlook) automations.When {
	return automations.When{Words: o.Words, Zone: o.Zone, Next: o.Next}
}

// Show is one with its runs.
func (h *Automations) Show(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.automationPage(c, id, automations.Console{}, 200)
}

// automationPage is one's page.
func (a *App) automationPage(c *Ctx, id string, console automations.Console, status int) (Reply, error) {
	p, err := a.automationProps(c, c.Scope, id)
	if err != nil {
		return nil, err
	}
	p.Frame, p.Secret = c.frame(p.Row.Name, automationsPath, "/live/automations/"+id), c.shownOnce().Value
	p.Console = console
	p.Console.ID, p.Console.Body = id, cmp.Or(console.Body, `{"hello": "world"}`)
	return page(automations.Show(*p)).with(status), nil
}

// automationProps is what the page of one shows, and its stream.
func (a *App) automationProps(ctx context.Context, sc *models.Scope, id string) (*automations.ShowProps, error) {
	row, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	i, err := sc.Instance(ctx, row.InstanceID)
	if err != nil {
		return nil, err
	}
	holds, err := sc.AutomationHolds(ctx)
	if err != nil {
		return nil, err
	}
	costs, err := monthCosts(ctx, sc)
	if err != nil {
		return nil, err
	}
	p := &automations.ShowProps{Row: automationRow(row, i.Name, holds, costs, automate.Look(row)), Location: time.UTC}
	if zone, err := time.LoadLocation(cmp.Or(p.Row.When.Zone, "UTC")); err == nil {
		p.Location = zone
	}
	if err := a.automationCosts(ctx, sc, p); err != nil {
		return nil, err
	}
	if row.Kind == models.AutomationWebhook {
		p.URL = agentapi.TriggerURL(a.PublicURL, row.ID)
		if p.Calls, err = keptCalls(ctx, sc, id); err != nil {
			return nil, err
		}
	}
	p.Stopped = i.Desired == models.WantStopped
	if p.Row.Failures, err = sc.RunFailuresOf(ctx, id); err != nil {
		return nil, err
	}
	p.Runs, err = sc.Runs(ctx, id, runsListed)
	return p, err
}

// automationCosts fills in what a run costs, and a month of them.
func (a *App) automationCosts(ctx context.Context, sc *models.Scope, p *automations.ShowProps) error {
	each, known, err := sc.RunCostOf(ctx, p.Row.ID)
	if err != nil || !known {
		return err
	}
	p.PerRun = models.BudgetMoney.FormatAmount(each)
	s, err := automate.Schedule(p.Row.Automation)
	if err != nil || p.Row.NextAt == nil { // a trigger, or nothing comes
		return nil
	}
	if times := (automate.Plan{Schedule: s}).PerMonth(a.Automations.Now()); times > 0 {
		p.Estimate = models.BudgetMoney.FormatAmount(int64(times) * each)
	}
	return nil
}

// automated is what the page of an instance says of what runs by itself there.
func automated(ctx context.Context, sc *models.Scope, instance string) (instances.Automated, error) {
	var out instances.Automated
	rows, err := sc.Automations(ctx, instance)
	if err != nil || len(rows) == 0 {
		return out, err
	}
	last, err := sc.LastRuns(ctx, instance)
	out.Count, out.Next = len(rows), rows[0].NextAt // what is due first comes first
	for n := range rows {
		if run, ok := last[rows[n].ID]; ok && run.State == models.RunFailed && (out.Failed == nil || run.DueAt.After(out.Failed.DueAt)) {
			out.Failed, out.Name = &run, rows[n].Name
		}
	}
	return out, err
}
