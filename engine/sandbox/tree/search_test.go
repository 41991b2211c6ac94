package tree_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
)

// A file of one endless line is searched to its end, and what is shown of the line is where it matches.
func TestSearchInAnEndlessLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.Repeat("ä", 450_000) + " needle " + strings.Repeat("b", 100_000) + "\nneedle, first\n" + strings.Repeat("c", 70_000) + "\nneedle"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "long"), []byte(text), 0o600))
	v, err := tree.OpenView(dir)
	require.NoError(t, err)
	defer func() { _ = v.Close() }()
	found, err := v.Search(t.Context(), sandbox.SearchQuery{Pattern: "needle"})
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.Equal(t, 1, found[0].Line)
	require.Contains(t, found[0].Text, "ä needle b")
	require.LessOrEqual(t, len(found[0].Text), 1010)
	require.Equal(t, sandbox.Match{Path: "long", Line: 2, Text: "needle, first"}, found[1])
	require.Equal(t, sandbox.Match{Path: "long", Line: 4, Text: "needle"}, found[2])
}
