package id_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/kit/id"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u uuid.UUID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		s := id.FromUUID(u)
		back, ok := id.UUID(s)
		if !ok || back != u || len(s) != 26 {
			t.Fatalf("%s -> %s -> %s", u, s, back)
		}
	})
}

func TestOrderAndForeignText(t *testing.T) {
	a, b := id.New(), id.New()
	require.Less(t, a, b)
	for _, s := range []string{"", "c", "x" + a[1:], "c-000000000000000000000000", "czzzzzzzzzzzzzzzzzzzzzzzzz", a + "0"} {
		_, ok := id.UUID(s)
		require.False(t, ok, s)
	}
}
