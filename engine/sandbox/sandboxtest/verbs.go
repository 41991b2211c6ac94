package sandboxtest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// conditions: a write says what it expects to find, and appending says how much is there.
func (s *suite) conditions(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	put := func(p sandbox.Put, data string) error {
		p.Size = int64(len(data))
		return b.h.Put(ctx, p, strings.NewReader(data))
	}
	require.NoError(t, put(sandbox.Put{Path: "d/a", New: true, Mode: 0o600}, "one"))
	fails(t, put(sandbox.Put{Path: "d/a", New: true}, "two"), fault.Conflict, "sandbox.exists")
	fails(t, put(sandbox.Put{Path: "none", Known: true}, "two"), fault.NotFound, "sandbox.file_not_found")
	e, err := b.h.Stat(ctx, "/workspace/d/a")
	require.NoError(t, err)
	require.Equal(t, sandbox.Entry{Path: "d/a", Size: 3, Mode: 0o600, Time: e.Time}, e)
	require.NoError(t, put(sandbox.Put{Path: "d/a", Stamp: e.Stamp()}, "three"))
	fails(t, put(sandbox.Put{Path: "d/a", Stamp: e.Stamp()}, "four"), fault.Conflict, "sandbox.changed")
	fails(t, b.h.Put(ctx, sandbox.Put{Path: "d/a", Size: 9}, strings.NewReader("short")), fault.Invalid, "sandbox.size")
	fails(t, b.h.Put(ctx, sandbox.Put{Path: "d/a", Size: 2}, strings.NewReader("long")), fault.Invalid, "sandbox.size")
	require.Equal(t, "three", b.sh("cat d/a"), "a refused write changed something")

	require.NoError(t, b.h.Append(ctx, "up", 0, bytes.Repeat([]byte("x"), 200_000)))
	fails(t, b.h.Append(ctx, "up", 5, []byte("y")), fault.Conflict, "sandbox.offset")
	require.NoError(t, b.h.Append(ctx, "up", 200_000, []byte("end")))
	f, err := b.h.ReadFile(ctx, "up", 199_999, 10)
	require.NoError(t, err)
	require.Equal(t, "xend", string(f.Data))
	fails(t, b.h.Append(ctx, "none", 7, []byte("y")), fault.NotFound, "sandbox.file_not_found")
	list, err := b.h.List(ctx, "", 9, 0)
	require.NoError(t, err)
	for _, n := range list {
		require.NotContains(t, n.Path, ".lobstead-", "a temporary file was left")
	}
}

