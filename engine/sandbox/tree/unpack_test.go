package tree_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
	"lobstead/kit/fault"
)

func open(t *testing.T) (*tree.Tree, string) {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "workspace")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o644))
	tr, err := tree.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tr.Close() })
	return tr, dir
}

// all gives every file below a directory with its content, the workspace's own corner included.
func all(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel, _ := filepath.Rel(dir, p)
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(p)
			out[rel] = "→ " + target
		case !e.IsDir():
			b, err := os.ReadFile(p)
			require.NoError(t, err)
			out[rel] = string(b)
		}
		return nil
	}))
	return out
}

func tarOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == tar.TypeReg && h.Size == 0 {
			h.Size = 1
		}
		require.NoError(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.CopyN(w, zeros{}, h.Size)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func gzipOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

type zipEntry struct {
	name, data string
	mode       fs.FileMode
}

func zipOf(t *testing.T, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		require.NoError(t, err)
		_, err = io.WriteString(f, e.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// None of these is unpacked, and none leaves anything behind, inside or outside.
func TestBadArchives(t *testing.T) {
	t.Parallel()
	link := func(name, target string) tar.Header {
		return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
	}
	hard := func(name, target string) tar.Header {
		return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink}
	}
	good := tar.Header{Name: "good"}
	many := make([]tar.Header, tree.MaxEntries+1)
	for n := range many {
		many[n] = tar.Header{Name: "e", Typeflag: tar.TypeDir}
	}
	for name, c := range map[string]struct {
		data []byte
		kind fault.Kind
		code string
	}{
		"dots":                    {tarOf(t, good, tar.Header{Name: "../evil"}), fault.Invalid, "archive.entry"},
		"dots inside":             {tarOf(t, good, tar.Header{Name: "a/../../evil"}), fault.Invalid, "archive.entry"},
		"dots that come back":     {tarOf(t, good, tar.Header{Name: "a/../evil"}), fault.Invalid, "archive.entry"},
		"absolute":                {tarOf(t, good, tar.Header{Name: "/etc/evil"}), fault.Invalid, "archive.entry"},
		"zip dots":                {zipOf(t, zipEntry{name: "good"}, zipEntry{name: "../evil"}), fault.Invalid, "archive.entry"},
		"zip backslashes":         {zipOf(t, zipEntry{name: "good"}, zipEntry{name: `..\..\evil`}), fault.Invalid, "archive.entry"},
		"zip absolute":            {zipOf(t, zipEntry{name: "/evil"}), fault.Invalid, "archive.entry"},
		"own corner":              {tarOf(t, tar.Header{Name: ".lobstead/trash/x"}), fault.Invalid, "archive.entry"},
		"link out":                {tarOf(t, good, link("l", "../secret")), fault.Invalid, "archive.link"},
		"link out, absolute":      {tarOf(t, good, link("l", "/etc/passwd")), fault.Invalid, "archive.link"},
		"link out, deeper":        {tarOf(t, good, link("a/b/l", "../../../secret")), fault.Invalid, "archive.link"},
		"zip link out":            {zipOf(t, zipEntry{name: "l", data: "../secret", mode: fs.ModeSymlink | 0o777}), fault.Invalid, "archive.link"},
		"zip link without an end": {zipOf(t, zipEntry{name: "l", data: strings.Repeat("a", 5000), mode: fs.ModeSymlink | 0o777}), fault.Invalid, "archive.link"},
		"hard link out":           {tarOf(t, good, hard("l", "../secret")), fault.Invalid, "archive.link"},
		"hard link to nothing":    {tarOf(t, good, hard("l", "none")), fault.Invalid, "archive.link"},
		"through a file":          {tarOf(t, good, tar.Header{Name: "good/evil"}), fault.Invalid, "archive.entry"},
		"link where a file is":    {tarOf(t, good, link("good", "other")), fault.Invalid, "archive.entry"},
		"file through a link":     {tarOf(t, link("d", "in"), tar.Header{Name: "d/evil"}), fault.Invalid, "archive.entry"},
		"device":                  {tarOf(t, good, tar.Header{Name: "dev", Typeflag: tar.TypeBlock}), fault.Invalid, "archive.special"},
		"pipe":                    {tarOf(t, good, tar.Header{Name: "pipe", Typeflag: tar.TypeFifo}), fault.Invalid, "archive.special"},
		"zip device":              {zipOf(t, zipEntry{name: "dev", mode: fs.ModeDevice | 0o600}), fault.Invalid, "archive.special"},
		"bomb":                    {gzipOf(t, tarOf(t, good, tar.Header{Name: "big", Size: 70 << 20})), fault.TooLarge, "archive.bomb"},
		"zip bomb":                {zipOf(t, zipEntry{name: "big", data: strings.Repeat("\x00", 70<<20)}), fault.TooLarge, "archive.bomb"},
		"too many":                {gzipOf(t, tarOf(t, many...)), fault.TooLarge, "archive.too_many"},
		"too deep":                {tarOf(t, tar.Header{Name: strings.Repeat("d/", 80) + "x"}), fault.Invalid, "archive.entry"},
		"cut":                     {gzipOf(t, tarOf(t, good))[:40], fault.Invalid, "archive.broken"},
		"cut zip":                 {zipOf(t, zipEntry{name: "good"})[:40], fault.Invalid, "archive.broken"},
		"no archive":              {[]byte("hello"), fault.Invalid, "archive.format"},
		"no bytes":                {nil, fault.Invalid, "archive.empty"},
		"empty tar":               {tarOf(t), fault.Invalid, "archive.empty"},
		"empty tar.gz":            {gzipOf(t, tarOf(t)), fault.Invalid, "archive.empty"},
		"empty zip":               {zipOf(t), fault.Invalid, "archive.empty"},
		"only zeros":              {make([]byte, 1<<20), fault.Invalid, "archive.empty"},
		"zeros, then no tar":      {append(make([]byte, 512), []byte(strings.Repeat("x", 4096))...), fault.Invalid, "archive.format"},
		"compressed, no tar":      {gzipOf(t, []byte(strings.Repeat("hello", 500))), fault.Invalid, "archive.format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, dir := open(t)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a.bin"), c.data, 0o644))
			_, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "a.bin", To: "out"})
			require.Error(t, err)
			f := fault.As(err)
			require.Equal(t, c.kind, f.Kind, f)
			require.Equal(t, c.code, f.Code, f)
			left := all(t, filepath.Dir(dir))
			delete(left, "workspace/a.bin")
			require.Equal(t, map[string]string{"secret": "secret"}, left, "something was left")
			_, err = os.Stat(filepath.Join(dir, "out"))
			require.ErrorIs(t, err, fs.ErrNotExist, "something was half-written")
		})
	}
}

