package tree

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// MaxFile is the largest file that is written at once; longer ones are put together by Append.
const MaxFile = 256 << 20

const chunk = 64 << 10

// Put replaces a file whole: a reader, and a crash, see the old or the new one.
func (t *Tree) Put(_ context.Context, p sandbox.Put, body io.Reader) error {
	rel, err := t.follow(p.Path)
	if err != nil {
		return err
	}
	if p.Size < 0 || p.Size > MaxFile {
		return fault.New(fault.TooLarge, "sandbox.too_large", "A file written at once may have at most %d MB", MaxFile>>20)
	}
	old, err := t.mayPut(rel, &p)
	if err != nil {
		return err
	}
	if err := t.reserve(p.Size); err != nil {
		return err
	}
	if err := t.parents(rel, 0); err != nil {
		return pathFault(err, p.Path)
	}
	temp := beside(rel)
	if err = t.fill(temp, body, p.Size, modeOf(&p, old)); err == nil {
		err = t.putAt(temp, rel, &p)
	}
	if err != nil {
		_ = t.root.Remove(temp)
	}
	return pathFault(err, p.Path)
}

// putAt gives a file that is filled its place. The conditions are looked at once more: others may have written meanwhile,
// and now none can.
func (t *Tree) putAt(temp, rel string, p *sandbox.Put) error {
	t.places.Lock()
	defer t.places.Unlock()
	old, err := t.mayPut(rel, p)
	switch {
	case err != nil:
		return err
	case p.New:
		return t.settle(temp, rel)
	case old != nil:
		if err := t.later(temp, old); err != nil {
			return err
		}
	}
	return t.root.Rename(temp, rel)
}

// later gives a file a later time than the one that it replaces: the disk's clock ticks in milliseconds, and two versions
// of one size within a tick would have the same stamp. What somebody dated into the future is not followed there.
func (t *Tree) later(temp string, old fs.FileInfo) error {
	info, err := t.root.Lstat(temp)
	if err != nil {
		return err
	}
	if ahead := old.ModTime().Sub(info.ModTime()); ahead < 0 || ahead > time.Second {
		return nil
	}
	return t.root.Chtimes(temp, time.Time{}, old.ModTime().Add(1))
}

// mayPut checks the conditions and gives what is there, nil for nothing.
func (t *Tree) mayPut(rel string, p *sandbox.Put) (fs.FileInfo, error) {
	info, err := t.root.Lstat(rel)
	switch {
	case rel == ".", err == nil && info.IsDir():
		return nil, fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", p.Path)
	case errors.Is(err, fs.ErrNotExist) && !p.Known && p.Stamp == "":
		return nil, nil
	case err != nil:
		return nil, pathFault(err, p.Path)
	case p.New:
		return nil, exists(p.Path)
	case p.Stamp != "" && t.describe(rel, info).Stamp() != p.Stamp:
		return nil, fault.New(fault.Conflict, "sandbox.changed", "%q was changed meanwhile", p.Path)
	}
	return info, nil
}

// modeOf is the mode that a file is to have in the place of an old one.
func modeOf(p *sandbox.Put, old fs.FileInfo) fs.FileMode {
	mode := fs.FileMode(p.Mode & 0o777)
	if p.Mode == 0 && old != nil && old.Mode().IsRegular() {
		mode = old.Mode().Perm()
	}
	if mode == 0 {
		mode = 0o644
	}
	return mode
}

func exists(p string) error {
	return fault.New(fault.Conflict, "sandbox.exists", "%q exists", p)
}

// beside is a name for what takes rel's place when it is complete.
func beside(rel string) string { return path.Join(path.Dir(rel), ".lobstead-"+rand.Text()) }

// parents makes the directories above rel, where there are to be so many levels more; a file among them is no directory
// rather than "exists".
func (t *Tree) parents(rel string, levels int) error {
	if err := sandbox.TooDeep(rel, levels); err != nil {
		return err
	}
	if hidden(path.Dir(rel)) {
		return t.corner(path.Dir(rel))
	}
	err := t.root.MkdirAll(path.Dir(rel), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return syscall.ENOTDIR
	}
	return err
}

func (t *Tree) fill(temp string, b io.Reader, size int64, mode fs.FileMode) error {
	f, err := t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, io.LimitReader(b, size+1), make([]byte, chunk))
	if err != nil {
		return err
	}
	if n != size {
		return fault.New(fault.Invalid, "sandbox.size", "The file has another size than announced")
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Close()
}

// Append adds to a file that has exactly offset bytes; at 0 it makes the file, or begins it anew.
func (t *Tree) Append(_ context.Context, p string, offset int64, body io.Reader, size int64) error {
	rel, err := t.follow(p)
	if err != nil {
		return err
	}
	if offset < 0 || size < 0 || size > MaxFile {
		return fault.New(fault.Invalid, "sandbox.range", "The piece is too large, or begins before the file")
	}
	if err := t.reserve(size); err != nil {
		return err
	}
	how := os.O_WRONLY | syscall.O_NONBLOCK
	if offset == 0 {
		how |= os.O_CREATE | os.O_TRUNC
		if err := t.parents(rel, 0); err != nil {
			return pathFault(err, p)
		}
	}
	f, err := t.root.OpenFile(rel, how, 0o644)
	if err != nil {
		return pathFault(err, p)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return pathFault(err, p)
	case !info.Mode().IsRegular():
		return fault.New(fault.Invalid, "sandbox.not_a_file", "%q is not a regular file", p)
	case info.Size() != offset:
		return fault.New(fault.Conflict, "sandbox.offset", "%q has %d bytes, not %d", p, info.Size(), offset)
	}
	n, err := io.Copy(io.NewOffsetWriter(f, offset), io.LimitReader(body, size))
	if err == nil && n != size {
		err = fault.New(fault.Invalid, "sandbox.size", "The piece ended early")
	}
	if err != nil {
		_ = f.Truncate(offset) // half a piece would move the next one
		return pathFault(err, p)
	}
	return pathFault(f.Close(), p)
}
