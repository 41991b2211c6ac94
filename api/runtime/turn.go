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
		cost := models.Dollars(t.CostNanos)
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
func NewToolCalls(log []models.Event) (ToolCalls, error) {
	calls, err := models.LoggedCalls(log)
	out := ToolCalls{ToolCalls: []ToolCall{}}
	for _, c := range calls {
		row := ToolCall{ID: c.CallID, ToolName: c.Tool, Status: "running", CreatedAt: Time(c.At)}
		if r := c.Result; r != nil {
			row.Status, row.DurationMS = r.Status(), r.Millis
		}
		out.ToolCalls = append(out.ToolCalls, row)
	}
	return out, err
}
