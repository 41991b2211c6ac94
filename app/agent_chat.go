package app

import (
	"context"
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/engine/agent"
	"lobstead/kit/fault"
	"lobstead/models"
)

// AgentChat is the agent API's one-call conversation.
type AgentChat struct{ *App }

// chatWait is how long one call stays open for its answer.
const chatWait = 10 * time.Minute

// instanceOf is the instance that an agent-API call means: the header, the query, else the default one.
func (a *App) instanceOf(c *Ctx) (*models.Instance, error) {
	name := c.f.Get("X-Instance-Id")
	if name == "" {
		name = c.Query("instance")
	}
	i, err := a.chosen(c, c.Scope, name)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "agent.not_found", "No agent found")
	}
	return i, err
}

// Create sends a message and answers when its turn has ended.
func (h *AgentChat) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := agentapi.ReadChat(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	s, err := c.Scope.SessionOf(c, i.ID, in.SessionID)
	if err != nil {
		return nil, err
	}
	t, _, err := h.Turns.Start(c, c.Scope, s.ID, models.Input{Text: in.Message, Attachments: in.Images, Source: "agent-api"})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c, chatWait)
	defer cancel()
	if t, err = h.Turns.Await(ctx, c.Scope, t.ID); err != nil {
		return nil, err
	}
	if t.State == models.TurnFailed {
		if err := h.Turns.Refused(c, c.Scope, t.ID); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Upstream, "turn.failed", "%s", t.Reason)
	}
	answer, err := h.Turns.Answer(c, c.Scope, t.ID)
	if err != nil {
		return nil, err
	}
	used, err := c.Scope.MessagesThisMonth(c)
	return data(chatAnswer(s, t, answer, used)), err
}

func chatAnswer(s *models.Session, t *models.Turn, a agent.Answer, used int) agentapi.Chat {
	name := agentapi.SessionID(s)
	out := agentapi.Chat{Response: a.Text, Reply: a.Text, Content: a.Text, SessionID: name, TurnID: t.ID, Model: a.Model,
		Message:   agentapi.Message{ID: a.MessageID, SessionID: name, Role: "assistant", Content: a.Text, CreatedAt: wire.Time(a.CreatedAt)},
		Tokens:    agentapi.Tokens{Input: a.InputTokens, Output: a.OutputTokens, Total: a.InputTokens + a.OutputTokens},
		ToolsUsed: []agentapi.ToolUse{}, MessagesUsed: used}
	for _, u := range a.ToolsUsed {
		out.ToolsUsed = append(out.ToolsUsed, agentapi.ToolUse{Name: u.Name, Status: u.Status, DurationMS: u.DurationMS})
	}
	return out
}
