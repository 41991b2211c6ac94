package sandboxtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

var fileTests = []test{
	{name: "ReadAndWrite", run: (*suite).readWrite},
	{name: "Paths", run: (*suite).paths},
	{name: "SymbolicLinks", run: (*suite).links},
	{name: "Confinement", run: (*suite).confinement},
	{name: "List", run: (*suite).list},
	{name: "Search", run: (*suite).search},
	{name: "RemoveAndRename", run: (*suite).removeRename},
	{name: "SpecialFiles", run: (*suite).special},
	{name: "SharedWithCommands", run: (*suite).shared},
	{name: "Walk", run: (*suite).walk},
	{name: "Conditions", run: (*suite).conditions},
	{name: "Carried", run: (*suite).carried},
	{name: "Archives", run: (*suite).archives},
	{name: "Viewed", run: (*suite).viewed, needsPrograms: true},
}

func (s *suite) readWrite(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	big := bytes.Repeat([]byte("0123456789\n"), 500_000)
	for _, c := range []struct {
		path string
		data []byte
	}{{"a", []byte("x")}, {"empty", nil}, {"new/dir/f", []byte("y")}, {"big", big}, {"bin", []byte{0, 255, 10}},
		{"名前 ü\n.txt", []byte("z")}, {"bad\xff\xfe", []byte("bytes")}} {
		require.NoError(t, b.h.WriteFile(ctx, c.path, c.data, 0o640))
		f, err := b.h.ReadFile(ctx, c.path, 0, 0)
		require.NoError(t, err)
		require.True(t, bytes.Equal(c.data, f.Data))
		require.Equal(t, int64(len(c.data)), f.Size)
		require.Equal(t, uint32(0o640), f.Mode)
		require.False(t, f.Time.IsZero())
	}
	f, err := b.h.ReadFile(ctx, "big", 11, 10)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(f.Data))
	f, err = b.h.ReadFile(ctx, "big", int64(len(big))+5, 10)
	require.NoError(t, err)
	require.Empty(t, f.Data)
	require.Equal(t, int64(len(big)), f.Size)
	_, err = b.h.ReadFile(ctx, "big", -1, 10)
	fails(t, err, fault.Invalid, "sandbox.range")
	require.NoError(t, b.h.WriteFile(ctx, "a", []byte("again"), 0))
	f, err = b.h.ReadFile(ctx, "/workspace/a", 0, 0)
	require.NoError(t, err)
	require.Equal(t, "again", string(f.Data))
	require.Equal(t, uint32(0o640), f.Mode, "a replaced file keeps its mode")
	list, err := b.h.List(ctx, "", 9, 0)
	require.NoError(t, err)
	for _, n := range list {
		require.NotContains(t, n.Path, ".lobstead-", "a temporary file was left")
	}
}

// outside are spellings of places that are not the workspace.
var outside = []string{"..", "../x", "a/../../x", "/", "/etc/passwd", "/workspace/../etc/passwd", "/workspaces/x", "//etc/passwd",
	"/proc/1/environ", "./../../x", "/workspace/..", filepath.Join(os.TempDir(), "x")}

func (s *suite) paths(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	for _, p := range outside {
		_, err := b.h.ReadFile(ctx, p, 0, 0)
		fails(t, err, fault.Forbidden, "sandbox.path")
		fails(t, b.h.WriteFile(ctx, p, []byte("x"), 0), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Remove(ctx, p, true), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Rename(ctx, "a", p), fault.Forbidden, "sandbox.path")
		fails(t, b.h.Rename(ctx, p, "a"), fault.Forbidden, "sandbox.path")
		_, err = b.h.List(ctx, p, 1, 0)
		fails(t, err, fault.Forbidden, "sandbox.path")
		_, err = b.h.Search(ctx, sandbox.SearchQuery{Pattern: "x", Path: p})
		fails(t, err, fault.Forbidden, "sandbox.path")
	}
	for _, p := range []string{"a\x00b", strings.Repeat("x", 300), strings.Repeat("a/", 3000)} {
		_, err := b.h.ReadFile(ctx, p, 0, 0)
		fails(t, err, fault.Invalid, "sandbox.path_invalid")
		fails(t, b.h.WriteFile(ctx, p, nil, 0), fault.Invalid, "sandbox.path_invalid")
	}
	fails(t, b.h.WriteFile(ctx, ".", nil, 0), fault.Invalid, "sandbox.is_a_directory")
	fails(t, b.h.Remove(ctx, "", true), fault.Invalid, "")
	require.NoError(t, b.h.WriteFile(ctx, "f", nil, 0))
	fails(t, b.h.WriteFile(ctx, "f/below", nil, 0), fault.Invalid, "sandbox.not_a_directory")
	_, err := b.h.ReadFile(ctx, "none", 0, 0)
	fails(t, err, fault.NotFound, "sandbox.file_not_found")
	b.answers()
}

