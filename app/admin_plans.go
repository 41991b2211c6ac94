package app

import (
	"strconv"

	"lobstead/models"
	"lobstead/views/admin"
)

// AdminPlans are the plans and their prices.
type AdminPlans struct{ *App }

// Index lists them.
func (h *AdminPlans) Index(c *Ctx) (Reply, error) {
	plans, err := h.Store.AsSystem("plans of the installation").Plans(c)
	return page(admin.Plans(admin.PlansProps{Frame: c.adminFrame("Plans"), Plans: plans})), err
}

// Edit shows the form of one.
func (h *AdminPlans) Edit(c *Ctx) (Reply, error) { return h.edit(c, admin.Form{}, 200) }

func (h *AdminPlans) edit(c *Ctx, form admin.Form, status int) (Reply, error) {
	plan, err := c.Scope.Plan(c, models.Tier(c.f.Params("tier")))
	if err != nil {
		return nil, err
	}
	return page(admin.Plan(admin.PlanProps{Frame: c.adminFrame(string(plan.Tier)), Plan: plan, Form: form})).with(status), nil
}

// planFields are the names of the form's fields, which are the columns'.
var planFields = []string{"memory_mb", "storage_mb", "processes", "cpus", "instances", "price_month_cents", "price_year_cents", "stripe_price_month", "stripe_price_year"}

// Update changes sizes, limits and prices; an empty field keeps what there is.
func (h *AdminPlans) Update(c *Ctx) (Reply, error) {
	a, err := c.staffAct("save")
	var change models.PlanChange
	if a.fields != nil {
		change = readPlan(a)
		err = a.fields.Err()
	}
	if err == nil {
		_, err = h.Store.AsSystem("an act of staff on a plan").UpdatePlan(c, a.by, models.Tier(c.f.Params("tier")), change)
	}
	if form, ok := c.refused(a, "plan", err, planFields...); ok {
		return h.edit(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.PlansPath).say("ok", "The plan was changed"), nil
}

// readPlan reads the form; what is no number is noted.
func readPlan(a staffAct) models.PlanChange {
	number := func(name string) *int {
		text := a.text(name)
		if text == "" {
			return nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			a.fields.Issues.Custom(name, "This is not a whole number")
		}
		return &n
	}
	word := func(name string) *string { // sent empty, it takes the id away
		s, _ := a.fields.OptionalString(name)
		return s
	}
	c := models.PlanChange{MemoryMB: number("memory_mb"), StorageMB: number("storage_mb"), Processes: number("processes"), Instances: number("instances"),
		PriceMonthCents: number("price_month_cents"), PriceYearCents: number("price_year_cents"),
		StripePriceMonth: word("stripe_price_month"), StripePriceYear: word("stripe_price_year")}
	if text := a.text("cpus"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			a.fields.Issues.Custom("cpus", "This is not a number")
		}
		c.CPUs = &n
	}
	return c
}
