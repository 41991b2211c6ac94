package app

import (
	"context"
	"hash/maphash"
	"strings"

	"github.com/a-h/templ"

	"lobstead/engine/provision"
	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/overview"
)

// Live opens the pages' event streams: one per page.
type Live struct{ *App }

// fragment is one patchable element of a page.
type fragment struct {
	id   string
	html templ.Component
}

var seed = maphash.MakeSeed()

// fragments sends, of all patchable elements of a page, those that changed since they were sent last.
type fragments struct {
	app  *App
	on   func(p *models.Principal) []string
	make func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error)
	sent map[string]uint64
	into string // where elements that come later go, at the top; what is missing is removed. "" = they are fixed
}

func (f *fragments) topics(p *models.Principal) []string { return f.on(p) }
func (f *fragments) close()                              {}

func (f *fragments) next(ctx context.Context, sc *models.Scope, p *models.Principal, _ wakeReason) (string, string, error) {
	parts, err := f.make(ctx, sc, p)
	if err != nil {
		return "", "", err
	}
	var out strings.Builder
	err = f.diff(ctx, &out, parts)
	return out.String(), "", err
}

// diff writes what changed, and the removal of what is no longer there.
func (f *fragments) diff(ctx context.Context, out *strings.Builder, parts []fragment) error {
	if f.sent == nil {
		f.sent = make(map[string]uint64, len(parts))
	}
	now := make(map[string]uint64, len(parts))
	for _, part := range parts {
		var b strings.Builder
		if err := part.html.Render(ctx, &b); err != nil {
			return err
		}
		now[part.id] = maphash.String(seed, b.String())
		switch was, known := f.sent[part.id]; {
		case known && was == now[part.id]:
		case !known && f.into != "":
			out.WriteString(strings.Replace(b.String(), ` id="`, ` data-live-op="prepend:`+f.into+`" id="`, 1))
		default:
			out.WriteString(b.String())
		}
	}
	for id := range f.sent {
		if _, ok := now[id]; !ok && f.into != "" {
			out.WriteString(`<div id="` + id + `" data-live-op="remove"></div>`)
		}
	}
	f.sent = now
	return nil
}

func orgTopics(p *models.Principal) []string {
	return []string{provision.OrgTopic(p.Membership.OrganizationID)}
}

// Overview streams the first page.
func (h *Live) Overview(c *Ctx) (Reply, error) {
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		o, err := h.overviewProps(ctx, sc, p)
		if err != nil {
			return nil, err
		}
		return []fragment{{"overview-tiles", overview.Tiles(*o)}, {"overview-instances", overview.InstanceList(*o)},
			{"overview-failures", overview.Failures(*o)}, {"overview-checklist", overview.Checklist(*o)}}, nil
	}}}, nil
}

// Instances streams the list.
func (h *Live) Instances(c *Ctx) (Reply, error) {
	return streamReply{&fragments{app: h.App, on: orgTopics, into: "instance-rows", make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		rows, err := sc.Instances(ctx)
		if err != nil {
			return nil, err
		}
		o, err := h.indexProps(ctx, sc, p, rows)
		if err != nil {
			return nil, err
		}
		out := make([]fragment, len(rows))
		for n := range rows {
			out[n] = fragment{"instance-" + rows[n].ID, instances.Row(&rows[n], o.Models[rows[n].ID])}
		}
		return out, nil
	}}}, nil
}

// Instance streams one instance's page.
func (h *Live) Instance(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Instance(c, instance); err != nil {
		return nil, err
	}
	on := func(*models.Principal) []string { return []string{provision.InstanceTopic(instance)} }
	return streamReply{&fragments{app: h.App, on: on, make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		o, err := h.showProps(ctx, sc, p, instance)
		if err != nil {
			return nil, err
		}
		return []fragment{{"instance-head", instances.Head(*o)}, {"instance-steps", instances.Steps(*o)},
			{"instance-metrics", instances.Metrics(*o)}, {"instance-logs", instances.Logs(*o)}}, nil
	}}}, nil
}

// Chat streams one conversation from a cursor.
func (h *Live) Chat(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Session(c, session); err != nil {
		return nil, err
	}
	f, err := newChatFeed(h.App, session, c.Query("after"))
	return streamReply{f}, err
}
