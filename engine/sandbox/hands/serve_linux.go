package hands

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

const (
	maxConns    = 64
	writeWithin = 30 * time.Second // a caller that does not read loses its answer, not the sandbox
	helloWithin = 5 * time.Second
)

func (d *daemon) accept(ln net.Listener) {
	slots := make(chan struct{}, maxConns)
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(5 * time.Millisecond) // out of descriptors: others will close
			continue
		}
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			defer func() { _ = c.Close() }()
			d.serve(c)
		}()
	}
}

// serve answers the calls of one connection, one after the other.
func (d *daemon) serve(c net.Conn) {
	r, w := wire.NewReader(c), &writer{c: c}
	_ = c.SetReadDeadline(time.Now().Add(helloWithin))
	k, p, err := r.Read()
	if err != nil || k != wire.Hello || subtle.ConstantTimeCompare(p, []byte(d.token)) != 1 {
		_ = w.frame(wire.FaultOp, wire.EncodeFault(fault.New(fault.Forbidden, "sandbox.token", "Not the sandbox's owner")))
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	for {
		k, p, err := r.Read()
		if err != nil || k != wire.CallOp {
			return
		}
		call, err := wire.DecodeCall(p)
		if err != nil {
			return
		}
		b := &body{r: r, c: c, open: call.Body()}
		payload, err := d.guarded(&call, b, w)
		if err != nil {
			err = w.frame(wire.FaultOp, wire.EncodeFault(err))
		} else {
			err = w.frame(wire.Done, payload)
		}
		if err != nil || b.skip() != nil {
			return
		}
	}
}

// guarded turns a panic into a fault: one bad call must not end the others' sandbox.
func (d *daemon) guarded(c *wire.Call, b *body, w *writer) (payload []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			_, _ = os.Stderr.Write(debug.Stack())
			err = fault.New(fault.Internal, "sandbox.panic", "The sandbox failed")
		}
	}()
	return d.serveCall(c, b, w)
}

// body reads the Data frames that follow a call.
type body struct {
	r    *wire.Reader
	c    net.Conn
	open bool
	err  error
	rest []byte
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		if !b.open {
			return 0, io.EOF
		}
		k, data, err := b.r.Read()
		switch {
		case err != nil:
			b.err = err
		case k == wire.End:
			b.open = false
		case k == wire.Data:
			b.rest = data
		default:
			b.err = wire.ErrFrame
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// skip reads what the call left unread, so that the next call begins at a frame.
func (b *body) skip() error {
	_, err := io.Copy(io.Discard, b)
	return err
}

// watch calls cancel when the caller cancels or goes away. stop ends the watch and leaves the connection
// as it was: a frame that has begun stays in the reader.
func (b *body) watch(cancel func()) (stop func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		k, _, err := b.r.Read()
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil || k != wire.Cancel {
			b.err = err
		}
		cancel()
	})
	return func() {
		_ = b.c.SetReadDeadline(time.Unix(1, 0))
		wg.Wait()
		_ = b.c.SetReadDeadline(time.Time{})
	}
}

// writer writes whole frames; safe for concurrent use.
type writer struct {
	mu sync.Mutex
	c  net.Conn
}

func (w *writer) frame(k wire.Kind, payload []byte) error {
	buf := make([]byte, frameHead, frameHead+len(payload))
	return w.framed(k, append(buf, payload...))
}

// frameHead is the room that framed needs before the payload.
const frameHead = 5

// framed writes buf, whose first bytes are room for the head: output goes out without being copied.
func (w *writer) framed(k wire.Kind, buf []byte) error {
	buf[0] = byte(k)
	binary.BigEndian.PutUint32(buf[1:], uint32(len(buf)-frameHead))
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.c.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := w.c.Write(buf)
	return err
}
