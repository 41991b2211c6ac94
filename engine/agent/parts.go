package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"lobstead/kit/events"
)

const (
	partPause  = 33 * time.Millisecond // some thirty parts a second are as smooth as a screen needs
	liveOutput = 64 << 10              // bytes of one call's output that go out live
)

func kindOf(kind string, step int) string { return fmt.Sprintf("%s/%d", kind, step) }

// partWriter sends the live pieces of a turn: the first of a kind at once, the following ones joined.
type partWriter struct {
	bus     *events.Bus
	turn    string
	attempt int
	scrub   func(string) string // takes known secrets out, as the log does; nil = nothing

	mu     sync.Mutex
	n      int
	kind   string
	buf    strings.Builder
	sent   time.Time // of the last part
	timer  *time.Timer
	armed  bool
	closed bool
}

func newPartWriter(bus *events.Bus, turn string, attempt int, scrub func(string) string) *partWriter {
	w := &partWriter{bus: bus, turn: turn, attempt: attempt, scrub: scrub}
	w.timer = time.AfterFunc(time.Hour, w.late)
	w.timer.Stop()
	return w
}

// add takes a piece; empty text makes a part without text. Safe for concurrent use.
func (w *partWriter) add(kind, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	fresh := kind != w.kind
	if fresh {
		w.send(true)
		w.kind = kind
	}
	w.buf.WriteString(text)
	if text == "" {
		w.emit("")
		return
	}
	wait := partPause - time.Since(w.sent)
	switch {
	case fresh || wait <= 0:
		w.send(false)
	case !w.armed:
		w.armed = true
		w.timer.Reset(wait)
	}
}

func (w *partWriter) late() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.armed = false; !w.closed {
		w.send(false)
	}
}

// flush sends what waits, so that no part comes after the event that holds its text.
func (w *partWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.send(true)
	}
}

func (w *partWriter) close() {
	w.flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}

// send gives out the buffer. A character that is only half here waits for its rest: programs write bytes.
func (w *partWriter) send(all bool) {
	text := w.buf.String()
	if text == "" {
		return
	}
	w.buf.Reset()
	if !all {
		whole := wholeRunes(text)
		w.buf.WriteString(text[whole:])
		text = text[:whole]
	}
	if text != "" {
		w.emit(text)
	}
}

func (w *partWriter) emit(text string) {
	if w.scrub != nil {
		text = w.scrub(text)
	}
	_ = w.bus.AppendPart(context.Background(), events.Part{Turn: w.turn, Attempt: w.attempt, N: w.n, Kind: w.kind, Text: text})
	w.n++
	w.sent = time.Now()
}

// wholeRunes gives the length of s without a rune that has begun at its end.
func wholeRunes(s string) int {
	for back := 1; back <= min(utf8.UTFMax-1, len(s)); back++ {
		if c := s[len(s)-back]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(s[len(s)-back:]) {
				return len(s) - back
			}
			break
		}
	}
	return len(s)
}
