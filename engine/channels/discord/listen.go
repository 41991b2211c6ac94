package discord

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

// Intents: what the gateway tells of (discord.com/developers/docs, Gateway Intents).
const (
	intents       = 1<<0 | 1<<9 | 1<<12 // guilds, their messages, direct messages
	contentIntent = 1 << 15             // refused unless it is turned on for the application
)

type hearer func(context.Context, service.Event) error

// listener is one Listen: what outlives its connections.
type listener struct {
	*Service
	a        service.Account
	hear     hearer
	world    *world
	content  bool // ask for the words of messages that do not mention the bot
	asked    bool // whether the application was asked for its intents
	taught   bool // whether the command is registered
	lived    bool // whether the last connection came to a session
	behind   bool // histories are to be read: nobody listened, or a session was lost
	recalled bool // whether it is known what was heard before
	session  string
	resumeAt string
	seq      atomic.Int64 // of the last event that was kept
}

// Listens is always so: people's messages come by the gateway alone.
func (s *Service) Listens(service.Account) bool { return true }

// Listen keeps a connection to the gateway. Two processes that listen for one bot both hear everything, with the same ids.
func (s *Service) Listen(ctx context.Context, a service.Account, hear func(context.Context, service.Event) error) error {
	l := &listener{Service: s, a: a, hear: hear, world: newWorld(), behind: true}
	for fails := 0; ; {
		err := l.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if fault.Is(err, fault.Unauthenticated) {
			return err
		}
		if l.lived {
			fails = 0
		}
		fails++
		wait := s.pause(fails)
		if f := fault.As(err); err != nil && !f.RetryAt.IsZero() {
			wait = max(wait, time.Until(f.RetryAt))
		}
		if !clock.Sleep(ctx, wait) {
			return nil
		}
	}
}

// pause is the wait before what failed is tried again.
func (s *Service) pause(failed int) time.Duration {
	return clock.Backoff(cmp.Or(s.Pause, 2*time.Second), failed)
}

// forget gives up a session: what was said since will be read from histories.
func (l *listener) forget() {
	l.behind = l.behind || l.session != ""
	l.session, l.resumeAt = "", ""
	l.seq.Store(0)
}

// address is where to connect: to the session's own gateway, or to the one that Discord names for a new session, of which it
// allows only so many a day.
func (l *listener) address(ctx context.Context) (string, error) {
	if !l.asked {
		var app application
		if err := l.do(ctx, l.a, http.MethodGet, "/applications/@me", nil, &app); err != nil {
			return "", err
		}
		l.asked, l.content = true, app.Flags&messageContent != 0
	}
	at := l.resumeAt
	if at == "" {
		var g struct {
			URL   string `json:"url"`
			Limit struct {
				Total     int   `json:"total"`
				Remaining int   `json:"remaining"`
				Reset     int64 `json:"reset_after"`
			} `json:"session_start_limit"`
		}
		if err := l.do(ctx, l.a, http.MethodGet, "/gateway/bot", nil, &g); err != nil {
			return "", err
		}
		if g.Limit.Total > 0 && g.Limit.Remaining == 0 {
			return "", call.Limited(name, time.Now().Add(time.Duration(g.Limit.Reset)*time.Millisecond))
		}
		at = g.URL
	}
	u, err := url.Parse(at)
	if err != nil || !ours(l.a, u) {
		return "", fault.New(fault.Upstream, "service.failed", "Discord names a gateway that is not its own")
	}
	u.RawQuery = "v=10&encoding=json"
	if u.Path = strings.TrimSuffix(u.Path, "/"); u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}