func (s *suite) links(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh(`ln -s /etc/passwd abs; ln -s ../../../../etc/passwd rel; ln -s / root; ln -s /proc/self/root proc; ln -s .. up
		ln -s loop loop; mkdir -p in/deep; echo inside > in/f; ln -s in/f good; ln -s /workspace/in/f absgood; ln -s in dir; ln -s in/new dangling`)
	for _, p := range []string{"abs", "rel", "root/etc/passwd", "proc/etc/passwd", "up/spec.json", "up/x", "root"} {
		_, err := b.h.ReadFile(ctx, p, 0, 0)
		fails(t, err, fault.Forbidden, "sandbox.path")
		fails(t, b.h.WriteFile(ctx, p, []byte("x"), 0), fault.Forbidden, "sandbox.path")
		_, err = b.h.List(ctx, p, 1, 0)
		fails(t, err, fault.Forbidden, "sandbox.path")
		_, err = b.h.Exec(ctx, sandbox.Command{Shell: "pwd", Dir: p}, nil)
		fails(t, err, fault.Forbidden, "sandbox.path")
	}
	_, err := b.h.ReadFile(ctx, "loop", 0, 0)
	fails(t, err, fault.Invalid, "sandbox.path_invalid")
	for _, p := range []string{"good", "absgood", "dir/f", "/workspace/dir/f"} {
		f, err := b.h.ReadFile(ctx, p, 0, 0)
		require.NoError(t, err, p)
		require.Equal(t, "inside\n", string(f.Data))
	}
	require.NoError(t, b.h.WriteFile(ctx, "good", []byte("through"), 0))
	require.NoError(t, b.h.WriteFile(ctx, "dangling", []byte("made"), 0))
	require.Equal(t, "through made", b.sh(`cat in/f; printf " "; cat in/new`), "a link inside is followed, not replaced")
	require.NoError(t, b.h.Remove(ctx, "root", true)) // the link, never what it names
	require.NoError(t, b.h.Remove(ctx, "abs", false))
	matches, err := b.h.Search(ctx, sandbox.SearchQuery{Pattern: "root:"})
	require.NoError(t, err)
	require.Empty(t, matches, "a search left through a link")
}

// confinement: no sequence of operations with any paths and links gives bytes from outside, or puts any there.
func (s *suite) confinement(t *testing.T) {
	b := s.start(t, ample)
	names := rapid.SampledFrom([]string{"a", "b", "c", "..", ".", "/", "/etc", "/workspace", "root", "\xff", "passwd", "/proc/1/root", "~"})
	paths := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(names, 1, 4).Draw(t, "parts"), "/")
	})
	ctx := context.Background()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > 25 { // each round is a dozen round trips: enough to meet every pair of names
			return
		}
		require.NoError(rt, b.h.WriteFile(ctx, "keep", []byte("inside"), 0))
		for range 6 {
			from, to := paths.Draw(rt, "from"), paths.Draw(rt, "to")
			if !strings.ContainsAny(from+to, "\x00'") {
				_, err := b.h.Exec(ctx, sandbox.Command{Shell: "ln -sfn '" + to + "' './" + path.Base(from) + "' 2>/dev/null; true"}, nil)
				require.NoError(rt, err)
			}
			f, err := b.h.ReadFile(ctx, from, 0, 4096)
			require.False(rt, err == nil && string(f.Data) != "inside", "read %q outside: %q", from, f.Data)
			_ = b.h.WriteFile(ctx, to, []byte("inside"), 0)
			_ = b.h.Rename(ctx, from, to)
			_ = b.h.Remove(ctx, from, true)
			list, err := b.h.List(ctx, to, 3, 100)
			require.NoError(rt, ignoreFault(err))
			for _, e := range list {
				require.False(rt, strings.HasPrefix(e.Path, "/") || strings.HasPrefix(e.Path, "../"), "listed %q outside", e.Path)
			}
		}
	})
	host, err := os.ReadFile("/etc/passwd")
	require.True(t, err != nil || !strings.Contains(string(host), "inside"), "the host's files were written")
	b.answers()
}

