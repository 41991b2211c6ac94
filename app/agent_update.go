package app

import (
	"strings"

	agentapi "lobstead/api/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// AgentUpdate rebuilds an agent with other settings, in the agent API's spelling.
type AgentUpdate struct{ *App }

// Create writes what is wanted; the reconciler carries it out. Files, conversations and memories stay.
func (h *AgentUpdate) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := agentapi.ReadUpdate(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	change := models.InstanceChange{Model: in.Model, Tier: in.Tier, Region: in.Region, Rebuild: true}
	if in.Key != nil {
		if err := c.ownKey(i, *in.Key, "aiApiKey", &change); err != nil {
			return nil, err
		}
	}
	if i, err = h.Desk.Update(c, c.Scope, i.ID, change); err != nil {
		return nil, err
	}
	said := "Rebuild started"
	if i.State == models.Stopped {
		said = "Saved: it holds when the agent is started"
	}
	agent, err := h.agent(c, i, h.routeOf(c, i))
	return data(agentapi.UpdateAnswer{Success: true, Message: said, Agent: agent}), err
}

// ownKey adds to a change that the instance asks the service of this key from now on, and no other; an empty key gives it
// back to the organization's services. field names the key in what is refused.
func (c *Ctx) ownKey(i *models.Instance, key secret.String, field string, change *models.InstanceChange) error {
	if err := c.May(models.CanManageProviders); err != nil {
		return err
	}
	own := models.OwnKey{Key: secret.Of(strings.TrimSpace(key.Reveal()))}
	model := i.Model
	if change.Model != nil {
		model = *change.Model
	}
	if !own.Key.Empty() {
		kind, ok := connect.KindOf(own.Key, model)
		if !ok {
			var is fault.Issues
			is.Custom(field, "It cannot be told which service this key is of: name a model of it too")
			return is.Err()
		}
		own.Kind, own.Model = string(kind), llm.DefaultModel(string(kind))
		if _, ok := llm.Lookup(own.Kind, model); change.Model == nil && model != "" && !ok { // another service's model
			auto := door.Auto
			change.Model = &auto
		}
	}
	change.Key = &own
	return nil
}
