package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"lobstead/engine/sandbox"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	shellWindow  = 512 << 10 // bytes shown that the page has not worked through yet: more are not sent
	shellMessage = 256 << 10 // that a page may send at once
	shellBeat    = 15 * time.Second
	shellTouch   = 4                // beats after which it is noted once more that the sandbox is used
	shellSilence = 45 * time.Second // without an answer to a beat: the page is gone
	shellCheck   = 900 * time.Millisecond
	shellWrite   = 10 * time.Second
)

// shell is one open socket: a page on one side, a terminal in a sandbox on the other. Binary messages are what is typed and
// shown; text messages are control, one JSON object each.
type shell struct {
	app      *App
	instance *models.Instance
	scope    *models.Scope
	who      credential
	can      Access
	org      string
	user     string
	term     sandbox.Terminal
	replay   int
	use      models.TerminalUse

	conn    *websocket.Conn
	writing sync.Mutex
	mu      sync.Mutex
	moved   *sync.Cond // more was acknowledged, or it ended
	acked   int64
	over    bool
	end     chan shellEnd // the first counts
}

// shellEnd is why a socket ends, for the page and for the audit log. kill ends the shell too.
type shellEnd struct {
	say   shellWord
	close int
	kill  bool
	why   string
}

// shellWord is a control message to the page.
type shellWord struct {
	Type    string `json:"type"` // ready, exit, gone, taken, reconnect, error
	Resumed bool   `json:"resumed,omitempty"`
	Replay  int    `json:"replay,omitempty"`
	Code    int    `json:"code"`
	Message string `json:"message,omitempty"`
}

// shellAsk is a control message of the page.
type shellAsk struct {
	Type    string `json:"type"` // resize, ack, close
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Bytes   int64  `json:"bytes"`
}

// socketReply turns the request's connection into a socket.
type socketReply struct{ shell *shell }

var upgrader = websocket.FastHTTPUpgrader{ReadBufferSize: 4 << 10, WriteBufferSize: 16 << 10,
	CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }} // ownPage has looked

func (r socketReply) write(c *Ctx) error {
	s := r.shell
	s.moved, s.end = sync.NewCond(&s.mu), make(chan shellEnd, 8)
	if err := upgrader.Upgrade(c.f.Context(), s.run); err != nil {
		e := shellEnd{kill: !s.use.Resumed, why: "no socket"}
		s.finish(e)
		s.record(e)
		return fault.Wrap(err, fault.Invalid, "terminal.upgrade", "This is no WebSocket request")
	}
	return nil
}

// run lasts as long as the socket. All who use the connection have ended when it returns.
func (s *shell) run(conn *websocket.Conn) {
	defer func() {
		if p := recover(); p != nil {
			s.app.Log.Error("panic in terminal", "panic", p)
			_ = conn.Close()
		}
	}()
	s.conn = conn
	if !s.app.live.enter() {
		e := shellEnd{say: shellWord{Type: "reconnect"}, close: websocket.CloseServiceRestart, why: "the server stopped"}
		s.finish(e)
		s.record(e)
		return
	}
	defer s.app.live.pumps.Done()
	begun := time.Now()
	_ = s.say(shellWord{Type: "ready", Resumed: s.use.Resumed, Replay: s.replay})
	var both sync.WaitGroup
	both.Go(s.guarded(s.show))
	both.Go(s.guarded(s.listen))
	end := s.attend()
	s.use.Lasted = time.Since(begun)
	s.finish(end)
	both.Wait()
	s.record(end)
}

// guarded keeps a defect of one socket from ending the process.
func (s *shell) guarded(f func()) func() {
	return func() {
		defer func() {
			if p := recover(); p != nil {
				s.app.Log.Error("panic in terminal", "panic", p)
				s.ends(shellEnd{close: websocket.CloseInternalServerErr, why: "our defect"})
			}
		}()
		f()
	}
}

// ends says why; later reasons are dropped.
func (s *shell) ends(e shellEnd) {
	select {
	case s.end <- e:
	default:
	}
}

// attend waits for the end, and asks again and again whether the person still may.
func (s *shell) attend() shellEnd {
	changed := make(chan struct{}, 1)
	cancel := s.app.Bus.Listen(principalTopic(s.user), func(events.Event) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer cancel()
	check, beat := time.NewTicker(shellCheck), time.NewTicker(shellBeat)
	defer check.Stop()
	defer beat.Stop()
	for beats := 0; ; {
		fresh := false
		select {
		case e := <-s.end:
			return e
		case <-s.app.live.done:
			return shellEnd{say: shellWord{Type: "reconnect"}, close: websocket.CloseServiceRestart, why: "the server stopped"}
		case <-beat.C:
			if beats++; beats%shellTouch == 0 {
				s.touch()
			}
			_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(shellWrite))
			continue
		case <-changed:
			fresh = true
		case <-check.C:
		}
		if !s.still(fresh) {
			return shellEnd{say: shellWord{Type: "gone"}, close: websocket.ClosePolicyViolation, kill: true, why: "access was withdrawn"}
		}
	}
}

