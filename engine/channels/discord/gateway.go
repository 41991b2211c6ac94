package discord

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"lobstead/engine/channels/call"
	"lobstead/kit/fault"
)

const (
	handshake = 20 * time.Second
	writing   = 10 * time.Second
	maxFrame  = 32 << 20 // bytes: a guild comes with all of its channels
	backlog   = 512      // events that wait to be kept; more, and the line is let go: Discord keeps them for us
)

// Opcodes (discord.com/developers/docs, Gateway Opcodes).
const (
	opDispatch  = 0
	opBeat      = 1
	opIdentify  = 2
	opResume    = 6
	opReconnect = 7
	opInvalid   = 9
	opHello     = 10
	opBeaten    = 11
)

type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d,omitempty"`
	Seq  int64           `json:"s,omitempty"`
	Type string          `json:"t,omitempty"`
}

// Why a connection ends, where that is not an error of the network.
var (
	errReconnect = errors.New("asked to reconnect")
	errSilent    = errors.New("heartbeats were not answered")
	errBehind    = errors.New("more events than can be kept")
)

// line is one connection.
type line struct {
	*listener
	ws     *websocket.Conn
	write  sync.Mutex
	beaten atomic.Bool
	frames chan frame
	cancel context.CancelCauseFunc
}

// connect opens a connection, and keeps it to its end.
func (l *listener) connect(ctx context.Context) error {
	l.lived = false
	at, err := l.address(ctx)
	if err != nil {
		return err
	}
	d := websocket.Dialer{NetDialContext: l.a.Dial.DialContext, HandshakeTimeout: handshake}
	ws, res, err := d.DialContext(ctx, at, nil)
	if res != nil && res.Body != nil {
		_ = res.Body.Close()
	}
	if err != nil {
		if l.resumeAt != "" && l.session != "" {
			l.resumeAt = "" // that gateway may be gone; the session can be resumed at the common one
		}
		return call.Failed(name, err)
	}
	ws.SetReadLimit(maxFrame)
	run, cancel := context.WithCancelCause(ctx)
	n := &line{listener: l, ws: ws, frames: make(chan frame, backlog), cancel: cancel}
	err = n.run(run, ctx)
	return l.ended(err)
}

// run reads until the line ends. ctx is the line's; outer the listener's, which an event that is being kept goes by.
func (n *line) run(ctx, outer context.Context) error {
	defer n.cancel(nil)
	stop := context.AfterFunc(ctx, func() { n.hangup(outer) })
	defer stop()
	var hello struct {
		Every int64 `json:"heartbeat_interval"`
	}
	var f frame
	_ = n.ws.SetReadDeadline(time.Now().Add(handshake))
	if err := n.ws.ReadJSON(&f); err != nil || f.Op != opHello || json.Unmarshal(f.Data, &hello) != nil || hello.Every <= 0 {
		_ = n.ws.Close()
		return errors.Join(errors.New("no greeting"), err)
	}
	_ = n.ws.SetReadDeadline(time.Time{})
	n.beaten.Store(true)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer n.cancel(nil)
	wg.Go(func() { n.beat(ctx, time.Duration(hello.Every)*time.Millisecond) })
	wg.Go(func() { n.work(ctx, outer) })
	if err := n.introduce(); err != nil {
		return err
	}
	for {
		var f frame
		err := n.ws.ReadJSON(&f)
		if err == nil {
			err = n.take(f)
		}
		if err != nil {
			n.cancel(err)
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// hangup ends the line. Only at the end of Listen it says so: a farewell ends the session, which is to be resumed otherwise.
func (n *line) hangup(outer context.Context) {
	if outer.Err() != nil {
		_ = n.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	}
	_ = n.ws.Close()
}

// introduce resumes the session, or begins one.
func (n *line) introduce() error {
	token := n.a.Value("bot_token")
	if n.session != "" {
		return n.send(opResume, map[string]any{"token": token, "session_id": n.session, "seq": n.seq.Load()})
	}
	want := intents
	if n.content {
		want |= contentIntent
	}
	return n.send(opIdentify, map[string]any{"token": token, "intents": want,
		"properties": map[string]string{"os": "linux", "browser": "lobstead", "device": "lobstead"}})
}

func (n *line) send(op int, d any) error {
	n.write.Lock()
	defer n.write.Unlock()
	_ = n.ws.SetWriteDeadline(time.Now().Add(writing))
	return n.ws.WriteJSON(map[string]any{"op": op, "d": d})
}

// take does what a frame asks of the line itself; events wait for work.
func (n *line) take(f frame) error {
	switch f.Op {
	case opDispatch:
		select {
		case n.frames <- f:
		default:
			return errBehind
		}
	case opBeat:
		return n.heartbeat()
	case opBeaten:
		n.beaten.Store(true)
	case opReconnect:
		return errReconnect
	case opInvalid:
		var resumable bool
		_ = json.Unmarshal(f.Data, &resumable)
		if !resumable {
			return &websocket.CloseError{Code: closeTimedOut}
		}
		return errReconnect
	}
	return nil
}

// heartbeat tells the last event that was kept, not the last that came: what was not kept must stay replayable.
func (n *line) heartbeat() error {
	if seq := n.seq.Load(); seq > 0 {
		return n.send(opBeat, seq)
	}
	return n.send(opBeat, nil)
}

func (n *line) beat(ctx context.Context, every time.Duration) {
	wait := rand.N(every) //nolint:gosec // Discord wants the first one at a random moment
	for sleep(ctx, wait) == nil {
		if !n.beaten.Swap(false) {
			n.cancel(errSilent)
			return
		}
		if err := n.heartbeat(); err != nil {
			n.cancel(err)
			return
		}
		wait = every
	}
}

// Close codes of the gateway that mean more than "come again" (discord.com/developers/docs, Gateway Close Event Codes).
const (
	closeNotAuthenticated = 4003
	closeToken            = 4004
	closeSequence         = 4007
	closeTimedOut         = 4009
	closeShard            = 4010
	closeVersion          = 4012
	closeIntents          = 4013
	closeDisallowed       = 4014
)

// ended judges how a line ended: Unauthenticated when there is no sense in another, nil when there is nothing to tell.
func (l *listener) ended(err error) error {
	c, ok := errors.AsType[*websocket.CloseError](err)
	if !ok {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return f
		}
		return nil
	}
	switch {
	case c.Code == closeToken:
		return call.Rejected(name)
	case c.Code == closeDisallowed && l.content:
		l.content = false
		l.forget()
	case c.Code >= closeShard && c.Code <= closeVersion, c.Code == closeIntents, c.Code == closeDisallowed:
		return fault.New(fault.Unauthenticated, "service.credentials", "Discord does not let this bot connect (%d)", c.Code).
			Hinting("Look at the bot's settings in the Developer Portal.")
	case c.Code == closeNotAuthenticated, c.Code == closeSequence, c.Code == closeTimedOut:
		l.forget()
	}
	return nil
}
