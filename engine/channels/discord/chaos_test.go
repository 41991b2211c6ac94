package discord_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Lines are cut, sessions lost, events repeated, Discord and our database fail while people write and the bot answers: each message
// is heard, in its order, and each answer is sent once.
func TestChaos(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	listening(t, s, ear)
	a, d := s.Account(false), quick()
	rnd := rand.New(rand.NewPCG(33, 2))
	want := []string{"hello"}
	s.Say("ada", "hello")
	ear.Wait(t, 1) // a conversation that was never heard is not read again
	const n = 150
	for i := range n {
		want = append(want, fmt.Sprint(i))
		s.Say("ada", fmt.Sprint(i))
		switch rnd.IntN(14) {
		case 0:
			s.Cut()
		case 1:
			s.Reconnect()
		case 2:
			s.Invalidate(rnd.IntN(2) == 0)
		case 3:
			s.Cut()
			s.Expire()
		case 4:
			s.Close([]int{4000, 4001, 4008, 1012}[rnd.IntN(4)])
		case 5:
			s.Fail(1, 502)
		case 6:
			s.Lose(1)
		case 7:
			s.Repeat(1)
		case 8:
			ear.Deaf(1 + rnd.IntN(12))
		case 9:
			time.Sleep(5 * time.Millisecond)
		}
		if i%3 == 0 {
			servicetest.Until(t, func() bool { return s.Lines() == 1 })
		}
		if i%10 == 0 {
			m := service.Message{Key: fmt.Sprint(i), Peer: service.Peer{ID: discordtest.Direct("ada"), Direct: true}, Text: fmt.Sprint(i)}
			servicetest.Until(t, func() bool { _, err := d.Send(t.Context(), a, m); return err == nil })
		}
	}
	servicetest.Until(t, func() bool { return len(ear.All()) == n+1 })
	require.Equal(t, want, texts(ear))
	require.Len(t, s.Sent(), n/10)
	require.True(t, s.Identified() > 2 && s.Resumed() > 2, "%d sessions, resumed %d times", s.Identified(), s.Resumed())
}
