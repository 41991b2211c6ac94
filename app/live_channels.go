package app

import (
	"context"

	"lobstead/models"
	"lobstead/views/channels"
)

// Channels streams the services of an instance.
func (h *Live) Channels(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
		p, err := h.channelList(ctx, sc, i)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		return append(above, fragment{id: "channels", html: channels.List(p)}), err
	}}}, nil
}

// Channel streams how one of them stands. A code is shown once: while it waits to be used, what shows it is left alone.
func (h *Live) Channel(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	kind, code := models.ChannelKind(c.Param("kind")), c.Query("code") != ""
	if _, err := h.App.Channels.Service(kind); err != nil {
		return nil, err
	}
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, who *models.Principal) ([]fragment, error) {
		p, err := h.channelProps(ctx, sc, who, i, kind)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		out := append(above, fragment{id: "channel-acts", html: channels.Acts(*p)}, fragment{id: "standing", html: channels.Standing(*p)})
		if !code || p.Channel == nil || p.Mine != nil {
			out = append(out, fragment{id: "people", html: channels.People(*p)})
		}
		return out, err
	}}}, nil
}
