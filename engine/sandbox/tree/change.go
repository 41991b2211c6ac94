package tree

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// MaxEntries is how many files and directories one verb copies, packs or unpacks.
const MaxEntries = 50_000

// Remove deletes a file, a link itself, or a directory.
func (t *Tree) Remove(_ context.Context, p string, recursive bool) error {
	rel, err := t.inner(p, "removed")
	if err != nil {
		return err
	}
	if _, err := t.lstat(rel); err != nil {
		return pathFault(err, p)
	}
	if recursive {
		err = t.root.RemoveAll(rel)
	} else {
		err = t.root.Remove(rel)
	}
	return pathFault(err, p)
}

// inner is entry for what the workspace itself cannot be.
func (t *Tree) inner(p, verb string) (string, error) {
	rel, err := t.entry(p)
	if err == nil && rel == "." {
		err = fault.New(fault.Invalid, "sandbox.path_invalid", "The workspace itself cannot be %s", verb)
	}
	return rel, err
}

// Rename gives a file or a directory another name; a file that has it is replaced.
func (t *Tree) Rename(_ context.Context, from, to string) error {
	a, b, err := t.pair(from, to, "renamed")
	if err != nil {
		return err
	}
	if err := t.room(a, b); err != nil {
		return pathFault(err, to)
	}
	return pathFault(t.rename(a, b, t.root.Rename), to)
}

// pair resolves two places; the first one exists, and the second is not below it.
func (t *Tree) pair(from, to, verb string) (a, b string, err error) {
	if a, err = t.inner(from, verb); err != nil {
		return "", "", err
	}
	if b, err = t.inner(to, verb); err != nil {
		return "", "", err
	}
	if _, err := t.lstat(a); err != nil {
		return "", "", pathFault(err, from)
	}
	if strings.HasPrefix(b, a+"/") {
		return "", "", fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot go into itself", from)
	}
	return a, b, nil
}

// Move is Rename that replaces nothing unless overwrite, and then directories too.
func (t *Tree) Move(_ context.Context, c sandbox.Carry) error {
	a, b, err := t.pair(c.From, c.To, "moved")
	if err != nil {
		return err
	}
	if a == b {
		return nil
	}
	if err := t.room(a, b); err != nil {
		return pathFault(err, c.To)
	}
	return t.place(a, b, c)
}

// room makes the directories above to for what is at from. A tree that goes no deeper than it is need not be looked at.
func (t *Tree) room(from, to string) (err error) {
	levels := 0
	if strings.Count(to, "/") > strings.Count(from, "/") {
		if levels, err = t.levels(from); err != nil {
			return err
		}
	}
	return t.parents(to, levels)
}

// place puts what is at from to where c wants it. What was there is kept, or gone only when the new thing stands.
func (t *Tree) place(from, to string, c sandbox.Carry) error {
	old, err := t.root.Lstat(to)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !c.Overwrite {
		return pathFault(t.rename(from, to, t.settle), c.To)
	}
	if err == nil {
		err = t.fits(from, to, old, c.To)
	}
	if err == nil && c.Keep == "" && !old.IsDir() {
		return pathFault(t.rename(from, to, t.root.Rename), c.To)
	}
	aside := beside(to)
	if err == nil && c.Keep != "" {
		if aside, err = t.inner(c.Keep, "kept"); err == nil {
			err = t.room(to, aside)
		}
	}
	if err == nil {
		err = t.exchange(from, to, aside, old.IsDir())
	}
	if err == nil && c.Keep == "" {
		err = t.root.RemoveAll(aside)
	}
	return pathFault(err, c.To)
}

// fits tells whether from may take the place of what is at to.
func (t *Tree) fits(from, to string, old fs.FileInfo, p string) error {
	info, err := t.root.Lstat(from)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(from, to+"/"):
		return fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot take the place of what it is in", p)
	case info.IsDir() != old.IsDir():
		return sandbox.OtherKind(p, old.IsDir())
	}
	return nil
}

// rename does so, by settle or by os.Root's, while nobody else takes a place.
func (t *Tree) rename(from, to string, by func(from, to string) error) error {
	t.places.Lock()
	defer t.places.Unlock()
	return by(from, to)
}

// exchange puts what is at to aside, and from in its place; a file is there all the time, by its old name or its new one.
func (t *Tree) exchange(from, to, aside string, dir bool) error {
	t.places.Lock()
	defer t.places.Unlock()
	if dir || t.root.Link(to, aside) != nil { // disks without a second name for a file
		if err := t.settle(to, aside); err != nil {
			return err
		}
	}
	err := t.root.Rename(from, to)
	if err != nil {
		_ = t.root.Rename(aside, to)
	}
	return err
}

