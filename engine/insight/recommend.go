package insight

import (
	"cmp"
	"fmt"
	"slices"
)

// Recommendation is what to change, by the figures of a period. Category and Priority are the words of the runtime API
// (section 11).
type Recommendation struct {
	Category    string
	Priority    Priority
	Title       string
	Explanation string
	Action      string
	Evidence    []Evidence
	Impact      *Impact // nil = nobody can say
}

// Evidence is one figure behind a recommendation.
type Evidence struct{ Metric, Value, Context string }

// Impact is what following it may bring.
type Impact struct {
	MonthlySavings *float64 // dollars
	QualityChange  *string
	Description    string
}

// Priority orders recommendations.
type Priority string

// The priorities.
const (
	Low    Priority = "Low"
	Medium Priority = "Medium"
	High   Priority = "High"
)

var rank = map[Priority]int{High: 0, Medium: 1, Low: 2}

// advice are the rules, each with the category that it speaks of. Those that need a number of turns say so by being silent.
var advice = []struct {
	category string
	judge    func(p *Profile) *Recommendation
}{
	{"ModelSelection", betterModel},
	{"ModelSelection", dearModel},
	{"ToolUsage", failingTools},
	{"SessionManagement", longSessions},
	{"QueryCrafting", shortExchanges},
	{"MemoryLeverage", unusedMemory},
	{"CostOptimization", uncachedPrompts},
	{"CostOptimization", dearTurns},
	{"Configuration", ungraded},
}

// Recommend says what to change, the most important first.
func Recommend(p *Profile) []Recommendation {
	out := []Recommendation{}
	for _, a := range advice {
		if r := a.judge(p); r != nil {
			r.Category = a.category
			out = append(out, *r)
		}
	}
	slices.SortStableFunc(out, func(a, b Recommendation) int { return cmp.Compare(rank[a.Priority], rank[b.Priority]) })
	return out
}

// graded is how many grades a model needs before they say something.
const graded = 3

// betterModel looks for a model that costs more and is graded lower than another.
func betterModel(p *Profile) *Recommendation {
	for _, dear := range p.Models {
		for _, good := range p.Models {
			if dear.Grades < graded || good.Grades < graded || good.AvgNanos >= dear.AvgNanos || good.AvgQuality <= dear.AvgQuality {
				continue
			}
			r := &Recommendation{Priority: High, Title: fmt.Sprintf("%s is graded higher than %s and costs less", good.Model, dear.Model),
				Explanation: fmt.Sprintf("Turns with %s are graded %.1f on average, those with %s %.1f, at a lower cost.", good.Model, good.AvgQuality, dear.Model, dear.AvgQuality),
				Action:      fmt.Sprintf("Choose %s where %s answers now, or leave the choice to the router (auto).", good.Model, dear.Model),
				Evidence: []Evidence{
					{"avg_cost", dollars(int64(dear.AvgNanos)), "for a turn with " + dear.Model}, {"avg_cost", dollars(int64(good.AvgNanos)), "for a turn with " + good.Model},
					{"avg_quality", fmt.Sprintf("%.1f", dear.AvgQuality), fmt.Sprintf("%d grades of %s", dear.Grades, dear.Model)},
					{"avg_quality", fmt.Sprintf("%.1f", good.AvgQuality), fmt.Sprintf("%d grades of %s", good.Grades, good.Model)}}}
			better := fmt.Sprintf("%.1f to %.1f", dear.AvgQuality, good.AvgQuality)
			r.Impact = &Impact{MonthlySavings: p.saved((dear.AvgNanos - good.AvgNanos) * float64(dear.Turns)), QualityChange: &better, Description: "If all of these turns went to " + good.Model}
			return r
		}
	}
	return nil
}

// saved gives nano-dollars of the period as dollars of a month.
func (p *Profile) saved(nanos float64) *float64 {
	month, ok := p.month(nanos)
	if !ok {
		return nil
	}
	month /= 1e9
	return &month
}

// dearModel looks for a dear model that mostly gives short answers.
func dearModel(p *Profile) *Recommendation {
	for _, m := range p.Models {
		if m.Turns < 10 || m.AvgNanos <= 2*cent || m.Density >= .02 {
			continue
		}
		return &Recommendation{Priority: Medium, Title: m.Model + " may be more than these turns need",
			Explanation: fmt.Sprintf("A turn with %s costs %s on average and its answers are short beside what it reads: %.3f tokens out for one in.", m.Model, dollars(int64(m.AvgNanos)), m.Density),
			Action:      "Set the instance's model to auto: plain messages then go to a smaller model. Shadow mode shows first what would change.",
			Evidence: []Evidence{{"avg_cost", dollars(int64(m.AvgNanos)), "for a turn with " + m.Model},
				{"avg_output_density", fmt.Sprintf("%.3f", m.Density), "tokens out for one in"}}}
	}
	return nil
}

