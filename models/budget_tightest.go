package models

// Tightest is the budget in a unit that least is left of; nil without one.
func Tightest(states []BudgetState, u BudgetUnit) *BudgetState {
	var out *BudgetState
	for n := range states {
		if s := &states[n]; s.Unit == u && (out == nil || s.Left() < out.Left()) {
			out = s
		}
	}
	return out
}
