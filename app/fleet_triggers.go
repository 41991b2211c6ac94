package app

import (
	agentapi "lobstead/api/agent"
	"lobstead/api/fleet"
	"lobstead/engine/automate"
)

// FleetTriggers are triggers in the fleet API's spelling (fleet-api.md, section 5).
type FleetTriggers struct{ *App }

// Index lists a page of them, without secrets.
func (h *FleetTriggers) Index(c *Ctx) (Reply, error) {
	p, err := c.fleetPage()
	if err != nil {
		return nil, err
	}
	_, rows, err := h.automationsOf(c, true)
	out := fleet.TriggerList{Triggers: []fleet.Trigger{}, Pagination: fleet.NewPagination(p.page, p.limit, len(rows))}
	for n := p.skip(); n < min(p.skip()+p.limit, len(rows)); n++ {
		out.Triggers = append(out.Triggers, fleet.NewTrigger(&rows[n], agentapi.TriggerURL(h.PublicURL, rows[n].ID), ""))
	}
	return data(out), err
}

// Create makes one; its secret is in this answer and in no other.
func (h *FleetTriggers) Create(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadTrigger(f, true)
	if err != nil {
		return nil, err
	}
	p := automate.Plan{Name: *in.Name, Prompt: *in.Template, Webhook: true, Options: automate.Options{Paused: in.Enabled != nil && !*in.Enabled}}
	a, token, err := h.Automations.Create(c, c.Scope, i.ID, p)
	if err != nil {
		return nil, fleet.OfTemplate(err)
	}
	return data(fleet.NewTrigger(a, agentapi.TriggerURL(h.PublicURL, a.ID), token.Reveal())).with(201), nil
}

// Update changes one.
func (h *FleetTriggers) Update(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "trigger")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadTrigger(f, false)
	if err != nil {
		return nil, err
	}
	a, err = h.Automations.Edit(c, c.Scope, a.ID, automate.Change{Name: in.Name, Prompt: in.Template, Enabled: in.Enabled})
	if err != nil {
		return nil, fleet.OfTemplate(err)
	}
	return data(fleet.NewTrigger(a, agentapi.TriggerURL(h.PublicURL, a.ID), "")), nil
}

// Destroy ends one: its address is gone from then on.
func (h *FleetTriggers) Destroy(c *Ctx) (Reply, error) {
	a, err := h.automationOf(c, "trigger")
	if err == nil {
		err = h.Automations.Delete(c, c.Scope, a.ID)
	}
	return data(fleet.Done{Message: "Trigger deleted successfully"}), err
}
