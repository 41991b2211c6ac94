package app

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetAgents are instances in the fleet API's spelling (fleet-api.md, section 2).
type FleetAgents struct{ *App }

// agentOf is the instance that the path names; one that is being deleted is gone.
func (a *App) agentOf(c *Ctx) (*models.Instance, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	i, err := c.Scope.Instance(c, id)
	if err == nil && i.Desired == models.WantDeleted {
		err = fault.NotFoundf("instance")
	}
	return i, err
}

// Index lists a page of them.
func (h *FleetAgents) Index(c *Ctx) (Reply, error) {
	p, err := c.fleetPage()
	if err != nil {
		return nil, err
	}
	q, err := c.agentQuery()
	if err != nil {
		return nil, err
	}
	rows, err := h.facts(c)
	if err != nil {
		return nil, err
	}
	rows = q.apply(rows)
	shown := rows[min(p.skip(), len(rows)):min(p.skip()+p.limit, len(rows))]
	if err := h.counted(c, shown); err != nil {
		return nil, err
	}
	out := fleet.AgentList{Agents: []fleet.Agent{}, Pagination: fleet.NewPagination(p.page, p.limit, len(rows))}
	for _, f := range shown {
		out.Agents = append(out.Agents, fleet.NewAgent(f))
	}
	return data(out), nil
}

// facts are all agents of the organization, without their counts.
func (h *FleetAgents) facts(c *Ctx) ([]fleet.Facts, error) {
	rows, err := c.Scope.Instances(c)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for n := range rows {
		ids[n] = rows[n].ID
	}
	profiles, err := c.Scope.AgentProfiles(c, ids)
	out := []fleet.Facts{}
	for n := range rows {
		if rows[n].Desired != models.WantDeleted {
			p := profiles[rows[n].ID]
			out = append(out, fleet.Facts{Instance: &rows[n], Profile: &p})
		}
	}
	return out, err
}

func (h *FleetAgents) counted(c *Ctx, list []fleet.Facts) error {
	ids := make([]string, len(list))
	for n := range list {
		ids[n] = list[n].Instance.ID
	}
	counts, err := c.Scope.CountMessages(c, ids)
	for n := range list {
		list[n].Messages = counts[ids[n]]
	}
	return err
}

// agentQuery is how a list of agents is narrowed and sorted.
type agentQuery struct {
	status, sort string
	ascending    bool
}

func (c *Ctx) agentQuery() (agentQuery, error) {
	var is fault.Issues
	q := agentQuery{c.Query("status"), c.Query("sort"), c.Query("order") == "asc"}
	for _, one := range []struct {
		name, value string
		options     []string
	}{{"status", q.status, []string{"active", "paused", "stopped", "error"}}, {"sort", q.sort, []string{"created_at", "updated_at", "name"}}, {"order", c.Query("order"), []string{"asc", "desc"}}} {
		if one.value != "" && !slices.Contains(one.options, one.value) {
			is.NotOneOf(one.name, one.value, one.options...)
		}
	}
	return q, is.Err()
}

func (q agentQuery) apply(rows []fleet.Facts) []fleet.Facts {
	rows = slices.DeleteFunc(rows, func(f fleet.Facts) bool { return q.status != "" && string(f.Instance.Standing()) != q.status })
	slices.SortStableFunc(rows, func(a, b fleet.Facts) int {
		n := a.Instance.CreatedAt.Compare(b.Instance.CreatedAt)
		switch q.sort {
		case "updated_at":
			n = a.Instance.UpdatedAt.Compare(b.Instance.UpdatedAt)
		case "name":
			n = strings.Compare(strings.ToLower(a.Profile.Name(a.Instance)), strings.ToLower(b.Profile.Name(b.Instance)))
		}
		if q.ascending {
			return n
		}
		return -n
	})
	return rows
}

// fleetPage is a page of a list: page from 1, limit 1 to 100.
type fleetPage struct{ page, limit int }

func (p fleetPage) skip() int { return (p.page - 1) * p.limit }

