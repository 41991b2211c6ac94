package app

import (
	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// AutomationHolds hold back all automations, or those of one instance.
type AutomationHolds struct{ *App }

// heldOf is the instance that is meant; "" = all.
func heldOf(c *Ctx) (string, error) {
	instance := c.Query("instance")
	if _, ok := id.UUID(instance); instance != "" && !ok {
		return "", fault.NotFoundf("instance")
	}
	return instance, nil
}

// Create holds them back.
func (h *AutomationHolds) Create(c *Ctx) (Reply, error) {
	instance, err := heldOf(c)
	if err == nil {
		err = h.Automations.Hold(c, c.Scope, instance)
	}
	if err != nil {
		return nil, err
	}
	return redirect(automationsPath).say("ok", "Nothing of it runs by itself now"), nil
}

// Destroy lets them go on.
func (h *AutomationHolds) Destroy(c *Ctx) (Reply, error) {
	instance, err := heldOf(c)
	if err == nil {
		err = h.Automations.Release(c, c.Scope, instance)
	}
	if err != nil {
		return nil, err
	}
	return redirect(automationsPath).say("ok", "It goes on from now"), nil
}
