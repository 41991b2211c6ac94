package runtime

import "lobstead/models"

// Tip is what a rule noticed.
type Tip struct {
	Severity   string `json:"severity"` // info, warning, critical
	Category   string `json:"category"` // budget, memory, prompt, tools, cost, quality
	Rule       string `json:"rule_name"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"`
}

// Tips answers GET /api/turns/:id/tips.
type Tips struct {
	TurnID   string `json:"turn_id"`
	Tips     []Tip  `json:"tips"`
	TipCount int    `json:"tip_count"`
}

// Insights answers GET /api/sessions/:id/insights.
type Insights struct {
	SessionID    string `json:"session_id"`
	Insights     []Tip  `json:"insights"`
	InsightCount int    `json:"insight_count"`
	TurnCount    int    `json:"turn_count"`
}

// Asked is the part that the answers of a model have in common.
type Asked struct {
	Analysis      string  `json:"analysis"`
	AnalysisModel string  `json:"analysis_model"`
	TokensIn      int     `json:"tokens_in"`
	TokensOut     int     `json:"tokens_out"`
	Cost          float64 `json:"cost"`
}

// NewAsked presents an opinion.
func NewAsked(o *models.Opinion) Asked {
	return Asked{Analysis: o.Text, AnalysisModel: o.Model, TokensIn: o.InputTokens, TokensOut: o.OutputTokens, Cost: models.Dollars(o.CostNanos)}
}

// TurnAnalysis answers POST /api/turns/:id/analyze.
type TurnAnalysis struct {
	TurnID string `json:"turn_id"`
	Status string `json:"status"`
	Tips   []Tip  `json:"heuristic_tips"`
	Asked
}

// SessionAnalysis answers POST /api/sessions/:id/analyze.
type SessionAnalysis struct {
	SessionID string `json:"session_id"`
	Status    string `json:"status"`
	Insights  []Tip  `json:"heuristic_insights"`
	Asked
}
