package app

import (
	agentapi "lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// AgentSessions are the conversations in the agent API's spelling: one path, the id in the body.
type AgentSessions struct{ *App }

// Index lists the instance's conversations, pinned first.
func (h *AgentSessions) Index(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.Sessions(c, models.SessionFilter{InstanceID: i.ID})
	if err != nil {
		return nil, err
	}
	return data(agentapi.SessionList{Sessions: agentapi.NewSessions(rows)}), nil
}

// Create opens one.
func (h *AgentSessions) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n := models.NewSession{}
	if s, _ := f.OptionalString("title"); s != nil {
		n.Title = *s
	}
	if s, _ := f.OptionalString("category"); s != nil {
		n.Category = *s
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	n.InstanceID = i.ID
	s, err := c.Scope.CreateSession(c, n)
	if err != nil {
		return nil, err
	}
	return data(agentapi.SessionAnswer{Session: agentapi.NewSession(s)}), nil
}

// Update changes one; the body names it.
func (h *AgentSessions) Update(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, change, err := agentapi.ReadSessionChange(f)
	if err != nil {
		return nil, err
	}
	s, err := h.named(c, name)
	if err != nil {
		return nil, err
	}
	if s, err = c.Scope.UpdateSession(c, s.ID, change); err != nil {
		return nil, err
	}
	h.Turns.Changed(c, c.Scope, s.ID)
	return data(agentapi.SessionAnswer{Session: agentapi.NewSession(s)}), nil
}

// Destroy deletes one; proxies drop the body of a DELETE, so the query may name it too.
func (h *AgentSessions) Destroy(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, err := sessionName(c, f)
	if err != nil {
		return nil, err
	}
	s, err := h.named(c, name)
	if err != nil {
		return nil, err
	}
	if err := c.Scope.DeleteSession(c, s.ID); err != nil {
		return nil, err
	}
	h.Turns.Changed(c, c.Scope, s.ID)
	return data(agentapi.Deleted{Success: true}), nil
}

func sessionName(c *Ctx, f *wire.Fields) (string, error) {
	if name := c.Query("sessionId"); name != "" && !f.Has("sessionId") {
		return name, nil
	}
	name, _ := f.String("sessionId")
	return name, f.Err()
}

// named finds a session of the organization by id, or by alias within the instance that the call means.
func (h *AgentSessions) named(c *Ctx, name string) (*models.Session, error) {
	s, err := c.Scope.SessionNamed(c, name)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "session.not_found", "Session not found")
	}
	return s, err
}
