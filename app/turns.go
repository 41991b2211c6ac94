package app

import "lobstead/models"

// Turns are stopped here: the running one, or one that waits.
type Turns struct{ *App }

// Stop asks a turn to end.
func (h *Turns) Stop(c *Ctx) (Reply, error) {
	turn, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
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
	return redirect(localOr(f.Text("back"), "/chat/"+t.SessionID)).json(map[string]string{"turn_id": t.ID, "state": string(t.State)}), nil
}

// Continue lets a turn go on that waits for a budget, with another model when one is named: the instance keeps it.
func (h *Turns) Continue(c *Ctx) (Reply, error) {
	turn, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	model, back := f.Text("model"), f.Text("back")
	if err := f.Err(); err != nil {
		return nil, err
	}
	t, err := c.Scope.Turn(c, turn)
	if err != nil {
		return nil, err
	}
	words := "The turn is tried again"
	if model != "" {
		words = model + " answers here from now on; the turn is tried again"
		if _, err := c.Scope.UpdateInstance(c, t.InstanceID, models.InstanceChange{Model: &model}); err != nil {
			return nil, err
		}
	}
	if err := h.Turns.Resume(c, c.Scope, t.ID); err != nil {
		return nil, err
	}
	return redirect(localOr(back, "/chat/"+t.SessionID)).json(map[string]string{"turn_id": t.ID}).say("ok", words), nil
}
