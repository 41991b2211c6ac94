package runtime

import (
	"cmp"
	"math"
	"slices"

	"lobstead/models"
)

// Efficiency answers GET /api/stats/efficiency. A turn here is a call of a model, or an answer of a cache instead of one. What is
// told of prompts is that of the calls whose prompts are kept; a window that is not filled costs nothing, so nothing is wasted.
type Efficiency struct {
	Period     string                     `json:"period"`
	Models     map[string]ModelEfficiency `json:"models"`
	TimeSeries []EfficiencyPoint          `json:"time_series"`
	Totals     EfficiencyTotals           `json:"totals"`
	Subagents  SubagentAssignment         `json:"subagent_assignment"`
}

// ModelEfficiency is one model's.
type ModelEfficiency struct {
	Model             string          `json:"model"`
	Turns             int64           `json:"total_turns"`
	OutputDensity     float64         `json:"avg_output_density"`       // tokens written for one read
	BudgetUtilization float64         `json:"avg_budget_utilization"`   // share of its window that a prompt fills
	MemoryROI         float64         `json:"avg_memory_roi"`           // tokens written for one of memories, where there were any
	SystemWeight      float64         `json:"avg_system_prompt_weight"` // 0–1, of the prompt
	CacheHitRate      float64         `json:"cache_hit_rate"`           // 0–1, of the turns
	ContextPressure   float64         `json:"context_pressure_rate"`    // 0–1: prompts that filled more than four fifths of their room
	Cost              EfficiencyCost  `json:"cost"`
	Trend             EfficiencyTrend `json:"trend"`
	Quality           *Quality        `json:"quality"` // null: nothing was graded
}

// EfficiencyCost is what a model cost, in dollars.
type EfficiencyCost struct {
	Total            float64     `json:"total"`
	PerOutputToken   float64     `json:"per_output_token"`
	EffectivePerTurn float64     `json:"effective_per_turn"`
	CacheSavings     float64     `json:"cache_savings"`
	CumulativeTrend  string      `json:"cumulative_trend"`
	Attribution      Attribution `json:"attribution"`
	WastedBudget     float64     `json:"wasted_budget_cost"`
}

// Attribution is the cost of a prompt's parts.
type Attribution struct {
	System   Part `json:"system_prompt"`
	Memories Part `json:"memories"`
	History  Part `json:"history"`
}

// Part is one part's share of the prompts.
type Part struct {
	Tokens int64   `json:"tokens"`
	Cost   float64 `json:"cost"` // at the price of input, without what a service's cache takes off
	Pct    float64 `json:"pct"`  // 0–100
}

// EfficiencyFacts are what NewEfficiency goes by besides the sums.
type EfficiencyFacts struct {
	Window  func(model string) int                         // tokens; 0 = unknown
	Price   func(model string, tokens int64) (nanos int64) // of input
	Level   func(complexity int) string
	Sighted []models.SightedCalls
	Graded  []models.GradedTurn
}

// EfficiencyTrend compares the later half of the period with the earlier one: rising, falling, stable.
type EfficiencyTrend struct {
	OutputDensity string `json:"output_density"`
	CostPerTurn   string `json:"cost_per_turn"`
	CacheHitRate  string `json:"cache_hit_rate"`
}

// EfficiencyPoint is a model in one step of time.
type EfficiencyPoint struct {
	Bucket            string  `json:"bucket"`
	Model             string  `json:"model"`
	OutputDensity     float64 `json:"output_density"`
	Cost              float64 `json:"cost"`
	Turns             int64   `json:"turns"`
	BudgetUtilization float64 `json:"budget_utilization"`
	Cached            int64   `json:"cached_count"`
}

// EfficiencyTotals are over all models; names are "" when nothing was called.
type EfficiencyTotals struct {
	Cost          float64 `json:"total_cost"`
	CacheSavings  float64 `json:"total_cache_savings"`
	Turns         int64   `json:"total_turns"`
	Dearest       string  `json:"most_expensive_model"`
	Efficient     string  `json:"most_efficient_model"`
	BiggestDriver string  `json:"biggest_cost_driver"`
}

// SubagentAssignment tells of sub-agents: there are none.
type SubagentAssignment struct {
	Period      string              `json:"period"`
	Overall     SubagentStat        `json:"overall"`
	BySubagent  map[string]struct{} `json:"by_subagent"`
	Assignments map[string]struct{} `json:"assignments"`
}

// SubagentStat is how work that was handed on went.
type SubagentStat struct {
	Total       int     `json:"total"`
	Success     int     `json:"success"`
	Failed      int     `json:"failed"`
	TimeoutLike int     `json:"timeout_like"`
	SuccessRate float64 `json:"success_rate"`
	Average     float64 `json:"avg_duration_ms"`
	P95         float64 `json:"p95_duration_ms"`
}

// NewEfficiency presents sums by model.
func NewEfficiency(period string, span *models.UsageSpan, cells []models.UsageCell, facts EfficiencyFacts) Efficiency {
	out := Efficiency{Period: period, Models: map[string]ModelEfficiency{}, TimeSeries: []EfficiencyPoint{},
		Subagents: SubagentAssignment{Period: period, BySubagent: map[string]struct{}{}, Assignments: map[string]struct{}{}}}
	halves := map[string]*[2]models.UsageSum{}
	for n := range cells {
		c := &cells[n]
		h := halves[c.Key]
		if h == nil {
			h = &[2]models.UsageSum{}
			halves[c.Key] = h
		}
		h[min(1, 2*c.Step/len(span.Starts))].Add(&c.UsageSum)
		out.TimeSeries = append(out.TimeSeries, EfficiencyPoint{Bucket: Time(span.Starts[c.Step]), Model: c.Key, OutputDensity: density(&c.UsageSum), Cost: models.Dollars(c.CostNanos),
			Turns: c.Calls, BudgetUtilization: filled(&c.UsageSum, facts.Window(c.Key)), Cached: c.Cached})
	}
	for model, h := range halves {
		out.Models[model] = newModelEfficiency(model, h, facts.Window(model))
	}
	facts.addPrompts(out.Models)
	facts.addGrades(out.Models, halves, span)
	out.Totals = newEfficiencyTotals(out.Models)
	return out
}

