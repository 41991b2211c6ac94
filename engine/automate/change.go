package automate

import (
	"context"
	"encoding/json"
	"time"

	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Change is what is said anew of an automation; nil stays as it is.
type Change struct {
	Name        *string
	Description *string
	Prompt      *string
	Schedule    *when.Schedule // with its zone
	Zone        *time.Location // of the schedule that it has
	Missed      *models.MissedPolicy
	Overlap     *models.Overlap
	Jitter      *int
	AllowedFrom *string
	Strict      *bool
	Enabled     *bool
	Stamp       string // of what was changed: models.Automation.Stamp; "" = of whatever is there
}

// Edit changes one; its runs and its conversation stay.
func (d *Desk) Edit(ctx context.Context, sc *models.Scope, id string, c Change) (*models.Automation, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	n := a.Said()
	n.Stamp = c.Stamp
	set(&n.Name, c.Name)
	set(&n.Description, c.Description)
	set(&n.Prompt, c.Prompt)
	set(&n.MissedPolicy, c.Missed)
	set(&n.Overlap, c.Overlap)
	set(&n.JitterSeconds, c.Jitter)
	set(&n.AllowedFrom, c.AllowedFrom)
	set(&n.Strict, c.Strict)
	if a.Kind != models.AutomationWebhook {
		if err := d.retime(a, &n, c); err != nil {
			return nil, err
		}
	} else if c.Schedule != nil {
		return nil, fault.New(fault.Invalid, "schedule.none", "A trigger has no times")
	}
	if a, err = sc.EditAutomation(ctx, id, n); err == nil {
		a, err = d.switched(ctx, sc, a, c.Enabled)
	}
	d.hint(ctx, sc.Org, err)
	return a, err
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// retime gives an automation its new times.
func (d *Desk) retime(a *models.Automation, n *models.NewAutomation, c Change) error {
	s, err := Schedule(a)
	if c.Schedule != nil {
		s, err = *c.Schedule, nil
	}
	if err != nil {
		return err
	}
	if c.Zone != nil {
		s.Zone = c.Zone
	}
	now := d.Now()
	before := *n
	put(n, s, now)
	said := n.Expression != before.Expression || n.Kind != before.Kind || n.TimeZone != before.TimeZone || c.Schedule != nil && !s.At.IsZero()
	if a.State == models.AutomationDone && !said {
		return nil
	}
	if said || n.NextAt == nil {
		if err := s.Check(now); err != nil {
			return err
		}
	}
	return spread(s, n.JitterSeconds, now)
}

// switched pauses or resumes one when that is another state than it has.
func (d *Desk) switched(ctx context.Context, sc *models.Scope, a *models.Automation, on *bool) (*models.Automation, error) {
	switch {
	case on == nil:
		return a, nil
	case *on && a.State == models.AutomationPaused:
		return d.Resume(ctx, sc, a.ID)
	case !*on && a.State == models.AutomationActive:
		return d.Pause(ctx, sc, a.ID)
	}
	return a, nil
}

// Toggle turns one on or off; without on it is turned round. One that is over stays so.
func (d *Desk) Toggle(ctx context.Context, sc *models.Scope, id string, on *bool) (*models.Automation, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.State == models.AutomationDone && (on == nil || *on) {
		return nil, models.ErrAutomationOver
	}
	if on == nil {
		other := a.State != models.AutomationActive
		on = &other
	}
	return d.switched(ctx, sc, a, on)
}

// Hold holds back all that runs by itself, of an instance or of the organization ("").
func (d *Desk) Hold(ctx context.Context, sc *models.Scope, instanceID string) error {
	sessions, err := sc.HoldAutomations(ctx, instanceID)
	d.hint(ctx, sc.Org, err)
	for _, s := range sessions {
		d.Turns.Changed(ctx, sc, s)
	}
	return err
}

// Release lets it go on, from now on: what came due meanwhile is left out.
func (d *Desk) Release(ctx context.Context, sc *models.Scope, instanceID string) error {
	now := d.Now()
	err := sc.ReleaseAutomations(ctx, instanceID, func(a *models.Automation) *time.Time {
		s, err := Schedule(a)
		if err != nil {
			return nil
		}
		return stored(s.Next(now))
	})
	d.hint(ctx, sc.Org, err)
	return err
}

// Rotate gives a trigger a new secret; keep leaves the old one valid for a day.
func (d *Desk) Rotate(ctx context.Context, sc *models.Scope, id string, keep bool) (*models.Automation, secret.String, error) {
	a, token, err := sc.RotateSecret(ctx, id, keep)
	d.hint(ctx, sc.Org, err)
	return a, token, err
}

// EndOldSecret ends the overlap at once.
func (d *Desk) EndOldSecret(ctx context.Context, sc *models.Scope, id string) (*models.Automation, error) {
	a, err := sc.EndOldSecret(ctx, id)
	d.hint(ctx, sc.Org, err)
	return a, err
}

// Replay runs a call again, with the prompt as it is now; the run names the first one.
func (d *Desk) Replay(ctx context.Context, sc *models.Scope, id, callID string) (*models.AutomationRun, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := sc.TriggerCall(ctx, id, callID)
	if err != nil {
		return nil, err
	}
	before, err := sc.CallRuns(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	now := d.Now()
	r := models.Run{Cause: models.RunReplay, Due: now, CallID: c.ID, Text: called(a, c.Body, now)}
	if len(before) > 0 {
		r.ReplayOf = before[0].ID
	}
	return d.start(ctx, sc, a, r)
}

// Rendered is what the agent of a trigger would be told at a call with this body. Invalid test.body for what is no JSON.
func (d *Desk) Rendered(a *models.Automation, body []byte) (string, error) {
	if !json.Valid(body) {
		var is fault.Issues
		is.Custom("body", "This is no JSON")
		return "", is.Err()
	}
	return called(a, body, d.Now()), nil
}

// Test calls a trigger from its console: a real run, whose call is kept like any other.
func (d *Desk) Test(ctx context.Context, sc *models.Scope, id, address string, body []byte) (*models.AutomationRun, error) {
	a, err := sc.Automation(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.Kind != models.AutomationWebhook {
		return nil, fault.NotFoundf("trigger")
	}
	text, err := d.Rendered(a, body)
	if err != nil {
		return nil, err
	}
	return d.start(ctx, sc, a, models.Run{Cause: models.RunTest, Due: d.Now(), Text: text,
		Call: &models.NewCall{Source: models.CallConsole, Address: address, Headers: map[string]string{"content-type": "application/json"}, Body: body}})
}
