package door_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/fault"
)

func TestThreeFailedCallsOpenTheBreakerAndOneLookClosesIt(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	plain := door.Ask{Instance: g.instance("", nil)}
	g.one.On(big, llmtest.Broken)
	require.Equal(t, door.Closed, g.state("openai").State)
	for n := range 3 {
		require.Equal(t, door.Closed, g.state("openai").State, "after %d failed calls; their tries count once", n)
		require.Equal(t, llm.KindUpstream, llm.KindOf(g.ask(plain).err))
	}
	b := g.state("openai")
	require.Equal(t, door.Open, b.State)
	require.True(t, b.Blocked)
	require.False(t, b.Credit)
	calls, spend := len(g.one.Calls()), g.ledger()
	got := g.ask(plain)
	require.Equal(t, llm.KindOverloaded, llm.KindOf(got.err))
	require.Equal(t, time.Minute, llm.AsError(got.err).RetryAfter)
	require.Len(t, g.one.Calls(), calls, "nobody was asked")
	require.Equal(t, spend, g.ledger(), "and nothing is in the ledger")
	require.Equal(t, []door.Outcome{door.Skipped}, got.outcomes())
	g.clock.Add(time.Minute)
	require.Equal(t, door.HalfOpen, g.state("openai").State)
	require.Error(t, g.ask(plain).err)
	require.Len(t, g.one.Calls(), calls+1, "one look, and no second try")
	require.Equal(t, door.Open, g.state("openai").State)
	g.clock.Add(time.Minute)
	require.Error(t, g.ask(plain).err)
	require.Len(t, g.one.Calls(), calls+1, "the rest has doubled")
	g.clock.Add(time.Minute)
	g.one.On(big, llmtest.Fine)
	require.NoError(t, g.ask(plain).err)
	require.Equal(t, door.Closed, g.state("openai").State)
	require.NoError(t, g.ask(plain).err)
}

func TestAnOpenBreakerSendsCallsElsewhere(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.On("", llmtest.NoCredit)
	require.Equal(t, other, g.ask(door.Ask{Instance: g.instance("", nil)}).done.Model)
	b := g.state("openai")
	require.True(t, b.Credit, "no credit opens at once")
	require.Equal(t, door.Open, b.State)
	require.Equal(t, door.Closed, g.state("anthropic").State)
	calls := len(g.one.Calls())
	for _, a := range []door.Ask{{Instance: g.instance("", nil)}, {Model: door.Auto}, {Model: big}} {
		got := g.ask(a)
		require.NoError(t, got.err)
		require.Equal(t, other, got.done.Model)
	}
	require.Len(t, g.one.Calls(), calls)
	require.Equal(t, llm.KindQuota, llm.KindOf(g.ask(door.Ask{Instance: g.instance("gpt-5-mini", nil)}).err), "of every model there")
	p := g.plan(door.Ask{Model: door.Auto, Request: say("hi")})
	for _, c := range p.Decision.Candidates {
		if c.Provider == "openai" {
			require.True(t, c.Blocked)
			require.False(t, c.Usable)
			require.Contains(t, c.Note, "credit")
		}
	}
}

// A wrong request and a caller that leaves say nothing about the provider.
func TestWhatIsNotTheProvidersFaultCountsForNothing(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	for _, f := range []llmtest.Fault{llmtest.BadRequest, llmtest.TooLong} {
		g.one.On(big, f)
		for range 4 {
			require.Error(t, g.ask(door.Ask{Instance: g.instance("", nil)}).err)
		}
	}
	require.Equal(t, door.Closed, g.state("openai").State)
}

