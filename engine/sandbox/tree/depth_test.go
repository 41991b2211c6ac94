package tree_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// down is a path of so many directories.
func down(levels int) string { return strings.TrimSuffix(strings.Repeat("d/", levels), "/") }

// Nothing is made where it could not be measured any longer, by whichever verb: what would be refused to everybody
// afterwards is refused to who asks.
func TestNothingIsMadeTooDeep(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	ctx, deepest := t.Context(), down(sandbox.MaxDepth)
	require.NoError(t, tr.Mkdir(ctx, deepest, true, 0))
	require.NoError(t, put(tr, sandbox.Put{Path: deepest + "/f"}, "f"))
	require.NoError(t, put(tr, sandbox.Put{Path: "a/b/c/f"}, "f"))
	_, err := tr.Pack(ctx, sandbox.Pack{Paths: []string{"a"}, To: "a.zip", Format: sandbox.Zip})
	require.NoError(t, err)
	near := down(sandbox.MaxDepth - 2)
	unpack := func(to string) error { _, err := tr.Unpack(ctx, sandbox.Unpack{Archive: "a.zip", To: to}); return err }
	pack := func(to string) error {
		_, err := tr.Pack(ctx, sandbox.Pack{Paths: []string{"a"}, To: to, Format: sandbox.Zip})
		return err
	}
	before := all(t, dir)
	for name, err := range map[string]error{
		"file":          put(tr, sandbox.Put{Path: deepest + "/d/f"}, "f"),
		"piece":         tr.Append(ctx, deepest+"/d/f", 0, strings.NewReader(""), 0),
		"directory":     tr.Mkdir(ctx, deepest+"/d", false, 0),
		"directories":   tr.Mkdir(ctx, "x/"+deepest, true, 0),
		"moved":         tr.Move(ctx, sandbox.Carry{From: "a", To: near + "/a"}),
		"renamed":       tr.Rename(ctx, "a", near+"/a"),
		"copied":        tr.Copy(ctx, sandbox.Carry{From: "a", To: near + "/a"}),
		"moved down":    tr.Move(ctx, sandbox.Carry{From: "d", To: "x/d"}),
		"copied down":   tr.Copy(ctx, sandbox.Carry{From: "d", To: "x/d"}),
		"archive":       pack(deepest + "/d/x.zip"),
		"extracted":     unpack(near),
		"extracted low": unpack(deepest + "/d"),
	} {
		require.Equal(t, "sandbox.too_deep", fault.As(err).Code, "%s: %v", name, err)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Equal(t, before, all(t, dir))
	require.NoError(t, tr.Move(ctx, sandbox.Carry{From: "a/b/c", To: near + "/a"}), "one level fits")
	require.NoError(t, tr.Copy(ctx, sandbox.Carry{From: "d", To: "e"}))
	require.FileExists(t, filepath.Join(dir, "e", down(sandbox.MaxDepth-1), "f"), "a copy is whole, or is none")
}

// What a program inside made too deep can be moved up, to where it can be removed.
func TestWhatIsTooDeepComesUp(t *testing.T) {
	t.Parallel()
	tr, dir := open(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, down(sandbox.MaxDepth+50)), 0o755))
	require.NoError(t, tr.Move(t.Context(), sandbox.Carry{From: down(150), To: "up"}))
	require.NoError(t, put(tr, sandbox.Put{Path: "up/f"}, "f"))
}
