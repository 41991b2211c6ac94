package app

import (
	"lobstead/kit/fault"
)

// AutomationSecret is the secret that a trigger is called with.
type AutomationSecret struct{ *App }

// Create gives a trigger a new one, which the page after shows, and no other.
func (h *AutomationSecret) Create(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	keep := f.OptionalBool("keep")
	if err := f.Err(); err != nil {
		return nil, err
	}
	_, token, err := h.Automations.Rotate(c, c.Scope, id, keep != nil && *keep)
	if fault.Is(err, fault.Conflict) {
		return redirect(automationsPath+"/"+id).say("warn", sentence(fault.As(err))), nil
	}
	if err != nil {
		return nil, err
	}
	return c.showOnce(automationsPath+"/"+id, once{Value: token.Reveal()})
}

// Destroy ends the old one.
func (h *AutomationSecret) Destroy(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	back := redirect(automationsPath + "/" + id)
	if _, err := h.Automations.EndOldSecret(c, c.Scope, id); fault.Is(err, fault.Conflict) {
		return back.say("warn", sentence(fault.As(err))), nil
	} else if err != nil {
		return nil, err
	}
	return back.say("ok", "The old secret works no more"), nil
}
