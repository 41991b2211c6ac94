// Package provisiontest gives tests of provisioning a driver that keeps sandboxes in memory and fails, hangs
// and dies when told. For tests only.
package provisiontest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Op is a call of a driver that can be counted and disturbed.
type Op string

// The calls.
const (
	Ensure  Op = "ensure"
	Start   Op = "start"
	Stop    Op = "stop"
	Destroy Op = "destroy"
	Observe Op = "observe"
	Ping    Op = "ping"
)

// Driver is a sandbox.Driver in memory; its zero value is ready. Disturb is called outside its lock before an
// operation takes effect: it may sleep, wait for ctx, or refuse.
type Driver struct {
	Disturb func(ctx context.Context, op Op, id string) error

	mu      sync.Mutex
	boxes   map[string]*box
	calls   map[string]map[Op]int
	busy    map[string]int
	overlap int
}

type box struct {
	spec   sandbox.Spec
	state  sandbox.State
	since  time.Time
	reason string
	files  map[string][]byte
}

var _ sandbox.Driver = (*Driver)(nil)

// Name implements sandbox.Driver.
func (d *Driver) Name() string { return "fake" }

// do disturbs, counts and applies one operation.
func (d *Driver) do(ctx context.Context, op Op, id string, f func() error) error {
	d.enter(op, id)
	defer d.leave(op, id)
	if d.Disturb != nil {
		if err := d.Disturb(ctx, op, id); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return f()
}

func (d *Driver) enter(op Op, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.boxes == nil {
		d.boxes, d.calls, d.busy = map[string]*box{}, map[string]map[Op]int{}, map[string]int{}
	}
	if d.calls[id] == nil {
		d.calls[id] = map[Op]int{}
	}
	d.calls[id][op]++
	if op != Observe && op != Ping {
		if d.busy[id]++; d.busy[id] > 1 {
			d.overlap++
		}
	}
}

func (d *Driver) leave(op Op, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if op != Observe && op != Ping {
		d.busy[id]--
	}
}

// Ensure implements sandbox.Driver.
func (d *Driver) Ensure(ctx context.Context, s sandbox.Spec) error {
	return d.do(ctx, Ensure, s.ID, func() error {
		b := d.boxes[s.ID]
		if b == nil {
			b = &box{state: sandbox.Stopped, since: time.Now(), files: map[string][]byte{}}
			d.boxes[s.ID] = b
		}
		b.spec = s
		return nil
	})
}

// Start implements sandbox.Driver.
func (d *Driver) Start(ctx context.Context, id string) error {
	return d.do(ctx, Start, id, func() error {
		b := d.boxes[id]
		if b == nil {
			return fault.New(fault.Unavailable, "sandbox.absent", "There is no such sandbox")
		}
		if b.state != sandbox.Running {
			b.state, b.since, b.reason = sandbox.Running, time.Now(), ""
		}
		return nil
	})
}

// Stop implements sandbox.Driver.
func (d *Driver) Stop(ctx context.Context, id string) error {
	return d.do(ctx, Stop, id, func() error { d.die(id, ""); return nil })
}

// Destroy implements sandbox.Driver.
func (d *Driver) Destroy(ctx context.Context, id string) error {
	return d.do(ctx, Destroy, id, func() error { delete(d.boxes, id); return nil })
}

// Observe implements sandbox.Driver.
func (d *Driver) Observe(ctx context.Context, id string) (o sandbox.Observed, err error) {
	o.State = sandbox.Absent
	return o, d.do(ctx, Observe, id, func() error {
		if b := d.boxes[id]; b != nil {
			o = sandbox.Observed{State: b.state, Since: b.since, Reason: b.reason}
			if b.state == sandbox.Running {
				o.Isolation = sandbox.Isolation{{Name: "landlock", Applied: true}, {Name: "cgroup memory", Detail: "not delegated"}}
				o.Usage = sandbox.Usage{CPUSeconds: 1.5, MemoryBytes: 3 << 20, DiskBytes: 1 << 20, Processes: 2}
			}
		}
		return nil
	})
}

// Walk implements sandbox.Driver.
func (d *Driver) Walk(_ context.Context, id string, visit func(sandbox.Entry, io.Reader) error) error {
	d.mu.Lock()
	b := d.boxes[id]
	if b == nil {
		d.mu.Unlock()
		return fault.NotFoundf("sandbox")
	}
	files := maps.Clone(b.files)
	d.mu.Unlock()
	return VisitFiles(files, visit)
}

// View implements sandbox.Driver: workspaces in memory are not read from outside.
func (d *Driver) View(context.Context, string) (sandbox.View, error) {
	return nil, fault.NotFoundf("sandbox")
}

// Keep implements sandbox.Driver: there is no host.
func (d *Driver) Keep(context.Context, string) (*os.Root, error) {
	return nil, fault.NotFoundf("sandbox")
}

// VisitFiles is Walk over files in memory.
func VisitFiles(files map[string][]byte, visit func(sandbox.Entry, io.Reader) error) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := visit(sandbox.Entry{Path: name, Size: int64(len(files[name])), Mode: 0o644}, bytes.NewReader(files[name])); err != nil {
			return err
		}
	}
	return nil
}

// List implements sandbox.Driver.
func (d *Driver) List(context.Context) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := []string{}
	for id := range d.boxes {
		ids = append(ids, id)
	}
	return ids, nil
}

// Close implements sandbox.Driver: every process ends.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.boxes {
		d.die(id, "")
	}
	return nil
}

// Kill ends a sandbox behind everyone's back.
func (d *Driver) Kill(id, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.die(id, reason)
}

func (d *Driver) die(id, reason string) {
	if b := d.boxes[id]; b != nil && b.state == sandbox.Running {
		b.state, b.since, b.reason = sandbox.Stopped, time.Now(), reason
	}
}

// State tells what is there, uncounted and undisturbed.
func (d *Driver) State(id string) sandbox.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.boxes[id]; b != nil {
		return b.state
	}
	return sandbox.Absent
}

// Spec gives what a sandbox was last asked to be.
func (d *Driver) Spec(id string) sandbox.Spec {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.boxes[id]; b != nil {
		return b.spec
	}
	return sandbox.Spec{}
}

// Calls tells how often an operation was called for a sandbox.
func (d *Driver) Calls(id string, op Op) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[id][op]
}

// Overlaps tells how often two changing calls for one sandbox ran at once.
func (d *Driver) Overlaps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.overlap
}