func newModelEfficiency(model string, halves *[2]models.UsageSum, window int) ModelEfficiency {
	whole := halves[0]
	whole.Add(&halves[1])
	m := ModelEfficiency{Model: model, Turns: whole.Calls, OutputDensity: density(&whole), BudgetUtilization: filled(&whole, window),
		Cost: EfficiencyCost{Total: models.Dollars(whole.CostNanos), EffectivePerTurn: perCall(&whole), CacheSavings: models.Dollars(whole.CachedNanos),
			CumulativeTrend: trend(models.Dollars(halves[0].CostNanos), models.Dollars(halves[1].CostNanos))}, CacheHitRate: hits(&whole),
		Trend: EfficiencyTrend{OutputDensity: trend(density(&halves[0]), density(&halves[1])), CostPerTurn: trend(perCall(&halves[0]), perCall(&halves[1])), CacheHitRate: trend(hits(&halves[0]), hits(&halves[1]))}}
	if whole.OutputTokens > 0 {
		m.Cost.PerOutputToken = m.Cost.Total / float64(whole.OutputTokens)
	}
	return m
}

// perToken ranks what a token cost; what cost nothing, perhaps because nobody knows its price, comes last.
func (m *ModelEfficiency) perToken() float64 {
	if m.Cost.PerOutputToken == 0 {
		return math.Inf(1)
	}
	return m.Cost.PerOutputToken
}

func newEfficiencyTotals(all map[string]ModelEfficiency) EfficiencyTotals {
	t := EfficiencyTotals{}
	list := []ModelEfficiency{}
	for _, m := range all {
		t.Cost, t.Turns, t.CacheSavings = t.Cost+m.Cost.Total, t.Turns+m.Turns, t.CacheSavings+m.Cost.CacheSavings
		list = append(list, m)
	}
	if len(list) == 0 {
		return t
	}
	first := func(less func(a, b ModelEfficiency) int) string {
		return slices.MinFunc(list, func(a, b ModelEfficiency) int { return cmp.Or(less(a, b), cmp.Compare(a.Model, b.Model)) }).Model
	}
	t.Dearest = first(func(a, b ModelEfficiency) int { return cmp.Compare(b.Cost.EffectivePerTurn, a.Cost.EffectivePerTurn) })
	t.Efficient = first(func(a, b ModelEfficiency) int { return cmp.Compare(a.perToken(), b.perToken()) })
	t.BiggestDriver = first(func(a, b ModelEfficiency) int { return cmp.Compare(b.Cost.Total, a.Cost.Total) })
	return t
}

// addPrompts tells what prompts were made of.
func (f *EfficiencyFacts) addPrompts(all map[string]ModelEfficiency) {
	for n := range f.Sighted {
		s := &f.Sighted[n]
		m, ok := all[s.Model]
		prompt := s.PromptTokens()
		if !ok || prompt == 0 {
			continue
		}
		part := func(tokens int64) Part {
			return Part{Tokens: tokens, Cost: models.Dollars(f.Price(s.Model, tokens)), Pct: 100 * float64(tokens) / float64(prompt)}
		}
		m.Cost.Attribution = Attribution{System: part(s.SystemTokens), Memories: part(s.MemoryTokens), History: part(s.HistoryTokens)}
		m.BudgetUtilization = float64(prompt) / float64(s.Room)
		m.SystemWeight = float64(s.SystemTokens) / float64(prompt)
		m.ContextPressure = float64(s.Pressed) / float64(s.Calls)
		if s.MemoryTokens > 0 {
			m.MemoryROI = float64(s.Written) / float64(s.MemoryTokens)
		}
		all[s.Model] = m
	}
}

// addGrades tells what people thought.
func (f *EfficiencyFacts) addGrades(all map[string]ModelEfficiency, halves map[string]*[2]models.UsageSum, span *models.UsageSpan) {
	by := map[string][]models.GradedTurn{}
	for _, g := range f.Graded {
		by[g.Model] = append(by[g.Model], g)
	}
	for model, graded := range by {
		m, ok := all[model]
		if !ok {
			continue
		}
		whole := halves[model][0]
		whole.Add(&halves[model][1])
		m.Quality = newQuality(graded, span.From.Add(span.Until.Sub(span.From)/2), &whole, f.Level)
		all[model] = m
	}
}

// hits is the share of turns that a cache answered.
func hits(s *models.UsageSum) float64 {
	if s.Calls == 0 {
		return 0
	}
	return float64(s.Cached) / float64(s.Calls)
}

func density(s *models.UsageSum) float64 {
	if s.InputTokens == 0 {
		return 0
	}
	return float64(s.OutputTokens) / float64(s.InputTokens)
}

func filled(s *models.UsageSum, window int) float64 {
	if s.Calls == 0 || window == 0 {
		return 0
	}
	return float64(s.InputTokens) / float64(s.Calls) / float64(window)
}

func perCall(s *models.UsageSum) float64 {
	if s.Calls == 0 {
		return 0
	}
	return models.Dollars(s.CostNanos) / float64(s.Calls)
}

// stable is a trend of less than a twentieth.
const stable = "stable"

func trend(before, after float64) string {
	switch {
	case after > before*1.05:
		return "rising"
	case after < before*.95:
		return "falling"
	}
	return stable
}
