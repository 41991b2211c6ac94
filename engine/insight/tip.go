package insight

import "fmt"

// Tip is what a rule noticed. Severity is info, warning or critical; Category budget, memory, prompt, tools, cost or quality.
// The names of the rules are those of the runtime API (section 10).
type Tip struct {
	Severity, Category, Rule string
	Message                  string // with the figure that made it
	Suggestion               string
}

const (
	info     = "info"
	warning  = "warning"
	critical = "critical"
)

// found is what a rule makes of figures; the zero value is nothing.
type found struct{ severity, message, suggestion string }

// graver picks the severity by whether something is worse still.
func graver(worse bool, than, otherwise string) string {
	if worse {
		return than
	}
	return otherwise
}

// share gives part of whole, 0 when there is no whole.
func share[N int | int64](part, whole N) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// percent writes a share for people.
func percent(f float64) string { return fmt.Sprintf("%.0f %%", f*100) }

// dollars writes nano-dollars for people.
func dollars(nanos int64) string { return fmt.Sprintf("$%.4f", float64(nanos)/1e9) }

type turnRule struct {
	name, category string
	judge          func(f *Figures, others int64) found
}

// turnRules are the twelve of a turn, in the contract's order. others is what the session's other turns cost on average.
var turnRules = []turnRule{
	{"budget_pressure", "budget", budgetPressure},
	{"system_prompt_heavy", "prompt", systemPromptHeavy},
	{"memory_starvation", "memory", memoryStarvation},
	{"shallow_history", "quality", shallowHistory},
	{"high_tool_density", "tools", highToolDensity},
	{"tool_failures", "tools", toolFailures},
	{"expensive_turn", "cost", expensiveTurn},
	{"empty_reasoning", "quality", emptyReasoning},
	{"system_prompt_tax", "cost", systemPromptTax},
	{"history_cost_dominant", "cost", historyCostDominant},
	{"large_output_ratio", "cost", largeOutputRatio},
	{"cached_turn_savings", "cost", cachedTurnSavings},
}

// TurnTips says what stands out in a turn.
func TurnTips(f Figures, others int64) []Tip {
	out := []Tip{}
	for _, r := range turnRules {
		if w := r.judge(&f, others); w.severity != "" {
			out = append(out, Tip{w.severity, r.category, r.name, w.message, w.suggestion})
		}
	}
	return out
}
