package app

import (
	"strconv"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/automate"
	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/automations"
)

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
	if err == nil {
		err = plan.Check(h.App.Automations.Now())
	}
	p.Reading, p.Errors, err = reading(err)
	if p.Reading != nil || err != nil {
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

// reading says what of a form could not be understood; all nil when everything could.
func reading(err error) (*automations.Reading, map[string]string, error) {
	if err == nil {
		return nil, nil, nil
	}
	if fault.Is(err, fault.Unclear) {
		return &automations.Reading{Problem: fault.As(err).Hint}, nil, nil
	}
	if errs, ok := invalid(err); ok { // only the reading is swapped in while somebody types
		problem := ""
		for _, name := range []string{"timezone", "jitter", "allowed_from", "overlap", "missed", "prompt", "name"} {
			if problem == "" && errs[name] != "" {
				problem = errs[name]
				if name == "timezone" { // its words name nothing, and its field is not swapped in
					problem = "Time zone: " + problem
				}
			}
		}
		return &automations.Reading{Problem: problem}, errs, nil
	}
	if fault.Is(err, fault.Invalid) {
		return &automations.Reading{Problem: fault.As(err).Detail}, nil, nil
	}
	return nil, nil, err
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
	options, err := readOptions(p.Policies)
	if err != nil {
		return automate.Plan{}, err
	}
	now := h.App.Automations.Now()
	var plan automate.Plan
	switch apart := strings.TrimSpace(p.Policies.When); {
	case apart != "" && command == automate.Trigger:
		return plan, when.Unclear("A trigger waits for a call: it has no time")
	case apart != "":
		plan, err = automate.At(p.Text, apart, now, zone)
	default:
		plan, err = automate.Read(command, p.Text, now, zone)
	}
	if plan.Webhook && options.Overlap == models.OverlapSkip { // the form's default is a schedule's
		options.Overlap = models.OverlapQueue
	}
	plan.Options = options
	return plan, err
}

// readOptions reads what stands under "More".
func readOptions(p automations.Policies) (automate.Options, error) {
	o := automate.Options{Missed: models.MissedPolicy(p.Missed), Overlap: models.Overlap(p.Overlap), AllowedFrom: p.AllowedFrom, Strict: p.Strict}
	jitter, err := readJitter(p.Jitter)
	o.Jitter = jitter
	return o, err
}

func readJitter(text string) (int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > models.MaxJitter {
		var is fault.Issues
		is.Custom("jitter", "Whole seconds, from 0 to 3600")
		return 0, is.Err()
	}
	return n, nil
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
		i, err := c.Scope.DefaultInstance(c)
		if err == nil {
			p.Instance = i.ID
		} else if !fault.Is(err, fault.NotFound) { // all of them are being deleted
			return nil, err
		}
	}
	return page(automations.New(p)).partial(automations.Understood(p)).with(status), err
}

// Create saves what was understood, or shows it: what is long has no room in an address. A trigger's secret is shown by the page after, once.
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
	if errs, ok := invalid(err); ok {
		p.Errors = errs
		return h.show(c, p, 422)
	}
	if err != nil {
		return nil, err
	}
	if token.Empty() {
		return redirect(automationsPath+"/"+a.ID).say("ok", "It runs "+automate.Glance(a).String()), nil
	}
	return c.showOnce(automationsPath+"/"+a.ID, once{Value: token.Reveal()})
}

func readAutomationForm(f *wire.Fields) automations.NewProps {
	return automations.NewProps{Text: f.Text("text"), Instance: f.Text("instance"), Zone: f.Text("timezone"), As: f.Text("as"), Preview: f.Text("preview") != "", Policies: readPolicies(f)}
}

func readPolicies(f *wire.Fields) automations.Policies {
	p := automations.Policies{When: f.Text("when"), Missed: f.Text("missed"), Overlap: f.Text("overlap"), Jitter: f.Text("jitter"), AllowedFrom: f.Text("allowed_from")}
	if strict := f.OptionalBool("strict"); strict != nil {
		p.Strict = *strict
	}
	return p
}
