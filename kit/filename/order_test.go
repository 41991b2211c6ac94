package filename_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/filename"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	want := []string{"", "01", "1", "2.txt", "10", "99999999999999999999", "100000000000000000000", "A", "a", "a2", "A10", "a10b", "b", "many-02", "many-2", "many-10", "ü"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, filename.Compare)
	require.Equal(t, want, got)
}

// It is an order: no two names are equal, and whichever way they are asked for the answer is the same.
func FuzzCompare(f *testing.F) {
	f.Add("a1", "A01", "a 1")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		require.Equal(t, -filename.Compare(a, b), filename.Compare(b, a))
		require.Equal(t, a == b, filename.Compare(a, b) == 0)
		if filename.Compare(a, b) < 0 && filename.Compare(b, c) < 0 {
			require.Negative(t, filename.Compare(a, c))
		}
	})
}
