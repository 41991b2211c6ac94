package app

import (
	"cmp"
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/engine/automate"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/automations"
)

// Automations are the pages of what agents do by themselves.
type Automations struct{ *App }

const (
	automationsPath = "/automations"
	runsListed      = 100
)

// Index lists those of all instances.
func (h *Automations) Index(c *Ctx) (Reply, error) {
	rows, err := c.Scope.Automations(c, "")
	if err != nil {
		return nil, err
	}
	last, err := c.Scope.LastRuns(c)
	if err != nil {
		return nil, err
	}
	instances, err := c.Scope.InstanceNames(c)
	names := map[string]string{}
	for _, i := range instances {
		names[i.ID] = i.Name
	}
	p := automations.IndexProps{Frame: c.frame("Automations", automationsPath, ""), BaseURL: h.PublicURL}
	for n := range rows {
		row := automations.Row{Automation: &rows[n], Instance: names[rows[n].InstanceID], When: shownWhen(automate.Glance(&rows[n]))}
		if run, ok := last[rows[n].ID]; ok {
			row.Last = &run
		}
		p.Rows = append(p.Rows, row)
	}
	return page(automations.Index(p)), err
}

func shownWhen(o automate.Outlook) automations.When {
	return automations.When{Words: o.Words, Zone: o.Zone, Next: o.Next}
}

// New shows what is understood of a sentence, before anything is saved.
func (h *Automations) New(c *Ctx) (Reply, error) {
	return h.preview(c, automations.NewProps{Text: c.Query("text"), Instance: c.Query("instance"), Zone: c.Query("timezone"), As: c.Query("as")}, 200)
}

// preview is the form with what is understood, and saves nothing.
func (h *Automations) preview(c *Ctx, p automations.NewProps, status int) (Reply, error) {
	if p.Text != "" {
		if err := h.understand(c, &p); err != nil {
			return nil, err
		}
	}
	return h.show(c, p, status)
}

// understand reads the sentence of the form into what is shown of it.
func (h *Automations) understand(c *Ctx, p *automations.NewProps) error {
	plan, err := h.plan(c, p)
	if fault.Is(err, fault.Unclear) {
		p.Reading = &automations.Reading{Problem: fault.As(err).Hint}
		return nil
	}
	if errs, ok := invalid(err); ok { // only the reading is swapped in while somebody types
		p.Errors, p.Reading = errs, &automations.Reading{Problem: errs["timezone"]}
		return nil
	}
	if err != nil {
		return err
	}
	now := h.App.Automations.Now()
	p.Reading = &automations.Reading{Name: plan.Name, Prompt: plan.Prompt, When: shownWhen(plan.Outlook(now))}
	cost, known, err := c.Scope.TurnCost(c, p.Instance)
	if times := plan.PerMonth(now); times > 0 && known {
		p.Reading.Cost = models.BudgetMoney.FormatAmount(int64(times) * cost)
	}
	return err
}

func (h *Automations) plan(c *Ctx, p *automations.NewProps) (automate.Plan, error) {
	zone, err := c.zone(p.Zone)
	if err != nil {
		return automate.Plan{}, err
	}
	command := automate.Command(p.As)
	if command != automate.Trigger && command != automate.Remind {
		command = automate.Automate
	}
	return automate.Read(command, p.Text, h.App.Automations.Now(), zone)
}

func (h *Automations) show(c *Ctx, p automations.NewProps, status int) (Reply, error) {
	p.Frame, p.BaseURL = c.frame("New automation", automationsPath, ""), h.PublicURL
	if p.Zone == "" {
		zone, err := c.Scope.TimeZone(c)
		if err != nil {
			return nil, err
		}
		p.Zone = zone.String()
	}
	var err error
	if p.Instances, err = c.Scope.InstanceNames(c); err == nil && p.Instance == "" && len(p.Instances) > 0 {
		p.Instance = p.Instances[0].ID
	}
	return page(automations.New(p)).partial(automations.Understood(p)).with(status), err
}

// Create saves what was understood, or shows it: what is long has no room in an address. A trigger's secret is shown with the answer, and never again.
func (h *Automations) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	p := readAutomationForm(f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if p.Preview {
		return h.preview(c, p, 200)
	}
	plan, err := h.plan(c, &p)
	if err != nil {
		return h.preview(c, p, 422)
	}
	a, token, err := h.App.Automations.Create(c, c.Scope, p.Instance, plan)
	if err != nil {
		return nil, err
	}
	if token.Empty() {
		return redirect(automationsPath+"/"+a.ID).say("ok", "It runs "+automate.Glance(a).String()), nil
	}
	return h.one(c, a, token.Reveal(), 201)
}

func readAutomationForm(f *wire.Fields) automations.NewProps {
	return automations.NewProps{Text: f.Text("text"), Instance: f.Text("instance"), Zone: f.Text("timezone"), As: f.Text("as"), Preview: f.Text("preview") != ""}
}

// Show is one with its runs.
func (h *Automations) Show(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.Scope.Automation(c, id)
	if err != nil {
		return nil, err
	}
	return h.one(c, a, "", 200)
}

func (h *Automations) one(c *Ctx, a *models.Automation, secret string, status int) (Reply, error) {
	i, err := c.Scope.Instance(c, a.InstanceID)
	if err != nil {
		return nil, err
	}
	p := automations.ShowProps{Frame: c.frame(a.Name, automationsPath, ""), Row: automations.Row{Automation: a, Instance: i.Name, When: shownWhen(automate.Look(a))}, Secret: secret, Location: time.UTC}
	if zone, err := time.LoadLocation(cmp.Or(p.Row.When.Zone, "UTC")); err == nil {
		p.Location = zone
	}
	if a.Kind == models.AutomationWebhook {
		p.URL = agentapi.TriggerURL(h.PublicURL, a.ID)
	}
	p.Runs, err = c.Scope.Runs(c, a.ID, runsListed)
	return page(automations.Show(p)).with(status), err
}
