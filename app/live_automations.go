package app

import (
	"context"

	"lobstead/models"
	"lobstead/views/automations"
)

// Automations streams the list of what runs by itself.
func (h *Live) Automations(c *Ctx) (Reply, error) {
	q := automationQuery(c)
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
		p, err := h.automationList(ctx, sc, q)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		return append(above, fragment{id: "automation-list", html: automations.List(*p)}), err
	}}}, nil
}

// Automation streams one's page.
func (h *Live) Automation(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Automation(c, id); err != nil {
		return nil, err
	}
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
		p, err := h.automationProps(ctx, sc, id)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		out := append(above, fragment{id: "automation-trouble", html: automations.Trouble(*p)}, fragment{id: "automation-badge", html: automations.Badge(*p)}, fragment{id: "automation-acts", html: automations.Acts(*p)},
			fragment{id: "automation-facts", html: automations.Facts(*p)}, fragment{id: "runs", html: automations.Runs(*p)})
		if p.URL != "" {
			out = append(out, fragment{id: "calls", html: automations.Calls(*p)})
		}
		return out, err
	}}}, nil
}
