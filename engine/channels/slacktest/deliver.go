package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// delivery is how Slack tells the app what happens.
type delivery struct {
	out      sync.Mutex // order of what is sent
	hook     string
	lines    []*line
	tickets  map[string]bool
	waiting  map[string]*envelope
	order    []*envelope
	held     []*envelope
	disorder int
	repeat   int
	opened   int
	ctx      context.Context
	end      context.CancelFunc
	wg       sync.WaitGroup
}

type line struct {
	conn *websocket.Conn
	mu   sync.Mutex
}

// envelope is one thing to tell, until it is acknowledged.
type envelope struct {
	kind    string // events_api, interactive, slash_commands
	id      string
	payload map[string]any
	tries   int
	done    chan struct{}
}

func (d *delivery) init() {
	d.tickets, d.waiting = map[string]bool{}, map[string]*envelope{}
	d.ctx, d.end = context.WithCancel(context.Background())
}

func (s *Server) close() {
	s.end()
	s.Cut()
	s.wg.Wait()
}

// Hook sends everything to an address from now on, signed, instead of over Socket Mode.
func (s *Server) Hook(url string) { s.set(func() { s.hook = url }) }

// Repeat tells the next n things twice.
func (s *Server) Repeat(n int) { s.set(func() { s.repeat = n }) }

// Disorder holds the next n things back, and tells them in the reverse order.
func (s *Server) Disorder(n int) { s.set(func() { s.disorder = n }) }

// Unsettled counts what was not acknowledged yet.
func (s *Server) Unsettled() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.waiting) }

// Lines counts the open Socket Mode connections, Opened those that ever were.
func (s *Server) Lines() int  { s.mu.Lock(); defer s.mu.Unlock(); return len(s.lines) }
func (s *Server) Opened() int { s.mu.Lock(); defer s.mu.Unlock(); return s.opened }

// Cut breaks all connections without a word.
func (s *Server) Cut() {
	s.mu.Lock()
	lines := s.lines
	s.lines = nil
	s.mu.Unlock()
	for _, l := range lines {
		_ = l.conn.Close()
	}
}

