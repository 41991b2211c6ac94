package hands

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

// open opens a regular file for reading. O_NONBLOCK, because a pipe without a writer would block for ever.
func (d *daemon) open(rel, shown string) (*os.File, fs.FileInfo, error) {
	f, err := d.root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
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

func (d *daemon) read(c *wire.Call, w *writer) ([]byte, error) {
	rel, err := d.follow(c.Path)
	if err != nil {
		return nil, err
	}
	if c.Offset < 0 || c.Limit < 0 {
		return nil, fault.New(fault.Invalid, "sandbox.range", "Offset and limit may not be negative")
	}
	f, info, err := d.open(rel, c.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	left := c.Limit
	if left == 0 || left > wire.MaxRead {
		left = wire.MaxRead
	}
	r := io.NewSectionReader(f, c.Offset, left)
	buf := make([]byte, frameHead+wire.Chunk)
	for {
		n, err := io.ReadFull(r, buf[frameHead:])
		if n > 0 {
			if werr := w.framed(wire.Data, buf[:frameHead+n]); werr != nil {
				return nil, werr
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, pathFault(err, c.Path)
		}
	}
	return wire.EncodeFile(sandbox.File{Size: info.Size(), Mode: unixMode(info.Mode()), Time: info.ModTime()}), nil
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

// write replaces a file whole: a reader, and a crash, see the old or the new one.
func (d *daemon) write(c *wire.Call, b io.Reader) error {
	rel, err := d.follow(c.Path)
	if err != nil {
		return err
	}
	if rel == "." {
		return fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", c.Path)
	}
	mode := fs.FileMode(c.Mode & 0o777)
	if info, err := d.root.Lstat(rel); err == nil {
		if info.IsDir() {
			return fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", c.Path)
		}
		if c.Mode == 0 && info.Mode().IsRegular() {
			mode = info.Mode().Perm()
		}
	}
	if mode == 0 {
		mode = 0o644
	}
	if c.Limit < 0 || c.Limit > wire.MaxWrite {
		return fault.New(fault.TooLarge, "sandbox.too_large", "A file written at once may have at most %d MB", wire.MaxWrite>>20)
	}
	if err := d.disk.reserve(d, c.Limit); err != nil {
		return err
	}
	if err := d.parents(rel); err != nil {
		return pathFault(err, c.Path)
	}
	temp := path.Join(path.Dir(rel), ".lobstead-"+rand.Text())
	if err := d.fill(temp, b, c.Limit, mode); err != nil {
		_ = d.root.Remove(temp)
		return pathFault(err, c.Path)
	}
	if err := d.root.Rename(temp, rel); err != nil {
		_ = d.root.Remove(temp)
		return pathFault(err, c.Path)
	}
	return nil
}

// parents makes the directories above rel; a file among them is no directory rather than "exists".
func (d *daemon) parents(rel string) error {
	err := d.root.MkdirAll(path.Dir(rel), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return syscall.ENOTDIR
	}
	return err
}

func (d *daemon) fill(temp string, b io.Reader, size int64, mode fs.FileMode) error {
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, io.LimitReader(b, size+1), make([]byte, wire.Chunk))
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

func (d *daemon) remove(c *wire.Call) error {
	rel, err := d.entry(c.Path)
	if err != nil {
		return err
	}
	if rel == "." {
		return fault.New(fault.Invalid, "sandbox.path_invalid", "The workspace itself cannot be removed")
	}
	if _, err := d.root.Lstat(rel); err != nil {
		return pathFault(err, c.Path)
	}
	if c.Recursive {
		err = d.root.RemoveAll(rel)
	} else {
		err = d.root.Remove(rel)
	}
	return pathFault(err, c.Path)
}

func (d *daemon) rename(c *wire.Call) error {
	from, err := d.entry(c.Path)
	if err != nil {
		return err
	}
	to, err := d.entry(c.To)
	if err != nil {
		return err
	}
	if from == "." || to == "." {
		return fault.New(fault.Invalid, "sandbox.path_invalid", "The workspace itself cannot be renamed")
	}
	if _, err := d.root.Lstat(from); err != nil {
		return pathFault(err, c.Path)
	}
	if err := d.parents(to); err != nil {
		return pathFault(err, c.To)
	}
	return pathFault(d.root.Rename(from, to), c.To)
}
