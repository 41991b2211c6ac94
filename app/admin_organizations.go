package app

import (
	"strconv"

	"lobstead/models"
	"lobstead/views/admin"
)

// AdminOrganizations are all organizations of the installation.
type AdminOrganizations struct{ *App }

// Index lists and searches them.
func (h *AdminOrganizations) Index(c *Ctx) (Reply, error) {
	s := c.search(admin.OrganizationsPath, "Search by name, address name or id")
	rows, err := h.Store.AsSystem("organizations of the installation").Organizations(c, models.Listing{Text: s.Text, Before: s.Before, Limit: officePage + 1})
	if err != nil {
		return nil, err
	}
	rows, s.Next = paged(rows, officePage, func(o models.OrganizationRow) string { return o.ID })
	return page(admin.Organizations(admin.OrganizationsProps{Frame: c.adminFrame("Organizations"), Search: s, Organizations: rows})), nil
}

// Show is one.
func (h *AdminOrganizations) Show(c *Ctx) (Reply, error) {
	org, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.show(c, org, admin.Form{}, 200)
}

func (h *AdminOrganizations) show(c *Ctx, org string, form admin.Form, status int) (Reply, error) {
	o, err := h.Store.AsSystem("an organization of the installation").OrganizationByID(c, org)
	if err != nil {
		return nil, err
	}
	p, sc := admin.OrganizationProps{Frame: c.adminFrame(o.Name), Organization: o, Form: form}, h.Store.In(org)
	if p.Holdings, err = sc.Holdings(c); err != nil {
		return nil, err
	}
	if p.Members, err = sc.Members(c); err != nil {
		return nil, err
	}
	if p.Instances, err = sc.Instances(c); err != nil {
		return nil, err
	}
	if p.Allowance, err = sc.Allowance(c); err != nil {
		return nil, err
	}
	p.Flags, err = sc.Flags(c)
	return page(admin.Organization(p)).with(status), err
}

var organizationActs = map[string]string{"plan": "The plan was changed", "limit": "The limit was changed", "suspend": "The organization is suspended",
	"resume": "The organization goes on"}

// Update changes the plan or the limit of instances, suspends, or ends a suspension.
func (h *AdminOrganizations) Update(c *Ctx) (Reply, error) {
	org, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("plan", "limit", "suspend", "resume")
	if err == nil {
		err = h.act(c, a, h.Store.In(org).As(a.by))
	}
	if form, ok := c.refused(a, a.name, err, "plan", "instance_limit"); ok {
		return h.show(c, org, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.OrganizationsPath+"/"+org).say("ok", organizationActs[a.name]), nil
}

func (h *AdminOrganizations) act(c *Ctx, a staffAct, sc *models.Scope) error {
	switch a.name {
	case "plan":
		_, err := sc.SetPlan(c, models.Tier(a.text("plan")))
		return err
	case "limit":
		limit, err := readLimit(a)
		if err == nil {
			_, err = sc.SetInstanceLimit(c, limit)
		}
		return err
	case "suspend":
		return h.Desk.Suspend(c, sc, a.reason)
	}
	return h.Desk.Resume(c, sc)
}

// readLimit reads how many instances an organization may have; an empty field is the plan's own number.
func readLimit(a staffAct) (*int, error) {
	text := a.text("instance_limit")
	if text == "" {
		return nil, a.fields.Err()
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		a.fields.Issues.Custom("instance_limit", "This is not a whole number")
	}
	return &n, a.fields.Err()
}

// Flag switches a feature for the organization, or lets it follow the installation.
func (h *AdminOrganizations) Flag(c *Ctx) (Reply, error) {
	org, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("on", "off", "follow")
	if err == nil {
		on := a.name == "on"
		var own *bool
		if a.name != "follow" {
			own = &on
		}
		err = h.Store.In(org).As(a.by).SetFlag(c, a.text("flag"), own)
	}
	if form, ok := c.refused(a, "flag "+a.text("flag"), err); ok {
		return h.show(c, org, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.OrganizationsPath+"/"+org).say("ok", "The feature was changed"), nil
}

// Destroy ends the organization, when its name was typed: its members lose it at once, its rows go when its
// sandboxes are gone.
func (h *AdminOrganizations) Destroy(c *Ctx) (Reply, error) {
	org, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	o, err := h.Store.AsSystem("an organization of the installation").OrganizationByID(c, org)
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("delete")
	if a.fields != nil && a.text("confirm") != o.Name {
		a.fields.Issues.Custom("confirm", "Type the organization's name to delete it")
		err = a.fields.Err()
	}
	if err == nil {
		err = h.end(c, h.Store.In(org).As(a.by))
	}
	if form, ok := c.refused(a, "delete", err); ok {
		return h.show(c, org, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.OrganizationsPath).say("ok", "The organization is being deleted"), nil
}
