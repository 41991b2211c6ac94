package agent

import (
	"context"
	"time"

	"lobstead/models"
)

// Answer is what a turn came to, as an API tells it in one piece.
type Answer struct {
	Text         string
	MessageID    string // of the event that holds Text, "" when there is none
	Cut          bool   // stopped before its end
	Provider     string
	Model        string
	InputTokens  int
	OutputTokens int
	ToolsUsed    []ToolUse
	CreatedAt    time.Time
}

// ToolUse is one tool call of a turn.
type ToolUse struct {
	Name       string
	Status     string // "success", "error", "interrupted" or "running"
	DurationMS int64
}

// Answer reads a turn's answer from the log: its last message, and the tools it used. It does not wait.
func (t *Turns) Answer(ctx context.Context, sc *models.Scope, turnID string) (Answer, error) {
	turn, err := sc.Turn(ctx, turnID)
	if err != nil {
		return Answer{}, err
	}
	log, err := sc.TurnEvents(ctx, turnID)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Provider: turn.Provider, Model: turn.Model, InputTokens: turn.InputTokens, OutputTokens: turn.OutputTokens,
		ToolsUsed: []ToolUse{}, CreatedAt: turn.CreatedAt}
	uses := map[string]int{}
	for _, e := range log {
		if err := a.take(e, uses); err != nil {
			return Answer{}, err
		}
	}
	return a, nil
}

func (a *Answer) take(e models.Event, uses map[string]int) error {
	switch e.Kind {
	case models.KindAssistant:
		m, err := models.Decode[models.AssistantMessage](e)
		if err != nil {
			return err
		}
		a.Text, a.MessageID, a.Cut, a.CreatedAt = m.Text, e.ID, m.Cut, e.CreatedAt
	case models.KindCall:
		c, err := models.Decode[models.ToolCall](e)
		if err != nil {
			return err
		}
		uses[c.CallID] = len(a.ToolsUsed)
		a.ToolsUsed = append(a.ToolsUsed, ToolUse{Name: c.Tool, Status: "running"})
	case models.KindResult:
		r, err := models.Decode[models.ToolResult](e)
		if err != nil {
			return err
		}
		if i, ok := uses[r.CallID]; ok {
			a.ToolsUsed[i].Status, a.ToolsUsed[i].DurationMS = r.Status(), r.Millis
		}
	}
	return nil
}