func (c *Ctx) fleetPage() (fleetPage, error) {
	page, err := c.queryInt("page", 1, 1, 1_000_000)
	if err != nil {
		return fleetPage{}, err
	}
	limit, err := c.queryInt("limit", 20, 1, 100)
	return fleetPage{page, limit}, err
}

// queryInt reads a whole number of the address; what is none, or is out of bounds, is Invalid.
func (c *Ctx) queryInt(name string, def, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return def, nil
	}
	var is fault.Issues
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		is.WrongType(name, "number", "string")
	case n < least:
		is.NumberTooSmall(name, least)
	case n > most:
		is.NumberTooBig(name, most)
	}
	return n, is.Err()
}

// Show is one whole.
func (h *FleetAgents) Show(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := h.whole(c, i)
	return data(fleet.NewAgentDetail(f)), err
}

// whole reads all that is told of one.
func (h *FleetAgents) whole(c *Ctx, i *models.Instance) (fleet.Facts, error) {
	f := fleet.Facts{Instance: i}
	var err error
	if f.Profile, err = c.Scope.AgentProfile(c, i.ID); err != nil {
		return f, err
	}
	list := []fleet.Facts{f}
	if err := h.counted(c, list); err != nil {
		return f, err
	}
	f.Messages = list[0].Messages
	if f.Balance, err = c.Scope.TokenBalance(c, i.ID); err != nil {
		return f, err
	}
	env, err := c.Scope.Env(i)
	if err != nil {
		return f, err
	}
	f.EnvNames = slices.Collect(maps.Keys(env))
	f.Files, err = h.filesOf(c, i)
	return f, err
}

// Summary is the short one.
func (h *FleetAgents) Summary(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f := fleet.Facts{Instance: i}
	if f.Profile, err = c.Scope.AgentProfile(c, i.ID); err != nil {
		return nil, err
	}
	if f.Balance, err = c.Scope.TokenBalance(c, i.ID); err != nil {
		return nil, err
	}
	list := []fleet.Facts{f}
	err = h.counted(c, list)
	return data(fleet.NewAgentSummary(list[0])), err
}

// Ready tells whether a message would be answered now; it is 200 also when not.
func (h *FleetAgents) Ready(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	seen := i.StateSince
	readings, err := c.Scope.Metrics(c, i.ID, 1)
	if len(readings) > 0 && readings[0].CreatedAt.After(seen) {
		seen = readings[0].CreatedAt
	}
	return data(fleet.NewAgentReady(i, &seen)), err
}

// Destroy asks for the end of one; Conflict while it works, unless it is forced.
func (h *FleetAgents) Destroy(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	force := f.OptionalBool("force")
	if err := f.Err(); err != nil {
		return nil, err
	}
	busy, err := c.Scope.BusyTurns(c, i.ID)
	if err != nil {
		return nil, err
	}
	if len(busy) > 0 && (force == nil || !*force) {
		return nil, fault.New(fault.Conflict, "agent.busy", "Agent has work running: set force to delete it all the same")
	}
	if _, err := h.Desk.Delete(c, c.Scope, i.ID); err != nil {
		return nil, err
	}
	now := wire.Time(h.Store.Now())
	return data(fleet.AgentChanged{Message: "Agent deleted successfully", ID: i.ID, UUID: i.ID, DeletedAt: &now}), nil
}

// Balance changes how many tokens the agent may still write.
func (h *FleetAgents) Balance(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	amount := fleet.Number(f, "amount")
	how, _ := f.Enum("type", string(models.BalanceIncrement), string(models.BalanceSet))
	if err := f.Err(); err != nil {
		return nil, err
	}
	before, after, err := c.Scope.ChangeTokenBalance(c, i.ID, models.BalanceChange(how), amount)
	if err != nil {
		return nil, err
	}
	err = h.Turns.ResumeAll(c, c.Scope)
	return data(fleet.BalanceChanged{Message: "Agent balance updated successfully", NewBalance: after, PreviousBalance: before}), err
}