// carried: copies and moves replace nothing that they were not told to.
func (s *suite) carried(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("mkdir -p d/e; echo one > d/e/f; ln -s e/f d/l; chmod 700 d/e; echo two > g; mkfifo d/pipe 2>/dev/null; true")
	require.NoError(t, b.h.Copy(ctx, sandbox.Carry{From: "d", To: "new/c"}))
	require.Equal(t, "one\none\n", b.sh("cat new/c/e/f new/c/l"))
	fails(t, b.h.Copy(ctx, sandbox.Carry{From: "g", To: "new/c"}), fault.Conflict, "sandbox.exists")
	fails(t, b.h.Copy(ctx, sandbox.Carry{From: "d", To: "d/e/inner"}), fault.Invalid, "sandbox.into_itself")
	fails(t, b.h.Move(ctx, sandbox.Carry{From: "d", To: "d/e/inner"}), fault.Invalid, "sandbox.into_itself")
	fails(t, b.h.Move(ctx, sandbox.Carry{From: "d/e/f", To: "d", Overwrite: true}), fault.Invalid, "sandbox.into_itself")
	fails(t, b.h.Move(ctx, sandbox.Carry{From: "none", To: "x"}), fault.NotFound, "sandbox.file_not_found")
	fails(t, b.h.Copy(ctx, sandbox.Carry{From: "none", To: "x"}), fault.NotFound, "sandbox.file_not_found")
	for _, carry := range []func(context.Context, sandbox.Carry) error{b.h.Copy, b.h.Move} {
		fails(t, carry(ctx, sandbox.Carry{From: "g", To: "new/c", Overwrite: true}), fault.Invalid, "sandbox.is_a_directory")
		fails(t, carry(ctx, sandbox.Carry{From: "d", To: "g", Overwrite: true}), fault.Invalid, "sandbox.not_a_directory")
	}
	b.sh("echo new > d/e/f; echo three > h")
	require.NoError(t, b.h.Move(ctx, sandbox.Carry{From: "d", To: "new/c", Overwrite: true, Keep: "kept/c"}))
	require.NoError(t, b.h.Copy(ctx, sandbox.Carry{From: "h", To: "g", Overwrite: true, Keep: "kept/g"}))
	require.Equal(t, "new\none\nthree\ntwo\n", b.sh("cat new/c/e/f kept/c/e/f g kept/g; ls d 2>/dev/null; true"))
	fails(t, b.h.Copy(ctx, sandbox.Carry{From: "h", To: "g", Overwrite: true, Keep: "kept/g"}), fault.Conflict, "sandbox.exists")
	require.NoError(t, b.h.Copy(ctx, sandbox.Carry{From: "h", To: "g", Overwrite: true}))
	require.NoError(t, b.h.Mkdir(ctx, "m", false, 0o750))
	fails(t, b.h.Mkdir(ctx, "m", true, 0), fault.Conflict, "sandbox.exists")
	fails(t, b.h.Mkdir(ctx, "p/q", false, 0), fault.NotFound, "sandbox.file_not_found")
	require.NoError(t, b.h.Mkdir(ctx, "p/q", true, 0))
	require.NoError(t, b.h.Chmod(ctx, "g", 0o7755))
	e, err := b.h.Stat(ctx, "g")
	require.NoError(t, err)
	require.Equal(t, uint32(0o755), e.Mode, "bits that lend rights are not set")
	for _, p := range outside {
		_, err := b.h.Stat(ctx, p)
		fails(t, err, fault.Forbidden, "sandbox.path")
		fails(t, b.h.Copy(ctx, sandbox.Carry{From: "g", To: p, Overwrite: true}), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Copy(ctx, sandbox.Carry{From: p, To: "x", Overwrite: true}), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Move(ctx, sandbox.Carry{From: p, To: "x", Overwrite: true}), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Mkdir(ctx, p, true, 0), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Chmod(ctx, p, 0o777), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Append(ctx, p, 0, []byte("x")), fault.Forbidden, "sandbox.path")
		_, err = b.h.Pack(ctx, sandbox.Pack{Paths: []string{p}, To: "x.zip", Format: sandbox.Zip})
		fails(t, err, fault.Forbidden, "sandbox.path")
		_, err = b.h.Pack(ctx, sandbox.Pack{Paths: []string{"g"}, To: p, Format: sandbox.Zip})
		fails(t, err, fault.Forbidden, "sandbox.path")
		_, err = b.h.Unpack(ctx, sandbox.Unpack{Archive: "g", To: p})
		fails(t, err, fault.Forbidden, "sandbox.path")
	}
	b.answers()
}

