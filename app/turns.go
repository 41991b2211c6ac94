package app

// Turns are stopped here: the running one, or one that waits.
type Turns struct{ *App }

// Stop asks a turn to end.
func (h *Turns) Stop(c *Ctx) (Reply, error) {
	turn, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	t, err := h.Turns.Stop(c, c.Scope, turn)
	if err != nil {
		return nil, err
	}
	if c.isHTMX() {
		return &answer{noContent: true}, nil
	}
	return redirect("/chat/" + t.SessionID).json(map[string]string{"turn_id": t.ID, "state": string(t.State)}), nil
}
