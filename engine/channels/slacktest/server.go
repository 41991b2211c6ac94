// Package slacktest is Slack for tests: a workspace with people, channels and one app, over the Web API, signed requests (Hook) and
// Socket Mode. It is written from Slack's documents, and driven by github.com/slack-go/slack, over which the channel speaks.
package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Ids of the workspace. A person's id is "U" and the name in capitals, their direct conversation "D" and the same.
const (
	Team    = "T0LOBSTEAD"
	App     = "A0LOBSTEAD"
	Bot     = "U0BOT"
	BotID   = "B0BOT"
	General = "C0GENERAL"
)

// Server is one workspace.
type Server struct {
	servicetest.Trouble
	URL           string // what Account.BaseURL is
	BotToken      string
	AppToken      string
	SigningSecret string
	// Patience is how long an envelope may stay unacknowledged before it is sent again. Slack's is three seconds.
	Patience time.Duration

	t        testing.TB
	mu       sync.Mutex
	now      time.Time
	count    int
	scopes   string
	revoked  bool
	channels map[string]bool // may the bot speak there
	messages []*post
	uploads  map[string]*service.Upload
	keys     map[string]string // client_msg_id to ts
	statuses []string
	asked    []string
	delivery
}

// post is a message of the workspace.
type post struct {
	channel, thread, ts, user, text string
	blocks                          []block
	files                           []map[string]any
	data                            *service.Upload
	edits                           int
	key                             string
}

type block struct {
	Type string `json:"type"`
	Text struct {
		Type, Text string
	} `json:"text"`
	Elements []struct {
		Type     string `json:"type"`
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
		Style    string `json:"style"`
		Text     struct{ Type, Text string }
	} `json:"elements"`
}

// New starts a workspace with the channel General, in which the bot is.
func New(t testing.TB) *Server {
	s := &Server{t: t, BotToken: "xoxb-1111-2222-secretbottoken", AppToken: "xapp-1-A0-3333-secretapptoken", SigningSecret: "8f742231b10e8888abcd99yyyzzz85a5",
		Patience: 3 * time.Second, now: time.Now().UTC().Truncate(time.Second), channels: map[string]bool{General: true},
		uploads: map[string]*service.Upload{}, keys: map[string]string{},
		scopes: "chat:write,im:history,app_mentions:read,channels:history,files:read,files:write,users:read"}
	s.delivery.init()
	mux := http.NewServeMux()
	mux.HandleFunc("/socket/", s.socket)
	mux.Handle("/upload/", s.Wrap(http.HandlerFunc(s.take)))
	mux.Handle("/files/", s.Wrap(http.HandlerFunc(s.give)))
	mux.Handle("/", s.Wrap(http.HandlerFunc(s.method)))
	web := httptest.NewServer(mux)
	s.URL = web.URL
	t.Cleanup(func() { s.close(); web.Close() })
	return s
}

// Account is the app as somebody connected it; socket tells whether for Socket Mode.
func (s *Server) Account(socket bool) service.Account {
	v := map[string]string{"bot_token": s.BotToken, "signing_secret": s.SigningSecret}
	if socket {
		v["app_token"] = s.AppToken
	}
	return servicetest.Account(s.URL, v)
}

// Revoke makes every token worthless; Restore gives them back.
func (s *Server) Revoke()  { s.set(func() { s.revoked = true }) }
func (s *Server) Restore() { s.set(func() { s.revoked = false }) }

// Scopes sets what the bot's token may do.
func (s *Server) Scopes(list string) { s.set(func() { s.scopes = list }) }

// Kick takes the bot out of a channel.
func (s *Server) Kick(channel string) {
	s.set(func() { s.channels[channel] = false })
	s.happen(map[string]any{"type": "member_left_channel", "user": Bot, "channel": channel, "channel_type": "C", "team": Team})
}

func (s *Server) set(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

// Sent lists what the app sent, in order.
func (s *Server) Sent() []servicetest.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []servicetest.Sent
	for _, p := range s.messages {
		if p.user != Bot {
			continue
		}
		m := servicetest.Sent{ID: p.ts, Peer: p.channel, Thread: p.thread, Text: p.shown(), File: p.data, Edits: p.edits, Key: p.key}
		for _, b := range p.blocks {
			for _, e := range b.Elements {
				m.Buttons = append(m.Buttons, service.Button{Label: e.Text.Text, Token: e.Value, Bad: e.Style == "danger"})
			}
		}
		out = append(out, m)
	}
	return out
}

// shown is what people see: the blocks, if there are any.
func (p *post) shown() string {
	var out []string
	for _, b := range p.blocks {
		if b.Type == "section" {
			out = append(out, b.Text.Text)
		}
	}
	if len(out) > 0 {
		return strings.Join(out, "\n")
	}
	return p.text
}

// Statuses lists what was shown as the app's status, "channel thread status".
func (s *Server) Statuses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.statuses...)
}

// Asked lists the methods that were called.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// stamp makes the time of the next message, which is its id. The lock is held.
func (s *Server) stamp() string {
	s.count++
	return fmt.Sprintf("%d.%06d", s.now.Unix(), s.count)
}

func (s *Server) find(channel, ts string) *post {
	for _, p := range s.messages {
		if p.ts == ts && (channel == "" || p.channel == channel) {
			return p
		}
	}
	return nil
}

func answer(w http.ResponseWriter, v map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}
