package app

import (
	"context"
	"slices"
	"strconv"

	"lobstead/api/cloud"
	"lobstead/engine/automate"
	"lobstead/models"
	"lobstead/views/automations"
)

const automationsListed = 50 // on a page

// Index lists those of all instances, and their channels, narrowed by the address.
func (h *Automations) Index(c *Ctx) (Reply, error) {
	p, err := h.automationList(c, c.Scope, automationQuery(c))
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		out := cloud.Automations{Automations: []cloud.Automation{}, Total: p.Total}
		for n := range p.Lines {
			r := &p.Lines[n]
			out.Automations = append(out.Automations, cloud.NewAutomation(&r.AutomationEntry, r.When.Words))
		}
		return data(out), nil
	}
	p.Frame = c.frame("Automations", automationsPath, p.Live())
	return page(automations.Index(*p)).partial(automations.List(*p)).known(p.Address()), nil
}

// automationQuery reads what the list is narrowed by.
func automationQuery(c *Ctx) automations.Query {
	q := automations.Query{Text: c.Query("q"), Kind: c.Query("kind"), Instance: c.Query("instance"), State: c.Query("state"), Outcome: c.Query("outcome"), Owner: c.Query("owner")}
	q.Page, _ = strconv.Atoi(c.Query("page"))
	return q
}

// automationList is what the list shows, and its stream.
func (a *App) automationList(ctx context.Context, sc *models.Scope, q automations.Query) (*automations.IndexProps, error) {
	p := &automations.IndexProps{Query: q, BaseURL: a.PublicURL, MayAll: sc.Actor.May(models.CanEditSettings)}
	rows, err := sc.AutomationEntries(ctx)
	if err != nil {
		return nil, err
	}
	if p.Holds, err = sc.AutomationHolds(ctx); err != nil {
		return nil, err
	}
	p.Instances, err = sc.InstanceNames(ctx)
	p.All = len(rows)
	for n := range rows {
		id, name := rows[n].Owner()
		if id != "" && !slices.ContainsFunc(p.Owners, func(o automations.Owner) bool { return o.ID == id }) {
			p.Owners = append(p.Owners, automations.Owner{ID: id, Name: name})
		}
	}
	f := models.AutomationFilter{Text: q.Text, Kind: q.Kind, State: q.State, Outcome: q.Outcome, InstanceID: q.Instance, OwnerUserID: q.Owner}
	rows = slices.DeleteFunc(rows, func(e models.AutomationEntry) bool { return !f.Fits(&e) })
	p.Total = len(rows)
	p.Query.Page = min(max(q.Page, 1), max((p.Total+automationsListed-1)/automationsListed, 1))
	p.From = (p.Query.Page - 1) * automationsListed
	for _, e := range rows[p.From:min(p.From+automationsListed, p.Total)] {
		r := automations.Line{AutomationEntry: e}
		if e.Automation != nil {
			r.When = shownWhen(automate.Glance(e.Automation))
		}
		p.Lines = append(p.Lines, r)
	}
	return p, err
}
