package app

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	agentapi "lobstead/api/agent"
	"lobstead/api/runtime"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

// AgentStatus is how an agent does: two families read the same path, so the answer has the keys of both.
type AgentStatus struct{ *App }

// agentStatus is the one object with both families' keys; none is in both.
type agentStatus struct {
	agentapi.Status
	runtime.AgentStatus
}

// statusMessages is how many messages the answer brings.
const statusMessages = 50

// Show tells how the agent does, with what "include" names.
func (h *AgentStatus) Show(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	health, err := c.Scope.InstanceHealth(c, i)
	if err != nil {
		return nil, err
	}
	route := h.routeOf(c, i)
	out := agentStatus{}
	if out.Agent, err = h.agent(c, i, route); err != nil {
		return nil, err
	}
	if out.AgentStatus, err = h.diagnosed(c, i, route, health); err != nil {
		return nil, err
	}
	err = h.include(c, i, health, &out.Status)
	return data(out), err
}

// routeOf is who answers an instance. What it is set up with may be useless; that is no reason not to tell how it does.
func (a *App) routeOf(c *Ctx, i *models.Instance) door.Route {
	route, err := a.Door.Resolve(c, c.Scope, i)
	if err != nil {
		a.Log.WarnContext(c, "the model of an instance cannot be reached", "instance", i.ID, "error", err)
		return door.Route{Model: i.Model}
	}
	return route
}

// agent presents an instance with what its caller may still use.
func (a *App) agent(c *Ctx, i *models.Instance, route door.Route) (agentapi.Agent, error) {
	b, err := (&TokenBudget{a}).budget(c, i)
	if err != nil {
		return agentapi.Agent{}, err
	}
	host := ""
	if u, err := url.Parse(a.PublicURL); err == nil {
		host = u.Hostname()
	}
	return agentapi.NewAgent(i, host, cmp.Or(i.Model, route.Model), b), nil
}

func (h *AgentStatus) diagnosed(c *Ctx, i *models.Instance, route door.Route, health models.InstanceHealth) (runtime.AgentStatus, error) {
	primary := route.Name + "/" + route.Model
	active, err := c.Scope.LastModel(c, i.ID)
	if err != nil {
		return runtime.AgentStatus{}, err
	}
	breakers, err := h.Door.Breakers(c, c.Scope)
	if err != nil {
		return runtime.AgentStatus{}, err
	}
	parked, err := c.Scope.ParkedOf(c, i.ID)
	if err != nil {
		return runtime.AgentStatus{}, err
	}
	_, cache, err := c.Scope.ResponseCache(c, i.ID)
	if err != nil {
		return runtime.AgentStatus{}, err
	}
	d := runtime.Diagnostics{CacheEntries: int(cache.Entries), CacheHitRate: cache.HitRate(), UptimeSeconds: int64(health.Uptime.Seconds()), PrimaryModel: primary, ActiveModel: cmp.Or(active, primary), PrimaryProvider: route.Name,
		Breaker: runtime.BreakerWord(string(h.Door.Standing(c, c.Scope, route).State)), PendingApprovals: parked}
	for _, b := range breakers {
		switch b.State {
		case door.Open:
			d.BreakerOpen++
		case door.HalfOpen:
			d.BreakerHalfOpen++
		}
	}
	return runtime.AgentStatus{State: strings.ToLower(string(i.State)), Name: i.Name, AgentName: i.Name, AgentID: i.ID, PrimaryModel: d.PrimaryModel,
		ActiveModel: d.ActiveModel, Breaker: d.Breaker, CacheEntries: d.CacheEntries, CacheHitRate: d.CacheHitRate, Diagnostics: d}, nil
}

// include adds what was asked for; unknown names are ignored.
func (h *AgentStatus) include(c *Ctx, i *models.Instance, health models.InstanceHealth, out *agentapi.Status) error {
	asked := strings.Split(strings.ReplaceAll(c.Query("include"), " ", ""), ",")
	if slices.Contains(asked, "messages") {
		if err := c.May(models.CanUseInstances); err != nil { // as reading the conversations themselves
			return err
		}
		said, err := c.Scope.RecentlySaid(c, i.ID, statusMessages)
		if err != nil {
			return err
		}
		list := agentapi.NewMessages(said)
		out.Messages = &list
	}
	if slices.Contains(asked, "logs") {
		rows, err := c.Scope.Logs(c, i.ID, models.ShownLogs)
		if err != nil {
			return err
		}
		list := agentapi.NewStatusLogs(rows)
		out.Logs = &list
	}
	if slices.Contains(asked, "health") {
		now := agentapi.NewHealth(health)
		out.Health = &now
	}
	return h.includeSkills(c, i, asked, out)
}
