package agent_test

import (
	"bytes"
	"context"
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// scripted is a model whose answers a test writes.
type scripted struct {
	mu       sync.Mutex
	requests []llm.Request
	answer   func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) Models(context.Context) ([]llm.Model, error) { return nil, nil }

func (s *scripted) asked() []llm.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *scripted) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		calls, left := false, false
		err := s.answer(ctx, n, r, func(c llm.Chunk) bool {
			calls = calls || c.Call != nil
			left = left || !yield(c, nil)
			return !left && ctx.Err() == nil
		})
		stop := llm.StopEnd
		if calls {
			stop = llm.StopTools
		}
		switch {
		case left:
		case err != nil:
			yield(llm.Chunk{}, err)
		default:
			yield(llm.Chunk{Done: &llm.Done{Model: r.Model, Stop: stop, Usage: llm.Usage{Input: 10, Output: 5}}}, nil)
		}
	}
}

func text(s string) llm.Chunk { return llm.Chunk{Text: s} }

func call(id, name, input string) llm.Chunk {
	return llm.Chunk{Call: &llm.ToolCall{ID: id, Name: name, Input: []byte(input)}}
}

// lastUser gives the newest words of the user, and the result of the newest call if that came after.
func lastUser(r llm.Request) (words string, result *llm.ToolResult) {
	for _, p := range r.Messages[len(r.Messages)-1].Parts {
		if p.Result != nil {
			result = p.Result
		}
		if p.Text != "" {
			words = p.Text
		}
	}
	return words, result
}

// boxes is a sandbox driver in memory.
type boxes struct {
	sandbox.Driver // what turns never ask for

	mu      sync.Mutex
	all     map[string]*box
	effects map[string]int // by the key that a command counts
	starts  int
	running chan string // commands that wait
	release chan struct{}
	lingers bool // a box that has died is still given out, until it is started again
}

type box struct {
	up    bool
	died  chan struct{}
	files map[string][]byte
}

func newBoxes() *boxes {
	return &boxes{all: map[string]*box{}, effects: map[string]int{}, running: make(chan string, 100), release: make(chan struct{})}
}

func (d *boxes) Name() string { return "fake" }
func (d *boxes) Close() error { return nil }

func (d *boxes) get(id string) *box {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[id]
}

func (d *boxes) Ensure(_ context.Context, s sandbox.Spec) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all[s.ID] == nil {
		d.all[s.ID] = &box{files: map[string][]byte{}}
	}
	return nil
}

func (d *boxes) Start(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.all[id]; !b.up {
		b.up, b.died = true, make(chan struct{})
		d.starts++
	}
	return nil
}

func (d *boxes) Stop(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.all[id]; b != nil && b.up {
		b.up = false
		close(b.died)
	}
	return nil
}

func (d *boxes) Destroy(ctx context.Context, id string) error { return d.Stop(ctx, id) }

func (d *boxes) Observe(context.Context, string) (sandbox.Observed, error) {
	return sandbox.Observed{}, nil
}

func (d *boxes) List(context.Context) ([]string, error) { return nil, nil }

func (d *boxes) Hands(_ context.Context, id string) (sandbox.Hands, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.all[id]
	if b == nil || !b.up && !d.lingers {
		return nil, fault.New(fault.Unavailable, "sandbox.down", "the sandbox does not run")
	}
	return &fakeHands{d: d, b: b, died: b.died}, nil
}

type fakeHands struct {
	sandbox.Hands // what turns never ask for
	d             *boxes
	b             *box
	died          chan struct{}
}

func (h *fakeHands) gone() error {
	select {
	case <-h.died:
		return fault.New(fault.Unavailable, "sandbox.gone", "the sandbox is gone")
	default:
		return nil
	}
}

func (h *fakeHands) Exec(ctx context.Context, c sandbox.Command, out func(sandbox.Output)) (sandbox.Result, error) {
	if err := h.gone(); err != nil {
		return sandbox.Result{}, err
	}
	verb, arg, _ := strings.Cut(c.Shell, " ")
	switch verb {
	case "count":
		h.d.mu.Lock()
		h.d.effects[arg]++
		h.d.mu.Unlock()
	case "echo":
		out(sandbox.Output{Data: []byte(arg + "\n")})
	case "fail":
		out(sandbox.Output{Stderr: true, Data: []byte("no good\n")})
		return sandbox.Result{ExitCode: 3}, nil
	case "wait":
		out(sandbox.Output{Data: []byte("waiting\n")})
		h.d.running <- arg
		select {
		case <-ctx.Done():
			return sandbox.Result{ExitCode: -1, Cancelled: true, Killed: 3}, nil
		case <-h.died:
			return sandbox.Result{}, h.gone()
		case <-h.d.release:
		}
	}
	return sandbox.Result{Duration: time.Millisecond}, nil
}

func (h *fakeHands) ReadFile(_ context.Context, p string, offset, limit int64) (sandbox.File, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	data, ok := h.b.files[path.Clean(p)]
	if !ok {
		return sandbox.File{}, fault.New(fault.NotFound, "sandbox.file", "there is no file %s", p)
	}
	size := int64(len(data))
	return sandbox.File{Data: bytes.Clone(data[min(offset, size):min(offset+limit, size)]), Size: size, Mode: 0o644}, nil
}

func (h *fakeHands) WriteFile(_ context.Context, p string, data []byte, _ uint32) error {
	if err := h.gone(); err != nil {
		return err
	}
	if strings.Contains(p, "..") {
		return fault.New(fault.Forbidden, "sandbox.path", "%s is outside the workspace", p)
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	h.b.files[path.Clean(p)] = bytes.Clone(data)
	return nil
}

func (h *fakeHands) Remove(context.Context, string, bool) error   { return nil }
func (h *fakeHands) Rename(context.Context, string, string) error { return nil }
func (h *fakeHands) Ping(context.Context) error                   { return h.gone() }
func (h *fakeHands) Close() error                                 { return nil }

func (h *fakeHands) Usage(context.Context) (sandbox.Usage, error) { return sandbox.Usage{}, nil }

func (h *fakeHands) List(context.Context, string, int, int) ([]sandbox.Entry, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	out := []sandbox.Entry{}
	for p, data := range h.b.files {
		out = append(out, sandbox.Entry{Path: p, Size: int64(len(data))})
	}
	slices.SortFunc(out, func(a, b sandbox.Entry) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (h *fakeHands) Search(_ context.Context, q sandbox.SearchQuery) ([]sandbox.Match, error) {
	re, err := regexp.Compile(q.Pattern)
	if err != nil {
		return nil, fault.New(fault.Invalid, "sandbox.pattern", "%s", err.Error())
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	var out []sandbox.Match
	for p, data := range h.b.files {
		for i, line := range strings.Split(string(data), "\n") {
			if re.MatchString(line) {
				out = append(out, sandbox.Match{Path: p, Line: i + 1, Text: line})
			}
		}
	}
	return out, nil
}
