package discord_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

func texts(ear *servicetest.Ear) []string {
	var out []string
	for _, e := range ear.All() {
		out = append(out, e.Text)
	}
	return out
}

func TestSessionsAreResumed(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	listening(t, s, ear)
	var want []string
	say := func(text string) { want = append(want, text); s.Say("ada", text) }
	for i, end := range []func(){s.Cut, s.Reconnect, func() { s.Invalidate(true) }, func() { s.Close(4000) }, func() { s.Close(1012) }, func() { s.Fail(3, 502); s.Cut() }} {
		say(fmt.Sprint("before ", i))
		end()
		say(fmt.Sprint("meanwhile ", i))
		servicetest.Until(t, func() bool { return s.Resumed() == i+1 && s.Lines() == 1 })
		say(fmt.Sprint("after ", i))
		ear.Wait(t, len(want))
	}
	require.Equal(t, want, texts(ear), "all, once, in order")
	require.Equal(t, 1, s.Identified())
}

func TestLostSessionsAreCaughtUp(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	listening(t, s, ear)
	s.Say("ada", "one")
	s.Write(discordtest.Words{User: "bob", Channel: discordtest.Thread, Text: "two"})
	ear.Wait(t, 2)
	for i, end := range []func(){func() { s.Invalidate(false) }, func() { s.Close(4009); s.Expire() }, func() { s.Cut(); s.Expire() }, func() { s.Close(4007); s.Expire() }} {
		n := len(ear.All())
		end()
		s.Say("ada", fmt.Sprint("lost in a direct conversation ", i))
		s.Write(discordtest.Words{User: "bob", Channel: discordtest.Thread, Text: fmt.Sprint("lost in a thread ", i)})
		servicetest.Until(t, func() bool { return s.Identified() == i+2 && s.Lines() == 1 })
		all := ear.Wait(t, n+2)
		require.ElementsMatch(t, []string{discordtest.Direct("ada"), discordtest.General}, []string{all[n].Peer.ID, all[n+1].Peer.ID})
	}
	s.Invalidate(false)
	for i := range 130 {
		s.Say("ada", fmt.Sprint("many ", i))
	}
	ear.Wait(t, 10+130)
	require.Equal(t, "many 129", texts(ear)[139])
}

func TestNothingLostNothingDoubled(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	listening(t, s, ear)
	s.Repeat(1)
	id := s.Say("ada", "twice")
	servicetest.Until(t, func() bool { return ear.Times(id) == 2 })
	s.Disorder(3)
	for i := range 3 {
		s.Say("ada", fmt.Sprint("late ", i))
	}
	require.Equal(t, "late 2", ear.Wait(t, 4)[1].Text)

	ear.Deaf(3)
	s.Say("ada", "while the database is away for a moment")
	ear.Wait(t, 5)
	require.Zero(t, s.Resumed())
	ear.Deaf(14)
	s.Say("ada", "while it is away for longer")
	s.Say("ada", "and this")
	ear.Wait(t, 7)
	require.Positive(t, s.Resumed(), "the line was let go, and Discord sent them again")
	require.Equal(t, []string{"while it is away for longer", "and this"}, texts(ear)[5:])
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	s.Beat = 30 * time.Millisecond
	listening(t, s, ear)
	servicetest.Until(t, func() bool { return s.Beats() > 3 })
	s.Numb(true)
	before := s.Resumed()
	servicetest.Until(t, func() bool { return s.Resumed() > before+1 })
	s.Numb(false)
	s.Say("ada", "still there?")
	ear.Wait(t, 1)
}

func TestListeningEnds(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	a := s.Account(false)
	a.Values["bot_token"] = secret.Of("of-somebody-else")
	err := quick().Listen(t.Context(), a, ear.Hear)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)

	for _, end := range []func(s *discordtest.Server){
		func(s *discordtest.Server) { s.Revoke(); s.Cut() },
		func(s *discordtest.Server) { s.Close(4004) },
		func(s *discordtest.Server) { s.Close(4011) },
		func(s *discordtest.Server) { s.Close(4013) },
		func(s *discordtest.Server) { s.Forbid(1); s.Close(4014) },
	} {
		s := discordtest.New(t)
		ended := make(chan error, 1)
		go func() { ended <- quick().Listen(context.Background(), s.Account(false), ear.Hear) }()
		servicetest.Until(t, func() bool { return s.Lines() == 1 })
		end(s)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(<-ended))
	}
}

func TestSessionsAreNotUsedUp(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	s.Exhaust(true, time.Hour)
	stop := servicetest.Listen(t, quick(), s.Account(false), ear.Hear)
	servicetest.Until(t, func() bool { return len(s.Asked()) == 2 })
	time.Sleep(30 * time.Millisecond)
	require.Len(t, s.Asked(), 2, "the next attempt is after the reset")
	require.Zero(t, s.Identified())
	require.NoError(t, stop())
}

// Who begins to listen is told how far others heard, and hears what was said since in those conversations: in a channel as in one.
func TestNobodyListened(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	heard := s.Say("ada", "heard by another process")
	called := s.Write(discordtest.Words{User: "bob", Channel: discordtest.Thread, Text: "heard too"})
	s.Say("ada", "into the void")
	s.Write(discordtest.Words{User: "bob", Channel: discordtest.Thread, Text: "<@" + discordtest.Bot + "> are you there?"})
	s.Say("eve", "of a conversation that nobody heard")
	a := s.Account(false)
	fails := 2
	a.Past = func(context.Context) ([]service.Mark, error) {
		if fails--; fails >= 0 {
			return nil, fault.New(fault.Unavailable, "test.away", "the database is away")
		}
		return []service.Mark{{Peer: service.Peer{ID: discordtest.General, Thread: discordtest.Thread}, Message: called}, {Peer: service.Peer{ID: discordtest.Direct("ada")}, Message: heard},
			{Peer: service.Peer{ID: "4999999999999999999"}, Message: heard}, {Peer: service.Peer{ID: "777"}, Message: heard}}, nil
	}
	servicetest.Listen(t, quick(), a, ear.Hear)
	all := ear.Wait(t, 2)
	require.Equal(t, []any{"into the void", true, true}, []any{all[0].Text, all[0].Peer.Direct, all[0].Peer.Called})
	require.Equal(t, []any{"are you there?", discordtest.General, discordtest.Thread, false, true}, []any{all[1].Text, all[1].Peer.ID, all[1].Peer.Thread, all[1].Peer.Direct, all[1].Peer.Called})
	s.Say("ada", "and on")
	require.Equal(t, "and on", ear.Wait(t, 3)[2].Text)
}
