package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

const (
	patience  = 8                       // times that an event is tried before the line is let go, to have it from Discord again
	answering = 2500 * time.Millisecond // Discord waits three seconds for an answer to an interaction
	pageSize  = 100                     // messages of a history that are asked for at once
	maxPages  = 5
)

// work keeps one event after the other. The sequence number moves only when an event is kept.
func (n *line) work(ctx, outer context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-n.frames:
			if err := n.dispatch(outer, f); err != nil {
				n.cancel(err)
				return
			}
			if f.Seq > 0 {
				n.seq.Store(f.Seq)
			}
		}
	}
}

// dispatch does what one event asks. What cannot be read is passed over: it would only come again.
func (l *listener) dispatch(ctx context.Context, f frame) error {
	switch f.Type {
	case "READY":
		return l.ready(ctx, f.Data)
	case "RESUMED":
		l.lived = true
		return l.catchUp(ctx)
	case "MESSAGE_CREATE", "MESSAGE_UPDATE":
		var m message
		if json.Unmarshal(f.Data, &m) != nil {
			return nil
		}
		return l.message(ctx, m, f.Type == "MESSAGE_UPDATE")
	case "INTERACTION_CREATE":
		return l.interaction(ctx, f.Data)
	}
	return l.around(ctx, f)
}

// ready begins a session.
func (l *listener) ready(ctx context.Context, data []byte) error {
	var r struct {
		Session string `json:"session_id"`
		Resume  string `json:"resume_gateway_url"`
		User    user   `json:"user"`
		App     struct {
			ID string `json:"id"`
		} `json:"application"`
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Session == "" {
		return fault.New(fault.Upstream, "service.failed", "Discord began a session that cannot be read")
	}
	l.session, l.resumeAt, l.lived = r.Session, r.Resume, true
	l.world.bot, l.world.app = r.User.ID, r.App.ID
	if !l.taught {
		l.taught = l.teach(ctx) == nil
	}
	return l.catchUp(ctx)
}

// teach registers /link, so that people find it; registering again changes nothing.
func (l *listener) teach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return l.do(ctx, l.a, http.MethodPost, "/applications/"+url.PathEscape(l.world.app)+"/commands", map[string]any{
		"name": "link", "type": 1, "description": "Connect your account, with the code from the page of the channel",
		"options": []map[string]any{{"type": 3, "name": "code", "description": "Six characters", "required": true}}}, nil)
}

func (l *listener) message(ctx context.Context, m message, edit bool) error {
	l.acquaint(ctx, m)
	read := l.world.said
	if edit {
		read = l.world.changed
	}
	if e, ok := read(m); ok {
		if err := l.keep(ctx, e); err != nil {
			return err
		}
	}
	if !edit && m.ID != "" && m.Channel != "" {
		l.world.keep(m)
	}
	return nil
}

// acquaint asks for a channel that the gateway did not tell of: it may be an old thread.
func (l *listener) acquaint(ctx context.Context, m message) {
	if m.Guild == "" || m.Channel == "" || l.world.knows(m.Channel) {
		return
	}
	var c channel
	if l.do(ctx, l.a, http.MethodGet, "/channels/"+url.PathEscape(m.Channel), nil, &c) == nil {
		l.world.add(m.Guild, c)
	}
}

// interaction keeps a press or a command, and tells Discord so. An answer that comes too late, or again, is no harm.
func (l *listener) interaction(ctx context.Context, data []byte) error {
	var i interaction
	if json.Unmarshal(data, &i) != nil {
		return nil
	}
	e, ok := i.event(l.world, time.Now())
	if !ok {
		return nil
	}
	if err := l.keep(ctx, e); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	_ = l.do(ctx, l.a, http.MethodPost, "/interactions/"+url.PathEscape(i.ID)+"/"+url.PathEscape(i.Token)+"/callback", i.answer(), nil)
	return nil
}

