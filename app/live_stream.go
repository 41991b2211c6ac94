package app

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

// feed is what one kind of stream shows. next renders what is new since its last call, as live patches, and
// gives the cursor for a reconnect ("" = as before).
type feed interface {
	topics(p *models.Principal) []string
	next(ctx context.Context, sc *models.Scope, p *models.Principal, why wakeReason) (patch, cursor string, err error)
	close()
}

// wakeReason says what a stream has to look at.
type wakeReason uint8

const (
	wakeLog   wakeReason = 1 << iota // rows changed
	wakeParts                        // a running turn said something
	wakeBeat                         // it was silent for a while
	wakeWho                          // the person's access changed
)

// stream is one open event stream.
type stream struct {
	hub     *liveHub
	conn    net.Conn
	feed    feed
	who     credential
	can     models.Can
	cancels []func()

	mu     sync.Mutex
	reason wakeReason
	active bool
	closed bool
	wrote  time.Time

	due time.Time // when the next patch would be in time; the pump's own
}

// streamReply turns the request's connection into a stream.
type streamReply struct{ feed feed }

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n" +
	"X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\nretry: 1000\n\n"

func (r streamReply) write(c *Ctx) error {
	bearer, cookie := c.credentials()
	s := &stream{hub: c.app.live, feed: r.feed, can: c.route.Access.can, who: credential{token: cookie}}
	if !bearer.Empty() {
		s.who = credential{bearer, true}
	}
	p := c.Principal
	if c.f.Method() == fiber.MethodHead {
		c.f.Set(fiber.HeaderContentType, "text/event-stream")
		return nil
	}
	c.f.Context().HijackSetNoResponse(true)
	c.f.Context().Hijack(func(conn net.Conn) { s.begin(conn, p) })
	return nil
}

// begin runs once the server let go of the connection.
func (s *stream) begin(conn net.Conn, p *models.Principal) {
	if raw, ok := conn.(interface{ UnsafeConn() net.Conn }); ok {
		conn = raw.UnsafeConn() // without the server's read buffer, which an idle stream does not need
	}
	s.conn, s.wrote = conn, time.Now()
	_ = conn.SetReadDeadline(time.Time{})
	if !s.hub.add(s) || s.send(streamHead) != nil {
		s.close()
		return
	}
	if f, ok := s.feed.(interface{ wakeBy(func(wakeReason)) }); ok {
		f.wakeBy(s.wake)
	}
	cancels := []func(){}
	for _, topic := range append(s.feed.topics(p), principalTopic(p.User.ID)) {
		cancels = append(cancels, s.hub.app.Bus.Listen(topic, s.heard))
	}
	s.mu.Lock()
	closed := s.closed
	s.cancels = cancels
	s.mu.Unlock()
	if closed { // the server stopped in between
		s.forget()
		return
	}
	s.wake(wakeLog | wakeParts)
}

// heard is called inside a publisher: it must only wake.
func (s *stream) heard(e events.Event) {
	if strings.HasPrefix(e.Topic, "user:") {
		s.wake(wakeWho)
		return
	}
	if f, ok := s.feed.(interface{ hears(events.Event) bool }); ok && !f.hears(e) {
		return
	}
	s.wake(wakeLog)
}

func (s *stream) lastWrite() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrote
}

// wake makes sure that somebody looks at the stream soon.
func (s *stream) wake(why wakeReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason |= why
	if s.active || s.closed {
		return
	}
	s.active = true
	s.hub.pumps.Add(1)
	go s.pump()
}

func (s *stream) pump() {
	defer s.hub.pumps.Done()
	for {
		s.mu.Lock()
		why := s.reason
		s.reason = 0
		if why == 0 || s.closed {
			s.active = false
			closed := s.closed
			s.mu.Unlock()
			if closed {
				s.release()
			}
			return
		}
		s.mu.Unlock()
		if !s.step(why) {
			s.close()
			continue
		}
		select {
		case <-time.After(s.pause()):
		case <-s.hub.done:
		}
	}
}

// pause keeps a stream to one patch each minPause on average. A few may follow each other closely, so that the
// first words of an answer do not wait behind the message that they answer.
func (s *stream) pause() time.Duration {
	now := time.Now()
	if early := now.Add(-burst * minPause); s.due.Before(early) {
		s.due = early
	}
	s.due = s.due.Add(minPause)
	return max(s.due.Sub(now), leastPause)
}

// step asks again who is reading, then writes what is new; false ends the stream.
func (s *stream) step(why wakeReason) (alive bool) {
	defer func() {
		if p := recover(); p != nil {
			s.hub.app.Log.Error("panic in stream", "panic", p)
			alive = false
		}
	}()
	ctx, cancel := context.WithTimeout(s.hub.app.base, writeWait)
	defer cancel()
	patch, cursor, err := s.read(ctx, why)
	switch {
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden), fault.Is(err, fault.NotFound):
		_ = s.send("event: gone\ndata: gone\n\n")
		return false
	case err != nil:
		s.hub.app.Log.Error("stream", "error", err)
		return false // the browser comes back with its cursor
	case patch == "" && cursor == "" && why&wakeBeat == 0:
		return true
	case patch == "" && cursor == "":
		return s.send(": beat\n\n") == nil
	}
	return s.send(patchEvent(patch, cursor)) == nil
}

func (s *stream) read(ctx context.Context, why wakeReason) (patch, cursor string, err error) {
	s.hub.render <- struct{}{}
	defer func() { <-s.hub.render }()
	p, err := s.hub.who(ctx, s.who, why&wakeWho != 0)
	if err != nil {
		return "", "", err
	}
	if !p.May(s.can) {
		return "", "", errForbidden
	}
	if why&^wakeBeat == 0 {
		return "", "", nil
	}
	return s.feed.next(ctx, s.hub.app.Store.In(p.Membership.OrganizationID).As(p.Actor()), p, why)
}

// patchEvent frames HTML as one server-sent event: each line gets its own data field.
func patchEvent(html, cursor string) string {
	var b strings.Builder
	b.Grow(len(html) + 64)
	b.WriteString("event: patch\n")
	if cursor != "" {
		b.WriteString("id: " + cursor + "\n")
	}
	html = strings.ReplaceAll(strings.ReplaceAll(html, "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(html, "\n") {
		b.WriteString("data: ")
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.String()
}

// send writes with a deadline: a reader that does not read is let go.
func (s *stream) send(text string) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWait))
	_, err := s.conn.Write([]byte(text))
	s.mu.Lock()
	s.wrote = time.Now()
	s.mu.Unlock()
	return err
}

// close ends the stream; it may be called often. While somebody works on the feed, that one lets go of it.
func (s *stream) close() {
	s.mu.Lock()
	was, busy := s.closed, s.active
	s.closed = true
	s.mu.Unlock()
	if was {
		return
	}
	s.hub.remove(s)
	_ = s.conn.Close()
	if !busy {
		s.release()
	}
}

// release lets go of what the stream watches.
func (s *stream) release() {
	s.forget()
	s.feed.close()
}

func (s *stream) forget() {
	s.mu.Lock()
	cancels := s.cancels
	s.cancels = nil
	s.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
}
