package app

import (
	"lobstead/api/fleet"
	"lobstead/api/runtime"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetChannels are channels in the fleet API's spelling (fleet-api.md, section 4), and in the runtime API's.
type FleetChannels struct{ *App }

// Index lists by which ways an agent is reached.
func (h *FleetChannels) Index(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.Bindings(c, i.ID)
	return data(fleet.NewBindings(i, rows)), err
}

// Link gives the handler that makes a code by which the caller links themselves.
func (h *FleetChannels) Link(kind models.ChannelKind) Handler {
	return func(c *Ctx) (Reply, error) {
		i, err := h.agentOf(c)
		if err != nil {
			return nil, err
		}
		ch, err := c.Scope.ChannelOf(c, i.ID, kind)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.New(fault.Invalid, "channel.missing", "No %s_bot_token is configured for this agent", kind)
		}
		if err != nil {
			return nil, err
		}
		if _, err := c.Scope.BindingOf(c, i.ID, kind, c.Principal.User.ID); kind == models.SlackChannel && err == nil {
			return nil, fault.New(fault.Conflict, "channel.linked", "Slack account already linked")
		}
		code, expires, err := c.Scope.NewLinkCode(c, ch.ID)
		return data(fleet.NewLinkCode(code, expires, kind, ch.Name)), err
	}
}

// Status gives the handler that tells whether the caller is linked.
func (h *FleetChannels) Status(kind models.ChannelKind) Handler {
	return func(c *Ctx) (Reply, error) {
		i, err := h.agentOf(c)
		if err != nil {
			return nil, err
		}
		b, err := c.Scope.BindingOf(c, i.ID, kind, c.Principal.User.ID)
		if fault.Is(err, fault.NotFound) {
			b, err = nil, nil
		}
		return data(fleet.NewLinkStatus(kind, b)), err
	}
}

// Unlink gives the handler that ends the caller's link; 404 when there is none.
func (h *FleetChannels) Unlink(kind models.ChannelKind) Handler {
	return func(c *Ctx) (Reply, error) {
		i, err := h.agentOf(c)
		if err != nil {
			return nil, err
		}
		b, err := c.Scope.BindingOf(c, i.ID, kind, c.Principal.User.ID)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.New(fault.NotFound, "binding.not_found", "No %s account is linked", kind.Title())
		}
		if err == nil {
			_, err = c.Scope.Unlink(c, b.ID)
		}
		return data(fleet.NewUnlinked(kind)), err
	}
}

// Statuses tells how each channel of the organization does.
func (h *FleetChannels) Statuses(c *Ctx) (Reply, error) {
	rows, err := c.Scope.Channels(c, "")
	return data(runtime.NewChannelStatuses(rows)), err
}
