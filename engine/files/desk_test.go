package files_test

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// asleep keeps one workspace, and has no sandbox for one of its instances.
type asleep struct {
	*host
	stopped string
}

func (h *asleep) Hands(ctx context.Context, id string) (sandbox.Hands, error) {
	if id == h.stopped {
		return nil, fault.New(fault.NotFound, "sandbox.not_found", "It does not run")
	}
	return h.host.Hands(ctx, id)
}

// However much waits in workspaces that do not run: what expired in others goes.
func TestSweepPassesByWhatSleeps(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	stopped, running := modelstest.Instance(t, sc, "stopped"), modelstest.Instance(t, sc, "running")
	h := &asleep{&host{dir: t.TempDir()}, stopped.ID}
	d := &files.Desk{Host: h, Clock: now}
	for range 501 {
		_, err := sc.TrashFile(t.Context(), stopped, models.TrashedFile{Path: "old"}, false)
		require.NoError(t, err)
	}
	row, err := sc.TrashFile(t.Context(), running, models.TrashedFile{Path: "new"}, false)
	require.NoError(t, err)
	content := filepath.Join(h.workspace(), ".lobstead/trash", row.ID)
	require.NoError(t, os.MkdirAll(filepath.Dir(content), 0o755))
	require.NoError(t, os.WriteFile(content, nil, 0o600))
	require.NoError(t, d.Sweep(t.Context(), store))
	require.FileExists(t, content, "it can still come back")
	now.Add(models.TrashLife)
	require.NoError(t, d.Sweep(t.Context(), store))
	require.NoFileExists(t, content)
	_, err = sc.TrashedFile(t.Context(), running.ID, row.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	waits, err := sc.TrashedFiles(t.Context(), stopped.ID)
	require.NoError(t, err)
	require.Len(t, waits, 501, "until it runs again")
}

// What could never take its place is refused before a byte of it came.
func TestUploadsThatLeadOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("note", "a file")
	require.NoError(t, os.Symlink("/tmp", filepath.Join(r.h.workspace(), "out")))
	for _, to := range []string{"out/x", "note/x"} {
		_, err := r.c.Begin(t.Context(), r.sc, r.i, to, 5, false)
		require.Error(t, err, to)
	}
	none, err := r.sc.Uploads(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = r.c.Begin(t.Context(), r.sc, r.i, "made/on/the/way", 5, false)
	require.NoError(t, err)
}

// hurried is a host whose searches end at once.
type hurried struct{ *host }

func (h hurried) View(ctx context.Context, id string) (sandbox.View, error) {
	v, err := h.host.View(ctx, id)
	return late{v}, err
}

type late struct{ sandbox.View }

func (v late) Search(ctx context.Context, q sandbox.SearchQuery) ([]sandbox.Match, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return v.View.Search(ctx, q)
}

// A search that could not see everything says so, rather than that nothing is there.
func TestSearchThatWasCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("note", "find me")
	found, more, err := r.c.Search(t.Context(), r.i, files.Query{Text: "find me", Content: true})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.False(t, more)
	r.c.Host = hurried{r.h}
	found, more, err = r.c.Search(t.Context(), r.i, files.Query{Text: "find me", Content: true})
	require.NoError(t, err)
	require.Empty(t, found)
	require.True(t, more)
}

// moody is a host whose sandbox loses the answer to a move, or refuses it.
type moody struct {
	*host
	move func(sandbox.Hands, string, string) error
}

func (h *moody) Hands(ctx context.Context, id string) (sandbox.Hands, error) {
	hands, err := h.host.Hands(ctx, id)
	return &moving{hands, h}, err
}

type moving struct {
	sandbox.Hands
	h *moody
}

func (m *moving) Move(ctx context.Context, c sandbox.Carry) error {
	if m.h.move != nil {
		return m.h.move(m.Hands, c.From, c.To)
	}
	return m.Hands.Move(ctx, c)
}

// Whoever sends the last piece again is told that the file is written: after a lost answer, after a crash before or after
// the file took its place, and after a refusal that has passed. For an hour.
func TestTheLastPieceAgain(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	i := modelstest.Instance(t, sc, "box")
	h := &host{dir: t.TempDir()}
	require.NoError(t, os.Mkdir(h.workspace(), 0o755))
	died := errors.New("the process died")
	for name, move := range map[string]func(sandbox.Hands, string, string) error{
		"answer lost": nil,
		"died before": func(sandbox.Hands, string, string) error { panic(died) },
		"died after": func(in sandbox.Hands, from, to string) error {
			_ = in.Move(t.Context(), sandbox.Carry{From: from, To: to})
			panic(died)
		},
		"was refused": func(sandbox.Hands, string, string) error { return fault.New(fault.Full, "sandbox.disk_full", "Full") },
		"in two times": func(in sandbox.Hands, from, to string) error {
			_ = in.Move(t.Context(), sandbox.Carry{From: from, To: to})
			return in.Move(t.Context(), sandbox.Carry{From: from, To: to})
		},
	} {
		m := &moody{h, move}
		d := &files.Desk{Host: m, Clock: now}
		up, err := d.Begin(t.Context(), sc, i, name, 4, false)
		require.NoError(t, err)
		up, err = d.Continue(t.Context(), sc, i, up.ID, 0, []byte("ab"))
		require.NoError(t, err)
		func() {
			defer func() { _ = recover() }()
			_, err = d.Continue(t.Context(), sc, i, up.ID, 2, []byte("cd"))
		}()
		if name == "was refused" {
			require.True(t, fault.Is(err, fault.Full))
			list, err := sc.Uploads(t.Context(), i.ID)
			require.NoError(t, err)
			require.Len(t, list, 1, "it waits")
		}
		again := &files.Desk{Host: h, Clock: now} // another process
		was, err := again.Upload(t.Context(), sc, i, up.ID)
		require.NoError(t, err, name)
		require.EqualValues(t, 4, was.Offset, name)
		was, err = again.Continue(t.Context(), sc, i, up.ID, 2, []byte("cd"))
		require.NoError(t, err, name)
		require.True(t, was.Done, name)
		text, err := os.ReadFile(filepath.Join(h.workspace(), name))
		require.NoError(t, err)
		require.Equal(t, "abcd", string(text), name)
		now.Add(time.Hour)
		require.NoError(t, again.Sweep(t.Context(), store))
		_, err = again.Upload(t.Context(), sc, i, up.ID)
		require.True(t, fault.Is(err, fault.NotFound))
	}
}

