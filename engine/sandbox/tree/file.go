package tree

import (
	"io/fs"
	"os"
	"syscall"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// open opens a regular file for reading. O_NONBLOCK, because a pipe without a writer would block for ever.
func (t *Tree) open(rel, shown string) (*os.File, fs.FileInfo, error) {
	f, err := t.root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, pathFault(err, shown)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.Invalid, "sandbox.not_a_file", "%q is not a regular file", shown)
		if info.IsDir() {
			err = fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", shown)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, pathFault(err, shown)
	}
	return f, info, nil
}

// OpenFile opens a file, following links that stay inside, and describes it.
func (t *Tree) OpenFile(p string) (*os.File, sandbox.Entry, error) {
	rel, err := t.follow(p)
	if err != nil {
		return nil, sandbox.Entry{}, err
	}
	f, info, err := t.open(rel, p)
	if err != nil {
		return nil, sandbox.Entry{}, err
	}
	return f, t.describe(rel, info), nil
}

// CheckRange refuses a range that is none.
func CheckRange(offset, limit int64) error {
	if offset < 0 || limit < 0 {
		return fault.New(fault.Invalid, "sandbox.range", "Offset and limit may not be negative")
	}
	return nil
}

// unixMode gives permission bits in the numbers that chmod takes.
func unixMode(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	for bit, of := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			n |= of
		}
	}
	return n
}
