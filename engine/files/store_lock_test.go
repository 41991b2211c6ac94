package files_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
	"lobstead/models"
)

// Two processes that keep what one instance's turns change: they note, put back and sweep at the same time, and no
// content that a checkpoint names is lost.
func TestTwoProcessesOverOneStore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 16                              // of which four are for earlier contents
	r.write("base", strings.Repeat("b", 1_900<<10)) // with it more than half is used, and each turn sweeps
	r.write("base2", strings.Repeat("c", 300<<10))
	const rounds = 8
	text := func(p, n int) string { return strings.Repeat(fmt.Sprintf("%d/%d ", p, n), 5000) }
	var wg sync.WaitGroup
	rows := make([][]*models.Checkpoint, 3)
	for p := range rows {
		r.write(fmt.Sprint("f", p), text(p, 0))
	}
	for p := range rows {
		sess := session(t, r)
		wg.Go(func() {
			c := &files.Checkpoints{Desk: &files.Desk{Host: r.h}} // a process of its own
			for n := 1; n <= rounds; n++ {
				turn, _, err := r.sc.StartTurn(t.Context(), sess, models.Input{Text: "go", Source: "page"})
				if !assert.NoError(t, err) || !assert.NoError(t, c.Before(t.Context(), r.sc, r.i, turn.ID)) {
					return
				}
				r.write(fmt.Sprint("f", p), text(p, n))
				if !assert.NoError(t, c.After(t.Context(), r.sc, r.i, turn.ID)) {
					return
				}
				row, err := r.sc.TurnCheckpoint(t.Context(), turn.ID)
				if !assert.NoError(t, err) || !assert.NotNil(t, row) {
					return
				}
				rows[p] = append(rows[p], row)
				_, err = c.PutBack(t.Context(), r.sc, r.i, row, fmt.Sprint("f", p))
				assert.NoError(t, err)
				assert.Equal(t, text(p, n-1), r.read(fmt.Sprint("f", p)))
				r.write(fmt.Sprint("f", p), text(p, n))
			}
		})
	}
	wg.Wait()
	require.False(t, t.Failed())
	for p := range rows {
		for n, row := range rows[p] {
			name := fmt.Sprint("f", p)
			out, err := r.c.PutBack(t.Context(), r.sc, r.i, row, name)
			require.NoError(t, err)
			require.Equal(t, files.Restored{Files: 1}, out, "%d/%d", p, n)
			require.Equal(t, text(p, n), r.read(name))
		}
	}
}

// What was before a turn that goes on is kept, though others end meanwhile and sweep.
func TestATurnThatGoesOnKeepsItsContents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.i.StorageMB = 8 // of which two are for earlier contents
	r.write("base", strings.Repeat("b", 1_200<<10))
	r.write("f", "before")
	long := r.turn()
	require.NoError(t, r.c.Before(t.Context(), r.sc, r.i, long))
	r.write("f", "by a person")
	r.sess = session(t, r)
	r.during(func() { r.write("other", "x") })
	require.NoError(t, r.c.After(t.Context(), r.sc, r.i, long))
	row, err := r.sc.TurnCheckpoint(t.Context(), long)
	require.NoError(t, err)
	_, err = r.c.PutBack(t.Context(), r.sc, r.i, row, "f")
	require.NoError(t, err)
	require.Equal(t, "before", r.read("f"))
}
