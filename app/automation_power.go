package app

import (
	"lobstead/kit/fault"
)

// AutomationPower starts, holds back and ends automations.
type AutomationPower struct{ *App }

// Run starts one out of its time.
func (h *AutomationPower) Run(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	run, err := h.Automations.RunNow(c, c.Scope, id)
	back := redirect(automationsPath + "/" + id)
	switch {
	case err != nil && (run != nil || fault.As(err).Code == "automation.running"): // the page has it
		return back.say("warn", sentence(fault.As(err))), nil
	case err != nil:
		return nil, err
	}
	return back.say("ok", "It runs now"), nil
}

// Pause holds one back.
func (h *AutomationPower) Pause(c *Ctx) (Reply, error) {
	return h.change(c, "It is paused", func(id string) error { _, err := h.Automations.Pause(c, c.Scope, id); return err })
}

// Resume lets one go on.
func (h *AutomationPower) Resume(c *Ctx) (Reply, error) {
	return h.change(c, "It goes on", func(id string) error { _, err := h.Automations.Resume(c, c.Scope, id); return err })
}

// change is a verb on one; what its state does not allow is said on its page.
func (h *AutomationPower) change(c *Ctx, done string, verb func(id string) error) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	kind, words := "ok", done
	if err := verb(id); fault.Is(err, fault.Conflict) {
		kind, words = "warn", sentence(fault.As(err))
	} else if err != nil {
		return nil, err
	}
	return redirect(automationsPath+"/"+id).say(kind, words), nil
}

// Destroy ends one.
func (h *AutomationPower) Destroy(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := h.Automations.Delete(c, c.Scope, id); err != nil {
		return nil, err
	}
	return redirect(automationsPath).say("ok", "It is deleted"), nil
}
