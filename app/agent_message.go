package app

import (
	"context"
	"iter"

	"lobstead/api/runtime"
	"lobstead/engine/agent"
	"lobstead/engine/gateway"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// AgentMessage is a conversation in the runtime API's spelling.
type AgentMessage struct{ *App }

// begin reads a message and starts its turn: in the session that it names, else in the newest of the agent.
func (h *AgentMessage) begin(c *Ctx) (runtime.MessageRequest, *models.Session, *models.Turn, *models.Event, error) {
	var in runtime.MessageRequest
	f, err := c.Fields()
	if err == nil {
		in, err = runtime.ReadMessage(f)
	}
	if err != nil {
		return in, nil, nil, nil, err
	}
	s, err := h.session(c, in.SessionID)
	if err != nil {
		return in, nil, nil, nil, err
	}
	source := agent.RuntimeSource
	if in.Outside() {
		source += "/" + in.Channel
	}
	t, e, err := h.Turns.Start(c, c.Scope, s.ID, models.Input{Text: in.Content, Source: source, Once: true})
	return in, s, t, e, err
}

func (h *AgentMessage) session(c *Ctx, name string) (*models.Session, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return c.Scope.SessionOf(c, i.ID, "")
	}
	s, err := c.Scope.SessionFor(c, i.ID, name)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, fault.New(fault.NotFound, "session.not_found", "session not found")
	case err == nil && s.InstanceID != i.ID:
		return nil, fault.New(fault.Forbidden, "session.elsewhere", "session does not belong to this agent")
	}
	return s, err
}

// Create sends a message and answers when its turn has ended.
func (h *AgentMessage) Create(c *Ctx) (Reply, error) {
	in, s, t, said, err := h.begin(c)
	if err != nil {
		return nil, err
	}
	before, err := c.Scope.ModelBefore(c, t)
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
		return data(runtime.Error{Error: t.Reason}).with(500), nil
	}
	a, err := h.Turns.Answer(c, c.Scope, t.ID)
	out := runtime.MessageAnswer{SessionID: s.ID, Nickname: s.Title, UserMessageID: said.ID, AssistantMessageID: a.MessageID, Content: a.Text,
		SelectedModel: t.Provider + "/" + t.Model, Model: t.Model, TokensIn: t.InputTokens, TokensOut: t.OutputTokens, Cost: float64(t.CostNanos) / float64(models.Dollar),
		ReducedAuthority: in.Outside(), Authority: in.Authority(), ReactTurns: t.Steps}
	if before != "" && before != t.Model {
		out.ModelShiftFrom = &before
	}
	return data(out), err
}

// Stream sends a message and hands the answer on as it is said. When the client leaves, the turn is stopped.
func (h *AgentMessage) Stream(c *Ctx) (Reply, error) {
	_, s, t, _, err := h.begin(c)
	if err != nil {
		return nil, err
	}
	i, err := c.Scope.Instance(c, t.InstanceID)
	if err != nil {
		return nil, err
	}
	route, err := h.Door.Resolve(c, c.Scope, i)
	if err != nil {
		return nil, err
	}
	ctx, stop := c.untilGone()
	told := gateway.Telling{Turns: h.Turns, Scope: c.Scope, Turn: t}
	next, end := iter.Pull2(told.Chunks(ctx))
	first, err, _ := next()
	if err != nil {
		end()
		stop()
		return nil, beforeFirst(err)
	}
	spoken := &messageFrames{runtime.MessageStream{SessionID: s.ID, TurnID: t.ID, Model: route.Model}}
	finish := func(d llm.Done) []byte { return spoken.Finish(d.Model, d.Usage.Input, d.Usage.Output) }
	return &telling{speech: spoken, finish: finish, first: first, next: next, end: end, stop: stop}, nil
}

// beforeFirst is what is said of a model that failed before its first word; a budget's refusal says so itself.
func beforeFirst(err error) error {
	if fault.Is(err, fault.Upstream) {
		return fault.Wrap(err, fault.Upstream, "turn.failed", runtime.Upstream)
	}
	return err
}

// messageFrames are the family's frames.
type messageFrames struct{ runtime.MessageStream }

func (m *messageFrames) Begin() []byte { return m.Start() }

func (m *messageFrames) Piece(c llm.Chunk) []byte {
	if c.Text == "" {
		return nil
	}
	return m.Text(c.Text)
}

func (m *messageFrames) Fail(*fault.Error) []byte { return m.Broken() }
