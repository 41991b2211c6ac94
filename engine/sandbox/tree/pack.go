package tree

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dsnet/compress/bzip2"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// PackWithin is how long an archive may take to be made or unpacked.
const PackWithin = 2 * time.Minute

const reserveAhead = 1 << 20

// Pack makes an archive of files and directories. It stands whole or not at all.
func (t *Tree) Pack(ctx context.Context, p sandbox.Pack) (out sandbox.Packed, err error) {
	ctx, done := context.WithTimeout(ctx, PackWithin)
	defer done()
	to, err := t.inner(p.To, "an archive")
	if err != nil {
		return out, err
	}
	if _, err := t.root.Lstat(to); err == nil && !p.Overwrite {
		return out, exists(p.To)
	}
	from, base, err := t.sources(p.Paths)
	if err != nil {
		return out, err
	}
	if err := t.parents(to, 0); err != nil {
		return out, pathFault(err, p.To)
	}
	temp := beside(to)
	f, err := t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return out, pathFault(err, p.To)
	}
	defer func() { _ = f.Close(); _ = t.root.Remove(temp) }()
	w := &reserving{t: t, w: f}
	into, err := newPacker(w, p.Format, p.Level)
	if err != nil {
		return out, err
	}
	pk := &packing{t: t, ctx: ctx, into: into, base: base, skip: []string{to, temp}}
	for _, rel := range from {
		if err := pk.add(rel); err != nil {
			return out, pathFault(err, rel)
		}
	}
	if err := into.Close(); err != nil {
		return out, pathFault(err, p.To)
	}
	if err := f.Close(); err != nil {
		return out, pathFault(err, p.To)
	}
	pk.out.Size = w.n
	return pk.out, t.place(temp, to, sandbox.Carry{To: p.To, Overwrite: p.Overwrite})
}

// sources resolves what is to be packed, and the directory that all of it shares.
func (t *Tree) sources(paths []string) (from []string, base string, err error) {
	if len(paths) == 0 {
		return nil, "", fault.New(fault.Invalid, "archive.paths", "Nothing to pack was named")
	}
	for n, p := range paths {
		rel, err := t.entry(p)
		if err == nil {
			_, err = t.root.Lstat(rel)
		}
		if err != nil {
			return nil, "", pathFault(err, p)
		}
		from = append(from, rel)
		dir := path.Dir(rel)
		if n == 0 {
			base = dir
		}
		for base != "." && dir != base && !strings.HasPrefix(dir, base+"/") {
			base = path.Dir(base)
		}
	}
	slices.Sort(from)
	return slices.Compact(from), base, nil
}

type packing struct {
	t       *Tree
	ctx     context.Context
	into    packer
	base    string
	skip    []string
	entries int
	out     sandbox.Packed
}

func (pk *packing) add(rel string) error {
	info, err := pk.t.root.Lstat(rel)
	if err != nil || hidden(rel) {
		return err
	}
	if rel != "." {
		if err := pk.one(rel, info); err != nil {
			return err
		}
	}
	if !info.IsDir() {
		return nil
	}
	var failed error
	err = pk.t.walk(rel, maxDepth, func(p string, info fs.FileInfo) (bool, bool) {
		failed = pk.one(p, info)
		return true, failed == nil
	})
	return errors.Join(failed, err)
}

// one writes an entry. What vanished meanwhile, or cannot be in an archive, is counted as skipped.
func (pk *packing) one(rel string, info fs.FileInfo) error {
	if slices.Contains(pk.skip, rel) {
		return nil
	}
	if pk.entries++; pk.entries > MaxEntries {
		return tooMany()
	}
	name := rel
	if pk.base != "." {
		name = strings.TrimPrefix(rel, pk.base+"/")
	}
	switch {
	case info.IsDir():
		return pk.into.dir(name, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := pk.t.root.Readlink(rel)
		if err != nil || leaves(name, target) {
			pk.out.Skipped++
			return nil
		}
		pk.out.Files++
		return pk.into.link(name, target, info)
	}
	f, now, err := pk.t.open(rel, rel)
	if err != nil {
		pk.out.Skipped++
		return nil //nolint:nilerr // no file, or not readable: it is counted
	}
	defer func() { _ = f.Close() }()
	pk.out.Files++
	return pk.into.file(name, now, &patient{pk.ctx, &exactly{r: f, left: now.Size()}})
}

// exactly gives as many bytes as were announced: zeros for what a file lost meanwhile.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.left)]
	n, err := e.r.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		clear(p)
		n, err = len(p), nil
	}
	e.left -= int64(n)
	return n, err
}

