package app

import (
	"math"
	"strconv"
	"strings"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/settings"
)

// Budgets are the limits of what may be spent.
type Budgets struct{ *App }

const budgetsPath = "/settings/budgets"

// Index lists them, and the turns that wait for one.
func (h *Budgets) Index(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	return page(settings.Budgets(*p)).json(settings.NewBudgetList(p)), nil
}

func (h *Budgets) props(c *Ctx) (*settings.BudgetsProps, error) {
	p := &settings.BudgetsProps{Frame: c.frame("Budgets", "/settings", ""), MayManage: c.May(models.CanManageBudgets) == nil, BaseURL: h.PublicURL,
		New: settings.BudgetForm{Of: "organization:", Unit: string(models.BudgetMoney), Period: string(models.BudgetMonthly), Warn: strconv.Itoa(models.DefaultWarn)}}
	var err error
	if p.Budgets, err = c.Scope.Budgets(c); err != nil {
		return nil, err
	}
	if p.Parked, err = c.Scope.ParkedTurns(c); err != nil {
		return nil, err
	}
	zone, err := c.Scope.TimeZone(c)
	if err != nil {
		return nil, err
	}
	p.Zone = zone.String()
	if p.MayManage {
		err = h.targets(c, p)
	}
	return p, err
}

// targets are whom a new budget can be of.
func (h *Budgets) targets(c *Ctx, p *settings.BudgetsProps) error {
	members, err := c.Scope.Members(c)
	if err != nil {
		return err
	}
	for _, m := range members {
		p.Targets = append(p.Targets, settings.BudgetTarget{Value: "member:" + m.User.ID, Text: "Member: " + m.User.Name})
	}
	keys, err := c.Scope.APIKeys(c)
	if err != nil {
		return err
	}
	for _, k := range keys {
		p.Targets = append(p.Targets, settings.BudgetTarget{Value: "key:" + k.ID, Text: "API key: " + k.Name})
	}
	instances, err := c.Scope.InstanceNames(c)
	for _, i := range instances {
		p.Targets = append(p.Targets, settings.BudgetTarget{Value: "instance:" + i.ID, Text: "Instance: " + i.Name})
	}
	if err != nil {
		return err
	}
	automations, err := c.Scope.Automations(c, "")
	for _, a := range automations {
		p.Targets = append(p.Targets, settings.BudgetTarget{Value: string(models.BudgetOfSchedule) + ":" + a.ID, Text: "Automation: " + a.Name})
	}
	return err
}

// Create sets a limit.
func (h *Budgets) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	typed := readBudgetForm(f)
	n, err := typed.budget(f)
	var b *models.Budget
	if err == nil {
		b, err = c.Scope.CreateBudget(c, n)
	}
	if err != nil {
		return h.refused(c, typed.BudgetForm, err)
	}
	return h.changed(c, b.ID, budgetsPath, "The budget holds from now on", 201)
}

// refused shows the form again with what is wrong; programs get the fault.
func (h *Budgets) refused(c *Ctx, typed settings.BudgetForm, err error) (Reply, error) {
	errs, ok := invalid(err)
	if fault.As(err).Code == "budget.exists" {
		errs, ok = map[string]string{"of": fault.As(err).Detail}, true
	}
	if !ok || c.wantsJSON() {
		return nil, err
	}
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	p.New, p.Errors = typed, errs
	return page(settings.Budgets(*p)).with(422), nil
}

// changed answers a change: turns that wait for a budget are tried again.
func (h *Budgets) changed(c *Ctx, budget, back, words string, status int) (Reply, error) {
	if err := h.Turns.ResumeAll(c, c.Scope); err != nil {
		return nil, err
	}
	if !c.wantsJSON() {
		return redirect(back).say("ok", words), nil
	}
	s, err := c.Scope.Budget(c, budget)
	if err != nil {
		return nil, err
	}
	return data(settings.NewBudgetItem(s)).with(status), nil
}