func TestAnOperatorsOrderHoldsInEveryProcessUntilItIsReset(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	plain := door.Ask{Instance: g.instance("", nil)}
	second := &door.Door{Clock: g.clock, Connect: g.door.Connect, Sleep: g.door.Sleep}
	_, err := second.Breakers(t.Context(), g.sc)
	require.NoError(t, err)
	require.NoError(t, g.door.OpenBreaker(t.Context(), g.sc, "openai"))
	require.True(t, fault.Is(g.door.OpenBreaker(t.Context(), g.sc, "nobody"), fault.NotFound))
	b := g.state("openai")
	require.Equal(t, door.Breaker{State: door.Open, Blocked: true, Forced: true, Models: map[string]door.State{}}, b)
	got := g.ask(plain)
	require.Contains(t, got.err.Error(), "operator")
	require.Empty(t, g.one.Calls())
	require.Zero(t, g.ledger().Calls)
	g.clock.Add(time.Hour)
	all, err := second.Breakers(t.Context(), g.sc)
	require.NoError(t, err)
	require.True(t, all["openai"].Forced, "it outlives the process, and no time ends it")
	g.door = second
	g.one.On(big, llmtest.Broken)
	require.NoError(t, g.door.ResetBreaker(t.Context(), g.sc, "openai"))
	for range 3 {
		require.Error(t, g.ask(plain).err)
	}
	require.Equal(t, door.Open, g.state("openai").State)
	g.clock.Add(time.Second)
	require.NoError(t, g.door.ResetBreaker(t.Context(), g.sc, "openai"))
	require.Equal(t, door.Closed, g.state("openai").State, "the failures are forgotten")
	g.one.On(big, llmtest.Fine)
	require.NoError(t, g.ask(plain).err)
}

func TestARouteNearItsLimitComesLater(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.List("gpt-5-nano").On("", llmtest.Fault{Limits: [2]int{100, 4}})
	g.two.List(other)
	first := g.plan(door.Ask{Model: door.Auto, Request: say("hi")}).Decision.Candidates[0]
	require.Equal(t, "gpt-5-nano", first.Model)
	got := g.ask(door.Ask{Model: door.Auto, Request: say("hi")})
	require.NoError(t, got.err)
	c, err := g.door.Capacities(t.Context(), g.sc)
	require.NoError(t, err)
	require.InDelta(t, 0.04, c["openai"].Headroom, 1e-9)
	require.True(t, c["openai"].Near)
	require.False(t, c["openai"].Hot)
	require.Equal(t, 100, c["openai"].RequestsPerMinute)
	require.Equal(t, 1, c["openai"].Requests)
	require.Equal(t, 15, c["openai"].Tokens)
	require.InDelta(t, 1, c["anthropic"].Headroom, 0)
	near := g.plan(door.Ask{Model: door.Auto, Request: say("hi")}).Decision.Candidates
	for _, one := range near {
		if one.Model == "gpt-5-nano" {
			require.Less(t, one.Score, 100.0+1)
			require.Contains(t, one.Note, "limit")
		}
	}
	g.clock.Add(31 * time.Second)
	c, err = g.door.Capacities(t.Context(), g.sc)
	require.NoError(t, err)
	require.False(t, c["openai"].Near, "the window is over")
	g.clock.Add(30 * time.Second)
	c, err = g.door.Capacities(t.Context(), g.sc)
	require.NoError(t, err)
	require.Zero(t, c["openai"].Requests, "the minute is over")
}

// Who asks for a long wait is passed over while another stands ready.
func TestWhoAsksToBeLeftAloneIs(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.On("", llmtest.TooFastFor(20))
	plain := door.Ask{Instance: g.instance("", nil)}
	require.Equal(t, other, g.ask(plain).done.Model)
	got := g.ask(plain)
	require.Equal(t, []door.Outcome{door.Skipped, door.Answered}, got.outcomes())
	require.Len(t, g.one.Calls(), 1)
	g.clock.Add(20 * time.Second)
	g.one.On("", llmtest.Fine)
	require.Equal(t, big, g.ask(plain).done.Model)
}

func TestOffersAreKeptForTenMinutesAndFailuresBorne(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.List("gpt-5-nano")
	offers, err := g.door.Offers(t.Context(), g.sc)
	require.NoError(t, err)
	require.Len(t, offers["openai"].Models, 1)
	require.NoError(t, offers["openai"].Err)
	require.Error(t, offers["anthropic"].Err, "its list cannot be read")
	require.Equal(t, other, offers["anthropic"].Default)
	g.one.List("gpt-5-nano", "gpt-5-mini")
	offers, err = g.door.Offers(t.Context(), g.sc)
	require.NoError(t, err)
	require.Len(t, offers["openai"].Models, 1, "not asked again")
	g.clock.Add(11 * time.Minute)
	require.Eventually(t, func() bool {
		offers, err := g.door.Offers(t.Context(), g.sc)
		return err == nil && len(offers["openai"].Models) == 2
	}, 10*time.Second, 5*time.Millisecond)
}