// keep tries until the event is kept.
func (l *listener) keep(ctx context.Context, e service.Event) error {
	for n := 1; ; n++ {
		err := l.hear(ctx, e)
		if err == nil || n == patience || ctx.Err() != nil {
			return err
		}
		if !clock.Sleep(ctx, l.pause(n)) {
			return err
		}
	}
}

// around follows what happens to channels, so that threads have their parents and places their names.
func (l *listener) around(ctx context.Context, f frame) error {
	var d struct {
		channel
		Gone     bool      `json:"unavailable"`
		Channels []channel `json:"channels"`
		Threads  []channel `json:"threads"`
		Roles    []struct {
			ID   string `json:"id"`
			Tags struct {
				Bot string `json:"bot_id"`
			} `json:"tags"`
		} `json:"roles"`
	}
	if json.Unmarshal(f.Data, &d) != nil || d.ID == "" && d.channel.Guild == "" {
		return nil
	}
	switch f.Type {
	case "GUILD_CREATE":
		l.world.add(d.ID, append(d.Channels, d.Threads...)...)
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		for _, r := range d.Roles {
			if r.Tags.Bot == l.world.bot {
				l.world.guilds[d.ID] = guild{role: r.ID}
			}
		}
	case "GUILD_DELETE":
		if d.Gone { // an outage of Discord's, not a farewell
			return nil
		}
		for _, p := range l.world.leave(d.ID) {
			if err := l.left(ctx, f, p); err != nil {
				return err
			}
		}
	case "CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE":
		l.world.add(d.channel.Guild, d.channel)
	case "THREAD_LIST_SYNC":
		l.world.add(d.channel.Guild, d.Threads...)
	case "CHANNEL_DELETE", "THREAD_DELETE":
		p := l.world.peer(d.channel.Guild, d.ID)
		l.world.remove(d.ID)
		return l.left(ctx, f, p)
	}
	return nil
}

func (l *listener) left(ctx context.Context, f frame, p service.Peer) error {
	return l.keep(ctx, service.Event{ID: fmt.Sprintf("left:%s:%d:%s", l.session, f.Seq, where(p)), Kind: service.Left, Peer: p, At: time.Now().UTC()})
}

// recall learns how far was heard before this listener came: by others, which are gone.
func (l *listener) recall(ctx context.Context) error {
	if l.recalled || l.a.Past == nil {
		return nil
	}
	marks, err := l.a.Past(ctx)
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(marks) { // the latest is kept longest
		l.world.keep(message{ID: m.Message, Channel: where(m.Peer)})
	}
	l.recalled = true
	return nil
}

// catchUp reads what was said while nobody listened in the conversations that were heard last.
func (l *listener) catchUp(ctx context.Context) error {
	if !l.behind {
		return nil
	}
	if err := l.recall(ctx); err != nil {
		return err
	}
	l.world.mu.Lock()
	recent := slices.Clone(l.world.recent)
	l.world.mu.Unlock()
	for _, c := range recent {
		if err := l.history(ctx, c); err != nil && !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	l.behind = false
	return nil
}

func (l *listener) history(ctx context.Context, in string) error {
	if !l.world.knows(in) { // a conversation is told from a channel by its guild alone
		var c channel
		if err := l.do(ctx, l.a, http.MethodGet, "/channels/"+url.PathEscape(in), nil, &c); err != nil {
			return err
		}
		l.world.add(c.Guild, c)
	}
	for range maxPages {
		l.world.mu.Lock()
		after, guild := l.world.heard[in], l.world.channels[in].Guild
		l.world.mu.Unlock()
		var page []message
		err := l.do(ctx, l.a, http.MethodGet, fmt.Sprintf("/channels/%s/messages?limit=%d&after=%s", url.PathEscape(in), pageSize, url.QueryEscape(after)), nil, &page)
		if err != nil {
			return err
		}
		slices.SortFunc(page, func(a, b message) int { return map[bool]int{true: 1, false: -1}[newer(a.ID, b.ID)] })
		for _, m := range page {
			m.Guild = guild
			if err := l.message(ctx, m, false); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
	return nil
}
