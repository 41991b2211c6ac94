package app

import (
	"context"
	"time"

	"lobstead/api/cloud"
	"lobstead/api/wire"
	"lobstead/models"
	"lobstead/views/instances"
)

// InstancePower starts, stops, restarts and recovers.
type InstancePower struct{ *App }

// settleWait is how long an action's answer waits for the instance to get there; then it says how far it is.
const settleWait = 4 * time.Second

// Create writes what is wanted and waits a moment for it.
func (h *InstancePower) Create(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Instance(c, instance); err != nil {
		return nil, err // what is not yours is 404 before its body is judged
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	i, err := h.act(c, f, instance)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c, settleWait)
	defer cancel()
	if i, err = h.Desk.Await(ctx, c.Scope, instance, i.Generation); err != nil {
		return nil, err
	}
	list, err := (&Instances{h.App}).listed(c.Scope, &c.Principal.Organization, []models.Instance{*i})
	if err != nil {
		return nil, err
	}
	if c.isHTMX() {
		p, err := h.showProps(c, c.Scope, c.Principal, instance)
		if err != nil {
			return nil, err
		}
		return (&answer{}).partial(instances.Head(*p)), nil
	}
	return redirect("/instances/" + instance + from(f)).json(cloud.InstanceActed{InstanceListItem: list[0], Success: true}), nil
}

// loopActs are what a page does to the loop alone: its sandbox stays up.
var loopActs = map[string]models.Standing{"pause": models.StandingPaused, "resume": models.StandingActive}

// act does what was asked; pages have more words for it than the API.
func (h *InstancePower) act(c *Ctx, f *wire.Fields, instance string) (*models.Instance, error) {
	word := ""
	if s, _ := f.OptionalString("action"); c.family == Pages && s != nil {
		word = *s
	}
	if word == string(models.Recover) {
		return h.ask(c, instance, models.Recover)
	}
	if to, ok := loopActs[word]; ok {
		return h.stand(c, instance, to, models.StandingActive, models.StandingPaused)
	}
	action, err := cloud.ReadAction(f)
	if err != nil {
		return nil, err
	}
	return h.ask(c, instance, action)
}

// ask has an instance do something, and wakes the messages that waited for its start.
func (h *InstancePower) ask(c *Ctx, instance string, a models.Action) (*models.Instance, error) {
	i, err := h.Desk.Act(c, c.Scope, instance, a)
	if err != nil || i.Rests() {
		return i, err
	}
	return i, h.Turns.WakeInstance(c, c.Scope, instance)
}

// stand brings an agent to a standing, and wakes the messages that waited for it.
func (a *App) stand(c *Ctx, instance string, to models.Standing, from ...models.Standing) (*models.Instance, error) {
	i, err := a.Desk.Stand(c, c.Scope, instance, to, from...)
	if err != nil {
		return nil, err
	}
	return i, a.Turns.WakeInstance(c, c.Scope, instance)
}

// from is the view of the instance that the form was on.
func from(f *wire.Fields) string {
	if s, _ := f.OptionalString("view"); s != nil && (*s == "terminal" || *s == "files") {
		return "/" + *s
	}
	return ""
}
