package tree_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
	"lobstead/kit/fault"
)

// together does something from so many sides at once and gives how many were told that it is done; the others may be told
// no more than the code.
func together(t *testing.T, sides int, code string, do func(n int) error) (done int) {
	t.Helper()
	var wg sync.WaitGroup
	results := make(chan error, sides)
	for n := range sides {
		wg.Go(func() { results <- do(n) })
	}
	wg.Wait()
	close(results)
	for err := range results {
		if err == nil {
			done++
			continue
		}
		f, ok := errors.AsType[*fault.Error](err)
		require.True(t, ok, err)
		require.Equal(t, code, f.Code, err)
	}
	return done
}

func put(tr *tree.Tree, p sandbox.Put, text string) error {
	p.Size = int64(len(text))
	return tr.Put(context.Background(), p, strings.NewReader(text))
}

// Of writers that saw the same version one is told that it is written, and the others that it was changed; and what must
// be new is made by one.
func TestOneWriterOfAVersion(t *testing.T) {
	t.Parallel()
	tr, _ := open(t)
	for n := range 30 {
		name := "f" + strconv.Itoa(n)
		require.Equal(t, 1, together(t, 8, "sandbox.exists", func(int) error { return put(tr, sandbox.Put{Path: name, New: true}, "a") }))
		e, err := tr.Stat(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, 1, together(t, 8, "sandbox.changed", func(n int) error {
			return put(tr, sandbox.Put{Path: name, Known: true, Stamp: e.Stamp()}, strconv.Itoa(n))
		}), "another version of the same size, within one tick of the disk's clock")
	}
}

// Moves and copies that may replace nothing, and files that must be new, take a free place once.
func TestOneTakerOfAPlace(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	for n := range 30 {
		to := filepath.Join("to", strconv.Itoa(n))
		for side := range 9 {
			require.NoError(t, put(tr, sandbox.Put{Path: "from" + strconv.Itoa(side)}, strconv.Itoa(side)))
		}
		require.Equal(t, 1, together(t, 9, "sandbox.exists", func(side int) error {
			from := "from" + strconv.Itoa(side)
			switch side % 3 {
			case 0:
				return tr.Move(t.Context(), sandbox.Carry{From: from, To: to})
			case 1:
				return tr.Copy(t.Context(), sandbox.Carry{From: from, To: to})
			}
			return put(tr, sandbox.Put{Path: to, New: true}, "new")
		}))
	}
	for p := range all(t, dir) {
		require.NotContains(t, p, ".lobstead-", "a temporary file was left")
	}
}

// What a program inside puts there at the last moment is not replaced either.
func TestWhatAppearsMeanwhileStays(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	for n := range 200 {
		to := "to" + strconv.Itoa(n)
		require.NoError(t, put(tr, sandbox.Put{Path: "from"}, "moved"))
		made := make(chan error, 1)
		go func() {
			f, err := os.OpenFile(filepath.Join(dir, to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err == nil {
				err = f.Close()
			}
			made <- err
		}()
		moved := tr.Move(t.Context(), sandbox.Carry{From: "from", To: to})
		if err := <-made; err == nil && moved == nil {
			t.Fatalf("%s was made and then replaced", to)
		}
	}
}
