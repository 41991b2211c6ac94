package app

import (
	"time"

	"lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/models"
)

// Recommendations says what to change in how agents are used, by the figures of a period.
type Recommendations struct{ *App }

func (h *Recommendations) profile(c *Ctx) (*insight.Profile, error) {
	return insight.ReadProfile(c, c.Scope, c.Query("period"), time.Now())
}

// List is the runtime API's list (section 11).
func (h *Recommendations) List(c *Ctx) (Reply, error) {
	p, err := h.profile(c)
	if err != nil {
		return nil, err
	}
	list := wireRecommendations(insight.Recommend(p))
	return data(runtime.Recommendations{Period: p.Period, Profile: wireProfile(p), Recommendations: list, Count: len(list)}), nil
}

// Generate asks a model what it makes of the figures.
func (h *Recommendations) Generate(c *Ctx) (Reply, error) {
	p, err := h.profile(c)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Habits(c, c.Scope, p)
	o, err := h.ask(c, q, err)
	if err != nil {
		return nil, err
	}
	return data(runtime.DeepAnalysis{Status: "complete", Recommendations: wireRecommendations(insight.Recommend(p)), DeepAnalysis: o.Text, AnalysisModel: o.Model,
		TokensIn: o.InputTokens, TokensOut: o.OutputTokens, Cost: models.Dollars(o.CostNanos), Profile: wireProfile(p)}), nil
}

func wireProfile(p *insight.Profile) runtime.Profile {
	out := runtime.Profile{TotalSessions: p.Sessions, TotalTurns: p.Turns, TotalCost: models.Dollars(p.CostNanos), AvgQuality: known(p.AvgQuality), GradeCoverage: p.GradeCoverage,
		ModelsUsed: []string{}, ModelStats: map[string]runtime.ModelStats{}, AvgSessionLength: p.AvgLength, AvgTokensPerTurn: p.AvgTokens, ToolSuccessRate: p.ToolSuccess,
		CacheHitRate: p.CacheHits, MemoryRetrievalRate: p.WithMemory}
	for _, m := range p.Models {
		out.ModelsUsed = append(out.ModelsUsed, m.Model)
		out.ModelStats[m.Model] = runtime.ModelStats{Turns: m.Turns, AvgCost: m.AvgNanos / 1e9, AvgQuality: known(m.AvgQuality), CacheHitRate: m.CacheHits, AvgOutputDensity: m.Density}
	}
	return out
}

// known gives nil for a quality that nobody graded.
func known(quality float64) *float64 {
	if quality == 0 {
		return nil
	}
	return &quality
}

func wireRecommendations(list []insight.Recommendation) []runtime.Recommendation {
	out := make([]runtime.Recommendation, len(list))
	for i, r := range list {
		w := runtime.Recommendation{Category: r.Category, Priority: string(r.Priority), Title: r.Title, Explanation: r.Explanation, Action: r.Action, Evidence: []runtime.Evidence{}}
		for _, e := range r.Evidence {
			w.Evidence = append(w.Evidence, runtime.Evidence(e))
		}
		if r.Impact != nil {
			impact := runtime.Impact(*r.Impact)
			w.EstimatedImpact = &impact
		}
		out[i] = w
	}
	return out
}
