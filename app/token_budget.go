package app

import (
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

// TokenBudget is the agent API's view of the budgets that a caller falls under (agent-api.md, 3.6).
type TokenBudget struct{ *App }

// Show tells what may still be used.
func (h *TokenBudget) Show(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	b, err := h.budget(c, i)
	return data(agentapi.TokenBudgetAnswer{Budget: b}), err
}

// Create recommends a model for a message. It calls none and uses nothing up.
func (h *TokenBudget) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	message, err := agentapi.ReadBudgetMessage(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	r, err := h.recommend(c, i, message)
	if err != nil {
		return nil, err
	}
	b, err := h.budget(c, i)
	return data(agentapi.RecommendationAnswer{Recommendation: r, Model: r.Model, Tier: r.Tier, Complexity: r.Complexity, Budget: b}), err
}

func (h *TokenBudget) recommend(c *Ctx, i *models.Instance, message string) (agentapi.Recommendation, error) {
	req := llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: message}}}}}
	p, err := h.Door.Plan(c, c.Scope, door.Ask{Instance: i, Model: door.Auto, Request: req})
	if err != nil {
		return agentapi.Recommendation{}, err
	}
	route, input := p.Routes[0], llm.EstimateRequest(req)
	output := max(1, input/2) // agent-api.md, 2.3: half of the prompt unless somebody knows better
	out := agentapi.Recommendation{Model: route.Model, Label: route.Label(), Tier: string(route.Tier()), Complexity: p.Decision.Complexity,
		Reason: p.Decision.Reason, EstimatedTokens: input + output}
	if nanos, ok := route.Price(llm.Usage{Input: input, Output: output}, time.Now()); ok {
		usd := models.Dollars(nanos)
		out.EstimatedCostUSD = &usd
	}
	return out, nil
}

func (h *TokenBudget) budget(c *Ctx, i *models.Instance) (agentapi.TokenBudget, error) {
	by := c.actor()
	states, err := c.Scope.BudgetsOf(c, models.Charge{InstanceID: i.ID, MemberID: by.UserID, KeyID: by.KeyID})
	if err != nil {
		return agentapi.TokenBudget{}, err
	}
	used, err := c.Scope.UseOfMonth(c)
	return agentapi.NewTokenBudget(c.Principal.Organization.Plan, states, used), err
}
