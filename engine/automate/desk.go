package automate

import (
	"context"
	"time"

	"lobstead/engine/agent"
	"lobstead/kit/events"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Desk is where every edge asks for automations. The rows are the truth; a hint makes the timer look at them at once.
type Desk struct {
	Store *models.Store
	Bus   *events.Bus
	Turns *agent.Turns
}

// topic tells every timer that something may be due earlier than it thought.
const topic = "automations"

// The sources of turns that begin by themselves. What comes in by a call was written outside.
const (
	ScheduleSource = "schedule"
	WebhookSource  = "webhook"
)

// Now is the time by which plans are read.
func (d *Desk) Now() time.Time { return d.Store.Now() }

// Create makes an automation of a plan. A trigger's secret is only returned here and when it is changed.
func (d *Desk) Create(ctx context.Context, sc *models.Scope, instanceID string, p Plan) (*models.Automation, secret.String, error) {
	if !p.Paused {
		if err := p.Check(d.Now()); err != nil {
			return nil, secret.String{}, err
		}
	}
	a, token, err := sc.CreateAutomation(ctx, p.New(instanceID, d.Now()))
	d.hint(ctx, sc.Org, err)
	return a, token, err
}

// Pause holds one back.
func (d *Desk) Pause(ctx context.Context, sc *models.Scope, id string) (*models.Automation, error) {
	a, err := sc.PauseAutomation(ctx, id)
	d.hint(ctx, sc.Org, err)
	if err == nil && a.SessionID != "" { // turns that waited there have ended
		d.Turns.Changed(ctx, sc, a.SessionID)
	}
	return a, err
}

// Resume lets a paused one go on, at its next time from now; one that is never due again stays Conflict automation.over.
func (d *Desk) Resume(ctx context.Context, sc *models.Scope, id string) (*models.Automation, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	var next *time.Time
	if a.Kind != models.AutomationWebhook {
		s, err := Schedule(a)
		if err != nil {
			return nil, err
		}
		if next = stored(s.Next(d.Now())); next == nil {
			return nil, models.ErrAutomationOver
		}
	}
	a, err = sc.ResumeAutomation(ctx, id, next)
	d.hint(ctx, sc.Org, err)
	return a, err
}

// Delete removes one.
func (d *Desk) Delete(ctx context.Context, sc *models.Scope, id string) error {
	err := sc.DeleteAutomation(ctx, id)
	d.hint(ctx, sc.Org, err)
	return err
}

// RunNow starts a run out of its time; Conflict automation.running while one is under way. A run that could not start is
// recorded, and its fault is given.
func (d *Desk) RunNow(ctx context.Context, sc *models.Scope, id string) (*models.AutomationRun, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	return d.start(ctx, sc, a, models.Run{Cause: models.RunNow, Due: d.Now()})
}

func (d *Desk) start(ctx context.Context, sc *models.Scope, a *models.Automation, r models.Run) (*models.AutomationRun, error) {
	r.Source = ScheduleSource
	if a.Kind == models.AutomationWebhook {
		r.Source = WebhookSource
	}
	if r.Text == "" {
		r.Text = told(a, r.Due)
	}
	run, err := sc.StartRun(ctx, a.ID, r)
	if run != nil {
		d.begun(ctx, []models.AutomationRun{*run})
	}
	return run, err
}

// begun wakes workers for the turns of runs, and tells who watches.
func (d *Desk) begun(ctx context.Context, runs []models.AutomationRun) {
	orgs := map[string]bool{}
	for _, r := range runs {
		if r.SessionID != "" {
			d.Turns.Written(ctx, r.OrganizationID, r.SessionID, r.TurnID)
		}
		orgs[r.OrganizationID] = true
	}
	for org := range orgs {
		d.Bus.Publish(ctx, agent.OrgTopic(org), nil)
	}
}

// hint tells the timers of a change, and who watches the organization.
func (d *Desk) hint(ctx context.Context, org string, err error) {
	if err != nil {
		return
	}
	d.Bus.Publish(ctx, topic, nil)
	d.Bus.Publish(ctx, agent.OrgTopic(org), nil)
}
