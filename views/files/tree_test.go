package files_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/views/files"
)

// Paths become a tree, whatever their order, also where a directory on the way was cut off the list.
func TestTree(t *testing.T) {
	t.Parallel()
	require.Equal(t, &files.Tree{Below: []files.Branch{
		{Path: "a", Name: "a", Below: []files.Branch{{Path: "a/b", Name: "b", Below: []files.Branch{{Path: "a/b/c", Name: "c"}}}, {Path: "a/d", Name: "d"}}},
		{Path: "a-b", Name: "a-b"},
		{Path: "x", Name: "x", Below: []files.Branch{{Path: "x/y", Name: "y"}}},
	}, More: true}, files.NewTree([]string{"x/y", "a/d", "a", "a/b/c", "a-b"}, true))
	require.Empty(t, files.NewTree(nil, false).Below)
}
