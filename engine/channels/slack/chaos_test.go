package slack_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/slacktest"
)

// Lines are cut and refreshed, envelopes repeated and shuffled, Slack and our database fail, and the program is ended and started
// again while people write and the bot answers: each message is heard, each answer is sent once.
func TestChaos(t *testing.T) {
	t.Parallel()
	s, ear := slacktest.New(t), &servicetest.Ear{}
	s.Patience = 100 * time.Millisecond
	a := s.Account(true)
	rnd := rand.New(rand.NewPCG(33, 1))
	stop := servicetest.Listen(t, quick, a, ear.Hear)
	const n = 120
	want := []string{}
	for i := range n {
		want = append(want, fmt.Sprint(i))
		s.Say("ada", want[i])
		switch rnd.IntN(12) {
		case 0:
			s.Cut()
		case 1:
			s.Refresh()
		case 2:
			s.Fail(1, 502)
		case 3:
			s.Lose(1)
		case 4:
			s.Repeat(1)
		case 5:
			ear.Deaf(1)
		case 6:
			s.Disorder(2)
		case 7:
			require.NoError(t, stop())
			stop = servicetest.Listen(t, quick, a, ear.Hear)
		case 8:
			time.Sleep(2 * time.Millisecond)
		}
		if i%10 == 0 {
			m := service.Message{Key: want[i], Peer: service.Peer{ID: "DADA", Direct: true}, Text: want[i]}
			servicetest.Until(t, func() bool { _, err := quick.Send(t.Context(), a, m); return err == nil })
		}
	}
	s.Disorder(0)
	s.Say("ada", "the end") // and who was held back
	servicetest.Until(t, func() bool { return len(ear.All()) == n+1 && s.Unsettled() == 0 })
	got, ids := []string{}, map[string]bool{}
	for _, e := range ear.All() {
		got = append(got, e.Text)
		require.False(t, ids[e.ID])
		ids[e.ID] = true
	}
	require.ElementsMatch(t, append(want, "the end"), got)
	require.Len(t, s.Sent(), n/10)
}

// A line that breaks while much waits to be kept comes back, though what is acknowledged meanwhile has no line to go by.
func TestTheLineComesBackUnderLoad(t *testing.T) {
	t.Parallel()
	s, ear := slacktest.New(t), &servicetest.Ear{}
	hold := make(chan struct{})
	servicetest.Listen(t, quick, s.Account(true), func(ctx context.Context, e service.Event) error {
		<-hold
		return ear.Hear(ctx, e)
	})
	servicetest.Until(t, func() bool { return s.Lines() == 1 })
	const n = 200
	for i := range n {
		s.Say("ada", fmt.Sprint(i))
	}
	s.Fail(2, 502)
	s.Cut()
	close(hold)
	servicetest.Until(t, func() bool { return len(ear.All()) == n && s.Lines() == 1 && s.Unsettled() == 0 })
}
