package files_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/sandboxtest"
	"lobstead/engine/sandbox/tree"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// host keeps one workspace in a directory, without a sandbox: all who change it go through one tree, as in a daemon.
type host struct {
	dir  string
	once sync.Once
	tree *tree.Tree
}

type local struct {
	sandboxtest.Local
	dir string
}

func (local) Ping(context.Context) error { return nil }
func (local) Close() error               { return nil }
func (l local) Usage(context.Context) (u sandbox.Usage, err error) {
	err = filepath.Walk(l.dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			u.DiskBytes += info.Size()
		}
		return err
	})
	return u, err
}

func (h *host) workspace() string { return filepath.Join(h.dir, "workspace") }

func (h *host) Hands(context.Context, string) (sandbox.Hands, error) {
	var err error
	h.once.Do(func() { h.tree, err = tree.Open(h.workspace()) })
	return local{sandboxtest.Local{Tree: h.tree}, h.workspace()}, err
}
func (h *host) View(context.Context, string) (sandbox.View, error) {
	return tree.OpenView(h.workspace())
}
func (h *host) Keep(context.Context, string) (*os.Root, error) {
	return os.OpenRoot(filepath.Join(h.dir, "keep"))
}

type rig struct {
	t    testing.TB
	h    *host
	c    *files.Checkpoints
	sc   *models.Scope
	i    *models.Instance
	sess string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	h := &host{dir: t.TempDir()}
	for _, d := range []string{"workspace", "keep"} {
		require.NoError(t, os.Mkdir(filepath.Join(h.dir, d), 0o755))
	}
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	i := modelstest.Instance(t, sc, "box")
	r := &rig{t: t, h: h, c: &files.Checkpoints{Desk: &files.Desk{Host: h}}, sc: sc, i: i}
	r.sess = session(t, r)
	return r
}

func session(t testing.TB, r *rig) string {
	s, err := r.sc.CreateSession(t.Context(), models.NewSession{InstanceID: r.i.ID, Title: "t"})
	require.NoError(t, err)
	return s.ID
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	to := filepath.Join(r.h.workspace(), name)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(r.t, os.WriteFile(to, []byte(text), 0o644))
}

func (r *rig) read(name string) string {
	b, err := os.ReadFile(filepath.Join(r.h.workspace(), name))
	if err != nil {
		return "gone"
	}
	return string(b)
}

func (r *rig) turn() string {
	r.t.Helper()
	turn, _, err := r.sc.StartTurn(r.t.Context(), r.sess, models.Input{Text: "go", Source: "page"})
	require.NoError(r.t, err)
	return turn.ID
}

// during runs a turn that does what f does.
func (r *rig) during(f func()) *models.Checkpoint {
	r.t.Helper()
	turn := r.turn()
	require.NoError(r.t, r.c.Before(r.t.Context(), r.sc, r.i, turn))
	f()
	require.NoError(r.t, r.c.After(r.t.Context(), r.sc, r.i, turn))
	row, err := r.sc.TurnCheckpoint(r.t.Context(), turn)
	require.NoError(r.t, err)
	return row
}

func said(c *models.Checkpoint) (out []string) {
	for _, f := range c.Files() {
		line := f.What + " " + f.Path
		if f.Lost {
			line += " (lost)"
		}
		out = append(out, line)
	}
	return out
}

func TestTurnChangesAndComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	big := strings.Repeat("x", 3<<20)
	r.write("same", "same")
	r.write("a.txt", "one\ntwo\n")
	r.write("gone.txt", "gone\n")
	r.write("big", big)
	r.write("node_modules/m/index.js", "1")
	require.NoError(t, os.Chmod(filepath.Join(r.h.workspace(), "gone.txt"), 0o755))
	row := r.during(func() {
		r.write("a.txt", "one\nTWO\n") // in place, and of the same size
		r.write("new/n.txt", "new\n")
		require.NoError(t, os.Remove(filepath.Join(r.h.workspace(), "gone.txt")))
		r.write("big", big+"y")
		r.write("node_modules/m/index.js", "2")
		r.write(".git/HEAD", "x")
	})
	require.Equal(t, []string{"changed a.txt", "changed big (lost)", "removed gone.txt", "added new/n.txt"}, said(row))
	require.Equal(t, []int{1, 2, 1}, []int{row.Added, row.Changed, row.Removed})
	diffs, err := r.c.Differences(t.Context(), r.i, row)
	require.NoError(t, err)
	require.Contains(t, diffs[0].Text, "-two\n+TWO\n")
	require.Contains(t, diffs[1].Why, "too large")
	require.False(t, diffs[1].Can)
	require.Contains(t, diffs[2].Text, "-gone")
	require.Contains(t, diffs[3].Text, "+new")

	out, err := r.c.PutBack(t.Context(), r.sc, r.i, row, "a.txt")
	require.NoError(t, err)
	require.Equal(t, files.Restored{Files: 1}, out)
	require.Equal(t, "one\ntwo\n", r.read("a.txt"))
	require.Equal(t, "new\n", r.read("new/n.txt"), "only that one was asked for")
	out, err = r.c.PutBack(t.Context(), r.sc, r.i, row, "")
	require.NoError(t, err)
	require.Equal(t, files.Restored{Files: 3, Skipped: []string{"big"}}, out)
	require.Equal(t, "gone", r.read("new/n.txt"))
	require.Equal(t, "gone\n", r.read("gone.txt"))
	info, err := os.Stat(filepath.Join(r.h.workspace(), "gone.txt"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())

	list, err := r.sc.Checkpoints(t.Context(), r.i.ID, 10)
	require.NoError(t, err)
	require.Len(t, list, 3, "what was put back can be undone")
	require.Equal(t, row.ID, list[0].RestoredID)
	_, err = r.c.PutBack(t.Context(), r.sc, r.i, &list[0], "")
	require.NoError(t, err)
	require.Equal(t, "new\n", r.read("new/n.txt"))
	require.Equal(t, "gone", r.read("gone.txt"))
	_, err = r.c.PutBack(t.Context(), r.sc, r.i, row, "same")
	require.True(t, fault.Is(err, fault.NotFound))
}