// Mkdir makes a directory.
func (t *Tree) Mkdir(_ context.Context, p string, parents bool, mode uint32) error {
	rel, err := t.entry(p)
	if err != nil {
		return err
	}
	if _, err := t.root.Lstat(rel); err == nil {
		return exists(p)
	}
	perm := fs.FileMode(mode & 0o777)
	if perm == 0 {
		perm = 0o755
	}
	if err := sandbox.TooDeep(rel, 1); err != nil {
		return err
	}
	if err := t.reserve(0); err != nil {
		return err
	}
	if parents {
		if err := t.parents(rel, 1); err != nil {
			return pathFault(err, p)
		}
	}
	if err := t.root.Mkdir(rel, perm); err != nil {
		return pathFault(err, p)
	}
	return pathFault(t.root.Chmod(rel, perm), p) // whatever the mask says
}

// Chmod sets permission bits; those that lend rights of the owner are not among them.
func (t *Tree) Chmod(_ context.Context, p string, mode uint32) error {
	rel, err := t.follow(p)
	if err != nil {
		return err
	}
	return pathFault(t.root.Chmod(rel, fs.FileMode(mode&0o777)), p)
}

// Copy copies a file or a whole directory, links as links. It stands whole or not at all.
func (t *Tree) Copy(ctx context.Context, c sandbox.Carry) error {
	a, b, err := t.pair(c.From, c.To, "copied")
	if err != nil {
		return err
	}
	if _, err := t.root.Lstat(b); err == nil && !c.Overwrite || a == b {
		return exists(c.To)
	}
	levels, err := t.copyable(ctx, a, c.From)
	if err != nil {
		return err
	}
	if err := t.parents(b, levels); err != nil {
		return pathFault(err, c.To)
	}
	temp := beside(b)
	if err = t.copyTree(ctx, a, temp); err == nil {
		err = t.place(temp, b, c)
	}
	if err != nil {
		_ = t.root.RemoveAll(temp)
	}
	return pathFault(err, c.To)
}

// copyable measures what is to be copied, and refuses what is too much or no file. It gives the levels of directories.
func (t *Tree) copyable(ctx context.Context, rel, shown string) (levels int, err error) {
	info, err := t.root.Lstat(rel)
	if err != nil {
		return 0, pathFault(err, shown)
	}
	n, bytes := 1, info.Size()
	if info.IsDir() {
		levels = 1
		err = t.walk(rel, sandbox.MaxDepth, func(p string, info fs.FileInfo) (bool, bool) {
			if n++; info.IsDir() {
				levels = max(levels, below(rel, p)+1)
			}
			if info.Mode().IsRegular() {
				bytes += info.Size()
			}
			return true, n <= MaxEntries && ctx.Err() == nil
		})
	} else if !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return 0, fault.New(fault.Invalid, "sandbox.not_a_file", "%q is not a regular file", shown)
	}
	if err == nil && n > MaxEntries {
		err = tooMany()
	}
	if err == nil {
		err = t.reserve(bytes)
	}
	return levels, pathFault(err, shown)
}

func tooMany() error {
	return fault.New(fault.TooLarge, "sandbox.too_many", "More than %d files at once", MaxEntries)
}

func (t *Tree) copyTree(ctx context.Context, from, to string) error {
	info, err := t.root.Lstat(from)
	if err != nil || !info.IsDir() {
		return t.copyOne(ctx, from, to, info, err)
	}
	if err := t.root.Mkdir(to, 0o700); err != nil {
		return err
	}
	dirs := []string{to}
	modes := []fs.FileMode{info.Mode().Perm()}
	var failed error
	err = t.walk(from, sandbox.MaxDepth, func(p string, info fs.FileInfo) (bool, bool) {
		into := path.Join(to, strings.TrimPrefix(p, from+"/"))
		if info.IsDir() {
			dirs, modes = append(dirs, into), append(modes, info.Mode().Perm())
			failed = t.root.Mkdir(into, 0o700)
		} else {
			failed = t.copyOne(ctx, p, into, info, nil)
		}
		return true, failed == nil
	})
	for n := len(dirs) - 1; n >= 0 && failed == nil; n-- { // last: one that may not be written would not take its files
		failed = t.root.Chmod(dirs[n], modes[n])
	}
	return errors.Join(failed, err)
}

func (t *Tree) copyOne(ctx context.Context, from, to string, info fs.FileInfo, err error) error {
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := t.root.Readlink(from)
		if err != nil {
			return err
		}
		return t.root.Symlink(target, to)
	case !info.Mode().IsRegular():
		return nil // a pipe, a socket: nothing to copy
	}
	f, _, err := t.open(from, from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	out, err := t.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	// No more than was measured: a file that grows while it is copied would pass the quota.
	if _, err := io.Copy(out, &patient{ctx, io.LimitReader(f, info.Size())}); err != nil {
		return err
	}
	if err := out.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	return out.Close()
}

// patient reads until somebody's patience ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if p.ctx.Err() != nil {
		return 0, fault.Wrap(p.ctx.Err(), fault.Timeout, "sandbox.too_long", "It took too long and was given up")
	}
	return p.r.Read(b)
}
