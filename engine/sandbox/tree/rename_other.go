//go:build !linux

package tree

import (
	"errors"
	"io/fs"
)

// settle renames to a name that is free, else fs.ErrExist.
func (t *Tree) settle(from, to string) error {
	if _, err := t.root.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	return t.root.Rename(from, to)
}
