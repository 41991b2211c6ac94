package insight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/insight"
)

const cent = 10_000_000

// even is a turn of which no rule has anything to say.
func even() insight.Figures {
	return insight.Figures{TurnID: "t", Model: "m", Room: 10_000, System: 500, Memory: 200, History: 900, Tools: 100, Depth: 5, Complexity: 10, In: 1700, Out: 300, CostNanos: cent, Thought: true}
}

func tipOf(tips []insight.Tip, rule string) *insight.Tip {
	for i := range tips {
		if tips[i].Rule == rule {
			return &tips[i]
		}
	}
	return nil
}

// Each rule at its threshold: silent on it, and speaking one step beyond.
func TestTurnRules(t *testing.T) {
	t.Parallel()
	require.Empty(t, insight.TurnTips(even(), 0))
	type figures = insight.Figures
	for _, c := range []struct {
		rule, severity string // "" = silent
		change         func(f *figures)
		others         int64
		says           string
	}{
		{rule: "budget_pressure", change: func(f *figures) { f.Room, f.Tools = 2000, 200 }},
		{rule: "budget_pressure", severity: "warning", change: func(f *figures) { f.Room, f.Tools = 2000, 201 }, says: "1801 of 2000"},
		{rule: "budget_pressure", severity: "warning", change: func(f *figures) { f.Room, f.Tools = 2000, 300 }},
		{rule: "budget_pressure", severity: "critical", change: func(f *figures) { f.Room, f.Tools = 2000, 301 }},
		{rule: "budget_pressure", change: func(f *figures) { f.Room, f.Tools = 0, 301 }},
		{rule: "system_prompt_heavy", change: func(f *figures) { f.System = 4000 }},
		{rule: "system_prompt_heavy", severity: "warning", change: func(f *figures) { f.System = 4001 }, says: "4001 tokens"},
		{rule: "system_prompt_heavy", severity: "warning", change: func(f *figures) { f.System = 6000 }},
		{rule: "system_prompt_heavy", severity: "critical", change: func(f *figures) { f.System = 6001 }},
		{rule: "memory_starvation", change: func(f *figures) { f.Memory, f.System = 20, 980 }},
		{rule: "memory_starvation", severity: "info", change: func(f *figures) { f.Memory, f.System = 19, 981 }, says: "19 of 2000"},
		{rule: "memory_starvation", change: func(f *figures) { f.Memory, f.System = 0, 999 }},
		{rule: "shallow_history", change: func(f *figures) { f.Depth = 3 }},
		{rule: "shallow_history", severity: "info", change: func(f *figures) { f.Depth = 2 }, says: "2 messages"},
		{rule: "shallow_history", change: func(f *figures) { f.Depth, f.Room = 0, 0 }},
		{rule: "high_tool_density", change: func(f *figures) { f.Calls = 3 }},
		{rule: "high_tool_density", severity: "info", change: func(f *figures) { f.Calls = 4 }, says: "4 tool calls"},
		{rule: "high_tool_density", severity: "info", change: func(f *figures) { f.Calls = 8 }},
		{rule: "high_tool_density", severity: "warning", change: func(f *figures) { f.Calls = 9 }},
		{rule: "tool_failures", change: func(f *figures) { f.Calls = 2 }},
		{rule: "tool_failures", severity: "warning", change: func(f *figures) { f.Calls, f.Failures = 2, 1 }, says: "1 of 2"},
		{rule: "tool_failures", severity: "critical", change: func(f *figures) { f.Calls, f.Failures = 3, 2 }},
		{rule: "expensive_turn", change: func(f *figures) { f.CostNanos = 2 * cent }, others: cent},
		{rule: "expensive_turn", severity: "warning", change: func(f *figures) { f.CostNanos = 2*cent + 1 }, others: cent, says: "$0.0200"},
		{rule: "expensive_turn", severity: "warning", change: func(f *figures) { f.CostNanos = 5 * cent }, others: cent},
		{rule: "expensive_turn", severity: "critical", change: func(f *figures) { f.CostNanos = 5*cent + 1 }, others: cent},
		{rule: "expensive_turn", change: func(f *figures) { f.CostNanos = 500 * cent }},
		{rule: "empty_reasoning", change: func(f *figures) { f.Reasoning = 1 }},
		{rule: "empty_reasoning", severity: "info", change: func(f *figures) { f.Reasoning, f.Thought = 7, false }, says: "7 tokens"},
		{rule: "empty_reasoning", change: func(f *figures) { f.Thought = false }},
		{rule: "system_prompt_tax", change: func(f *figures) { f.System, f.CostNanos = 600, 3*cent }}, // a third: exactly a cent is none
		{rule: "system_prompt_tax", severity: "info", change: func(f *figures) { f.System, f.CostNanos = 800, 4*cent }, says: "$0.0160"},
		{rule: "system_prompt_tax", severity: "info", change: func(f *figures) { f.System, f.CostNanos = 1200, 10*cent }},
		{rule: "system_prompt_tax", severity: "warning", change: func(f *figures) { f.System, f.CostNanos = 1200, 10*cent+2 }},
		{rule: "system_prompt_tax", change: func(f *figures) { f.System, f.History, f.CostNanos = 300, 400, 99*cent }}, // 30 %
		{rule: "history_cost_dominant", change: func(f *figures) { f.History = 1200 }},
		{rule: "history_cost_dominant", severity: "info", change: func(f *figures) { f.History = 1201 }, says: "1201 of 2001"},
		{rule: "history_cost_dominant", severity: "info", change: func(f *figures) { f.History = 3200 }},
		{rule: "history_cost_dominant", severity: "warning", change: func(f *figures) { f.History = 3201 }},
		{rule: "large_output_ratio", change: func(f *figures) { f.In, f.Out = 100, 2000 }},
		{rule: "large_output_ratio", severity: "info", change: func(f *figures) { f.In, f.Out = 100, 2001 }, says: "2001 tokens"},
		{rule: "large_output_ratio", change: func(f *figures) { f.In, f.Out = 1500, 3000 }},
		{rule: "cached_turn_savings", change: func(f *figures) { f.CacheRead = 850 }},
		{rule: "cached_turn_savings", severity: "info", change: func(f *figures) { f.Saved = 77 }, says: "77 tokens"},
		{rule: "cached_turn_savings", severity: "info", change: func(f *figures) { f.CacheRead = 851 }, says: "851 tokens"},
	} {
		f := even()
		c.change(&f)
		tip := tipOf(insight.TurnTips(f, c.others), c.rule)
		if c.severity == "" {
			require.Nil(t, tip, "%s: %+v", c.rule, f)
			continue
		}
		require.NotNil(t, tip, "%s: %+v", c.rule, f)
		require.Equal(t, c.severity, tip.Severity, "%s: %s", c.rule, tip.Message)
		require.Contains(t, tip.Message, c.says)
		require.NotEmpty(t, tip.Suggestion)
	}
}