// What is there stays, all of it, unless overwrite was said.
func TestUnpackOverFiles(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.zip"), zipOf(t, zipEntry{name: "new", data: "1"}, zipEntry{name: "old", data: "2"}), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old"), []byte("mine"), 0o644))
	_, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "a.zip", To: "."})
	require.Equal(t, "sandbox.exists", fault.As(err).Code)
	require.NoFileExists(t, filepath.Join(dir, "new"))
	out, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "a.zip", To: ".", Overwrite: true})
	require.NoError(t, err)
	require.Equal(t, sandbox.Unpacked{Files: 2, Bytes: 2}, out)
	got := all(t, dir)
	require.Equal(t, "1", got["new"])
	require.Equal(t, "2", got["old"])
	require.Len(t, got, 3, "%v", got)
}

// A quota that is passed half-way leaves nothing.
func TestUnpackWithinQuota(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	left := int64(2 << 20)
	tr.Reserve = func(n int64) error {
		if left -= n; left < 0 {
			return fault.New(fault.Full, "sandbox.disk_full", "full")
		}
		return nil
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.tgz"), gzipOf(t, tarOf(t, tar.Header{Name: "a"}, tar.Header{Name: "big", Size: 5 << 20})), 0o644))
	_, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "a.tgz", To: "out"})
	require.Equal(t, fault.Full, fault.KindOf(err), err)
	require.Len(t, all(t, dir), 1)
}