// ignoreFault lets through what a driver answers on purpose; a defect is not that.
func ignoreFault(err error) error {
	if err != nil && fault.KindOf(err) != fault.Internal && fault.KindOf(err) != fault.Unavailable {
		return nil
	}
	return err
}

func (s *suite) list(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("mkdir -p d/e/f; echo x > d/e/f/g; echo y > a.txt; ln -s a.txt l; mkdir z")
	names := func(depth, most int) (out []string) {
		list, err := b.h.List(ctx, ".", depth, most)
		require.NoError(t, err)
		for _, n := range list {
			out = append(out, n.Path)
		}
		return out
	}
	require.Equal(t, []string{"a.txt", "d", "l", "z"}, names(1, 0))
	require.Equal(t, []string{"a.txt", "d", "d/e", "d/e/f", "d/e/f/g", "l", "z"}, names(9, 0))
	require.Equal(t, []string{"a.txt", "d"}, names(1, 2))
	list, err := b.h.List(ctx, "/workspace", 1, 0)
	require.NoError(t, err)
	require.True(t, list[1].Dir)
	require.Equal(t, "a.txt", list[2].Link)
	require.Equal(t, int64(2), list[0].Size)
	_, err = b.h.List(ctx, "none", 1, 0)
	fails(t, err, fault.NotFound, "sandbox.file_not_found")
}

func (s *suite) search(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	write := func(p, data string) { require.NoError(t, b.h.WriteFile(ctx, p, []byte(data), 0)) }
	write("a.go", "package a\nfunc Find() {}\n// find\r\n")
	write("d/b.txt", "no\nfunc here")
	write("bin", "func\x00")
	write("long", strings.Repeat("y", 200_000)+"\nfunc last")
	find := func(q sandbox.SearchQuery) []sandbox.Match {
		m, err := b.h.Search(ctx, q)
		require.NoError(t, err)
		return m
	}
	require.Equal(t, []sandbox.Match{{Path: "a.go", Line: 2, Text: "func Find() {}"}, {Path: "d/b.txt", Line: 2, Text: "func here"},
		{Path: "long", Line: 2, Text: "func last"}}, find(sandbox.SearchQuery{Pattern: `^func`}))
	require.Len(t, find(sandbox.SearchQuery{Pattern: `(?i)find`, Glob: "*.go"}), 2)
	require.Len(t, find(sandbox.SearchQuery{Pattern: "func", Glob: "*.go"}), 1)
	require.Len(t, find(sandbox.SearchQuery{Pattern: "func", Path: "d"}), 1)
	require.Len(t, find(sandbox.SearchQuery{Pattern: "func", Path: "d/b.txt"}), 1)
	require.Len(t, find(sandbox.SearchQuery{Pattern: "func", Max: 1}), 1)
	require.LessOrEqual(t, len(find(sandbox.SearchQuery{Pattern: "yyy"})[0].Text), 1000)
	_, err := b.h.Search(ctx, sandbox.SearchQuery{Pattern: "("})
	fails(t, err, fault.Invalid, "sandbox.pattern")
	_, err = b.h.Search(ctx, sandbox.SearchQuery{Pattern: "x", Glob: "["})
	fails(t, err, fault.Invalid, "sandbox.glob")
}

