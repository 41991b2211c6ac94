package app

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"lobstead/engine/agent"
	"lobstead/engine/provision"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/chat"
)

// chatFeed follows one conversation: the log from a cursor, the words of the running turn, and what stands
// around them.
type chatFeed struct {
	app      *App
	session  string
	instance string
	seq      int64
	turn     *liveTurn
	version  int
	side     fragments
	wake     func(wakeReason) // set by the stream
	begun    bool
}

func newChatFeed(a *App, s *models.Session, after string) (*chatFeed, error) {
	seq, err := strconv.ParseInt(after, 10, 64)
	if err != nil || seq < 0 {
		return nil, fault.New(fault.Invalid, "after", "after must be the number of an event")
	}
	return &chatFeed{app: a, session: s.ID, instance: s.InstanceID, seq: seq, side: fragments{app: a}}, nil
}

func (f *chatFeed) topics(p *models.Principal) []string {
	return []string{agent.SessionTopic(f.session), provision.InstanceTopic(f.instance), agent.InboxTopic(p.Membership.OrganizationID)}
}

// hears leaves out what an instance says all the time: only another state changes the page.
func (f *chatFeed) hears(e events.Event) bool {
	if e.Topic != provision.InstanceTopic(f.instance) {
		return true
	}
	c, ok := provision.ReadChange(e)
	return !ok || slices.Contains(c.What, provision.State)
}

func (f *chatFeed) wakeBy(wake func(wakeReason)) { f.wake = wake }

func (f *chatFeed) close() {
	if f.turn != nil {
		f.turn.unwatch(f)
	}
}

func (f *chatFeed) next(ctx context.Context, sc *models.Scope, p *models.Principal, why wakeReason) (string, string, error) {
	var out strings.Builder
	if why&wakeLog == 0 {
		err := f.words(ctx, &out)
		return out.String(), "", err
	}
	s, err := sc.Session(ctx, f.session)
	if err != nil {
		return "", "", err
	}
	open, err := sc.OpenTurns(ctx, f.session)
	if err != nil {
		return "", "", err
	}
	events, err := sc.Events(ctx, f.session, f.seq, window)
	if err != nil {
		return "", "", err
	}
	cursor, err := f.log(ctx, sc, &out, events)
	if err != nil {
		return "", "", err
	}
	f.follow(ctx, open)
	if err := f.words(ctx, &out); err != nil {
		return "", "", err
	}
	if err := f.around(ctx, sc, p, s, open, &out); err != nil {
		return "", "", err
	}
	if len(events) == window { // there is more
		f.wake(wakeLog)
	}
	return out.String(), cursor, nil
}

// log renders new events and takes away the live words that they replace.
func (f *chatFeed) log(ctx context.Context, sc *models.Scope, out *strings.Builder, events []models.Event) (string, error) {
	if len(events) == 0 {
		return "", nil
	}
	calls := map[string]*models.ToolCall{}
	for _, e := range events {
		if err := f.remember(ctx, sc, e, calls); err != nil {
			return "", err
		}
	}
	for _, e := range events {
		if key := liveKey(e); key != "" && e.TurnID != nil {
			if f.turn != nil && f.turn.turn == *e.TurnID {
				f.turn.settle(key)
			}
			out.WriteString(chat.LiveGone(*e.TurnID, key))
		}
	}
	out.WriteString(chat.Patches(events, func(id string) *models.ToolCall { return calls[id] }))
	f.seq = events[len(events)-1].Seq
	return strconv.FormatInt(f.seq, 10), nil
}

// remember finds the call that an event is about, here or earlier in the log.
func (f *chatFeed) remember(ctx context.Context, sc *models.Scope, e models.Event, calls map[string]*models.ToolCall) error {
	if e.Kind == models.KindCall {
		c, err := models.Decode[models.ToolCall](e)
		calls[c.CallID] = &c
		return err
	}
	about, err := callOf(e)
	if err != nil || about == "" || calls[about] != nil || e.TurnID == nil {
		return err
	}
	turn, err := sc.TurnEvents(ctx, *e.TurnID)
	if err != nil {
		return err
	}
	for _, earlier := range turn {
		if earlier.Kind == models.KindCall {
			c, err := models.Decode[models.ToolCall](earlier)
			if err != nil {
				return err
			}
			calls[c.CallID] = &c
		}
	}
	return nil
}

