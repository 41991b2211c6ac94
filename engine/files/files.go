// Package files owns the verbs on the files of an instance's workspace: what pages and APIs ask for, spelled once. It
// reads from the driver's view, whether the sandbox runs or not, and changes things by the daemon inside. It knows
// neither HTTP nor how a driver keeps files, and it never joins a caller's path to a directory: confinement is below.
package files

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
)

// Host is where sandboxes are kept; a sandbox.Driver is one.
type Host interface {
	Hands(ctx context.Context, id string) (sandbox.Hands, error)
	View(ctx context.Context, id string) (sandbox.View, error)
	Keep(ctx context.Context, id string) (*os.Root, error)
}

// Desk is where every edge asks for files.
type Desk struct {
	Host  Host                                          // nil = no sandboxes on this host
	Wake  func(context.Context, *models.Instance) error // one that sleeps; nil = none does
	Clock clock.Clock
	Log   *slog.Logger
}

const (
	home      = "/workspace"
	reviveFor = 6 * time.Second // for a sandbox that just died: the observer looks every few seconds
	revivePer = 100 * time.Millisecond
)

func (d *Desk) now() time.Time {
	if d.Clock != nil {
		return d.Clock.Now()
	}
	return clock.Real.Now()
}

func (d *Desk) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.Default()
}

// Path reads a caller's path: relative to the workspace, or absolute below /workspace. It gives it relative, "." for the
// workspace itself, and as kit/filename spells it; what leaves it is Forbidden sandbox.path, and its own corner is not
// there for anybody. Every path that comes from here is spelled so, and every one that comes here may be.
func Path(p string) (string, error) {
	rel, err := local(p)
	return filename.Spell(rel), err
}

// local is Path as the disk has it.
func local(p string) (string, error) {
	p = filename.Bytes(p)
	if strings.ContainsRune(p, 0) || len(p) > 4096 {
		return "", fault.New(fault.Invalid, "sandbox.path_invalid", "The path is too long, or holds NUL characters")
	}
	clean := path.Clean("./" + p)
	if strings.HasPrefix(p, "/") {
		full := path.Clean(p)
		switch {
		case full == home:
			clean = "."
		case strings.HasPrefix(full, home+"/"):
			clean = strings.TrimPrefix(full, home+"/")
		default:
			return "", outside(p)
		}
	}
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", outside(p)
	}
	if clean == sandbox.Hidden || strings.HasPrefix(clean, sandbox.Hidden+"/") {
		return "", fault.New(fault.NotFound, "file.not_found", "%q does not exist", Full(clean))
	}
	return clean, nil
}

func outside(p string) error {
	return fault.New(fault.Forbidden, "sandbox.path", "%q is outside the workspace", p)
}

// Full is how answers write a path.
func Full(rel string) string { return path.Join(home, rel) }

// nameable refuses new names that only programs make: control characters, and bytes that are no UTF-8. What has such a
// name already can be named.
func nameable(ctx context.Context, h sandbox.Hands, rel string) error {
	for p := rel; p != "."; p = path.Dir(p) {
		if filename.Plain(path.Base(p)) {
			continue
		}
		_, err := h.Stat(ctx, p)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Invalid, "file.name", "A name may hold no control characters, and has to be UTF-8: %q", path.Base(p))
		}
		return nil // with all that is above it; what else is wrong with it says who uses it
	}
	return nil
}

// view opens the workspace for reading.
func (d *Desk) view(ctx context.Context, i *models.Instance) (sandbox.View, error) {
	if d.Host == nil {
		return nil, elsewhere()
	}
	v, err := d.Host.View(ctx, i.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, elsewhere()
	}
	return v, err
}

func elsewhere() error {
	return fault.New(fault.Unavailable, "files.elsewhere", "This server has no files of the instance").
		Hinting("It has none before its first start, and they may be on another host")
}

// read runs f on the workspace as it is now.
func (d *Desk) read(ctx context.Context, i *models.Instance, f func(v sandbox.View) error) error {
	v, err := d.view(ctx, i)
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }()
	return f(v)
}

// change runs f with the hands of the instance's sandbox. One that should run and just died is waited for.
func (d *Desk) change(ctx context.Context, i *models.Instance, f func(h sandbox.Hands) error) error {
	if d.Host == nil {
		return elsewhere()
	}
	h, err := d.reach(ctx, i)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	return f(h)
}

func (d *Desk) reach(ctx context.Context, i *models.Instance) (sandbox.Hands, error) {
	until := d.now().Add(reviveFor)
	if d.Wake != nil && i.Asleep() {
		if err := d.Wake(ctx, i); err != nil {
			return nil, err
		}
	}
	for {
		h, err := d.Host.Hands(ctx, i.ID)
		if err == nil {
			if err = h.Ping(ctx); err == nil {
				return h, nil
			}
			_ = h.Close()
		}
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if i.Desired != models.WantRunning || i.State == models.Suspended {
			return nil, fault.New(fault.Conflict, "instance.stopped", "The instance is stopped: its files can be read, not changed").Hinting("Start it first")
		}
		if !d.now().Before(until) {
			return nil, fault.Wrap(err, fault.Unavailable, "files.not_running", "The sandbox does not run yet").Hinting("Try again in a moment")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(revivePer):
		}
	}
}

// said gives the daemon's faults the words of this package: paths as people see them, and nouns for what is not there.
func said(err error, p string) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		if errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(err, fault.NotFound, "file.not_found", "%q does not exist", Full(p))
		}
		return err
	}
	if f.Code == "sandbox.file_not_found" {
		return fault.Wrap(err, fault.NotFound, "file.not_found", "%q does not exist", Full(p))
	}
	return err
}
