package tree_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Whatever a program inside puts in the place of the workspace's own corner: it is not followed, and the next verb that needs
// the corner has it.
func TestTheCornerRepairsItself(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "trash"), 0o755))
	file := func(at string) error { return os.WriteFile(at, []byte("mine"), 0o600) }
	link := func(to string) func(string) error { return func(at string) error { return os.Symlink(to, at) } }
	for name, replace := range map[string]func(at string) error{"file": file, "link out": link(outside), "link in": link("sibling"), "link up": link("../sibling"),
		"dangling": link("none"), "itself": link(".lobstead"), "closed": func(at string) error { return os.Mkdir(at, 0) }} {
		for _, at := range []string{".lobstead", ".lobstead/trash", ".lobstead/uploads"} {
			tr, dir := open(t)
			ctx := t.Context()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "sibling/trash"), 0o755))
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "sibling/uploads"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "sibling/trash/b"), []byte("b"), 0o600))
			require.NoError(t, put(tr, sandbox.Put{Path: "a"}, "a"))
			require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(at)), 0o755))
			require.NoError(t, replace(filepath.Join(dir, at)))
			if name != "closed" {
				_, err := tr.Stat(ctx, ".lobstead/trash/b")
				require.True(t, fault.Is(err, fault.NotFound), "%s at %s: %v", name, at, err)
				require.True(t, fault.Is(tr.Move(ctx, sandbox.Carry{From: ".lobstead/trash/b", To: "c"}), fault.NotFound), "%s at %s", name, at)
				require.True(t, fault.Is(tr.Remove(ctx, ".lobstead/trash/b", true), fault.NotFound), "%s at %s", name, at)
			}
			tr.Tidy()()
			require.NoError(t, tr.Append(ctx, ".lobstead/uploads/u", 0, strings.NewReader("u"), 1), "%s at %s", name, at)
			require.NoError(t, tr.Move(ctx, sandbox.Carry{From: "a", To: ".lobstead/trash/a"}), "%s at %s", name, at)
			require.Equal(t, map[string]string{".lobstead/uploads/u": "u", ".lobstead/trash/a": "a", "sibling/trash/b": "b"}, all(t, dir), "%s at %s", name, at)
			require.NoError(t, tr.Move(ctx, sandbox.Carry{From: ".lobstead/trash/a", To: "a"}))
			_, err := tr.Pack(ctx, sandbox.Pack{Paths: []string{"a"}, To: "a.zip", Format: sandbox.Zip})
			require.NoError(t, err)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, ".lobstead")))
			require.NoError(t, replace(filepath.Join(dir, ".lobstead")))
			_, err = tr.Unpack(ctx, sandbox.Unpack{Archive: "a.zip", To: "out"})
			require.NoError(t, err, name)
		}
	}
	left, err := os.ReadDir(filepath.Join(outside, "trash"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// Exchanged all the time: nothing leaves the workspace, and what is moved is never lost.
func TestTheCornerIsExchangedMeanwhile(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	tr, dir := open(t)
	stop, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() {
		for at := filepath.Join(dir, ".lobstead"); ; {
			select {
			case <-stop:
				return
			default:
				_ = os.Rename(at, filepath.Join(dir, "was"))
				_ = os.Symlink(outside, at)
				_ = os.Remove(at)
				_ = os.Rename(filepath.Join(dir, "was"), at)
			}
		}
	})
	for range 300 {
		require.NoError(t, put(tr, sandbox.Put{Path: "a"}, "a"))
		_ = tr.Move(t.Context(), sandbox.Carry{From: "a", To: ".lobstead/trash/a"})
		_ = tr.Remove(t.Context(), ".lobstead/trash/a", true)
	}
	close(stop)
	done.Wait()
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
}