// Update changes the figures of one.
func (h *Budgets) Update(c *Ctx) (Reply, error) {
	budget, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	s, err := c.Scope.Budget(c, budget)
	if err != nil {
		return nil, err
	}
	typed := readBudgetForm(f)
	amount := readAmount(f, s.Unit, typed.Amount)
	warn := s.WarnPercent
	if typed.warn != nil {
		warn = *typed.warn
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if _, err := c.Scope.UpdateBudget(c, budget, amount, warn); err != nil {
		return nil, err
	}
	return h.changed(c, budget, localOr(typed.back, budgetsPath), "The budget is changed", 200)
}

// Destroy removes one.
func (h *Budgets) Destroy(c *Ctx) (Reply, error) {
	budget, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.DeleteBudget(c, budget); err != nil {
		return nil, err
	}
	if err := h.Turns.ResumeAll(c, c.Scope); err != nil {
		return nil, err
	}
	return redirect(budgetsPath).json(map[string]bool{"success": true}).say("ok", "The budget is removed"), nil
}

// Zone says when days and months begin.
func (h *Budgets) Zone(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, _ := f.String("time_zone")
	if err := f.Err(); err != nil {
		return nil, err
	}
	err = c.Scope.SetTimeZone(c, strings.TrimSpace(name))
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		p, err := h.props(c)
		if err != nil {
			return nil, err
		}
		p.Zone, p.Errors = name, errs
		return page(settings.Budgets(*p)).with(422), nil
	}
	if err != nil {
		return nil, err
	}
	return redirect(budgetsPath).json(map[string]string{"time_zone": name}).say("ok", "Days and months begin by "+name), nil
}

// budgetInput is what was sent: of is the form's, scope and target_id are the programs'.
type budgetInput struct {
	settings.BudgetForm
	warn *int
	back string
}

func readBudgetForm(f *wire.Fields) budgetInput {
	text := func(name string) string {
		s, ok := f.OptionalString(name)
		if !ok || s == nil {
			return ""
		}
		return strings.TrimSpace(*s)
	}
	in := budgetInput{BudgetForm: settings.BudgetForm{Of: text("of"), Unit: text("unit"), Period: text("period"), Amount: text("amount")}, back: text("back")}
	if in.Of == "" {
		in.Of = text("scope") + ":" + text("target_id")
	}
	if in.warn = f.OptionalInt("warn_percent", 0, 100); in.warn != nil {
		in.Warn = strconv.Itoa(*in.warn)
	}
	return in
}

func (in budgetInput) budget(f *wire.Fields) (models.NewBudget, error) {
	scope, target, _ := strings.Cut(in.Of, ":")
	n := models.NewBudget{Scope: models.BudgetScope(scope), TargetID: target, Unit: models.BudgetUnit(in.Unit), Period: models.BudgetPeriod(in.Period), WarnPercent: models.DefaultWarn}
	if in.warn != nil {
		n.WarnPercent = *in.warn
	}
	n.Amount = readAmount(f, n.Unit, in.Amount)
	return n, f.Err()
}

// readAmount reads "12.50" dollars, or a whole number of something else.
func readAmount(f *wire.Fields, u models.BudgetUnit, text string) int64 {
	if text == "" {
		f.Issues.Required("amount", "string")
		return 0
	}
	n, ok := figureTyped(text)
	switch {
	case !ok:
		f.Issues.Custom("amount", "This is no amount; write 12.50")
	case n < 0:
		f.Issues.NumberTooSmall("amount", 0)
	case n > float64(models.MaxBudget/models.Dollar) && u == models.BudgetMoney, n > float64(models.MaxBudget):
		f.Issues.Custom("amount", "This is more than a budget can hold")
	case u == models.BudgetMoney:
		return int64(math.Round(n*1e6)) * 1000 // to a millionth of a dollar: more digits no float keeps
	case n != math.Trunc(n):
		f.Issues.Custom("amount", "This must be a whole number")
	default:
		return int64(n)
	}
	return 0
}
