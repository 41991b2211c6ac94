package tree

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// merge moves what is below aside to where it belongs. First everything is looked at: one file that may not be replaced
// and nothing moves.
func (t *Tree) merge(aside, to string, overwrite bool) error {
	t.places.Lock()
	defer t.places.Unlock()
	var failed error
	err := t.within(aside, func(rel string, info fs.FileInfo) bool {
		failed = t.mergeable(path.Join(to, rel), info.IsDir(), overwrite)
		return failed == nil
	})
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	if err := t.root.MkdirAll(to, 0o755); err != nil {
		return pathFault(err, to)
	}
	err = t.within(aside, func(rel string, info fs.FileInfo) bool {
		target := path.Join(to, rel)
		if info.IsDir() {
			failed = t.root.MkdirAll(target, info.Mode().Perm())
		} else {
			failed = t.root.Rename(path.Join(aside, rel), target)
		}
		return failed == nil
	})
	return pathFault(errors.Join(failed, err), to)
}

// within visits what is below aside, by paths that are relative to it.
func (t *Tree) within(aside string, visit func(rel string, info fs.FileInfo) bool) error {
	return t.walk(aside, maxParts+1, func(p string, info fs.FileInfo) (bool, bool) {
		return true, visit(strings.TrimPrefix(p, aside+"/"), info)
	})
}

func (t *Tree) mergeable(target string, dir, overwrite bool) error {
	if hidden(target) {
		return fault.New(fault.Invalid, "archive.entry", "The archive has an entry that may not be unpacked: %q", target)
	}
	levels := 0
	if dir {
		levels = 1
	}
	if err := sandbox.TooDeep(target, levels); err != nil {
		return err
	}
	old, err := t.root.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return pathFault(err, target)
	case dir && old.IsDir():
		return nil
	case dir != old.IsDir():
		return fault.New(fault.Conflict, "sandbox.exists", "%q is there and is another kind of thing", target)
	case !overwrite:
		return exists(target)
	}
	return nil
}