// Refresh asks for new connections, as Slack does every few hours, and ends the old ones a moment later.
func (s *Server) Refresh() {
	s.mu.Lock()
	lines := append([]*line(nil), s.lines...)
	s.mu.Unlock()
	for _, l := range lines {
		l.write(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": map[string]any{"host": "applink-test"}})
	}
}

// Happen tells of any event of the Events API.
func (s *Server) Happen(event map[string]any) { s.happen(event) }

func (s *Server) happen(event map[string]any) {
	s.mu.Lock()
	s.count++
	id, at := "Ev0"+strconv.Itoa(s.count), s.now.Unix()
	s.mu.Unlock()
	s.tell("events_api", map[string]any{"token": "verification-token", "team_id": Team, "context_team_id": Team, "api_app_id": App, "event": event,
		"type": "event_callback", "event_id": id, "event_time": at, "is_ext_shared_channel": false, "event_context": "4-eyJldCI6Im1lc3NhZ2UifQ",
		"authorizations": []map[string]any{{"enterprise_id": nil, "team_id": Team, "user_id": Bot, "is_bot": true, "is_enterprise_install": false}}})
}

func (s *Server) tell(kind string, payload map[string]any) {
	s.mu.Lock()
	s.count++
	e := &envelope{kind: kind, id: fmt.Sprintf("env-%d", s.count), payload: payload, done: make(chan struct{})}
	now := append([]*envelope{e}, s.held...)
	if s.disorder--; s.disorder > 0 {
		s.held = now
		s.mu.Unlock()
		return
	}
	s.disorder, s.held = 0, nil
	for _, e := range now {
		s.waiting[e.id] = e
		if s.repeat > 0 {
			s.repeat--
			twice := &envelope{kind: e.kind, id: e.id + "-again", payload: e.payload, done: make(chan struct{})}
			s.waiting[twice.id] = twice
			now = append(now, twice)
		}
	}
	s.order = append(s.order, now...)
	s.mu.Unlock()
	s.wg.Go(func() { s.drain() })
	for _, e := range now {
		s.wg.Go(func() { s.insist(e) })
	}
}

// drain sends what was not sent yet, in order.
func (s *Server) drain() {
	s.out.Lock()
	defer s.out.Unlock()
	for {
		s.mu.Lock()
		if len(s.order) == 0 {
			s.mu.Unlock()
			return
		}
		e := s.order[0]
		s.order = s.order[1:]
		s.mu.Unlock()
		s.send(e)
	}
}

// insist sends again until the app acknowledges. Slack stops after three times; tests may take longer than its minutes.
func (s *Server) insist(e *envelope) {
	for {
		select {
		case <-e.done:
			return
		case <-s.ctx.Done():
			return
		case <-time.After(s.Patience):
			s.out.Lock()
			s.send(e)
			s.out.Unlock()
		}
	}
}

func (s *Server) send(e *envelope) {
	s.mu.Lock()
	hook, lines, still := s.hook, append([]*line(nil), s.lines...), s.waiting[e.id] != nil
	e.tries++
	s.mu.Unlock()
	switch {
	case !still:
	case hook != "":
		s.request(hook, e)
	case len(lines) > 0:
		lines[e.tries%len(lines)].write(map[string]any{"type": e.kind, "envelope_id": e.id, "payload": e.payload, "accepts_response_payload": e.kind != "events_api",
			"retry_attempt": e.tries - 1, "retry_reason": map[bool]string{true: "timeout"}[e.tries > 1]})
	}
}

func (s *Server) settle(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.waiting[id]; e != nil {
		delete(s.waiting, id)
		close(e.done)
	}
}

// Request makes what Slack would send over HTTP, and its headers.
func (s *Server) Request(kind string, payload map[string]any, at time.Time) ([]byte, map[string]string) {
	body, _ := json.Marshal(payload)
	ctype := "application/json"
	switch kind {
	case "interactive":
		body, ctype = []byte(url.Values{"payload": {string(body)}}.Encode()), "application/x-www-form-urlencoded"
	case "slash_commands":
		f := url.Values{}
		for k, v := range payload {
			f.Set(k, fmt.Sprint(v))
		}
		body, ctype = []byte(f.Encode()), "application/x-www-form-urlencoded"
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(s.SigningSecret))
	_, _ = h.Write([]byte("v0:" + stamp + ":" + string(body)))
	return body, map[string]string{"Content-Type": ctype, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + hex.EncodeToString(h.Sum(nil))}
}

func (s *Server) request(hook string, e *envelope) {
	body, header := s.Request(e.kind, e.payload, time.Now())
	ctx, cancel := context.WithTimeout(s.ctx, s.Patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	if e.tries > 1 {
		r.Header.Set("X-Slack-Retry-Num", strconv.Itoa(e.tries-1))
		r.Header.Set("X-Slack-Retry-Reason", "http_error")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	_ = res.Body.Close()
	if res.StatusCode/100 == 2 {
		s.settle(e.id)
	}
}

// ticket is the address of a connection, good for one. The lock is held.
func (s *Server) ticket() string {
	s.count++
	t := fmt.Sprintf("ticket-%d", s.count)
	s.tickets[t] = true
	return strings.Replace(s.URL, "http", "ws", 1) + "/socket/?ticket=" + t + "&app_id=" + App
}

func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ok := s.tickets[r.FormValue("ticket")]
	delete(s.tickets, r.FormValue("ticket"))
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	l := &line{conn: conn}
	s.mu.Lock()
	s.lines, s.opened = append(s.lines, l), s.opened+1
	n := len(s.lines)
	s.mu.Unlock()
	l.write(map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": App},
		"debug_info": map[string]any{"host": "applink-test", "build_number": 1, "approximate_connection_time": 18060}})
	s.resend()
	s.listen(l)
}

// resend tells a new connection what an old one did not acknowledge.
func (s *Server) resend() {
	s.mu.Lock()
	var again []*envelope
	for _, e := range s.waiting {
		if e.tries > 0 {
			again = append(again, e)
		}
	}
	s.mu.Unlock()
	s.out.Lock()
	defer s.out.Unlock()
	for _, e := range again {
		s.send(e)
	}
}

func (s *Server) listen(l *line) {
	defer func() {
		_ = l.conn.Close()
		s.set(func() {
			for i, x := range s.lines {
				if x == l {
					s.lines = append(s.lines[:i:i], s.lines[i+1:]...)
					return
				}
			}
		})
	}()
	for {
		var ack struct {
			ID string `json:"envelope_id"`
		}
		if err := l.conn.ReadJSON(&ack); err != nil {
			return
		}
		s.settle(ack.ID)
	}
}

func (l *line) write(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = l.conn.WriteJSON(v)
}
