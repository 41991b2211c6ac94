package telegram_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/servicetest"
)

// Lines are cut, answers lost, updates repeated, the service and our database fail, and the program is ended and started again while
// people write: each message is heard once, in its order.
func TestNothingIsLostNorDoubled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tg.Pause = time.Millisecond
	rnd := rand.New(rand.NewPCG(32, 1))
	stop := r.listen()
	const n = 150
	for i := range n {
		r.s.Say("ada", fmt.Sprint(i))
		switch rnd.IntN(12) {
		case 0:
			r.s.Cut()
		case 1:
			r.s.Polls.Lose(1)
		case 2:
			r.s.Polls.Fail(1, 502)
		case 3:
			r.s.Polls.Fail(1, 504)
		case 4:
			r.s.Repeat()
		case 5:
			r.ear.Deaf(1)
		case 6:
			r.s.Disorder()
			r.s.Say("bob", "between")
		case 7:
			_ = stop()
			stop = r.listen()
		case 8:
			time.Sleep(2 * time.Millisecond)
		}
	}
	r.s.Say("ada", "the last but one")
	r.s.Say("ada", "the last") // two, for who waits for two
	servicetest.Until(t, func() bool { return r.s.Pending() == 0 })
	next := 0
	for _, e := range r.ear.All() {
		if e.Text == fmt.Sprint(next) {
			next++
		}
	}
	require.Equal(t, n, next)
	ids := map[string]bool{}
	for _, e := range r.ear.All() {
		require.False(t, ids[e.ID])
		ids[e.ID] = true
	}
}