func TestSessionRules(t *testing.T) {
	t.Parallel()
	type figures = insight.Figures
	turns := func(n int, change func(i int, f *figures)) []figures {
		out := []figures{}
		for i := range n {
			f := even()
			if change != nil {
				change(i, &f)
			}
			out = append(out, f)
		}
		return out
	}
	second := func(i int) bool { return i >= 2 }
	require.Empty(t, insight.SessionTips(turns(6, nil)))
	require.Empty(t, insight.SessionTips(nil))
	for _, c := range []struct {
		rule, severity string
		turns          []figures
		says           string
	}{
		{"context_drift", "", turns(4, func(i int, f *figures) { f.History += bit(second(i)) * 1500 }), ""},
		{"context_drift", "warning", turns(4, func(i int, f *figures) { f.History += bit(second(i)) * 1502 }), "17 % to 32 %"},
		{"context_drift", "", turns(3, func(i int, f *figures) { f.History += bit(i > 0) * 9000 }), ""},
		{"frequent_escalation", "", turns(5, func(i int, f *figures) { f.Complexity += bit(i < 2) * 80 }), ""},
		{"frequent_escalation", "warning", turns(5, func(i int, f *figures) { f.Complexity += bit(i < 3) * 80 }), "3 of 5"},
		{"frequent_escalation", "", turns(5, func(_ int, f *figures) { f.Complexity = -1 }), ""},
		{"cost_acceleration", "", turns(4, func(i int, f *figures) { f.CostNanos += int64(bit(second(i))) * cent / 2 }), ""},
		{"cost_acceleration", "warning", turns(4, func(i int, f *figures) { f.CostNanos += int64(bit(second(i))) * (cent/2 + 1) }), "$0.0150"},
		{"underutilized_memory", "", turns(3, func(i int, f *figures) { f.Memory = bit(i == 2) }), ""},
		{"underutilized_memory", "info", turns(3, func(_ int, f *figures) { f.Memory = 0 }), "3 prompts"},
		{"underutilized_memory", "", turns(3, func(_ int, f *figures) { f.Memory, f.Room = 0, 0 }), ""},
		{"tool_success_rate", "", turns(5, func(i int, f *figures) { f.Calls, f.Failures = 1, bit(i == 0) }), ""},
		{"tool_success_rate", "warning", turns(5, func(i int, f *figures) { f.Calls, f.Failures = 1, bit(i < 2) }), "60 %"},
		{"tool_success_rate", "warning", turns(6, func(i int, f *figures) { f.Calls, f.Failures = 1, bit(i < 3) }), ""},
		{"tool_success_rate", "critical", turns(5, func(i int, f *figures) { f.Calls, f.Failures = 1, bit(i < 3) }), ""},
		{"tool_success_rate", "", turns(4, func(_ int, f *figures) { f.Calls, f.Failures = 1, 1 }), ""},
		{"model_churn", "", turns(4, func(i int, f *figures) { f.Model = string(rune('a' + i%3)) }), ""},
		{"model_churn", "info", turns(4, func(i int, f *figures) { f.Model = string(rune('a' + i)) }), "4 models"},
		{"quality_declining", "", turns(4, func(i int, f *figures) { f.Grade = 5 - bit(i == 3) }), ""}, // 5.0 to 4.5
		{"quality_declining", "warning", turns(4, func(i int, f *figures) { f.Grade = 5 - bit(second(i)) }), "5.0 to 4.0"},
		{"quality_declining", "", turns(3, func(i int, f *figures) { f.Grade = 5 - 2*i }), ""},
		{"cost_quality_mismatch", "", turns(2, func(i int, f *figures) { f.Model, f.CostNanos, f.Grade = string(rune('a'+i)), int64(1+i)*cent, 4 }), ""},
		{"cost_quality_mismatch", "warning", turns(2, func(i int, f *figures) { f.Model, f.CostNanos, f.Grade = string(rune('a'+i)), int64(1+i)*cent, 4-i }), "b costs most"},
		{"cost_quality_mismatch", "", turns(2, func(i int, f *figures) { f.Model, f.Grade = string(rune('a'+i)), 4-i }), ""},
		{"memory_helps", "", turns(4, func(i int, f *figures) { f.Memory, f.Grade = bit(second(i))*50, 4+bit(i == 3) }), ""},
		{"memory_helps", "info", turns(4, func(i int, f *figures) { f.Memory, f.Grade = bit(second(i))*50, 4+bit(second(i)) }), "5.0, those without 4.0"},
		{"memory_helps", "", turns(3, func(i int, f *figures) { f.Memory, f.Grade = bit(i > 0)*50, 1+4*bit(i > 0) }), ""},
		{"low_coverage_warning", "", turns(50, func(i int, f *figures) { f.Grade = 4 * bit(i < 10) }), ""},
		{"low_coverage_warning", "info", turns(50, func(i int, f *figures) { f.Grade = 4 * bit(i < 9) }), "9 of 50"},
		{"low_coverage_warning", "", turns(49, nil), ""},
	} {
		tip := tipOf(insight.SessionTips(c.turns), c.rule)
		if c.severity == "" {
			require.Nil(t, tip, c.rule)
			continue
		}
		require.NotNil(t, tip, c.rule)
		require.Equal(t, c.severity, tip.Severity, "%s: %s", c.rule, tip.Message)
		require.Contains(t, tip.Message, c.says)
		require.NotEmpty(t, tip.Suggestion)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for complexity, level := range map[int]string{-1: "", 0: "L0", 11: "L0", 12: "L1", 29: "L1", 30: "L2", 54: "L2", 55: "L3", 100: "L3"} {
		require.Equal(t, level, (&insight.Figures{Complexity: complexity}).Level(), complexity)
	}
}

func TestRecommendations(t *testing.T) {
	t.Parallel()
	plain := func() *insight.Profile {
		return &insight.Profile{Period: "30d", Days: 30, Sessions: 20, Turns: 100, CostNanos: 50 * cent, GradeCoverage: .5, AvgLength: 5, AvgTokens: 900, ToolCalls: 50, ToolSuccess: 1, CacheHits: .5, WithMemory: .5}
	}
	require.Empty(t, insight.Recommend(plain()))
	require.Empty(t, insight.Recommend(&insight.Profile{Period: "30d", ToolSuccess: 1}), "nothing is known of nobody")
	for _, c := range []struct {
		category string
		priority insight.Priority
		change   func(p *insight.Profile)
	}{
		{"ModelSelection", insight.High, func(p *insight.Profile) {
			p.Models = []insight.ModelProfile{{Model: "dear", Turns: 30, AvgNanos: 3 * cent, AvgQuality: 3, Grades: 3, Density: .1}, {Model: "good", Turns: 30, AvgNanos: cent, AvgQuality: 4, Grades: 3, Density: .1}}
		}},
		{"ModelSelection", insight.Medium, func(p *insight.Profile) {
			p.Models = []insight.ModelProfile{{Model: "dear", Turns: 10, AvgNanos: 2*cent + 1, Density: .019}}
		}},
		{"ToolUsage", insight.Medium, func(p *insight.Profile) { p.ToolSuccess = .79 }},
		{"ToolUsage", insight.High, func(p *insight.Profile) { p.ToolSuccess = .49 }},
		{"SessionManagement", insight.Low, func(p *insight.Profile) { p.AvgLength = 15.1 }},
		{"SessionManagement", insight.Medium, func(p *insight.Profile) { p.AvgLength = 30.1 }},
		{"QueryCrafting", insight.Low, func(p *insight.Profile) { p.AvgLength = 1.4 }},
		{"MemoryLeverage", insight.Medium, func(p *insight.Profile) { p.WithMemory = .09 }},
		{"CostOptimization", insight.Medium, func(p *insight.Profile) { p.CostNanos, p.CacheHits = 100*cent, .19 }},
		{"CostOptimization", insight.High, func(p *insight.Profile) { p.CostNanos = 1001 * cent }},
		{"Configuration", insight.Low, func(p *insight.Profile) { p.GradeCoverage = .09 }},
	} {
		p := plain()
		c.change(p)
		list := insight.Recommend(p)
		require.Len(t, list, 1, "%s %+v", c.category, list)
		r := list[0]
		require.Equal(t, c.category, r.Category)
		require.Equal(t, c.priority, r.Priority)
		require.NotEmpty(t, r.Title)
		require.NotEmpty(t, r.Action)
		require.NotEmpty(t, r.Evidence)
	}
	p := plain()
	p.GradeCoverage, p.CostNanos = .01, 2000*cent
	p.Models = []insight.ModelProfile{{Model: "dear", Turns: 30, AvgNanos: 3 * cent, AvgQuality: 3, Grades: 3, Density: .1}, {Model: "good", Turns: 30, AvgNanos: cent, AvgQuality: 4, Grades: 3, Density: .1}}
	list := insight.Recommend(p)
	require.Len(t, list, 3)
	require.Equal(t, insight.Low, list[2].Priority, "the most important first")
	require.InDelta(t, .6, *list[0].Impact.MonthlySavings, 1e-9)
	p.Days = 0
	require.Nil(t, insight.Recommend(p)[0].Impact.MonthlySavings, "all time has no month")
}
