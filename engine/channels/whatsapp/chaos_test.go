package whatsapp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/servicetest"
)

// Deliveries are repeated, swapped and not taken while people write: each message is heard once.
func TestEachMessageOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s.Patience = 1
	r.open()
	rnd := rand.New(rand.NewPCG(32, 2))
	want := map[string]bool{}
	for i := range 100 {
		want[r.s.Say("ada", fmt.Sprint(i))] = true
		switch rnd.IntN(8) {
		case 0:
			r.s.Repeat()
		case 1:
			r.ear.Deaf(1)
		case 2:
			r.s.Disorder()
		case 3:
			r.s.Status("ada", "wamid.x", "read")
		}
	}
	want[r.s.Say("bob", "x")], want[r.s.Say("bob", "y")] = true, true
	servicetest.Until(t, func() bool { return r.s.Pending() == 0 })
	got := map[string]bool{}
	for _, e := range r.ear.All() {
		require.False(t, got[e.ID])
		got[e.ID] = true
	}
	require.Equal(t, want, got)
}