// Acts on several paths are looked at whole before anything is done, and when one fails all the same it is said which
// were done.
func TestSeveralPathsOrNone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 1
	for _, name := range []string{"a", "b", "c", "sub/a", "to/b"} {
		r.write(name, name)
	}
	r.write("big", strings.Repeat("x", 600<<10))
	carry := func(move bool, names ...string) error {
		list := []files.Carry{}
		for _, n := range names {
			list = append(list, files.Carry{From: n, To: "to/" + filepath.Base(n), Move: move})
		}
		return r.c.CarryAll(t.Context(), r.sc, r.i, list)
	}
	for _, names := range [][]string{{"a", "none"}, {"a", "b"}, {"a", "sub/a"}, {"a", "to"}, {"a", "../x"}} {
		require.Error(t, carry(true, names...), names)
		require.Error(t, carry(false, names...), names)
		require.Equal(t, "a", r.read("a"))
		require.Equal(t, "gone", r.read("to/a"))
	}
	require.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "big", To: "big2"}}))
	full := r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "big", To: "big3"}, {From: "big2", To: "big4"}})
	require.True(t, fault.Is(full, fault.Full), full)
	require.Equal(t, "gone", r.read("big3"))
	_, _, err := r.c.DeleteAll(t.Context(), r.sc, r.i, []string{"a", "none"})
	require.True(t, fault.Is(err, fault.NotFound))
	require.Equal(t, "a", r.read("a"))
	require.NoError(t, carry(true, "sub", "sub/a"), "what is in a directory moves along with it")
	require.Equal(t, "sub/a", r.read("to/sub/a"))

	refused := fault.New(fault.Forbidden, "sandbox.denied", "It may not be touched")
	m := &moody{r.h, func(in sandbox.Hands, from, to string) error {
		if path.Base(from) == "b" || path.Base(to) == "b" {
			return refused
		}
		return in.Move(t.Context(), sandbox.Carry{From: from, To: to})
	}}
	r.c.Host = m
	err = r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "a", To: "x/a", Move: true}, {From: "b", To: "x/b", Move: true}, {From: "c", To: "x/c", Move: true}})
	f := fault.As(err)
	require.Equal(t, "files.partly", f.Code)
	require.Equal(t, `Moved: "/workspace/a". "/workspace/b" was not: It may not be touched. Not reached: "/workspace/c"`, f.Detail)
	require.Len(t, f.Fields, 3)
	require.Equal(t, []string{"moved", "not moved: It may not be touched", "not moved: not reached"}, []string{f.Fields[0].Message, f.Fields[1].Message, f.Fields[2].Message})
	require.Equal(t, "a", r.read("x/a"))
	rows, gone, err := r.c.DeleteAll(t.Context(), r.sc, r.i, []string{"x/a", "to", "to/b", "b", "c"})
	require.Equal(t, refused.Code, fault.As(err).Code, "the first one, by name: nothing was done")
	require.Empty(t, rows)
	rows, gone, err = r.c.DeleteAll(t.Context(), r.sc, r.i, []string{"x", "c"})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Zero(t, gone)
	m.move = nil
	require.NoError(t, os.Remove(filepath.Join(r.h.workspace(), ".lobstead/trash", rows[1].ID, "a")))
	require.NoError(t, os.Remove(filepath.Join(r.h.workspace(), ".lobstead/trash", rows[1].ID)))
	_, err = r.c.RestoreAll(t.Context(), r.sc, r.i, []string{rows[0].ID, rows[1].ID})
	require.Equal(t, "file.gone", fault.As(err).Code)
	require.Equal(t, "gone", r.read("c"))
}

// What no longer fits the trash, because more was deleted with it, is not offered to come back.
func TestSeveralThatTheTrashHasNoRoomFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 1
	for _, name := range []string{"a", "b"} {
		r.write(name, strings.Repeat("x", 200<<10))
	}
	rows, gone, err := r.c.DeleteAll(t.Context(), r.sc, r.i, []string{"a", "b"})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, 1, gone)
}

// A tree that is too deep to be measured would make the workspace look full from the trash: it goes for good.
func TestWhatIsTooDeepLeavesForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("fine/"+strings.Repeat("d/", 30)+"x", "x")
	r.write("deep/"+strings.Repeat("d/", 210)+"x", "x")
	rows, gone, err := r.c.DeleteAll(t.Context(), r.sc, r.i, []string{"deep", "fine"})
	require.NoError(t, err)
	require.Equal(t, 1, gone)
	require.Len(t, rows, 1)
	require.Equal(t, "fine", rows[0].Path)
	left, err := os.ReadDir(filepath.Join(r.h.workspace(), ".lobstead/trash"))
	require.NoError(t, err)
	require.Len(t, left, 1)
}
