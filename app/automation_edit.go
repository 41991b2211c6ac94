package app

import (
	"strconv"
	"strings"

	"lobstead/engine/automate"
	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/automations"
)

// Edit is the form of one.
func (h *Automations) Edit(c *Ctx) (Reply, error) {
	a, err := h.named(c)
	if err != nil {
		return nil, err
	}
	return h.editPage(c, a, editForm(a), 200)
}

// editForm is the form of one as it is.
func editForm(a *models.Automation) automations.EditProps {
	p := automations.EditProps{Name: a.Name, Prompt: a.Prompt, Zone: a.TimeZone, Stamp: a.Stamp(), Policies: automations.Policies{Missed: string(a.MissedPolicy), Overlap: string(a.Overlap),
		Jitter: strconv.Itoa(a.JitterSeconds), AllowedFrom: a.AllowedFrom, Strict: a.Strict}}
	if s, err := automate.Schedule(a); err == nil {
		p.Policies.When = s.Text()
	}
	return p
}

func (h *Automations) named(c *Ctx) (*models.Automation, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Automation(c, id)
}

func (h *Automations) editPage(c *Ctx, a *models.Automation, p automations.EditProps, status int) (Reply, error) {
	p.Frame, p.BaseURL, p.ID, p.Was, p.Webhook = c.frame("Edit "+a.Name, automationsPath, ""), h.PublicURL, a.ID, a.Name, a.Kind == models.AutomationWebhook
	if a.CreatedBy != c.Principal.User.ID {
		p.Owner = a.CreatedName
	}
	return page(automations.Edit(p)).partial(automations.EditReading(p)).with(status), nil
}

// Update changes one, or shows when it would run.
func (h *Automations) Update(c *Ctx) (Reply, error) {
	a, err := h.named(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	p := automations.EditProps{Name: f.Text("name"), Prompt: f.Text("prompt"), Zone: f.Text("timezone"), Stamp: f.Text("stamp"), Policies: readPolicies(f)}
	preview := f.Text("preview") != "" || c.Query("preview") != ""
	if err := f.Err(); err != nil {
		return nil, err
	}
	ch, err := h.change(c, a, &p)
	if err == nil && !preview {
		_, err = h.App.Automations.Edit(c, c.Scope, a.ID, ch)
	}
	if err == nil && !preview {
		return redirect(automationsPath+"/"+a.ID).say("ok", "It is saved"), nil
	}
	if fault.Is(err, fault.Conflict) {
		return h.changedMeanwhile(c, p)
	}
	status := 200
	if err != nil && !preview {
		status = 422
	}
	problem, errs, err := reading(err)
	if err != nil {
		return nil, err
	}
	p.Errors = errs
	if problem != nil {
		p.Reading = problem
	} else if err := h.outlook(c, a, ch, &p); err != nil {
		return nil, err
	}
	return h.editPage(c, a, p, status)
}

// changedMeanwhile gives the form again as it was typed, with what somebody else saved: saving it now is meant.
func (h *Automations) changedMeanwhile(c *Ctx, p automations.EditProps) (Reply, error) {
	a, err := h.named(c)
	if err != nil {
		return nil, err
	}
	saved := editForm(a)
	p.Saved, p.Stamp = &saved, saved.Stamp
	return h.editPage(c, a, p, 409)
}

// change reads the form; what was not touched of a schedule's times stays.
func (h *Automations) change(c *Ctx, a *models.Automation, p *automations.EditProps) (automate.Change, error) {
	jitter, err := readJitter(p.Policies.Jitter)
	overlap := models.Overlap(p.Policies.Overlap)
	ch := automate.Change{Stamp: p.Stamp, Name: &p.Name, Prompt: &p.Prompt, Overlap: &overlap, AllowedFrom: &p.Policies.AllowedFrom, Strict: &p.Policies.Strict}
	if err != nil || a.Kind == models.AutomationWebhook {
		return ch, err
	}
	missed := models.MissedPolicy(p.Policies.Missed)
	ch.Missed, ch.Jitter = &missed, &jitter
	if ch.Zone, err = c.zone(p.Zone); err != nil {
		return ch, err
	}
	p.Zone = ch.Zone.String()
	now, text := h.App.Automations.Now(), strings.TrimSpace(p.Policies.When)
	s, err := automate.Schedule(a)
	if err == nil && text == s.Text() {
		return ch, nil
	}
	if s, err = when.Alone(text, now, ch.Zone); err != nil {
		return ch, err
	}
	ch.Schedule, ch.Zone = &s, nil
	return ch, nil
}

// outlook shows when it would run as it is written now.
func (h *Automations) outlook(c *Ctx, a *models.Automation, ch automate.Change, p *automations.EditProps) error {
	if a.Kind == models.AutomationWebhook {
		return nil
	}
	s, err := automate.Schedule(a)
	if ch.Schedule != nil {
		s, err = *ch.Schedule, nil
	}
	if err != nil {
		return err
	}
	if ch.Zone != nil {
		s.Zone = ch.Zone
	}
	plan, now := automate.Plan{Schedule: s, Options: automate.Options{Jitter: *ch.Jitter}}, h.App.Automations.Now()
	if err := plan.Check(now); err != nil {
		p.Reading, p.Errors, err = reading(err)
		return err
	}
	p.Reading = &automations.Reading{When: shownWhen(plan.Outlook(now))}
	each, known, err := c.Scope.RunCostOf(c, a.ID)
	if times := plan.PerMonth(now); known && times > 0 {
		p.Reading.Cost = models.BudgetMoney.FormatAmount(int64(times) * each)
	}
	return err
}
