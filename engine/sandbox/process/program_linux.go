package process

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const self = "/proc/self/exe"

// openProgram gives the daemon's program, opened: the one that this program carries, else this program. Sandboxes
// start it through the descriptor; it has no name on the disk that somebody could change.
func openProgram(dir string) (*os.File, error) {
	if len(carried) == 0 {
		return os.Open(self)
	}
	f, err := unpack(dir)
	if errors.Is(err, fs.ErrPermission) {
		return os.Open(self) // a disk that runs nothing
	}
	return f, err
}

func unpack(dir string) (*os.File, error) {
	w, err := os.CreateTemp(dir, "hands-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(w.Name()) }()
	_, err = w.Write(carried)
	release(carried)
	if err == nil {
		err = w.Chmod(0o555)
	}
	if cerr := w.Close(); err == nil {
		err = cerr // also: a program that is open for writing cannot be started
	}
	if err != nil {
		return nil, err
	}
	return os.Open(w.Name())
}

// release gives the pages of a part of the program's own file back to the system: they are read once, and would stay
// in memory for as long as the server runs. Reading them again loads them again.
func release(b []byte) {
	page := os.Getpagesize()
	ahead := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if whole := (len(b) - ahead) / page * page; whole > 0 {
		_ = unix.Madvise(b[ahead:ahead+whole], unix.MADV_DONTNEED) // advice: without it nothing is wrong
	}
}
