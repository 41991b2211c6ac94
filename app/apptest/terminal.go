package apptest

import (
	"context"
	"io"
	"strings"
	"sync"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// echo is a terminal that shows what is typed, whole lines at a time. "bye" ends it with code 3, "flood" shows words for
// ever, "die" is a sandbox that stops.
type echo struct {
	d      *Boxes
	key    string
	before bool
	out    *io.PipeReader
	in     *io.PipeWriter
	once   sync.Once
	result sandbox.Result
}

// Terminal implements sandbox.Hands. A session that somebody left is there again.
func (h *hands) Terminal(_ context.Context, s sandbox.TerminalSpec) (sandbox.Terminal, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	key := h.id + " " + s.Session
	if !h.d.Shells[key] && len(h.d.Shells) >= sandbox.MaxTerminals {
		return nil, fault.New(fault.TooMany, "sandbox.terminals", "full")
	}
	t := &echo{d: h.d, key: key, before: h.d.Shells[key]}
	h.d.Shells[key] = true
	t.out, t.in = io.Pipe()
	return t, nil
}

func (t *echo) Resumed() (bool, int)       { return t.before, 0 }
func (t *echo) Read(p []byte) (int, error) { return t.out.Read(p) }
func (t *echo) Result() sandbox.Result     { return t.result }
func (t *echo) Close() error {
	return t.in.CloseWithError(fault.New(fault.Unavailable, "sandbox.gone", "left"))
}
func (t *echo) Resize(rows, cols int) error { t.show("size\n"); return nil }

func (t *echo) show(text string) { go func() { _, _ = t.in.Write([]byte(text)) }() }

func (t *echo) Write(p []byte) (int, error) {
	switch text := string(p); {
	case strings.HasPrefix(text, "bye"):
		t.end(sandbox.Result{ExitCode: 3})
	case strings.HasPrefix(text, "die"):
		_ = t.Close()
	case strings.HasPrefix(text, "flood"):
		go func() {
			for _, err := t.in.Write(make([]byte, 16<<10)); err == nil; {
				_, err = t.in.Write(make([]byte, 16<<10))
			}
		}()
	default:
		t.show("you said " + text)
	}
	return len(p), nil
}

func (t *echo) end(r sandbox.Result) {
	t.once.Do(func() {
		t.result = r
		t.d.mu.Lock()
		delete(t.d.Shells, t.key)
		t.d.mu.Unlock()
		_ = t.in.CloseWithError(io.EOF)
	})
}

func (t *echo) Kill() error { t.end(sandbox.Result{ExitCode: -1}); return nil }

// Open counts the shells of an instance.
func (d *Boxes) Open(id string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key := range d.Shells {
		if strings.HasPrefix(key, id+" ") {
			n++
		}
	}
	return n
}