// archives are made and unpacked inside, by the sandbox's own user, within its quota.
func (s *suite) archives(t *testing.T) {
	b, ctx := s.start(t, sandbox.Limits{MemoryMB: 256, StorageMB: 20, Processes: 32, CPUs: 2}), ctxFor(t)
	require.NoError(t, b.h.WriteFile(ctx, "d/big", make([]byte, 11<<20), 0))
	require.NoError(t, b.h.WriteFile(ctx, "d/small", []byte("small"), 0o600))
	for _, format := range []string{sandbox.Zip, sandbox.TarGzip, sandbox.TarBzip2} {
		made, err := b.h.Pack(ctx, sandbox.Pack{Paths: []string{"d"}, To: "a." + format, Format: format, Level: -1})
		require.NoError(t, err)
		require.Equal(t, 2, made.Files)
		_, err = b.h.Unpack(ctx, sandbox.Unpack{Archive: "a." + format, To: "out"})
		fails(t, err, fault.Full, "sandbox.disk_full")
		require.Empty(t, b.sh("ls out 2>/dev/null; ls .lobstead 2>/dev/null; true"), "something was left")
	}
	require.NoError(t, b.h.WriteFile(ctx, "d/big", nil, 0))
	out, err := b.h.Unpack(ctx, sandbox.Unpack{Archive: "a.zip", To: "."})
	require.Error(t, err, "the files are there: %+v", out)
	require.NoError(t, b.h.Remove(ctx, "d", true))
	out, err = b.h.Unpack(ctx, sandbox.Unpack{Archive: "a.zip", To: "."})
	require.NoError(t, err)
	require.Equal(t, 2, out.Files)
	require.Equal(t, "small", b.sh("cat d/small"))
	owner := strings.TrimSpace(b.sh("stat -c %u d/small 2>/dev/null; true")) // a sandbox without programs has neither
	if uid := strings.TrimSpace(b.sh("id -u 2>/dev/null; true")); uid != "" && owner != "" {
		require.Equal(t, uid, owner, "unpacked as somebody else")
	}
}

// viewed: what a driver shows from outside is what is inside, before and after a stop, and nothing beside it.
func (s *suite) viewed(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("mkdir -p d .lobstead/trash; echo one > d/f; ln -s d/f in; ln -s /etc/passwd out; ln -s ../.. up; echo hidden > .lobstead/trash/x; echo lobster > d/g")
	look := func() {
		v, err := b.d.View(ctx, b.ID)
		require.NoError(t, err)
		defer func() { _ = v.Close() }()
		list, err := v.List(ctx, "", 9, 0)
		require.NoError(t, err)
		names := []string{}
		for _, e := range list {
			names = append(names, e.Path)
		}
		require.Equal(t, []string{"d", "d/f", "d/g", "in", "out", "up"}, names)
		for _, p := range []string{"d/f", "in", "/workspace/d/f"} {
			f, e, err := v.Open(ctx, p)
			require.NoError(t, err)
			data, err := io.ReadAll(f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.Equal(t, "one\n", string(data))
			require.EqualValues(t, 4, e.Size)
		}
		for _, p := range append([]string{"out", "up/x", "up"}, outside...) {
			_, _, err := v.Open(ctx, p)
			fails(t, err, fault.Forbidden, "sandbox.path")
		}
		_, _, err = v.Open(ctx, "none")
		fails(t, err, fault.NotFound, "sandbox.file_not_found")
		found, err := v.Search(ctx, sandbox.SearchQuery{Pattern: "lobster|hidden|root:"})
		require.NoError(t, err)
		require.Equal(t, []sandbox.Match{{Path: "d/g", Line: 1, Text: "lobster"}}, found)
	}
	look()
	keep, err := b.d.Keep(ctx, b.ID)
	require.NoError(t, err)
	require.NoError(t, keep.WriteFile("mine", []byte("kept outside"), 0o600))
	require.NoError(t, keep.Close())
	require.Empty(t, b.sh("find / -xdev -name mine -type f 2>/dev/null; grep -rl 'kept outside' . 2>/dev/null; true"), "the sandbox sees what is kept for it")
	require.NoError(t, b.d.Stop(ctx, b.ID))
	look()
	keep, err = b.d.Keep(ctx, b.ID)
	require.NoError(t, err)
	data, err := keep.ReadFile("mine")
	require.NoError(t, err)
	require.Equal(t, "kept outside", string(data))
	require.NoError(t, keep.Close())
	_, err = b.d.View(ctx, "nobody")
	fails(t, err, fault.NotFound, "sandbox.not_found")
	_, err = b.d.Keep(ctx, "nobody")
	fails(t, err, fault.NotFound, "sandbox.not_found")
}
