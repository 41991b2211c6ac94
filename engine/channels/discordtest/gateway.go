package discordtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// gateway is what Discord tells the bot, by sessions that outlive their connections.
type gateway struct {
	sessions   map[string]*session
	hook       string
	identified int
	resumed    int
	exhausted  bool
	resetAfter time.Duration
	numb       bool // heartbeats are not answered
	repeat     int
	disorder   int
	held       []dispatch
	forbidden  int // intents
	beats      int
}

type dispatch struct {
	kind string
	data any
}

type session struct {
	id   string
	log  []map[string]any // dispatches by sequence number
	conn *conn
}

type conn struct {
	ws *websocket.Conn
	mu sync.Mutex
}

func (c *conn) write(v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = c.ws.WriteJSON(v)
}

func (c *conn) close(code int, why string) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(time.Second))
	_ = c.ws.Close()
}

func (s *Server) gatewayURL() string { return strings.Replace(s.web.URL, "http", "ws", 1) + "/gateway" }

func (s *Server) remaining() int {
	if s.exhausted {
		return 0
	}
	return 999
}

// Hook sends interactions to an address from now on, signed, instead of over the gateway.
func (s *Server) Hook(url string) { s.set(func() { s.hook, s.endpoint = url, url }) }

// Repeat tells the next n things twice. Disorder holds n back, and tells them in the reverse order.
func (s *Server) Repeat(n int)   { s.set(func() { s.repeat = n }) }
func (s *Server) Disorder(n int) { s.set(func() { s.disorder = n }) }

// Numb leaves heartbeats unanswered from now on.
func (s *Server) Numb(yes bool) { s.set(func() { s.numb = yes }) }

// Exhaust uses up the sessions that may be started, for a time.
func (s *Server) Exhaust(yes bool, reset time.Duration) {
	s.set(func() { s.exhausted, s.resetAfter = yes, reset })
}

// Forbid closes connections that ask for any of these intents.
func (s *Server) Forbid(intents int) { s.set(func() { s.forbidden = intents }) }

// Identified counts the sessions that were begun, Resumed those that went on, Beats the heartbeats.
func (s *Server) Identified() int { s.mu.Lock(); defer s.mu.Unlock(); return s.identified }
func (s *Server) Resumed() int    { s.mu.Lock(); defer s.mu.Unlock(); return s.resumed }
func (s *Server) Beats() int      { s.mu.Lock(); defer s.mu.Unlock(); return s.beats }

// Lines counts the sessions that are connected.
func (s *Server) Lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.sessions {
		if x.conn != nil {
			n++
		}
	}
	return n
}

// Cut breaks all connections without a word; their sessions can be resumed. Close ends them with a code.
func (s *Server) Cut()           { s.each(func(c *conn) { _ = c.ws.Close() }) }
func (s *Server) Close(code int) { s.each(func(c *conn) { c.close(code, "test") }) }

// Reconnect asks for new connections.
func (s *Server) Reconnect() {
	s.each(func(c *conn) { c.write(map[string]any{"op": 7, "d": nil}) })
}

// Invalidate says that the sessions are over, or to be resumed.
func (s *Server) Invalidate(resumable bool) {
	s.each(func(c *conn) { c.write(map[string]any{"op": 9, "d": resumable}) })
	if !resumable {
		s.Expire()
	}
}

// Expire forgets all sessions, as Discord does after some minutes without a connection.
func (s *Server) Expire() { s.set(func() { clear(s.sessions) }) }

// each does something to every connection, and takes it off its session at once, so that what happens next waits.
func (s *Server) each(f func(c *conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.conn != nil {
			f(x.conn)
		}
		x.conn = nil
	}
}

// dispatch tells all sessions; the lock is held.
func (s *Server) dispatch(kind string, data any) {
	now := append([]dispatch{{kind, data}}, s.held...)
	if s.disorder--; s.disorder > 0 {
		s.held = now
		return
	}
	s.disorder, s.held = 0, nil
	for _, d := range now {
		times := 1
		if s.repeat > 0 {
			s.repeat--
			times = 2
		}
		for range times {
			for _, x := range s.sessions {
				x.tell(d.kind, d.data)
			}
		}
	}
}

