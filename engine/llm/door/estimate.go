package door

import (
	"slices"
	"time"

	"lobstead/engine/llm"
)

// Estimate is what so many tokens cost there, in nano-dollars; false when nobody knows the price.
func (r Route) Estimate(input, output int, day time.Time) (int64, bool) {
	return r.cost(llm.Usage{Input: input, Output: output}, day), r.Priced()
}

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
