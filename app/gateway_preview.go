package app

import (
	"cmp"
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/engine/gateway"
	"lobstead/engine/llm/door"
	"lobstead/kit/limit"
)

// previews is how often one address may ask without a credential.
var previews = limit.Rule{N: 60, Per: time.Minute}

// Preview says which model would answer a prompt. With a credential it is the caller's organization that is asked for,
// else the installation.
func (h *ModelGateway) Preview(c *Ctx) (Reply, error) {
	if _, err := c.take("preview "+h.address(c.f), previews); err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := agentapi.ReadPreview(f)
	if err != nil {
		return nil, err
	}
	sc, own := c.Scope, in.PlanTier == ""
	switch {
	case sc == nil:
		sc, own, in.PlanTier = h.Store.In(gateway.Nobody), false, cmp.Or(in.PlanTier, "pro")
	case own:
		in.PlanTier = agentapi.PlanTier(c.Principal.Organization.Plan)
	}
	q := gateway.Question{Prompt: in.Prompt, Model: in.Model, Before: in.Conversation, Input: in.InputTokens(), Output: in.ExpectedOutput}
	if !own {
		q.Ceiling, _ = door.CeilingOf(in.PlanTier)
	}
	p, err := h.gate.Preview(c, sc, q)
	if err != nil {
		return nil, err
	}
	return data(newPreview(in, p)), nil
}

func newPreview(in agentapi.PreviewRequest, p gateway.Preview) agentapi.Preview {
	out := agentapi.Preview{Object: "routing_preview", RequestedModel: in.Model, PlanTier: in.PlanTier, Complexity: p.Decision.Complexity,
		Tier: string(p.Decision.Tier), Routed: p.Decision.Routed, Reason: p.Decision.Reason, CostUSD: agentapi.USD(p.CostNanos),
		Model: agentapi.PreviewModel{Key: p.Model.ID, Label: p.Model.Label, Provider: &p.Model.Owner, PricePerMTok: pricePerMTok(p.Model),
			ManagedKeyConfigured: p.Model.Managed},
		TokenEstimate: agentapi.TokenEstimate{Input: in.InputTokens(), Output: in.ExpectedOutput, Method: "characters / 4", Estimated: true},
		Note:          "An estimate: nothing was called. The cost follows from the tokens that the provider counts."}
	if p.Model.Context > 0 {
		out.Model.ContextWindow = &p.Model.Context
	}
	if p.BaselineNanos != nil && p.CostNanos != nil {
		saved := *p.BaselineNanos - *p.CostNanos
		out.Baseline = &agentapi.PreviewBaseline{Model: p.Decision.Baseline.Model, Label: p.Decision.Baseline.Model,
			CostUSD: *agentapi.USD(p.BaselineNanos), SavingUSD: *agentapi.USD(&saved)}
	}
	return out
}
