package files_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
	"lobstead/kit/fault"
)

// What a copy or a move overwrites comes back from the trash, and a file never takes a directory's place, nor a directory a
// file's.
func TestWhatIsOverwrittenComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 1
	for _, name := range []string{"note", "other", "proj/a/b", "docs/c"} {
		r.write(name, name)
	}
	for _, move := range []bool{false, true} {
		for _, c := range [][2]string{{"note", "proj"}, {"proj", "note"}, {"proj/a", "proj"}, {"docs", "docs/c"}, {"none", "proj"}, {"proj", "proj/a"}} {
			err := r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: c[0], To: c[1], Move: move, Overwrite: true}})
			require.Error(t, err, c)
			require.Contains(t, []fault.Kind{fault.Invalid, fault.NotFound}, fault.KindOf(err), "%v: %v", c, err)
			err = r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "other", To: "new", Overwrite: true}, {From: c[0], To: c[1], Move: move, Overwrite: true}})
			require.Error(t, err, c)
			require.Equal(t, "gone", r.read("new"), "all are looked at first")
		}
	}
	rows, err := r.sc.TrashedFiles(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Empty(t, rows)
	require.Equal(t, []string{"note", "proj/a/b", "docs/c"}, []string{r.read("note"), r.read("proj/a/b"), r.read("docs/c")})

	require.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "note", To: "other", Overwrite: true}}))
	require.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "docs", To: "proj", Move: true, Overwrite: true}}))
	require.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "note", To: "fresh", Move: true, Overwrite: true}}))
	require.Equal(t, []string{"note", "docs/c", "gone", "gone", "note"}, []string{r.read("other"), r.read("proj/c"), r.read("proj/a/b"), r.read("docs/c"), r.read("fresh")})
	rows, err = r.sc.TrashedFiles(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	to, err := r.c.RestoreAll(t.Context(), r.sc, r.i, []string{rows[0].ID, rows[1].ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"other (2)", "proj (2)"}, to)
	require.Equal(t, []string{"other", "proj/a/b"}, []string{r.read("other (2)"), r.read("proj (2)/a/b")})

	r.write("large", strings.Repeat("x", 300<<10))
	require.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: "other", To: "large", Overwrite: true}}))
	require.Equal(t, "note", r.read("large"))
	rows, err = r.sc.TrashedFiles(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Empty(t, rows, "it is larger than the trash may be")
}

// However many overwrite one place at once: the last one stands there, and all that stood there comes back.
func TestOverwritingAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		r.write(name, name)
		wg.Go(func() {
			assert.NoError(t, r.c.CarryAll(t.Context(), r.sc, r.i, []files.Carry{{From: name, To: "place", Move: true, Overwrite: true}}))
		})
	}
	wg.Wait()
	rows, err := r.sc.TrashedFiles(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	seen := r.read("place")
	for _, row := range rows {
		seen += r.read(".lobstead/trash/" + row.ID)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		require.Contains(t, seen, name)
	}
	require.Len(t, seen, 4)
}