// leaves tells whether a link at name, as an archive has it, leads out of the archive.
func leaves(name, target string) bool {
	if target == "" || strings.HasPrefix(target, "/") || strings.ContainsRune(target, 0) {
		return true
	}
	to := path.Join(path.Dir(name), target)
	return to == ".." || strings.HasPrefix(to, "../")
}

// reserving writes within the quota.
type reserving struct {
	t    *Tree
	w    io.Writer
	n    int64
	have int64
}

func (r *reserving) Write(p []byte) (int, error) {
	if r.n+int64(len(p)) > r.have {
		more := max(reserveAhead, int64(len(p)))
		if err := r.t.reserve(more); err != nil {
			return 0, err
		}
		r.have += more
	}
	n, err := r.w.Write(p)
	r.n += int64(n)
	return n, err
}

// packer is a format.
type packer interface {
	dir(name string, info fs.FileInfo) error
	link(name, target string, info fs.FileInfo) error
	file(name string, info fs.FileInfo, r io.Reader) error
	Close() error
}

// newPacker begins an archive; level is 0 to 9, or -1 for the format's default.
func newPacker(w io.Writer, format string, level int) (packer, error) {
	if level < -1 || level > 9 {
		return nil, fault.New(fault.Invalid, "archive.level", "The compression level is a number from 0 to 9")
	}
	switch format {
	case sandbox.Zip:
		z := &zipPacker{zip.NewWriter(w), zip.Deflate}
		if level == 0 {
			z.method = zip.Store
		}
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
		return z, nil
	case sandbox.Tar:
		return &tarPacker{Writer: tar.NewWriter(w)}, nil
	case sandbox.TarGzip:
		g, err := gzip.NewWriterLevel(w, level)
		return &tarPacker{tar.NewWriter(g), g}, err
	case sandbox.TarBzip2: // it has no level 0, and the library takes that for its default
		b, err := bzip2.NewWriter(w, &bzip2.WriterConfig{Level: cmp.Or(max(level, 0), 1)})
		return &tarPacker{tar.NewWriter(b), b}, err
	}
	return nil, fault.New(fault.Invalid, "archive.format", "The format is one of zip, tar, tar.gz, tar.bz2")
}

type zipPacker struct {
	*zip.Writer
	method uint16
}

func (z *zipPacker) create(name string, info fs.FileInfo, method uint16) (io.Writer, error) {
	h, err := zip.FileInfoHeader(info)
	if err != nil {
		return nil, err
	}
	h.Name, h.Method = name, method
	return z.CreateHeader(h)
}

func (z *zipPacker) dir(name string, info fs.FileInfo) error {
	_, err := z.create(name+"/", info, zip.Store)
	return err
}

func (z *zipPacker) link(name, target string, info fs.FileInfo) error {
	w, err := z.create(name, info, zip.Store)
	if err == nil {
		_, err = io.WriteString(w, target)
	}
	return err
}

func (z *zipPacker) file(name string, info fs.FileInfo, r io.Reader) error {
	w, err := z.create(name, info, z.method)
	if err == nil {
		_, err = io.Copy(w, r)
	}
	return err
}

type tarPacker struct {
	*tar.Writer
	outer io.Closer
}

func (p *tarPacker) head(name, target string, info fs.FileInfo) error {
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	h.Name, h.Format = name, tar.FormatPAX
	h.Uid, h.Gid, h.Uname, h.Gname, h.AccessTime, h.ChangeTime = 0, 0, "", "", time.Time{}, time.Time{}
	return p.WriteHeader(h)
}

func (p *tarPacker) dir(name string, info fs.FileInfo) error { return p.head(name+"/", "", info) }

func (p *tarPacker) link(name, target string, info fs.FileInfo) error {
	return p.head(name, target, info)
}

func (p *tarPacker) file(name string, info fs.FileInfo, r io.Reader) error {
	if err := p.head(name, "", info); err != nil {
		return err
	}
	_, err := io.Copy(p.Writer, r)
	return err
}

func (p *tarPacker) Close() error {
	err := p.Writer.Close()
	if p.outer != nil {
		err = errors.Join(err, p.outer.Close())
	}
	return err
}
