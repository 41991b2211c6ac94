package door

import (
	"slices"

	"lobstead/engine/llm"
)

// Cheaper lists the models of a plan's candidates that a route's service offers in a smaller tier, the smallest first.
func (p Plan) Cheaper(than Route) []Choice {
	rank := func(t llm.Tier) int { return slices.Index(llm.Tiers, t) }
	out := []Choice{}
	for _, c := range p.Decision.Candidates {
		if c.Usable && c.Provider == than.Name && rank(c.Tier) < rank(than.Tier()) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return rank(a.Tier) - rank(b.Tier) })
	return out
}
