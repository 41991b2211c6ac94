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

// begun is a message that was taken.
type begun struct {
	in      runtime.MessageRequest
	session *models.Session
	turn    *models.Turn
	said    *models.Event
}

// begin reads a message and starts its turn: in the session that it names, else in the newest of the agent.
func (h *AgentMessage) begin(c *Ctx) (*begun, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	b := &begun{}
	if b.in, err = runtime.ReadMessage(f); err != nil {
		return nil, err
	}
	if b.session, err = h.session(c, b.in.SessionID); err != nil {
		return nil, err
	}
	source := agent.RuntimeSource
	if b.in.Outside() {
		source += "/" + b.in.Channel
	}
	b.turn, b.said, err = h.Turns.Start(c, c.Scope, b.session.ID, models.Input{Text: b.in.Content, Source: source, Once: true})
	return b, err
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
	b, err := h.begin(c)
	if err != nil {
		return nil, err
	}
	before, err := c.Scope.ModelBefore(c, b.turn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c, chatWait)
	defer cancel()
	t, err := h.Turns.Await(ctx, c.Scope, b.turn.ID)
	if err != nil {
		return nil, err
	}
	if t.State == models.TurnFailed {
		if err := h.Turns.Refused(c, c.Scope, t.ID); err != nil {
			return nil, err
		}
		return data(runtime.Error{Error: t.Reason}).with(500), nil
	}
	a, err := h.Turns.Answer(c, c.Scope, t.ID)
	return data(b.answer(t, a, before)), err
}

// answer presents what the turn came to; before is who answered the session until then.
func (b *begun) answer(t *models.Turn, a agent.Answer, before string) runtime.MessageAnswer {
	out := runtime.MessageAnswer{SessionID: b.session.ID, Nickname: b.session.Title, UserMessageID: b.said.ID, AssistantMessageID: a.MessageID, Content: a.Text,
		SelectedModel: t.Provider + "/" + t.Model, Model: t.Model, TokensIn: t.InputTokens, TokensOut: t.OutputTokens, Cost: models.Dollars(t.CostNanos),
		ReducedAuthority: b.in.Outside(), Authority: b.in.Authority(), ReactTurns: t.Steps,
		Cached: t.TokensSaved > 0, TokensSaved: t.TokensSaved}
	if before != "" && before != t.Model {
		out.ModelShiftFrom = &before
	}
	return out
}

// Follow sends a message and hands the answer on as it is said. When the client leaves, the turn is stopped.
func (h *AgentMessage) Follow(c *Ctx) (Reply, error) {
	b, err := h.begin(c)
	if err != nil {
		return nil, err
	}
	i, err := c.Scope.Instance(c, b.turn.InstanceID)
	if err != nil {
		return nil, err
	}
	ctx, stop := c.untilGone()
	told := gateway.Telling{Turns: h.Turns, Scope: c.Scope, Turn: b.turn}
	next, end := iter.Pull2(told.Chunks(ctx))
	first, err, _ := next()
	if err != nil {
		end()
		stop()
		return nil, beforeFirst(err)
	}
	spoken := &messageFrames{runtime.MessageStream{SessionID: b.session.ID, TurnID: b.turn.ID, Model: h.routeOf(c, i).Model}}
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
