package process

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

// Observe implements sandbox.Driver.
func (d *Driver) Observe(ctx context.Context, id string) (sandbox.Observed, error) {
	b, err := d.box(id)
	if err != nil {
		return sandbox.Observed{}, err
	}
	if _, err := b.spec(); fault.Is(err, fault.NotFound) {
		return sandbox.Observed{State: sandbox.Absent}, nil
	} else if err != nil {
		return sandbox.Observed{}, err
	}
	r, ok := b.running()
	if !ok {
		return b.stopped(r.PID != 0), nil
	}
	o := sandbox.Observed{State: sandbox.Running, Since: r.Since, Isolation: r.Isolation}
	c := wire.NewClient(b.dial)
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if u, err := c.Usage(ctx); err == nil {
		o.Usage = u
	}
	if m := r.Groups.memory(); m > 0 {
		o.Usage.MemoryBytes = m
	}
	return o, nil
}

func (b *box) stopped(recorded bool) sandbox.Observed {
	o := sandbox.Observed{State: sandbox.Stopped}
	var e died
	if ok, err := b.load("died.json", &e); ok && err == nil {
		o.Reason, o.Since = e.Reason, e.At
	} else if recorded {
		o.Reason = "ended with the server that ran it"
	}
	if o.Since.IsZero() {
		if info, err := os.Stat(b.path("spec.json")); err == nil {
			o.Since = info.ModTime().UTC()
		}
	}
	o.Usage.DiskBytes = diskBytes(b.workspace())
	return o
}

func diskBytes(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what vanishes or may not be read does not count
		}
		if info, err := e.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				sum += st.Blocks * 512
			}
		}
		return nil
	})
	return sum
}

// Hands implements sandbox.Driver.
func (d *Driver) Hands(_ context.Context, id string) (sandbox.Hands, error) {
	b, err := d.box(id)
	if err != nil {
		return nil, err
	}
	if _, err := b.spec(); err != nil {
		return nil, err
	}
	r, ok := b.running()
	if !ok {
		return nil, wire.Gone(os.ErrProcessDone)
	}
	return &handle{Client: wire.NewClient(b.dial), groups: r.Groups, daemon: r.PID}, nil
}

// handle adds to the client what only the host can see.
type handle struct {
	*wire.Client
	groups group
	daemon int
}

// Exec implements sandbox.Hands: a killed command learns whether memory was the reason, and one that starves the sandbox
// is killed for it. A daemon that died of it took the command along.
func (h *handle) Exec(ctx context.Context, c sandbox.Command, out func(sandbox.Output)) (sandbox.Result, error) {
	before := h.groups.oomKills()
	watched, stop := context.WithCancel(ctx)
	relieved := make(chan bool, 1)
	go func() { relieved <- h.groups.relieve(watched, h.daemon) }()
	began := time.Now()
	r, err := h.Client.Exec(ctx, c, out)
	stop()
	memory := <-relieved || h.groups.oomKills() > before
	switch {
	case err == nil && r.ExitCode != 0 && !r.TimedOut && !r.Cancelled && memory:
		r.Reason = "out of memory"
	case fault.Is(err, fault.Unavailable) && ctx.Err() == nil && memory:
		return sandbox.Result{ExitCode: -1, Killed: 1, Reason: "out of memory", Duration: time.Since(began)}, nil
	}
	return r, err
}

// Usage implements sandbox.Hands.
func (h *handle) Usage(ctx context.Context) (sandbox.Usage, error) {
	u, err := h.Client.Usage(ctx)
	if m := h.groups.memory(); err == nil && m > 0 {
		u.MemoryBytes = m
	}
	return u, err
}
