package tree

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"strings"

	"lobstead/kit/fault"
)

// A zip's directory is read into memory whole: each entry takes a few hundred bytes there.
const maxZipDirectory = 8 << 20

func (x *unpacking) zip(f *os.File, size int64) error {
	if err := smallDirectory(f, size); err != nil {
		return err
	}
	in, err := zip.NewReader(f, size)
	if err != nil {
		return broken(err)
	}
	if len(in.File) > MaxEntries {
		return fault.New(fault.TooLarge, "archive.too_many", "The archive has more than %d entries", MaxEntries)
	}
	for _, e := range in.File {
		if err := x.zipped(e); err != nil {
			return err
		}
	}
	return nil
}

// smallDirectory refuses a directory that would fill the memory, before anything is read of it.
func smallDirectory(f *os.File, size int64) error {
	tail := make([]byte, min(size, 1<<16+22))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return broken(err)
	}
	at := strings.LastIndex(string(tail), "PK\x05\x06")
	if at < 0 || len(tail)-at < 22 {
		return fault.New(fault.Invalid, "archive.broken", "The archive is damaged")
	}
	length, begin := binary.LittleEndian.Uint32(tail[at+12:]), binary.LittleEndian.Uint32(tail[at+16:])
	end := size - int64(len(tail)-at)
	if length == 1<<32-1 || begin == 1<<32-1 {
		return fault.New(fault.TooLarge, "archive.too_large", "Zip archives of 4 GB or more are not unpacked")
	}
	if length > maxZipDirectory || end-int64(begin) > maxZipDirectory {
		return fault.New(fault.TooLarge, "archive.too_many", "The archive has more than %d entries", MaxEntries)
	}
	return nil
}

func (x *unpacking) zipped(e *zip.File) error {
	shown := strings.ReplaceAll(e.Name, `\`, "/")
	name, err := x.name(shown)
	if err != nil {
		return err
	}
	mode := e.Mode()
	switch {
	case e.Flags&1 != 0:
		return fault.New(fault.Invalid, "archive.encrypted", "The archive has a password: unpack it with a command that can ask for it")
	case strings.HasSuffix(shown, "/") || mode.IsDir():
		return x.dir(name)
	case mode&fs.ModeSymlink != 0:
		target, err := zipLink(e)
		if err != nil {
			return err
		}
		return x.link(name, target)
	case !mode.IsRegular():
		return fault.New(fault.Invalid, "archive.special", "%q is a device or a pipe: such archives are not unpacked", shorten(shown))
	}
	r, err := e.Open()
	if err != nil {
		return broken(err)
	}
	defer func() { _ = r.Close() }()
	perm := mode.Perm()
	if perm == 0 {
		perm = 0o644
	}
	return x.file(name, perm, r)
}

func zipLink(e *zip.File) (string, error) {
	r, err := e.Open()
	if err != nil {
		return "", broken(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, 4097))
	if err != nil || len(b) > 4096 {
		return "", fault.New(fault.Invalid, "archive.link", "The archive has a link without an end: %q", shorten(e.Name))
	}
	return string(b), nil
}