// callOf is the call whose card an event changes, "" when it changes none.
func callOf(e models.Event) (string, error) {
	switch e.Kind {
	case models.KindResult:
		r, err := models.Decode[models.ToolResult](e)
		return r.CallID, err
	case models.KindPaused:
		p, err := models.Decode[models.Paused](e)
		return p.CallID, err
	case models.KindDecided:
		d, err := models.Decode[models.Decided](e)
		return d.CallID, err
	}
	return "", nil
}

// liveKey names the live words that an event replaces.
func liveKey(e models.Event) string {
	switch e.Kind {
	case models.KindAssistant:
		if m, err := models.Decode[models.AssistantMessage](e); err == nil {
			return agent.PartText + "/" + strconv.Itoa(m.Step)
		}
	case models.KindThinking:
		if m, err := models.Decode[models.Thinking](e); err == nil {
			return agent.PartThinking + "/" + strconv.Itoa(m.Step)
		}
	case models.KindResult:
		if m, err := models.Decode[models.ToolResult](e); err == nil {
			return agent.PartOutput + "/" + m.CallID
		}
	}
	return ""
}

// follow watches the turn that runs now.
func (f *chatFeed) follow(ctx context.Context, open []models.Turn) {
	var now *models.Turn
	for n := range open {
		if open[n].State.Held() && !open[n].Parked() {
			now = &open[n]
		}
	}
	if f.turn != nil && (now == nil || f.turn.turn != now.ID || f.turn.attempt != now.Attempt) {
		f.turn.unwatch(f)
		f.turn, f.begun, f.version = nil, false, 0
	}
	if now != nil && f.turn == nil {
		f.turn = f.app.live.watch(ctx, now, f, func() { f.wake(wakeParts) })
	}
}

// words sends what the running turn said since the last time, or the whole of it at the beginning.
func (f *chatFeed) words(ctx context.Context, out *strings.Builder) error {
	if f.turn == nil {
		if f.begun {
			return nil
		}
		f.begun = true
		return chat.Live(chat.LiveTurn{}).Render(ctx, out)
	}
	patch, now, whole := f.turn.since(f.version)
	if f.begun && !whole {
		out.WriteString(patch)
		f.version = now
		return nil
	}
	v, now := f.turn.view()
	f.version, f.begun = now, true
	if err := chat.Live(v).Render(ctx, out); err != nil {
		return err
	}
	for _, b := range v.Blocks {
		if strings.HasPrefix(b.Key, agent.PartOutput+"/") {
			out.WriteString(chat.LivePatch(v.TurnID, b, 0))
		}
	}
	return nil
}

// around sends the head, the composer's state and the rail when they changed.
func (f *chatFeed) around(ctx context.Context, sc *models.Scope, _ *models.Principal, s *models.Session, open []models.Turn, out *strings.Builder) error {
	i, err := sc.Instance(ctx, s.InstanceID)
	if err != nil {
		return err
	}
	props := chat.ShowProps{Session: s, Instance: i, Open: open}
	if props.Events, err = sc.LatestEvents(ctx, f.session, 0, window); err != nil {
		return err
	}
	if err := f.app.fill(ctx, sc, &props); err != nil {
		return err
	}
	above, err := around(ctx, sc)
	if err != nil {
		return err
	}
	row := chat.SessionListProps{Current: s.ID, Names: map[string]string{i.ID: i.Name}, Busy: map[string]models.WaitReason{}}
	for _, t := range open {
		row.Busy[s.ID] = max(row.Busy[s.ID], t.WaitsFor)
		if t.State == models.TurnQueued && i.Rests() && len(open) == 1 {
			row.Busy[s.ID] = models.WaitResume
		}
	}
	return f.side.diff(ctx, out, append(above, []fragment{{id: "chat-head", html: chat.Head(props)}, {id: "composer-state", html: chat.ComposerState(props.Composer)},
		{id: "rail", html: chat.Rail(props.Rail)}, {id: "session-" + s.ID, html: chat.SessionRow(*s, row)}}...))
}

// snapshot renders the running turn's words into a page; its stream begins with the same.
func (h *liveHub) snapshot(ctx context.Context, open []models.Turn) string {
	for n := range open {
		if !open[n].State.Held() || open[n].Parked() {
			continue
		}
		probe := &chatFeed{app: h.app}
		lt := h.watch(ctx, &open[n], probe, func() {})
		defer lt.unwatch(probe)
		v, _ := lt.view()
		var b strings.Builder
		if err := chat.Live(v).Render(ctx, &b); err != nil {
			return ""
		}
		return b.String()
	}
	return ""
}
