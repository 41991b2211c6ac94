package apptest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"path"
	"strings"
	"sync"
	"time"

	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Boxes is a sandbox driver in memory whose hands know a few commands: "echo WORDS", "say" (prints Say),
// "wait" (until Release or a stop); anything else prints "ok".
type Boxes struct {
	provisiontest.Driver
	Say     string
	Release chan struct{}
	Waiting chan string // hears of every "wait"

	mu    sync.Mutex
	files map[string]map[string][]byte
}

// NewBoxes makes an empty host.
func NewBoxes() *Boxes {
	return &Boxes{Release: make(chan struct{}), Waiting: make(chan string, 1000), files: map[string]map[string][]byte{}}
}

type hands struct {
	sandbox.Hands
	d  *Boxes
	id string
}

// Walk implements sandbox.Driver.
func (d *Boxes) Walk(_ context.Context, id string, visit func(sandbox.Entry, io.Reader) error) error {
	d.mu.Lock()
	files := maps.Clone(d.files[id])
	d.mu.Unlock()
	return provisiontest.VisitFiles(files, visit)
}

// Hands implements sandbox.Driver.
func (d *Boxes) Hands(ctx context.Context, id string) (sandbox.Hands, error) {
	inner, err := d.Driver.Hands(ctx, id)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[id] == nil {
		d.files[id] = map[string][]byte{}
	}
	return &hands{inner, d, id}, nil
}

func (h *hands) Exec(ctx context.Context, c sandbox.Command, out func(sandbox.Output)) (sandbox.Result, error) {
	verb, arg, _ := strings.Cut(c.Shell, " ")
	text := "ok\n"
	switch verb {
	case "echo":
		text = arg + "\n"
	case "say":
		text = h.d.Say
	case "wait":
		out(sandbox.Output{Data: []byte("waiting\n")})
		h.d.Waiting <- arg
		select {
		case <-ctx.Done():
			return sandbox.Result{ExitCode: -1, Cancelled: true, Killed: 1}, nil
		case <-h.d.Release:
		}
	}
	out(sandbox.Output{Data: []byte(text)})
	return sandbox.Result{Stdout: text, Duration: time.Millisecond}, nil
}

func (h *hands) ReadFile(_ context.Context, p string, offset, limit int64) (sandbox.File, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	data, ok := h.d.files[h.id][path.Clean(p)]
	if !ok {
		return sandbox.File{}, fault.New(fault.NotFound, "sandbox.file", "there is no file %s", p)
	}
	size := int64(len(data))
	return sandbox.File{Data: bytes.Clone(data[min(offset, size):min(offset+limit, size)]), Size: size, Mode: 0o644}, nil
}

func (h *hands) WriteFile(_ context.Context, p string, data []byte, _ uint32) error {
	if strings.HasPrefix(path.Clean(p), "..") {
		return fault.New(fault.Forbidden, "sandbox.path", "%s is outside the workspace", p)
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	h.d.files[h.id][path.Clean(p)] = bytes.Clone(data)
	return nil
}

func (h *hands) List(_ context.Context, _ string, _, most int) ([]sandbox.Entry, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	out := []sandbox.Entry{}
	for p, data := range h.d.files[h.id] {
		if len(out) < most {
			out = append(out, sandbox.Entry{Path: p, Size: int64(len(data))})
		}
	}
	return out, nil
}

func (h *hands) Search(context.Context, sandbox.SearchQuery) ([]sandbox.Match, error) {
	return nil, nil
}
func (h *hands) Remove(context.Context, string, bool) error   { return nil }
func (h *hands) Rename(context.Context, string, string) error { return nil }
func (h *hands) Usage(context.Context) (sandbox.Usage, error) { return sandbox.Usage{}, nil }

// Paths gives the files that were written into a workspace.
func (d *Boxes) Paths(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []string{}
	for p := range d.files[id] {
		out = append(out, p)
	}
	return out
}

// File reads one of a workspace; nil when there is none.
func (d *Boxes) File(id, name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.files[id][name])
}
