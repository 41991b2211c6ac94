package door

import (
	"slices"

	"lobstead/engine/llm"
)

// Cheaper lists the models of a plan's candidates that the same service offers in a smaller tier, the smallest first.
func (p Plan) Cheaper() []Choice {
	if len(p.Routes) == 0 {
		return nil
	}
	rank := func(t llm.Tier) int { return slices.Index(llm.Tiers, t) }
	out := []Choice{}
	for _, c := range p.Decision.Candidates {
		if c.Usable && c.Provider == p.Routes[0].Name && rank(c.Tier) < rank(p.Routes[0].Tier()) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return rank(a.Tier) - rank(b.Tier) })
	return out
}
