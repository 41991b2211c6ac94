package provisiontest

import (
	"context"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// hands serves the calls that provisioning makes; the others are the conformance suite's.
type hands struct {
	sandbox.Hands
	d  *Driver
	id string
}

// Hands implements sandbox.Driver.
func (d *Driver) Hands(_ context.Context, id string) (sandbox.Hands, error) {
	if d.State(id) != sandbox.Running {
		return nil, fault.New(fault.Unavailable, "sandbox.stopped", "The sandbox does not run")
	}
	return &hands{d: d, id: id}, nil
}

func (h *hands) Close() error { return nil }

func (h *hands) Ping(ctx context.Context) error {
	return h.d.do(ctx, Ping, h.id, func() error { return nil })
}

func (h *hands) List(_ context.Context, _ string, _, most int) ([]sandbox.Entry, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	out := []sandbox.Entry{}
	for path := range h.d.boxes[h.id].files {
		if first, _, _ := strings.Cut(path, "/"); len(out) < most {
			out = append(out, sandbox.Entry{Path: first})
		}
	}
	return out, nil
}

func (h *hands) WriteFile(_ context.Context, path string, data []byte, _ uint32) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	h.d.boxes[h.id].files[path] = data
	return nil
}

// Files gives the paths in a workspace.
func (d *Driver) Files(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []string{}
	if b := d.boxes[id]; b != nil {
		for path := range b.files {
			out = append(out, path)
		}
	}
	return out
}

// FailTimes gives a Disturb that refuses the first n calls of an operation for each sandbox.
func FailTimes(d *Driver, op Op, n int) func(context.Context, Op, string) error {
	return func(_ context.Context, got Op, id string) error {
		if got == op && d.Calls(id, op) <= n {
			return fault.New(fault.Full, "sandbox.full", "The host's disk is full").Hinting("Free some space")
		}
		return nil
	}
}
