package process

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// box is one sandbox's directory.
type box struct{ dir string }

// spec is what Ensure recorded.
type spec struct {
	sandbox.Spec
	UID int // of its processes on the host; -1 when they run as we do
}

// run is the daemon that was started last.
type run struct {
	PID       int
	Birth     string // start time in ticks: a pid alone may be someone else's by now
	Owner     int    // the process that started it
	Token     string
	Tag       uint64
	Since     time.Time
	Groups    group
	Isolation sandbox.Isolation
}

// died is how a daemon ended that nobody stopped.
type died struct {
	Reason string
	At     time.Time
}

var goodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (d *Driver) box(id string) (*box, error) {
	if !goodID.MatchString(id) {
		return nil, fault.New(fault.Invalid, "sandbox.id", "Not a sandbox id: %q", id)
	}
	return &box{filepath.Join(d.boxes, id)}, nil
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }
func (b *box) workspace() string       { return b.path("workspace") }
func (b *box) temp() string            { return b.path("tmp") }

// load reads a record; false when there is none.
func (b *box) load(name string, v any) (bool, error) {
	data, err := os.ReadFile(b.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	return err == nil, err
}

// save replaces a record whole.
func (b *box) save(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	temp := b.path("." + name + strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, b.path(name))
}

func (b *box) spec() (s spec, err error) {
	ok, err := b.load("spec.json", &s)
	if err != nil {
		return s, fault.Wrap(err, fault.Internal, "sandbox.record", "The sandbox's record cannot be read")
	}
	if !ok {
		return s, fault.NotFoundf("sandbox")
	}
	return s, nil
}

// running gives the record of the daemon when it is alive.
func (b *box) running() (run, bool) {
	var r run
	ok, err := b.load("run.json", &r)
	return r, ok && err == nil && r.alive()
}

// lock holds the sandbox against every other process and goroutine.
func (b *box) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(b.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFoundf("sandbox")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.lock", "The sandbox cannot be locked")
	}
	for wait := 200 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return b.locked(f)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fault.Wrap(ctx.Err(), fault.Timeout, "sandbox.timeout", "The sandbox is busy")
		case <-time.After(wait):
		}
	}
}

// locked makes sure that the file that was locked is still the sandbox's: Destroy may have won.
func (b *box) locked(f *os.File) (func(), error) {
	held, err := f.Stat()
	now, nerr := os.Stat(b.path("lock"))
	if err != nil || nerr != nil || !os.SameFile(held, now) {
		_ = f.Close()
		return nil, fault.NotFoundf("sandbox")
	}
	return func() { _ = f.Close() }, nil
}
