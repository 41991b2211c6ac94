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

// typeWithin bounds how long the daemon may take to accept what was typed.
const typeWithin = 10 * time.Second

// terminal is sandbox.Terminal over a connection of its own, which serves nothing else before or after.
type terminal struct {
	c       net.Conn
	r       *Reader
	before  bool
	replay  int
	rest    []byte // shown and not yet read
	err     error
	result  sandbox.Result
	writing sync.Mutex
}

// Terminal implements sandbox.Hands.
func (c *Client) Terminal(ctx context.Context, s sandbox.TerminalSpec) (sandbox.Terminal, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended(err)
	}
	k, err := c.get(ctx, true)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = k.SetDeadline(time.Unix(1, 0)) })
	t, err := openTerminal(k, s)
	if !stop() && err == nil {
		err = ended(context.Cause(ctx))
	}
	if err != nil {
		_ = k.Close()
		if cerr := ctx.Err(); cerr != nil {
			return nil, ended(cerr)
		}
		return nil, err
	}
	return t, nil
}

func openTerminal(k *conn, s sandbox.TerminalSpec) (*terminal, error) {
	call := Call{Op: OpTerminal, Path: s.Session, Depth: s.Rows, Max: s.Columns, Pattern: s.Prompt}
	if err := WriteFrame(k, CallOp, call.Encode()); err != nil {
		return nil, Gone(err)
	}
	kind, p, err := k.r.Read()
	switch {
	case err != nil:
		return nil, Gone(err)
	case kind == FaultOp:
		return nil, DecodeFault(p)
	case kind != Item:
		return nil, protocol(kind, p)
	}
	var before, replay int64
	if err := DecodeCounts(p, &before, &replay); err != nil {
		return nil, decoded(err)
	}
	return &terminal{c: k.Conn, r: k.r, before: before != 0, replay: int(replay)}, nil
}

func (t *terminal) Resumed() (bool, int) { return t.before, t.replay }

func (t *terminal) Read(p []byte) (int, error) {
	for len(t.rest) == 0 && t.err == nil {
		kind, data, err := t.r.Read()
		switch {
		case err != nil:
			t.err = Gone(err)
		case kind == Stdout:
			t.rest = data
		case kind == FaultOp:
			t.err = DecodeFault(data)
		case kind == Done:
			t.result, err = DecodeResult(data)
			if t.err = decoded(err); t.err == nil {
				t.err = io.EOF
			}
		default:
			t.err = protocol(kind, data)
		}
	}
	if len(t.rest) == 0 {
		return 0, t.err
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func (t *terminal) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n := min(len(p)-done, Chunk)
		if err := t.send(Data, p[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

func (t *terminal) send(k Kind, payload []byte) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	_ = t.c.SetWriteDeadline(time.Now().Add(typeWithin))
	if err := WriteFrame(t.c, k, payload); err != nil {
		return Gone(err)
	}
	return nil
}

func (t *terminal) Resize(rows, columns int) error {
	return t.send(Resize, EncodeCounts(int64(rows), int64(columns)))
}

func (t *terminal) Result() sandbox.Result { return t.result }

func (t *terminal) Kill() error {
	err := t.send(Cancel, nil)
	if errors.Is(err, net.ErrClosed) || fault.Is(err, fault.Unavailable) {
		return nil // it has ended already
	}
	return err
}

func (t *terminal) Close() error { return t.c.Close() }