func (s *suite) removeRename(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	require.NoError(t, b.h.WriteFile(ctx, "d/f", []byte("x"), 0))
	fails(t, b.h.Remove(ctx, "d", false), fault.Conflict, "sandbox.not_empty")
	fails(t, b.h.Remove(ctx, "none", true), fault.NotFound, "sandbox.file_not_found")
	require.NoError(t, b.h.Rename(ctx, "d/f", "new/place/g"))
	f, err := b.h.ReadFile(ctx, "new/place/g", 0, 0)
	require.NoError(t, err)
	require.Equal(t, "x", string(f.Data))
	fails(t, b.h.Rename(ctx, "none", "x"), fault.NotFound, "sandbox.file_not_found")
	require.NoError(t, b.h.Remove(ctx, "new", true))
	require.NoError(t, b.h.Remove(ctx, "d", false))
	list, err := b.h.List(ctx, "", 5, 0)
	require.NoError(t, err)
	require.Empty(t, list)
}

func (s *suite) special(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.helper()
	require.Zero(t, b.try(sandbox.Command{Argv: []string{"./helper", "helper", "fifo", "pipe"}}).ExitCode)
	_, err := b.h.ReadFile(ctx, "pipe", 0, 0)
	fails(t, err, fault.Invalid, "sandbox.not_a_file")
	_, err = b.h.ReadFile(ctx, ".", 0, 0)
	fails(t, err, fault.Invalid, "sandbox.is_a_directory")
	_, err = b.h.Search(ctx, sandbox.SearchQuery{Pattern: "zzz"})
	require.NoError(t, err)
	require.NoError(t, b.h.WriteFile(ctx, "pipe", []byte("x"), 0))
}

func (s *suite) shared(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	require.NoError(t, b.h.WriteFile(ctx, "run.sh", []byte("#!/bin/sh\necho ran $1\n"), 0o755))
	require.Contains(t, b.sh("cat run.sh; sh ./run.sh it 2>/dev/null || true"), "echo ran")
	b.sh("echo more >> run.sh; rm run.sh; mkdir run.sh")
	fails(t, b.h.WriteFile(ctx, "run.sh", nil, 0), fault.Invalid, "sandbox.is_a_directory")
}

// Walk reads the files of running and stopped sandboxes, and nothing beside them.
func (s *suite) walk(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	require.NoError(t, b.h.WriteFile(ctx, "b/deep/file", []byte("two"), 0o600))
	require.NoError(t, b.h.WriteFile(ctx, "a", []byte("one"), 0o644))
	b.helper()
	require.Zero(t, b.try(sandbox.Command{Argv: []string{"./helper", "helper", "traps"}}).ExitCode)
	require.NoError(t, b.h.Remove(ctx, "helper", false))
	want := map[string]string{"a": "one", "b/deep/file": "two", "outwards": "→ /etc", "secret": "→ /etc/passwd", "up": "→ ../../.."}
	read := func() map[string]string {
		got, order := map[string]string{}, []string{}
		require.NoError(t, b.d.Walk(ctx, b.ID, func(e sandbox.Entry, content io.Reader) error {
			order = append(order, e.Path)
			got[e.Path] = "→ " + e.Link
			if content != nil {
				data, err := io.ReadAll(content)
				got[e.Path] = string(data)
				require.EqualValues(t, len(data), e.Size)
				return err
			}
			return nil
		}))
		require.True(t, slices.IsSorted(order), "%v", order)
		return got
	}
	require.Equal(t, want, read())
	require.NoError(t, b.d.Stop(ctx, b.ID))
	require.Equal(t, want, read())
	enough := errors.New("enough")
	require.ErrorIs(t, b.d.Walk(ctx, b.ID, func(sandbox.Entry, io.Reader) error { return enough }), enough)
	fails(t, b.d.Walk(ctx, "nobody", func(sandbox.Entry, io.Reader) error { return nil }), fault.NotFound, "sandbox.not_found")
}
