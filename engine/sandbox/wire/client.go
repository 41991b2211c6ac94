package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Dialer opens a connection to the daemon and gives the token that it expects. Its errors are faults.
type Dialer func(ctx context.Context) (net.Conn, string, error)

const (
	maxIdle     = 4               // connections kept for the next call
	cancelGrace = 3 * time.Second // for the daemon to kill the tree and say so
)

// Client speaks to one daemon and is sandbox.Hands; safe for concurrent use, one connection per call in
// flight. It holds no goroutine between calls.
type Client struct {
	dial   Dialer
	mu     sync.Mutex
	idle   []*conn
	closed bool
}

var _ sandbox.Hands = (*Client)(nil)

type conn struct {
	net.Conn
	r    *Reader
	used bool // has served a call before
}

// NewClient makes a client; nothing is dialled before the first call.
func NewClient(d Dialer) *Client { return &Client{dial: d} }

// Close ends the idle connections; calls in flight end theirs.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, k := range c.idle {
		_ = k.Close()
	}
	c.idle = nil
	return nil
}

func (c *Client) get(ctx context.Context, fresh bool) (*conn, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 && !fresh {
		k := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return k, nil
	}
	c.mu.Unlock()
	nc, token, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := WriteFrame(nc, Hello, []byte(token)); err != nil {
		_ = nc.Close()
		return nil, Gone(err)
	}
	return &conn{Conn: nc, r: NewReader(nc)}, nil
}

func (c *Client) put(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdle {
		_ = k.Close()
		return
	}
	k.used = true
	c.idle = append(c.idle, k)
}

// Gone is the fault of a daemon that does not answer (any more).
func Gone(err error) error {
	return fault.Wrap(err, fault.Unavailable, "sandbox.gone", "The sandbox is not running")
}

// callError is a failed call; unsent when the daemon cannot have begun it, so that it may be repeated.
type callError struct {
	error
	unsent bool
}

// call sends one call with its body and hands every answer frame but the last to each.
func (c *Client) call(ctx context.Context, req *Call, body io.Reader, each func(Kind, []byte) error) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended(err)
	}
	if len(req.Encode()) > MaxFrame {
		return nil, fault.New(fault.TooLarge, "sandbox.too_large", "The command is too long")
	}
	for fresh := false; ; fresh = true {
		k, err := c.get(ctx, fresh)
		if err != nil {
			return nil, err
		}
		payload, cerr := c.talk(ctx, k, req, body, each)
		if cerr == nil {
			return payload, nil
		}
		// A kept connection whose daemon died in between fails on the write: nothing has run yet.
		if cerr.unsent && k.used && rewind(body) {
			continue
		}
		return nil, cerr.error
	}
}

func rewind(body io.Reader) bool {
	if body == nil {
		return true
	}
	s, ok := body.(io.Seeker)
	if ok {
		_, err := s.Seek(0, io.SeekStart)
		ok = err == nil
	}
	return ok
}

// pieces are what bodies are read into.
var pieces = sync.Pool{New: func() any { b := make([]byte, Chunk); return &b }}

func (c *Client) talk(ctx context.Context, k *conn, req *Call, body io.Reader, each func(Kind, []byte) error) ([]byte, *callError) {
	stop := context.AfterFunc(ctx, func() {
		if req.Op != OpExec {
			_ = k.SetDeadline(time.Now())
			return
		}
		// The daemon kills the tree first and answers with what it killed.
		_ = k.SetReadDeadline(time.Now().Add(cancelGrace))
		_ = k.SetWriteDeadline(time.Now().Add(cancelGrace))
		_ = WriteFrame(k.Conn, Cancel, nil)
	})
	payload, err, clean := exchange(k, req, body, each)
	if stop() && clean {
		c.put(k)
	} else {
		_ = k.Close()
	}
	if err == nil {
		return payload, nil
	}
	if cerr := ctx.Err(); cerr != nil && fault.KindOf(err) == fault.Unavailable {
		return nil, &callError{error: ended(cerr)}
	}
	var unsent *unsentError
	return nil, &callError{error: err, unsent: errors.As(err, &unsent)}
}

type unsentError struct{ error }

// bodyError is the failure of who gives a call's body.
type bodyError struct{ error }

// exchange tells besides the answer whether the connection can serve another call.
func exchange(k *conn, req *Call, body io.Reader, each func(Kind, []byte) error) (payload []byte, err error, clean bool) {
	if err := send(k, req, body); err != nil {
		if b, ok := errors.AsType[*bodyError](err); ok { // ours: the daemon did nothing wrong
			return nil, fault.Wrap(b.error, fault.Invalid, "sandbox.body", "What was to be written could not be read"), false
		}
		// The daemon may refuse a body half way and close: its fault is worth more than the broken pipe.
		if kind, p, rerr := k.r.Read(); rerr == nil && kind == FaultOp {
			return nil, DecodeFault(p), false
		}
		return nil, Gone(&unsentError{err}), false
	}
	for {
		kind, p, err := k.r.Read()
		switch {
		case err != nil:
			return nil, Gone(err), false
		case kind == Done:
			return append([]byte(nil), p...), nil, true
		case kind == FaultOp:
			return nil, DecodeFault(p), true
		}
		if err := each(kind, p); err != nil {
			return nil, err, false
		}
	}
}

func send(w io.Writer, req *Call, body io.Reader) error {
	b := AppendFrame(nil, CallOp, req.Encode())
	if req.Body() && body != nil {
		piece := pieces.Get().(*[]byte)
		defer pieces.Put(piece)
		for {
			n, err := io.ReadFull(body, *piece)
			if n > 0 {
				b = AppendFrame(b, Data, (*piece)[:n])
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				return &bodyError{err}
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if req.Body() {
		b = AppendFrame(b, End, nil)
	}
	_, err := w.Write(b)
	return err
}

// ended turns the end of a context into a fault.
func ended(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Timeout, "sandbox.timeout", "The sandbox did not answer in time")
	}
	return fault.Wrap(err, fault.Unavailable, "sandbox.cancelled", "Cancelled")
}

func protocol(k Kind, _ []byte) error {
	return fault.New(fault.Unavailable, "sandbox.protocol", "The sandbox answered with an unexpected frame %q", byte(k))
}
