package app

import (
	"lobstead/kit/fault"
	"lobstead/models"
)

// ChannelPower tries, switches and links accounts.
type ChannelPower struct{ *App }

func (h *ChannelPower) of(c *Ctx) (*models.Channel, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Channel(c, id)
}

// Try asks an account's service anew.
func (h *ChannelPower) Try(c *Ctx) (Reply, error) {
	ch, err := h.of(c)
	if err != nil {
		return nil, err
	}
	back := redirect(channelPath(ch.InstanceID, ch.Kind))
	p, err := h.Channels.Try(c, c.Scope, ch.ID)
	if fault.Is(err, fault.Unclear) {
		return back.say("warn", sentence(fault.As(err))), nil
	}
	if err != nil {
		return nil, err
	}
	words := ch.Kind.Title() + " answered as " + p.Name
	if ch.State == models.ChannelFailed { // it was mended where it is
		_, err := h.Channels.Switch(c, c.Scope, ch.ID, true)
		return back.say("ok", words+": it is being connected"), err
	}
	if p.Note != "" {
		return back.say("warn", words+". "+p.Note), nil
	}
	return back.say("ok", words), nil
}

// On switches an account on.
func (h *ChannelPower) On(c *Ctx) (Reply, error) { return h.turn(c, true, "It is being connected") }

// Off switches it off: nothing is received, and nothing is sent.
func (h *ChannelPower) Off(c *Ctx) (Reply, error) { return h.turn(c, false, "It is off") }

func (h *ChannelPower) turn(c *Ctx, on bool, done string) (Reply, error) {
	ch, err := h.of(c)
	if err != nil {
		return nil, err
	}
	if _, err := h.Channels.Switch(c, c.Scope, ch.ID, on); err != nil {
		return nil, err
	}
	return redirect(channelPath(ch.InstanceID, ch.Kind)).say("ok", done), nil
}

// Destroy forgets an account.
func (h *ChannelPower) Destroy(c *Ctx) (Reply, error) {
	ch, err := h.of(c)
	if err != nil {
		return nil, err
	}
	if err := h.Channels.Disconnect(c, c.Scope, ch.ID); err != nil {
		return nil, err
	}
	return redirect("/instances/"+ch.InstanceID+"/channels").say("ok", ch.Kind.Title()+" is disconnected"), nil
}

// Code makes a code by which the reader links themselves; the page after shows it, once.
func (h *ChannelPower) Code(c *Ctx) (Reply, error) {
	ch, err := h.of(c)
	if err != nil {
		return nil, err
	}
	code, until, err := c.Scope.NewLinkCode(c, ch.ID)
	if err != nil {
		return nil, err
	}
	return c.showOnce(channelPath(ch.InstanceID, ch.Kind), once{Value: code, Until: until})
}

// Unlink ends somebody's binding.
func (h *ChannelPower) Unlink(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	b, err := c.Scope.Unlink(c, id)
	if err != nil {
		return nil, err
	}
	return redirect(channelPath(b.InstanceID, b.Kind)).say("ok", b.SenderName+" is not linked any more"), nil
}

// Collect lets the reader's messages wait for the work under way.
func (h *ChannelPower) Collect(c *Ctx) (Reply, error) { return h.mode(c, models.Collect) }

// Interrupt lets them end it.
func (h *ChannelPower) Interrupt(c *Ctx) (Reply, error) { return h.mode(c, models.Interrupt) }

func (h *ChannelPower) mode(c *Ctx, mode models.QueueMode) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	b, err := c.Scope.SetBindingMode(c, id, mode)
	if err != nil {
		return nil, err
	}
	return redirect(channelPath(b.InstanceID, b.Kind)).say("ok", "Saved"), nil
}