// touch notes that the sandbox is used, so that it does not fall asleep under an open terminal.
func (s *shell) touch() {
	ctx, cancel := context.WithTimeout(s.app.base, shellWrite)
	defer cancel()
	if err := s.scope.TouchInstance(ctx, s.instance.ID); err != nil {
		s.app.Log.Warn("the use of a sandbox was not noted", "instance", s.instance.ID, "error", err)
	}
}

// still tells whether the person may use this terminal now, with the same sign-in and in the same organization. A database
// that does not answer ends nothing.
func (s *shell) still(fresh bool) bool {
	ctx, cancel := context.WithTimeout(s.app.base, shellWrite)
	defer cancel()
	p, err := s.app.live.who(ctx, s.who, fresh)
	if err != nil {
		return !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound)
	}
	return p != nil && s.can.admits(p) && p.User.ID == s.user && p.Membership.OrganizationID == s.org
}

// show sends what the terminal shows, no faster than the page works through it.
func (s *shell) show() {
	buf := make([]byte, 16<<10)
	for {
		n, err := s.term.Read(buf)
		if n > 0 {
			if s.send(websocket.BinaryMessage, buf[:n]) != nil {
				s.ends(shellEnd{why: "the page left"})
				return
			}
			s.mu.Lock()
			s.use.Out += int64(n)
			for s.use.Out-s.acked > shellWindow && !s.over {
				s.moved.Wait()
			}
			s.mu.Unlock()
		}
		if err != nil {
			s.ends(s.lastWord(err))
			return
		}
	}
}

// lastWord is what the page hears at the end of a terminal.
func (s *shell) lastWord(err error) shellEnd {
	f, isFault := errors.AsType[*fault.Error](err)
	switch {
	case errors.Is(err, io.EOF):
		r := s.term.Result()
		s.mu.Lock()
		s.use.HasExited, s.use.ExitCode = true, r.ExitCode
		s.mu.Unlock()
		why := "the shell ended"
		if r.Reason != "" {
			why += ": " + r.Reason
		}
		return shellEnd{say: shellWord{Type: "exit", Code: r.ExitCode, Message: r.Reason}, close: websocket.CloseNormalClosure, why: why}
	case isFault && f.Code == "sandbox.terminal_taken":
		return shellEnd{say: shellWord{Type: "taken"}, close: websocket.CloseNormalClosure, why: "opened somewhere else"}
	}
	return shellEnd{say: shellWord{Type: "error", Message: "The sandbox stopped"}, close: websocket.CloseNormalClosure, why: "the sandbox stopped"}
}

// listen does what the page asks until it leaves.
func (s *shell) listen() {
	s.conn.SetReadLimit(shellMessage)
	alive := func() error { return s.conn.SetReadDeadline(time.Now().Add(shellSilence)) }
	s.conn.SetPongHandler(func(string) error { return alive() })
	for {
		_ = alive()
		kind, p, err := s.conn.ReadMessage()
		if err != nil {
			s.ends(shellEnd{why: "the page left"})
			return
		}
		if kind == websocket.BinaryMessage {
			s.mu.Lock()
			s.use.In += int64(len(p))
			s.mu.Unlock()
			_, err = s.term.Write(p)
		} else {
			err = s.control(p)
		}
		if err != nil && !fault.Is(err, fault.Unavailable) { // a terminal that is gone says so itself
			s.ends(shellEnd{say: shellWord{Type: "error", Message: "The page sent what no terminal understands"}, close: websocket.CloseUnsupportedData, why: "bad message"})
			return
		}
	}
}

func (s *shell) control(p []byte) error {
	var ask shellAsk
	if err := json.Unmarshal(p, &ask); err != nil {
		return err
	}
	switch ask.Type {
	case "resize":
		return s.term.Resize(ask.Rows, ask.Columns)
	case "close":
		return s.term.Kill()
	case "ack":
		s.mu.Lock()
		defer s.mu.Unlock()
		if ask.Bytes > 0 && ask.Bytes <= s.use.Out-s.acked {
			s.acked += ask.Bytes
		}
		s.moved.Broadcast()
	}
	return nil
}

func (s *shell) say(w shellWord) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return s.send(websocket.TextMessage, b)
}

func (s *shell) send(kind int, p []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(shellWrite))
	return s.conn.WriteMessage(kind, p)
}

// finish closes both sides: the terminal first, so that who may not any more has nothing of it while the page is told.
func (s *shell) finish(e shellEnd) {
	s.mu.Lock()
	s.over = true
	s.moved.Broadcast()
	s.mu.Unlock()
	if e.kill {
		_ = s.term.Kill()
	}
	_ = s.term.Close()
	if s.conn == nil {
		return
	}
	if e.say.Type != "" {
		_ = s.say(e.say)
	}
	if e.close != 0 {
		_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(e.close, e.say.Type), time.Now().Add(time.Second))
	}
	_ = s.conn.Close()
}

// record writes into the audit log that the stay is over.
func (s *shell) record(e shellEnd) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.app.base), shellWrite)
	defer cancel()
	s.mu.Lock()
	use := s.use
	s.mu.Unlock()
	use.Ended = e.why
	if err := s.scope.AuditTerminalClosed(ctx, s.instance, use); err != nil && !fault.Is(err, fault.NotFound) {
		s.app.Log.Error("the end of a terminal could not be written down", "instance", s.instance.ID, "error", err)
	}
}
