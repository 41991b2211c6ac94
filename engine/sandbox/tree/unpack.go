package tree

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// What an archive may become. A bomb is small and becomes large: below bombFloor nobody asks for the ratio.
const (
	maxUnpacked = 8 << 30
	maxRatio    = 200
	bombFloor   = 64 << 20
	maxParts    = 64 // directories above an entry
)

// Unpack puts the files of an archive below a directory: all of them, or none. Everything is unpacked aside first, below
// a root that no entry leads out of, and moved when the whole archive was good.
func (t *Tree) Unpack(ctx context.Context, u sandbox.Unpack) (out sandbox.Unpacked, err error) {
	ctx, done := context.WithTimeout(ctx, PackWithin)
	defer done()
	f, info, err := t.OpenFile(u.Archive)
	if err != nil {
		return out, err
	}
	defer func() { _ = f.Close() }()
	to, err := t.follow(u.To)
	if err != nil {
		return out, err
	}
	if old, err := t.root.Stat(to); err == nil && !old.IsDir() {
		return out, fault.New(fault.Invalid, "sandbox.not_a_directory", "%q is not a directory", u.To)
	}
	aside := path.Join(Hidden, unpackAside+rand.Text())
	if err := errors.Join(t.corner(Hidden), t.root.Mkdir(aside, 0o700)); err != nil {
		return out, pathFault(err, u.To)
	}
	defer func() { _ = t.root.RemoveAll(aside) }()
	sub, err := t.root.OpenRoot(aside)
	if err != nil {
		return out, pathFault(err, u.To)
	}
	defer func() { _ = sub.Close() }()
	x := &unpacking{t: t, ctx: ctx, root: sub, made: map[string]bool{".": true}, room: ratioOf(info.Size)}
	if err := x.archive(f, info.Size); err != nil {
		return out, err
	}
	if x.entries == 0 {
		return out, empty("The archive is empty: it holds no file and no directory")
	}
	if err := x.makeLinks(); err != nil {
		return out, err
	}
	if err := t.merge(aside, to, u.Overwrite); err != nil {
		return out, err
	}
	return x.out, nil
}

// unpackAside begins the names of what is being unpacked.
const unpackAside = "unpack-"

// Tidy gives a function that removes what unpackings left that were killed: nobody sees it, and it takes room. It is asked
// for before the first unpacking begins, and what is unpacked later is safe from it.
func (t *Tree) Tidy() func() {
	names := []string{}
	if info, err := t.root.Lstat(Hidden); err != nil || !info.IsDir() {
		return func() {}
	}
	if corner, err := t.root.Open(Hidden); err == nil {
		names, _ = corner.Readdirnames(-1)
		_ = corner.Close()
	}
	return func() {
		for _, name := range names {
			if strings.HasPrefix(name, unpackAside) {
				_ = t.root.RemoveAll(path.Join(Hidden, name))
			}
		}
	}
}

func ratioOf(size int64) int64 {
	return min(max(bombFloor, size*maxRatio), maxUnpacked)
}

type link struct{ name, target string }

type unpacking struct {
	t       *Tree
	ctx     context.Context
	root    *os.Root
	room    int64 // bytes that may still come
	entries int
	made    map[string]bool // directories; each is an entry, whether it is named or not
	links   []link
	out     sandbox.Unpacked
}

// archive reads whatever kind it is; what a file is called says nothing.
func (x *unpacking) archive(f *os.File, size int64) error {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return broken(err)
	}
	head = head[:n]
	switch {
	case n == 0:
		return empty("The file is empty: it has no bytes, and so is no archive")
	case n == 512 && len(bytes.Trim(head, "\x00")) == 0: // a tar ends with zeros, and this one begins with its end
		return x.tar(f)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return x.zip(f, size)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		g, err := gzip.NewReader(f)
		if err != nil {
			return broken(err)
		}
		return x.tar(g)
	case bytes.HasPrefix(head, []byte("BZh")):
		return x.tar(bzip2.NewReader(f))
	case n == 512 && bytes.HasPrefix(head[257:], []byte("ustar")):
		return x.tar(f)
	}
	return noArchive()
}

func noArchive() error {
	return fault.New(fault.Invalid, "archive.format", "This is no archive that can be unpacked: zip, tar, tar.gz and tar.bz2 can")
}

func empty(detail string) error { return fault.New(fault.Invalid, "archive.empty", detail) }

func broken(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "archive.broken", "The archive is damaged")
}

