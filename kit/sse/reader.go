// Package sse owns the text format of Server-Sent Events: reading a provider's stream and writing our own.
// Rules: https://html.spec.whatwg.org/multipage/server-sent-events.html (section 9.2.6). It opens no
// connection and keeps no time; heartbeats and reconnects belong to its callers.
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// Event is one dispatched event.
type Event struct {
	ID    string        // the last id seen, as the standard says
	Name  string        // "" means "message"
	Data  string        // lines joined by \n
	Retry time.Duration // wish for the reconnect delay, when this event carried one
}

// Limits cap what one stream may make us hold.
type Limits struct {
	Line  int // bytes of a line; 0 = 4 MiB
	Event int // bytes of an event's data; 0 = 16 MiB
}

// ErrTooLong says that a line or an event is over its limit.
var ErrTooLong = errors.New("sse: line or event over its limit")

// Reader reads events.
type Reader struct {
	in     *bufio.Reader
	limits Limits
	id     string
	begun  bool
	skipLF bool // the last line ended in CR: a following LF belongs to it
	line   []byte
}

// NewReader reads events from r.
func NewReader(r io.Reader, l Limits) *Reader {
	if l.Line <= 0 {
		l.Line = 4 << 20
	}
	if l.Event <= 0 {
		l.Event = 16 << 20
	}
	return &Reader{in: bufio.NewReader(r), limits: l}
}

// Next gives the next event that has data. At the end it gives io.EOF; when the stream ends inside an event,
// that event comes with io.ErrUnexpectedEOF, and the caller judges whether it is whole: several servers
// leave out the last blank line, which the standard would punish by dropping the event.
func (r *Reader) Next() (Event, error) {
	var (
		e    Event
		data []byte
		has  bool
	)
	for {
		line, err := r.readLine()
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			if errors.Is(err, io.EOF) && has {
				e.Data, e.ID = string(data), r.id
				return e, io.ErrUnexpectedEOF
			}
			return Event{}, err
		}
		if len(line) == 0 {
			if has {
				e.Data, e.ID = string(data), r.id
				return e, nil
			}
			e = Event{}
			continue
		}
		field, value := split(line)
		switch field {
		case "data":
			if has {
				data = append(data, '\n')
			}
			data, has = append(data, value...), true
			if len(data) > r.limits.Event {
				return Event{}, ErrTooLong
			}
		case "event":
			e.Name = string(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				r.id = string(value)
			}
		case "retry":
			if d, ok := millis(value); ok {
				e.Retry = d
			}
		}
	}
}

// split cuts a line into field and value; a comment has the empty field.
func split(line []byte) (string, []byte) {
	field, value, _ := bytes.Cut(line, []byte{':'})
	return string(field), bytes.TrimPrefix(value, []byte{' '})
}

func millis(b []byte) (time.Duration, bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(b), 10, 32)
	return time.Duration(n) * time.Millisecond, err == nil
}

// readLine gives a line without its end (LF, CR or CRLF); the slice lives until the next call. It returns as
// soon as a CR is seen and does not wait for the LF that may follow, so that an event is never held back.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	if !r.begun {
		r.begun = true
		if b, _ := r.in.Peek(3); string(b) == "\xef\xbb\xbf" {
			_, _ = r.in.Discard(3)
		}
	}
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return r.line, err
		}
		skip := r.skipLF
		r.skipLF = false
		switch {
		case c == '\n' && skip:
			continue
		case c == '\n':
			return r.line, nil
		case c == '\r':
			r.skipLF = true
			return r.line, nil
		}
		if r.line = append(r.line, c); len(r.line) > r.limits.Line {
			return nil, ErrTooLong
		}
	}
}
