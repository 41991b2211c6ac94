package app

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"lobstead/engine/agent"
	"lobstead/engine/provision"
	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/instances"
	"lobstead/views/layout"
	"lobstead/views/overview"
)

// Live opens the pages' event streams: one per page.
type Live struct{ *App }

// fragment is one patchable element of a page.
type fragment struct {
	id    string
	html  templ.Component
	apart bool // outside of the list
}

var seed = maphash.MakeSeed()

// fragments sends, of all patchable elements of a page, those that changed since they were sent last.
type fragments struct {
	app  *App
	on   func(p *models.Principal) []string
	make func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error)
	sent []mark // of each element, in their order: a stream stands idle for hours, and a map would be ten times that
	list bool   // the first element holds the others, which come and go: it is sent at first and when they do
}

// mark is what is remembered of an element that was sent.
type mark struct{ id, html uint64 }

// was gives what was sent of an element, which probably stands where it stood.
func (f *fragments) was(id uint64, at int) (mark, bool) {
	if at < len(f.sent) && f.sent[at].id == id {
		return f.sent[at], true
	}
	n := slices.IndexFunc(f.sent, func(m mark) bool { return m.id == id })
	if n < 0 {
		return mark{}, false
	}
	return f.sent[n], true
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

// diff writes what changed. What came or went between the page and its stream is nobody's change: a list
// begins with the whole of it.
func (f *fragments) diff(ctx context.Context, out *strings.Builder, parts []fragment) error {
	whole := fragment{}
	if f.list {
		whole, parts = parts[0], parts[1:]
	}
	now := make([]mark, len(parts))
	var changed strings.Builder // in the list; what is apart goes out at once
	others := f.sent == nil || len(f.sent) != len(parts)
	for n, part := range parts {
		var b strings.Builder
		if err := part.html.Render(ctx, &b); err != nil {
			return err
		}
		now[n] = mark{maphash.String(seed, part.id), maphash.String(seed, b.String())}
		was, known := f.was(now[n].id, n)
		others = others || !known
		switch {
		case known && was == now[n]:
		case part.apart:
			out.WriteString(b.String())
		default:
			changed.WriteString(b.String())
		}
	}
	f.sent = now
	if f.list && others {
		return whole.html.Render(ctx, out)
	}
	out.WriteString(changed.String())
	return nil
}

// around is what stands around every page: why nothing runs while the organization is suspended, how many turns wait for a
// person, and what this one was told. It is read anew: the principal may be a moment old, and nothing comes after.
func around(ctx context.Context, sc *models.Scope) ([]fragment, error) {
	o, err := sc.Organization(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := sc.WaitingCount(ctx)
	if err != nil {
		return nil, err
	}
	unread, err := sc.UnreadNotifications(ctx)
	return []fragment{{"org-notice", layout.Notice(suspendedNotice(o)), true}, {layout.InboxCount, layout.Count(layout.InboxCount, waiting), true},
		{layout.UnreadCount, layout.Count(layout.UnreadCount, unread), true}}, err
}

func orgTopics(p *models.Principal) []string {
	return []string{provision.OrgTopic(p.Membership.OrganizationID), agent.InboxTopic(p.Membership.OrganizationID)}
}

// Overview streams the first page.
func (h *Live) Overview(c *Ctx) (Reply, error) {
	return streamReply{&fragments{app: h.App, on: orgTopics, make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		o, err := h.overviewProps(ctx, sc, p)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		if err != nil {
			return nil, err
		}
		return append(above, []fragment{{id: "overview-tiles", html: overview.Tiles(*o)}, {id: "overview-instances", html: overview.InstanceList(*o)},
			{id: "overview-failures", html: overview.Failures(*o)}, {id: "overview-checklist", html: overview.Checklist(*o)}}...), nil
	}}}, nil
}

// Instances streams the list.
func (h *Live) Instances(c *Ctx) (Reply, error) {
	shown := -1 // instances when the list was sent last: with the first and the last more than rows changes
	return streamReply{&fragments{app: h.App, on: orgTopics, list: true, make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		rows, err := sc.Instances(ctx)
		if err != nil {
			return nil, err
		}
		o, err := h.indexProps(ctx, sc, p, rows)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		if err != nil {
			return nil, err
		}
		out := append([]fragment{{id: "instance-rows", html: instances.Rows(*o)}}, above...)
		if shown < 0 || (shown == 0) != (len(rows) == 0) {
			out[0] = fragment{id: "instance-list", html: instances.List(*o)}
		}
		shown = len(rows)
		for n := range rows {
			out = append(out, fragment{id: "instance-" + rows[n].ID, html: instances.Row(&rows[n], o.Models[rows[n].ID])})
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
	on := func(p *models.Principal) []string {
		return append(orgTopics(p), provision.InstanceTopic(instance))
	}
	if c.Query("for") == "chat" { // the page before the first message
		return streamReply{&fragments{app: h.App, on: on, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
			p, err := h.beforeChat(ctx, sc, instance)
			if err != nil {
				return nil, err
			}
			above, err := around(ctx, sc)
			if err != nil {
				return nil, err
			}
			return append(above, fragment{id: "chat-head", html: chat.Head(*p)}, fragment{id: "rail", html: chat.Rail(p.Rail)}), nil
		}}}, nil
	}
	return streamReply{&fragments{app: h.App, on: on, make: func(ctx context.Context, sc *models.Scope, p *models.Principal) ([]fragment, error) {
		o, err := h.showProps(ctx, sc, p, instance)
		if err != nil {
			return nil, err
		}
		above, err := around(ctx, sc)
		if err != nil {
			return nil, err
		}
		return append(above, []fragment{{id: "instance-head", html: instances.Head(*o)}, {id: "instance-steps", html: instances.Steps(*o)},
			{id: "instance-metrics", html: instances.Metrics(*o)}, {id: "instance-logs", html: instances.Logs(*o)},
			{id: "instance-facts", html: instances.Facts(*o)}, {id: "instance-isolation", html: instances.Isolation(*o)}}...), nil
	}}}, nil
}

// beforeChat is what stands around a conversation that has not begun.
func (a *App) beforeChat(ctx context.Context, sc *models.Scope, instance string) (*chat.ShowProps, error) {
	p := &chat.ShowProps{}
	var err error
	if p.Instance, err = sc.Instance(ctx, instance); err != nil {
		return nil, err
	}
	if p.Instances, err = sc.Instances(ctx); err != nil {
		return nil, err
	}
	return p, a.fill(ctx, sc, p)
}

// Chat streams one conversation from a cursor.
func (h *Live) Chat(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	s, err := c.Scope.Session(c, session)
	if err != nil {
		return nil, err
	}
	f, err := newChatFeed(h.App, s, c.Query("after"))
	return streamReply{f}, err
}
