package tree

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// hidden tells whether a path, relative to the workspace, is in the workspace's own corner.
func hidden(rel string) bool {
	rel = path.Clean(rel)
	return rel == Hidden || strings.HasPrefix(rel, Hidden+"/")
}

// corner makes a directory of the workspace's own corner, and those above it. A file or a link that a program inside has put
// in the place of one is removed, never followed: the corner is nobody's else, and without it nothing could be deleted.
func (t *Tree) corner(dir string) error {
	at := ""
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		err := t.own(at)
		for tries := 0; err != nil && tries < 3; tries++ { // somebody is at it at the same time
			err = t.own(at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// own makes one directory, which its owner can enter.
func (t *Tree) own(dir string) error {
	info, err := t.root.Lstat(dir)
	switch {
	case err == nil && info.IsDir() && info.Mode().Perm()&0o700 == 0o700:
		return nil
	case err == nil && info.IsDir():
		return t.root.Chmod(dir, 0o755)
	case err == nil:
		err = t.root.Remove(dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return t.root.Mkdir(dir, 0o755)
}

// lstat describes what is at a path itself. Nothing in the workspace's own corner is there by way of a link or a file.
func (t *Tree) lstat(rel string) (fs.FileInfo, error) {
	info, err := t.root.Lstat(rel)
	for dir := path.Dir(rel); hidden(dir); dir = path.Dir(dir) {
		if above, err := t.root.Lstat(dir); err == nil && !above.IsDir() {
			return nil, fs.ErrNotExist
		}
	}
	return info, err
}