func TestPackAndUnpack(t *testing.T) {
	t.Parallel()
	for _, format := range []string{sandbox.Zip, sandbox.Tar, sandbox.TarGzip, sandbox.TarBzip2} {
		for _, level := range []int{-1, 0, 9} {
			tr, dir := open(t)
			want := map[string]string{"a.txt": "one", "sub/b": strings.Repeat("two ", 5000), "sub/deep/c": "", "sub/link": "→ b"}
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "p/sub/deep"), 0o755))
			for name, data := range want {
				if !strings.HasPrefix(data, "→") {
					require.NoError(t, os.WriteFile(filepath.Join(dir, "p", name), []byte(data), 0o600))
				}
			}
			require.NoError(t, os.Symlink("b", filepath.Join(dir, "p/sub/link")))
			require.NoError(t, os.Symlink("../../../secret", filepath.Join(dir, "p/sub/out")))
			made, err := tr.Pack(t.Context(), sandbox.Pack{Paths: []string{"p/a.txt", "/workspace/p/sub"}, To: "p/packed", Format: format, Level: level})
			require.NoError(t, err, format)
			require.Equal(t, 4, made.Files)
			require.Equal(t, 1, made.Skipped, "the link that leads out")
			info, err := os.Stat(filepath.Join(dir, "p/packed"))
			require.NoError(t, err)
			require.Equal(t, info.Size(), made.Size)
			_, err = tr.Pack(t.Context(), sandbox.Pack{Paths: []string{"p"}, To: "p/packed", Format: format, Level: level})
			require.Equal(t, "sandbox.exists", fault.As(err).Code)
			out, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "p/packed", To: "q"})
			require.NoError(t, err, format)
			require.Equal(t, 4, out.Files)
			require.Equal(t, want, all(t, filepath.Join(dir, "q")), format)
		}
	}
	tr, _ := open(t)
	for _, p := range []sandbox.Pack{{To: "x"}, {Paths: []string{"none"}, To: "x", Format: "zip"}, {Paths: []string{"../secret"}, To: "x", Format: "zip"},
		{Paths: []string{"."}, To: "../x", Format: "zip"}, {Paths: []string{"."}, To: "x", Format: "rar"}, {Paths: []string{"."}, To: "x", Format: "zip", Level: 10}} {
		_, err := tr.Pack(t.Context(), p)
		require.Less(t, fault.KindOf(err), fault.Unavailable, "%+v: %v", p, err)
		require.Error(t, err)
	}
}

// What an unpacking left that was killed goes at the next start; what people and programs keep in the corner stays.
func TestTidy(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	for _, p := range []string{".lobstead/unpack-DEAD/deep/a", ".lobstead/trash/x", ".lobstead/uploads/y", "unpack-mine/z"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, p), nil, 0o644))
	}
	tidy := tr.Tidy()
	later := filepath.Join(dir, ".lobstead/unpack-NEW")
	require.NoError(t, os.Mkdir(later, 0o755))
	tidy()
	require.Equal(t, map[string]string{".lobstead/trash/x": "", ".lobstead/uploads/y": "", "unpack-mine/z": ""}, all(t, dir))
	require.DirExists(t, later, "begun after the look")
	empty, _ := open(t)
	empty.Tidy()()
}

// FuzzUnpack: no bytes write outside, panic, or leave something after a refusal.
func FuzzUnpack(f *testing.F) {
	t := &testing.T{}
	f.Add(zipOf(t, zipEntry{name: "a", data: "b"}, zipEntry{name: "../x"}))
	f.Add(tarOf(t, tar.Header{Name: "l", Linkname: "x", Typeflag: tar.TypeSymlink}, tar.Header{Name: "l/x"}))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte("BZh9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, dir := open(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), data, 0o644))
		_, err := tr.Unpack(t.Context(), sandbox.Unpack{Archive: "a", To: "out"})
		got := all(t, filepath.Dir(dir))
		require.Equal(t, "secret", got["secret"])
		for name := range got {
			require.True(t, name == "secret" || name == "workspace/a" || err == nil && strings.HasPrefix(name, "workspace/out/"), "%q %v", name, err)
		}
	})
}
