package app

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"lobstead/api/agent"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/chat"
)

// Chat shows conversations.
type Chat struct{ *App }

// window is how many events a page shows at first; earlier ones are a click away.
const window = 200

// sessionsShown is how many conversations the left column lists.
const sessionsShown = 100

// Index opens the newest conversation, or a new one.
func (h *Chat) Index(c *Ctx) (Reply, error) {
	if c.isHTMX() { // the left column asks for itself
		list, err := h.sessions(c, "")
		if err != nil {
			return nil, err
		}
		return (&answer{}).partial(chat.SessionList(list)), nil
	}
	instance, fresh := c.Query("instance"), c.Query("new") != ""
	if !fresh && c.Query("q") == "" {
		s, err := c.Scope.Sessions(c, models.SessionFilter{InstanceID: instance, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(s) > 0 {
			return redirect("/chat/" + s[0].ID), nil
		}
	}
	p, err := h.newChat(c, instance)
	if err != nil {
		return nil, err
	}
	return page(chat.Show(*p)), nil
}

// newChat is the page before the first message.
func (h *Chat) newChat(c *Ctx, instance string) (*chat.ShowProps, error) {
	list, err := h.sessions(c, "")
	if err != nil {
		return nil, err
	}
	p := &chat.ShowProps{Frame: c.frame("New chat", "/chat", ""), Sessions: list}
	p.Frame.PageClass = "main-full"
	if p.Instances, err = c.Scope.Instances(c); err != nil {
		return nil, err
	}
	i, err := h.chosen(c, c.Scope, instance)
	if fault.Is(err, fault.NotFound) && instance == "" {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.Instance, p.Frame.LiveURL = i, "/live/instances/"+i.ID+"?for=chat"
	err = h.fill(c, c.Scope, p)
	return p, err
}

// chosen is the instance that a request means: the named one, else the default.
func (a *App) chosen(ctx context.Context, sc *models.Scope, instance string) (*models.Instance, error) {
	if instance == "" {
		return sc.DefaultInstance(ctx)
	}
	return sc.Instance(ctx, instance)
}

// Show is one conversation: the window of its log, and what streams.
func (h *Chat) Show(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := c.Scope.SawSession(c, session); err != nil {
		return nil, err
	}
	p, err := h.props(c, session)
	if err != nil {
		return nil, err
	}
	return page(chat.Show(*p)), nil
}

func (h *Chat) props(c *Ctx, session string) (*chat.ShowProps, error) {
	before, _ := strconv.ParseInt(c.Query("before"), 10, 64)
	s, err := c.Scope.Session(c, session)
	if err != nil {
		return nil, err
	}
	p := &chat.ShowProps{Session: s, MayApprove: c.May(models.CanApprove) == nil}
	// The turn's parts are read before the log: what ends in between stands in both, and the stream takes
	// the live copy away; the other way round it would stand in neither.
	if p.Open, err = c.Scope.OpenTurns(c, session); err != nil {
		return nil, err
	}
	p.Live = h.live.snapshot(c, p.Open)
	if p.Events, err = c.Scope.LatestEvents(c, session, before, window); err != nil {
		return nil, err
	}
	if len(p.Events) > 0 && p.Events[0].Seq > 1 {
		p.Earlier = p.Events[0].Seq
	}
	if p.Sessions, err = h.sessions(c, session); err != nil {
		return nil, err
	}
	if p.Instance, err = c.Scope.Instance(c, s.InstanceID); err != nil {
		return nil, err
	}
	cursor := int64(0)
	if n := len(p.Events); n > 0 {
		cursor = p.Events[n-1].Seq
	}
	live := ""
	if before == 0 {
		live = "/live/chat/" + session + "?after=" + strconv.FormatInt(cursor, 10)
	}
	p.Frame = c.frame(s.Title, "/chat", live)
	p.Frame.PageClass = "main-full"
	err = h.fill(c, c.Scope, p)
	return p, err
}

// fill adds what is known of the instance: model, rail, composer.
func (a *App) fill(ctx context.Context, sc *models.Scope, p *chat.ShowProps) error {
	route, err := a.Door.Resolve(ctx, sc, p.Instance)
	if err != nil {
		return err
	}
	p.Offline = route.Offline
	rail, err := a.rail(ctx, sc, p, route.Label())
	if err != nil {
		return err
	}
	p.Rail = *rail
	composer, err := a.composer(ctx, sc, p, route.Label(), route.Window)
	if err != nil {
		return err
	}
	p.Composer = *composer
	return nil
}

func (h *Chat) sessions(c *Ctx, current string) (chat.SessionListProps, error) {
	p := chat.SessionListProps{Current: current, Search: strings.TrimSpace(c.Query("q")), Category: c.Query("category"), Archived: c.Query("archived") != ""}
	err := h.listSessions(c, c.Scope, &p)
	return p, err
}

func (a *App) listSessions(ctx context.Context, sc *models.Scope, p *chat.SessionListProps) error {
	var err error
	p.Sessions, err = sc.Sessions(ctx, models.SessionFilter{Search: p.Search, Category: p.Category, Archived: p.Archived, Limit: sessionsShown})
	if err != nil {
		return err
	}
	p.Names = map[string]string{}
	rows, err := sc.InstanceNames(ctx)
	if err != nil {
		return err
	}
	for _, i := range rows {
		p.Names[i.ID] = i.Name
	}
	p.Busy, err = sc.BusySessions(ctx)
	return err
}

// Earlier gives the events before those that the page shows.
func (h *Chat) Earlier(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Session(c, session); err != nil {
		return nil, err
	}
	before, err := strconv.ParseInt(c.Query("before"), 10, 64)
	if err != nil || before < 1 {
		return nil, fault.New(fault.Invalid, "before", "before must be the number of an event")
	}
	events, err := c.Scope.LatestEvents(c, session, before, window)
	if err != nil {
		return nil, err
	}
	part := chat.Earlier(session, events)
	return page(part).partial(part), nil
}

// Update renames, pins, files or archives.
func (h *Chat) Update(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	f.Set("sessionId", session)
	_, change, err := agent.ReadSessionChange(f)
	if err != nil {
		return nil, err
	}
	s, err := c.Scope.UpdateSession(c, session, change)
	if err != nil {
		return nil, err
	}
	h.Turns.Changed(c, c.Scope, s.ID)
	if s.Status == "archived" {
		return redirect("/chat").json(agent.NewSession(s)).say("ok", "Archived"), nil
	}
	return redirect("/chat/" + session).json(agent.NewSession(s)), nil
}

// Delete asks once more, on a page of its own.
func (h *Chat) Delete(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	p, err := h.props(c, session)
	if err != nil {
		return nil, err
	}
	p.Frame.LiveURL = ""
	return page(chat.Delete(*p)), nil
}

// Destroy removes a conversation.
func (h *Chat) Destroy(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := c.Scope.DeleteSession(c, session); err != nil {
		return nil, err
	}
	h.Turns.Changed(c, c.Scope, session)
	return redirect("/chat").json(map[string]bool{"success": true}).say("ok", "Deleted"), nil
}

// Attachment gives a file that came with a message: a picture is shown, anything else is a download.
func (h *Chat) Attachment(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	attachment, err := c.ID("attachment")
	if err != nil {
		return nil, err
	}
	row, err := c.Scope.Attachment(c, attachment)
	if err != nil {
		return nil, err
	}
	if row.SessionID != session {
		return nil, fault.NotFoundf("attachment")
	}
	kind, inline := safeImage(row.Data)
	return file{name: row.Name, kind: kind, data: row.Data, inline: inline}, nil
}

// asInvalid gives the first sentence of a fault that the sender can mend.
func asInvalid(err error) (string, bool) {
	e := (*fault.Error)(nil)
	if !errors.As(err, &e) {
		return "", false
	}
	switch e.Kind {
	case fault.Invalid, fault.Conflict, fault.TooMany, fault.TooLarge:
		return sentence(e), true
	}
	return "", false
}
