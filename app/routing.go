package app

import (
	"strconv"
	"strings"

	"lobstead/engine/llm/door"
	"lobstead/models"
	"lobstead/views/settings"
)

// routing is what the organization has decided about the choice of models, as the form has it.
func (h *Providers) routing(c *Ctx) (*settings.RoutingForm, error) {
	r, err := c.Scope.Routing(c)
	return &settings.RoutingForm{Shadow: r.Shadow, Hedge: strconv.Itoa(r.HedgeMS), Ceiling: r.Ceiling}, err
}

// routed tells where it holds.
func (h *Providers) routed(c *Ctx, f *settings.RoutingForm) error {
	f.Holds = string(h.Door.Ceiling(c, c.Scope))
	rows, err := c.Scope.Instances(c)
	for n := range rows {
		switch {
		case strings.EqualFold(rows[n].Model, door.Auto):
			f.Auto++
		case rows[n].Model != "":
			f.Fixed++
		}
	}
	return err
}

// Route decides about the choice of models.
func (h *Providers) Route(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	form := settings.RoutingForm{Shadow: f.Text("shadow") == "true", Hedge: f.Text("hedge_ms"), Ceiling: f.Text("ceiling")}
	r := models.Routing{Shadow: form.Shadow, Ceiling: form.Ceiling}
	if form.Hedge != "" {
		if r.HedgeMS, err = strconv.Atoi(form.Hedge); err != nil {
			f.Issues.Custom("hedge_ms", "This is not a whole number")
		}
	}
	if err = f.Err(); err == nil {
		err = c.Scope.SetRouting(c, r)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		form.Errors = errs
		return h.show(c, settings.ModelForm{}, &form, 422)
	}
	if err != nil {
		return nil, err
	}
	h.Door.Forget(c.Org())
	return redirect("/settings/models").say("ok", "The router does so from the next request on"), nil
}
