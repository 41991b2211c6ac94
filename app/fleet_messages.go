package app

import (
	"strings"
	"time"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// FleetMessages are what agents are told and say by channels, in the fleet API's spelling (fleet-api.md, section 3).
type FleetMessages struct{ *App }

// Create takes a message; it does not wait for the answer.
func (h *FleetMessages) Create(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := readFleetMessage(f)
	if err != nil {
		return nil, err
	}
	if s := i.Standing(); s == models.StandingStopped || s == models.StandingError {
		return nil, unanswering(s)
	}
	s, err := h.session(c, i, in.Message)
	if err != nil {
		return nil, err
	}
	_, event, err := h.Turns.Start(c, c.Scope, s.ID, in)
	err = fault.Renamed(err, "message", "content")
	if e := fault.As(err); err != nil && (e.Code == "instance.stopped" || e.Code == "instance.state" || e.Code == "instance.deleting") {
		return nil, unanswering(models.StandingStopped)
	}
	if err != nil {
		return nil, err
	}
	return data(fleet.MessageSent{Named: fleet.Name(event.ID), Role: "user", Content: in.Text, Status: string(models.MessagePending), Channel: in.Message.Channel,
		QueueMode: string(in.Message.QueueMode), CreatedAt: wire.Time(event.CreatedAt)}).with(201), nil
}

// session is the conversation that a message belongs to: the caller's own by the API, or the one that they have by a channel, by which the
// answer leaves too.
func (h *FleetMessages) session(c *Ctx, i *models.Instance, m *models.NewMessage) (*models.Session, error) {
	if m.Channel == models.APIChannel {
		return c.Scope.SessionOf(c, i.ID, models.APIChannel+":"+c.Principal.User.ID)
	}
	kind := models.ChannelKind(m.Channel)
	b, err := c.Scope.BindingOf(c, i.ID, kind, c.Principal.User.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Invalid, "channel.unlinked", "No %s account of yours is linked to this agent", kind.Title()).Hinting("Make a code with POST /v1/agent/" + i.ID + "/" + m.Channel + "/link, and send it there")
	}
	if err != nil {
		return nil, err
	}
	ch, err := c.Scope.Channel(c, b.ChannelID)
	if err != nil {
		return nil, err
	}
	if ch.State == models.ChannelOff {
		return nil, fault.New(fault.Invalid, "channel.off", "The %s channel of this agent is switched off", kind.Title())
	}
	m.ChannelID, m.Peer = b.ChannelID, b.Peer
	return c.Scope.BindingSession(c, b)
}

func unanswering(s models.Standing) error {
	words := "Agent is stopped"
	if s == models.StandingError {
		words = "Agent is in error state"
	}
	return fault.New(fault.Unavailable, "agent.unavailable", "%s", words)
}

func readFleetMessage(f *wire.Fields) (models.Input, error) {
	m := &models.NewMessage{Channel: models.APIChannel, QueueMode: models.Collect}
	content, said := f.String("content")
	if said && strings.TrimSpace(content) == "" {
		f.Issues.Custom("content", "content must not be empty")
	}
	if f.Has("channel") {
		m.Channel, _ = f.Enum("channel", models.APIChannel, "discord", "slack", "telegram")
	}
	if f.Has("queue_mode") {
		mode, _ := f.Enum("queue_mode", string(models.Collect), string(models.Interrupt))
		m.QueueMode = models.QueueMode(mode)
	}
	if f.Has("metadata") && !f.Null("metadata") {
		if inner := f.Object("metadata"); inner != nil {
			m.Metadata = inner.Values()
			if inner.Has("automation_id") { // it says whose run a message is
				f.Issues.Custom("metadata.automation_id", "metadata.automation_id is said by the server alone")
			}
		}
	}
	return models.Input{Text: content, Source: "fleet-api", Message: m}, f.Err()
}

// Index lists them.
func (h *FleetMessages) Index(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", 50, 1, 100)
	if err != nil {
		return nil, err
	}
	f := models.MessageFilter{Before: c.Query("before"), After: c.Query("after"), Status: models.MessageStatus(c.Query("status")), Channel: c.Query("channel"), Limit: limit}
	for name, cursor := range map[string]string{"before": f.Before, "after": f.After} {
		if _, ok := id.UUID(cursor); cursor != "" && !ok {
			var is fault.Issues
			is.Custom(name, name+" must be a message id")
			return nil, is.Err()
		}
	}
	rows, more, err := c.Scope.Messages(c, i.ID, f)
	return data(fleet.NewMessages(rows, more)), err
}

// Conversations lists them by whom the agent talks to.
func (h *FleetMessages) Conversations(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", 10, 1, 50)
	if err != nil {
		return nil, err
	}
	each, err := c.queryInt("messages_per_conversation", 20, 1, 50)
	if err != nil {
		return nil, err
	}
	before := time.Time{}
	if text := c.Query("before"); text != "" {
		if before, err = time.Parse(time.RFC3339, text); err != nil {
			var is fault.Issues
			is.Custom("before", "before must be an ISO 8601 time")
			return nil, is.Err()
		}
	}
	people, more, err := c.Scope.Counterparties(c, i.ID, before, limit)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(people))
	for n := range people {
		ids[n] = people[n].PersonID
	}
	rows, err := c.Scope.MessagesWith(c, i.ID, ids, each)
	if err != nil {
		return nil, err
	}
	out := fleet.ConversationList{Conversations: []fleet.Conversation{}}
	for _, p := range people {
		out.Conversations = append(out.Conversations, fleet.NewConversation(i.ID, p, rows[p.PersonID]))
		out.Pagination = fleet.NewCursor(more, p.LastAt)
	}
	return data(out), nil
}