func (x *unpacking) tar(r io.Reader) error {
	// What the archive is compressed to is bounded too: headers alone can go on for ever.
	in := tar.NewReader(&patient{x.ctx, &bounded{r: r, left: x.room + 1024*MaxEntries}})
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, tar.ErrHeader) && x.entries == 0 { // compressed, but no tar
			return noArchive()
		}
		if err != nil {
			return broken(err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name, err := x.name(h.Name)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = x.dir(name)
		case tar.TypeReg:
			err = x.file(name, fs.FileMode(h.Mode&0o777), in)
		case tar.TypeSymlink:
			err = x.link(name, h.Linkname)
		case tar.TypeLink:
			err = x.hardLink(name, h.Linkname)
		default:
			err = fault.New(fault.Invalid, "archive.special", "%q is a device or a pipe: such archives are not unpacked", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, bomb()
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func bomb() error {
	return fault.New(fault.TooLarge, "archive.bomb", "The archive becomes too large: more than %d times its size, or more than %d GB", maxRatio, maxUnpacked>>30)
}

// name counts an entry and checks where it wants to be: below the directory, by plain words.
func (x *unpacking) name(p string) (string, error) {
	if err := x.count(); err != nil {
		return "", err
	}
	clean := path.Clean(p)
	parts := strings.Split(strings.TrimSuffix(p, "/"), "/")
	bad := p == "" || strings.HasPrefix(p, "/") || strings.ContainsRune(p, 0) || len(p) > 4096
	for _, part := range parts {
		bad = bad || part == ".." || len(part) > 255
	}
	if bad || len(parts) > maxParts || hidden(clean) {
		return "", fault.New(fault.Invalid, "archive.entry", "The archive has an entry that may not be unpacked: %q", shorten(p))
	}
	return clean, nil
}

func shorten(p string) string {
	if len(p) > 200 {
		return strings.ToValidUTF8(p[:200], "") + "…"
	}
	return strings.ToValidUTF8(p, "�")
}

func (x *unpacking) count() error {
	if x.entries++; x.entries > MaxEntries {
		return fault.New(fault.TooLarge, "archive.too_many", "The archive has more than %d files and directories", MaxEntries)
	}
	return nil
}

// dir makes a directory and those above it.
func (x *unpacking) dir(name string) error {
	if x.made[name] {
		return nil
	}
	if err := x.dir(path.Dir(name)); err != nil {
		return err
	}
	if err := x.count(); err != nil {
		return err
	}
	if err := x.t.reserve(0); err != nil {
		return err
	}
	x.made[name] = true
	return x.entryFault(x.root.MkdirAll(name, 0o755), name)
}

// entryFault says that an entry cannot be: a file where another entry wants a directory, mostly.
func (x *unpacking) entryFault(err error, name string) error {
	if err == nil {
		return nil
	}
	f := fault.As(pathFault(err, name))
	if f.Kind == fault.Full || f.Kind == fault.Unavailable || f.Kind == fault.TooLarge || f.Kind == fault.Timeout {
		return f
	}
	return fault.Wrap(err, fault.Invalid, "archive.entry", "The archive has an entry that cannot be unpacked: %q", shorten(name))
}

func (x *unpacking) file(name string, mode fs.FileMode, r io.Reader) error {
	if err := x.dir(path.Dir(name)); err != nil {
		return err
	}
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return x.entryFault(err, name)
	}
	defer func() { _ = f.Close() }()
	w := &reserving{t: x.t, w: f}
	if err := x.t.reserve(0); err != nil { // an empty file takes room too
		return err
	}
	n, err := io.Copy(w, &patient{x.ctx, &bounded{r: r, left: x.room + 1}})
	x.room -= n
	x.out.Bytes += n
	if x.room < 0 {
		return bomb()
	}
	if err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return x.entryFault(err, name)
		}
		return broken(err)
	}
	x.out.Files++
	if err := f.Chmod(mode | 0o600); err != nil { // what nobody may read cannot be looked at either
		return x.entryFault(err, name)
	}
	return x.entryFault(f.Close(), name)
}

// link remembers a link: they are made last, so that no entry goes through one.
func (x *unpacking) link(name, target string) error {
	if leaves(name, target) {
		return fault.New(fault.Invalid, "archive.link", "The archive has a link that leads out of it: %q → %q", shorten(name), shorten(target))
	}
	x.links = append(x.links, link{name, target})
	return nil
}

// hardLink is a second name of an entry that came before: a file of its own here, bounded like any other.
func (x *unpacking) hardLink(name, target string) error {
	clean := path.Clean(target)
	if strings.HasPrefix(target, "/") || clean == ".." || strings.HasPrefix(clean, "../") {
		return fault.New(fault.Invalid, "archive.link", "The archive has a link that leads out of it: %q → %q", shorten(name), shorten(target))
	}
	info, err := x.root.Lstat(clean)
	if err != nil || !info.Mode().IsRegular() || clean == name {
		return fault.New(fault.Invalid, "archive.link", "The archive has a link to what is not in it: %q → %q", shorten(name), shorten(target))
	}
	f, err := x.root.Open(clean)
	if err != nil {
		return x.entryFault(err, name)
	}
	defer func() { _ = f.Close() }()
	return x.file(name, info.Mode().Perm(), f)
}

func (x *unpacking) makeLinks() error {
	for _, l := range x.links {
		if err := x.dir(path.Dir(l.name)); err != nil {
			return err
		}
		if err := x.root.Symlink(l.target, l.name); err != nil {
			return x.entryFault(err, l.name)
		}
		x.out.Files++
	}
	return nil
}