// A turn that another worker goes on with keeps what was before it; one that changes nothing leaves nothing.
func TestTurnsThatGoOnAndThatDoNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("a", "1")
	require.Nil(t, r.during(func() {}))
	turn := r.turn()
	require.NoError(t, r.c.Before(t.Context(), r.sc, r.i, turn))
	r.write("a", "2")
	require.NoError(t, r.c.After(t.Context(), r.sc, r.i, turn))
	require.NoError(t, r.c.Before(t.Context(), r.sc, r.i, turn))
	r.write("b", "3")
	require.NoError(t, r.c.After(t.Context(), r.sc, r.i, turn))
	row, err := r.sc.TurnCheckpoint(t.Context(), turn)
	require.NoError(t, err)
	require.Equal(t, []string{"changed a", "added b"}, said(row))
	require.NoError(t, r.c.After(t.Context(), r.sc, r.i, id.New()), "a turn that nobody noted")
}

// What is kept stays within its share: the oldest goes, and says so.
func TestOldContentsGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 8 // of which two are for earlier contents
	var rows []*models.Checkpoint
	for n := range 8 {
		rows = append(rows, r.during(func() { r.write("a", strings.Repeat(fmt.Sprint(n), 500<<10)) }))
	}
	var sum int64
	require.NoError(t, filepath.Walk(filepath.Join(r.h.dir, "keep", "objects"), func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			sum += info.Size()
		}
		return err
	}))
	require.LessOrEqual(t, sum, int64(2<<20))
	list, err := r.sc.Checkpoints(t.Context(), r.i.ID, 10)
	require.NoError(t, err)
	require.Less(t, len(list), 8)
	require.Equal(t, rows[7].ID, list[0].ID, "the newest stays")
	_, err = r.c.PutBack(t.Context(), r.sc, r.i, &list[0], "")
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("6", 500<<10), r.read("a"))
	snaps, err := os.ReadDir(filepath.Join(r.h.dir, "keep", "snapshots"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(snaps), len(list)+2)
}

// A workspace that is too large to be looked at does not keep a turn from running. What it changed is said to be unknown.
func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := range 20_001 {
		if n%1000 == 0 {
			r.write(fmt.Sprintf("d%d/f%d", n/1000, n), "")
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(r.h.workspace(), fmt.Sprintf("d%d/f%d", n/1000, n)), nil, 0o644))
	}
	turn := r.turn()
	require.True(t, fault.Is(r.c.Before(t.Context(), r.sc, r.i, turn), fault.TooLarge))
	require.NoError(t, os.Remove(filepath.Join(r.h.workspace(), "d20/f20000")))
	require.NoError(t, r.c.Before(t.Context(), r.sc, r.i, turn), "it is said once for a turn")
	require.NoError(t, r.c.After(t.Context(), r.sc, r.i, turn))
	row, err := r.sc.TurnCheckpoint(t.Context(), turn)
	require.NoError(t, err)
	require.Contains(t, row.Note, "more than 20000 files")
	require.Contains(t, row.Note, "not known and cannot be put back")
	require.NotNil(t, row.EndedAt)
	diffs, err := r.c.Differences(t.Context(), r.i, row)
	require.NoError(t, err)
	require.Len(t, diffs, 1)
	require.False(t, diffs[0].Can)
	out, err := r.c.PutBack(t.Context(), r.sc, r.i, row, "")
	require.NoError(t, err)
	require.Equal(t, files.Restored{Skipped: []string{"."}}, out)

	r.sess = session(t, r)
	row = r.during(func() { r.write("d0/f0", "changed") })
	require.Equal(t, []string{"changed d0/f0"}, said(row), "exactly as many as the limit are looked at")
	r.sess = session(t, r)
	row = r.during(func() { r.write("d0/more", "") })
	require.Contains(t, row.Note, "more than 20000 files", "a turn that made too many")
}

// Before: what the first tool of a turn waits for, with 10,000 files that did not change since the last one.
func BenchmarkBefore(b *testing.B) {
	r := newRig(b)
	for n := range 10_000 {
		r.write(fmt.Sprintf("d%d/f%d", n%200, n), fmt.Sprint("content ", n))
	}
	for range 12 { // all of it is read by then
		r.sess = session(b, r)
		require.NoError(b, r.c.Before(b.Context(), r.sc, r.i, r.turn()))
	}
	for b.Loop() {
		b.StopTimer()
		r.sess = session(b, r)
		turn := r.turn()
		b.StartTimer()
		require.NoError(b, r.c.Before(b.Context(), r.sc, r.i, turn))
	}
}
