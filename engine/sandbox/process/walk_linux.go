package process

import (
	"context"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Walk implements sandbox.Driver. It reads from the host, below a root that no link leads out of: the agent may
// rearrange its files at any moment.
func (d *Driver) Walk(ctx context.Context, id string, visit func(sandbox.Entry, io.Reader) error) error {
	b, err := d.box(id)
	if err != nil {
		return err
	}
	if _, err := b.spec(); err != nil {
		return err
	}
	root, err := os.OpenRoot(b.workspace())
	if err != nil {
		return fault.Wrap(err, fault.Internal, "sandbox.store", "The workspace cannot be read")
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if name == sandbox.Hidden && err == nil && e.IsDir() {
			return fs.SkipDir
		}
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // what vanished, or may not be read, is left out
		}
		return walkOne(root, name, e, visit)
	})
}

func walkOne(root *os.Root, name string, e fs.DirEntry, visit func(sandbox.Entry, io.Reader) error) error {
	info, err := e.Info()
	if err != nil {
		return nil
	}
	out := sandbox.Entry{Path: name, Size: info.Size(), Mode: uint32(info.Mode().Perm()), Time: info.ModTime().UTC()}
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		if out.Link, err = root.Readlink(name); err != nil {
			return nil
		}
		return visit(out, nil)
	case !info.Mode().IsRegular():
		return nil
	}
	// Between the look and the opening a pipe may have taken the file's place: it must not hold us.
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return visit(out, nil)
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	out.Size = info.Size()
	return visit(out, io.LimitReader(f, out.Size))
}
