package app

import (
	"lobstead/models"
	"lobstead/views/admin"
	"lobstead/views/ui"
)

// AdminInstances are the instances of all organizations.
type AdminInstances struct{ *App }

// Index lists, searches and narrows them by state.
func (h *AdminInstances) Index(c *Ctx) (Reply, error) {
	s := c.search(admin.InstancesPath, "Search by name, id or organization id")
	s.Name, s.Label, s.Choice, s.Choices = "state", "State", c.Query("state"), []ui.Option{{Value: "", Text: "Every state"}, {Value: "unsettled", Text: "Not as wanted"}}
	for _, state := range models.InstanceStates {
		s.Choices = append(s.Choices, ui.Option{Value: string(state), Text: string(state)})
	}
	rows, err := h.Store.AsSystem("instances of all").AllInstances(c, models.Listing{Text: s.Text, State: s.Choice, Before: s.Before, Limit: officePage + 1})
	if err != nil {
		return nil, err
	}
	rows, s.Next = paged(rows, officePage, func(i models.InstanceRow) string { return i.ID })
	return page(admin.Instances(admin.InstancesProps{Frame: c.adminFrame("Instances"), Search: s, Instances: rows})), nil
}

// Show is one.
func (h *AdminInstances) Show(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.show(c, instance, admin.Form{}, 200)
}

func (h *AdminInstances) show(c *Ctx, instance string, form admin.Form, status int) (Reply, error) {
	i, err := h.find(c, instance)
	if err != nil {
		return nil, err
	}
	o, err := h.Store.AsSystem("whose instance it is").OrganizationByID(c, i.OrganizationID)
	if err != nil {
		return nil, err
	}
	logs, err := h.Store.In(i.OrganizationID).Logs(c, instance, models.ShownLogs)
	return page(admin.Instance(admin.InstanceProps{Frame: c.adminFrame(i.Name), Instance: i, Organization: o, Logs: logs, Form: form})).with(status), err
}

func (h *AdminInstances) find(c *Ctx, instance string) (*models.Instance, error) {
	return h.Store.AsSystem("an instance of any organization").InstanceByID(c, instance)
}

// Update has an instance reconciled now.
func (h *AdminInstances) Update(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	i, err := h.find(c, instance)
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("reconcile")
	if err == nil {
		_, err = h.Store.In(i.OrganizationID).As(a.by).RetryInstance(c, instance)
	}
	if form, ok := c.refused(a, "instance", err); ok {
		return h.show(c, instance, form, 422)
	}
	if err == nil {
		err = h.Desk.Look(c, i.OrganizationID, instance)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.InstancesPath+"/"+instance).say("ok", "A worker looks at it now"), nil
}
