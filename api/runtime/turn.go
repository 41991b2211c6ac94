package runtime

import (
	"strings"

	"lobstead/models"
)

// Turn is one turn (runtime-api.md, section 10).
type Turn struct {
	ID        string   `json:"id"`
	SessionID string   `json:"session_id"`
	Thinking  *string  `json:"thinking"` // null: none was shown
	TokensIn  *int     `json:"tokens_in"`
	TokensOut *int     `json:"tokens_out"`
	Cost      *float64 `json:"cost"` // dollars
	Model     *string  `json:"model"`
	CreatedAt string   `json:"created_at"`
}

// Turns answers GET /api/sessions/:id/turns.
type Turns struct {
	Turns []Turn `json:"turns"`
}

// NewTurn presents a turn; thoughts are the thinking events of its session, or more. What a turn that has not begun has not
// got is null.
func NewTurn(t *models.Turn, thoughts []models.Event) Turn {
	out := Turn{ID: t.ID, SessionID: t.SessionID, CreatedAt: Time(t.CreatedAt)}
	if t.StartedAt != nil {
		cost := Dollars(t.CostNanos)
		out.TokensIn, out.TokensOut, out.Cost = &t.InputTokens, &t.OutputTokens, &cost
	}
	if t.Model != "" {
		out.Model = &t.Model
	}
	var said []string
	for _, e := range thoughts {
		if e.Kind != models.KindThinking || e.TurnID == nil || *e.TurnID != t.ID {
			continue
		}
		if d, err := models.Decode[models.Thinking](e); err == nil && d.Text != "" {
			said = append(said, d.Text)
		}
	}
	if len(said) > 0 {
		text := strings.Join(said, "\n\n")
		out.Thinking = &text
	}
	return out
}

// NewTurns presents turns.
func NewTurns(rows []models.Turn, thoughts []models.Event) Turns {
	out := Turns{Turns: make([]Turn, len(rows))}
	for i := range rows {
		out.Turns[i] = NewTurn(&rows[i], thoughts)
	}
	return out
}

// Dollars gives nano-dollars as the family does.
func Dollars(nanos int64) float64 { return float64(nanos) / float64(models.Dollar) }

// Context answers GET /api/turns/:id/context: what the turn's last call to a model was shown, by size.
type Context struct {
	TurnID             string  `json:"turn_id"`
	Model              string  `json:"model"`
	TokenBudget        int     `json:"token_budget"`
	SystemPromptTokens int     `json:"system_prompt_tokens"`
	MemoryTokens       int     `json:"memory_tokens"`
	HistoryTokens      int     `json:"history_tokens"`
	ToolsTokens        int     `json:"tools_tokens"` // ours
	HistoryDepth       int     `json:"history_depth"`
	ComplexityLevel    string  `json:"complexity_level"` // L0–L3, "" when nobody judged
	TokensIn           int     `json:"tokens_in"`
	TokensOut          int     `json:"tokens_out"`
	Cost               float64 `json:"cost"`
	ToolCallCount      int     `json:"tool_call_count"`
	ToolFailureCount   int     `json:"tool_failure_count"`
}

// ToolCalls answers GET /api/turns/:id/tools.
type ToolCalls struct {
	ToolCalls []ToolCall `json:"tool_calls"`
}

// ToolCall is one call of a tool. Skills have no part in it yet.
type ToolCall struct {
	ID         string  `json:"id"`
	ToolName   string  `json:"tool_name"`
	SkillID    *string `json:"skill_id"`
	SkillName  *string `json:"skill_name"`
	SkillHash  *string `json:"skill_hash"`
	Status     string  `json:"status"` // running, success, error, interrupted
	DurationMS int64   `json:"duration_ms"`
	CreatedAt  string  `json:"created_at"`
}

// NewToolCalls presents the calls of a turn's log.
func NewToolCalls(log []models.Event) ToolCalls {
	out, at := ToolCalls{ToolCalls: []ToolCall{}}, map[string]int{}
	for _, e := range log {
		switch e.Kind {
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				at[c.CallID] = len(out.ToolCalls)
				out.ToolCalls = append(out.ToolCalls, ToolCall{ID: c.CallID, ToolName: c.Tool, Status: "running", CreatedAt: Time(e.CreatedAt)})
			}
		case models.KindResult:
			r, err := models.Decode[models.ToolResult](e)
			n, known := at[r.CallID]
			if err != nil || !known {
				continue
			}
			out.ToolCalls[n].Status, out.ToolCalls[n].DurationMS = statusOf(r), r.Millis
		}
	}
	return out
}

func statusOf(r models.ToolResult) string {
	switch {
	case r.Interrupted:
		return "interrupted"
	case r.Error:
		return "error"
	}
	return "success"
}

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
	return Asked{Analysis: o.Text, AnalysisModel: o.Model, TokensIn: o.InputTokens, TokensOut: o.OutputTokens, Cost: Dollars(o.CostNanos)}
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

// Feedback is a grade.
type Feedback struct {
	ID        string `json:"id"`
	TurnID    string `json:"turn_id"`
	SessionID string `json:"session_id"`
	Grade     int    `json:"grade"`
	Source    string `json:"source"`
	Comment   string `json:"comment"`
	CreatedAt string `json:"created_at"`
}

// Feedbacks answers GET /api/sessions/:id/feedback.
type Feedbacks struct {
	Feedback []Feedback `json:"feedback"`
}

// FeedbackGiven answers POST /api/turns/:id/feedback.
type FeedbackGiven struct {
	ID     string `json:"id"`
	TurnID string `json:"turn_id"`
	Grade  int    `json:"grade"`
}

// FeedbackChanged answers PUT /api/turns/:id/feedback.
type FeedbackChanged struct {
	TurnID  string `json:"turn_id"`
	Grade   int    `json:"grade"`
	Updated bool   `json:"updated"`
}

// NewFeedback presents a grade.
func NewFeedback(g *models.Grade) Feedback {
	return Feedback{ID: g.ID, TurnID: g.TurnID, SessionID: g.SessionID, Grade: g.Grade, Source: g.Source, Comment: g.Comment, CreatedAt: Time(g.CreatedAt)}
}

// NewFeedbacks presents grades.
func NewFeedbacks(rows []models.Grade) Feedbacks {
	out := Feedbacks{Feedback: make([]Feedback, len(rows))}
	for i := range rows {
		out.Feedback[i] = NewFeedback(&rows[i])
	}
	return out
}