// failingTools: more than one call in five fails.
func failingTools(p *Profile) *Recommendation {
	if p.ToolCalls < 20 || p.ToolSuccess >= .8 {
		return nil
	}
	r := &Recommendation{Priority: Medium, Title: "Many tool calls fail", Explanation: fmt.Sprintf("%s of %d tool calls succeeded. Each retry sends the whole conversation again.", percent(p.ToolSuccess), p.ToolCalls),
		Action:   "Open a turn with failures in the inspector: a missing program or a wrong path can be mended in the workspace, or told to the agent's memory.",
		Evidence: []Evidence{{"tool_success_rate", percent(p.ToolSuccess), fmt.Sprintf("of %d calls", p.ToolCalls)}}}
	if p.ToolSuccess < .5 {
		r.Priority = High
	}
	return r
}

// longSessions: conversations of more than fifteen turns.
func longSessions(p *Profile) *Recommendation {
	if p.Sessions < 3 || p.AvgLength <= 15 {
		return nil
	}
	r := &Recommendation{Priority: Low, Title: "Conversations are long", Explanation: fmt.Sprintf("A conversation has %.0f turns on average, and each turn sends the earlier ones again.", p.AvgLength),
		Action:   "Start a new conversation for a new topic; what the agent remembers goes along.",
		Evidence: []Evidence{{"avg_session_length", fmt.Sprintf("%.1f", p.AvgLength), "turns of a conversation"}, {"avg_tokens_per_turn", fmt.Sprintf("%.0f", p.AvgTokens), "in and out"}}}
	if p.AvgLength > 30 {
		r.Priority = Medium
	}
	return r
}

// shortExchanges: many conversations that end after one turn.
func shortExchanges(p *Profile) *Recommendation {
	if p.Turns < 20 || p.Sessions < 10 || p.AvgLength >= 1.5 {
		return nil
	}
	return &Recommendation{Priority: Low, Title: "Most conversations have one message", Explanation: "A conversation that goes on reuses what the model has read; services charge less for a beginning that they know.",
		Action:   "Say in one message what you need, with the form that the answer should have, and ask further in the same conversation.",
		Evidence: []Evidence{{"avg_session_length", fmt.Sprintf("%.1f", p.AvgLength), "turns of a conversation"}}}
}

// unusedMemory: fewer than one prompt in ten has memories.
func unusedMemory(p *Profile) *Recommendation {
	if p.Turns < 20 || p.WithMemory >= .1 {
		return nil
	}
	return &Recommendation{Priority: Medium, Title: "The agents remember little", Explanation: fmt.Sprintf("%s of the prompts had memories in them: most turns begin without what was learned before.", percent(p.WithMemory)),
		Action:   "Add facts on the instances' memory pages, or tell the agent in chat what to remember.",
		Evidence: []Evidence{{"memory_retrieval_rate", percent(p.WithMemory), "turns with memories in the prompt"}}}
}

// uncachedPrompts: prompts cost money and are hardly ever read from a cache.
func uncachedPrompts(p *Profile) *Recommendation {
	if p.Turns < 20 || p.CostNanos < 100*cent || p.CacheHits >= .2 {
		return nil
	}
	return &Recommendation{Priority: Medium, Title: "Prompts are seldom read from a cache", Explanation: fmt.Sprintf("For %s of the turns the service read from its cache of prompts, which costs a part of the price.", percent(p.CacheHits)),
		Action:   "Send messages of one topic in one conversation and soon after each other; a model that changes from turn to turn loses its cache.",
		Evidence: []Evidence{{"cache_hit_rate", percent(p.CacheHits), "turns"}, {"total_cost", dollars(p.CostNanos), "in the period"}}}
}

// dearTurns: a turn costs more than ten cents on average.
func dearTurns(p *Profile) *Recommendation {
	each := share(p.CostNanos, p.Turns)
	if p.Turns < 5 || each <= 10*cent {
		return nil
	}
	return &Recommendation{Priority: High, Title: "Turns are expensive", Explanation: fmt.Sprintf("A turn costs %s on average.", dollars(int64(each))),
		Action:   "Set a budget, and compare models on a typical turn with “Run again” in the inspector.",
		Evidence: []Evidence{{"total_cost", dollars(p.CostNanos), "in the period"}, {"total_turns", fmt.Sprint(p.Turns), "turns"}}}
}

// ungraded: so few grades that nothing can be said of quality.
func ungraded(p *Profile) *Recommendation {
	if p.Turns < 50 || p.GradeCoverage >= .1 {
		return nil
	}
	return &Recommendation{Priority: Low, Title: "Few answers are graded", Explanation: fmt.Sprintf("%s of the turns have a grade: models can be compared by cost only.", percent(p.GradeCoverage)),
		Action:   "Grade answers in the inspector, or by POST /api/turns/:id/feedback from where they are used.",
		Evidence: []Evidence{{"grade_coverage", percent(p.GradeCoverage), fmt.Sprintf("of %d turns", p.Turns)}}}
}