func (x *session) tell(kind string, data any) {
	f := map[string]any{"op": 0, "t": kind, "s": len(x.log) + 1, "d": data}
	x.log = append(x.log, f)
	if x.conn != nil {
		x.conn.write(f)
	}
}

func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &conn{ws: ws}
	defer func() { _ = ws.Close() }()
	c.write(map[string]any{"op": 10, "d": map[string]any{"heartbeat_interval": s.Beat.Milliseconds()}})
	var mine *session
	defer func() {
		s.set(func() {
			if mine != nil && mine.conn == c {
				mine.conn = nil
			}
		})
	}()
	for {
		var f struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if err := ws.ReadJSON(&f); err != nil {
			if mine != nil && websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
				s.set(func() { delete(s.sessions, mine.id) }) // a farewell ends the session
			}
			return
		}
		switch f.Op {
		case 1:
			s.beat(c, mine != nil)
		case 2:
			if mine != nil {
				c.close(4005, "Already authenticated.")
				return
			}
			if mine = s.identify(c, f.D); mine == nil {
				return
			}
		case 6:
			mine = s.resume(c, f.D)
		case 3, 4, 8:
			if mine == nil {
				c.close(4003, "Not authenticated.")
				return
			}
		default:
			c.close(4001, "Unknown opcode.")
			return
		}
	}
}

func (s *Server) beat(c *conn, known bool) {
	s.mu.Lock()
	s.beats++
	numb := s.numb && known
	s.mu.Unlock()
	if !numb {
		c.write(map[string]any{"op": 11})
	}
}

func (s *Server) identify(c *conn, d json.RawMessage) *session {
	var in struct {
		Token   string `json:"token"`
		Intents int    `json:"intents"`
	}
	_ = json.Unmarshal(d, &in)
	s.mu.Lock()
	defer s.mu.Unlock()
	const content = 1 << 15
	switch {
	case strings.TrimPrefix(in.Token, "Bot ") != s.Token || s.revoked:
		c.close(4004, "Authentication failed.")
		return nil
	case in.Intents&content != 0 && s.flags == ContentOff, in.Intents&s.forbidden != 0:
		c.close(4014, "Disallowed intent(s).")
		return nil
	}
	s.identified++
	x := &session{id: fmt.Sprintf("session-%d", s.identified), conn: c}
	s.sessions[x.id] = x
	x.tell("READY", map[string]any{"v": 10, "user": person(Bot, "lobstead", true), "guilds": []any{map[string]any{"id": Guild, "unavailable": true}}, "session_id": x.id,
		"resume_gateway_url": s.gatewayURL(), "application": map[string]any{"id": App, "flags": s.flags}, "session_type": "normal", "private_channels": []any{},
		"presences": []any{}, "relationships": []any{}})
	if !s.left {
		x.tell("GUILD_CREATE", map[string]any{"id": Guild, "name": "Lobsters", "channels": []any{map[string]any{"id": General, "type": 0, "name": "general"}},
			"threads": []any{thread()}, "members": []any{}, "roles": []any{map[string]any{"id": BotRole, "name": "lobstead", "tags": map[string]any{"bot_id": Bot}}}})
	}
	return x
}

func (s *Server) resume(c *conn, d json.RawMessage) *session {
	var in struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	_ = json.Unmarshal(d, &in)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[in.Session]
	switch {
	case strings.TrimPrefix(in.Token, "Bot ") != s.Token || s.revoked:
		c.close(4004, "Authentication failed.")
		return nil
	case x == nil:
		c.write(map[string]any{"op": 9, "d": false})
		return nil
	case in.Seq > len(x.log):
		c.close(4007, "Invalid seq.")
		return nil
	}
	s.resumed++
	for _, f := range x.log[in.Seq:] {
		c.write(f)
	}
	x.conn = c
	x.tell("RESUMED", map[string]any{})
	return x
}
