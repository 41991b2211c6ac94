package door_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// With another service ready, whatever one service does before the first word is answered by the other; after it, the
// caller sees the error. What the ledger holds is what was served, to the last unit.
func TestFaultsWithAnotherServiceReady(t *testing.T) {
	t.Parallel()
	const byOne, byTwo, nobody = 1, 2, 0
	for name, c := range map[string]struct {
		faults []llmtest.Fault
		served int
		kind   llm.ErrorKind // that the caller saw, or that the first attempt met
		calls  int           // to the first service
		text   string
		paid   int // tokens of prompt paid to the first service for nothing; below 0 = an estimate
	}{
		"fine":                        {[]llmtest.Fault{llmtest.Fine}, byOne, "", 1, "Hello from " + big, 0},
		"passes":                      {[]llmtest.Fault{llmtest.Broken, llmtest.Fine}, byOne, llm.KindUpstream, 2, "Hello from " + big, 0},
		"429":                         {[]llmtest.Fault{llmtest.TooFast}, byTwo, llm.KindRateLimit, 2, "Hello from " + other, 0},
		"429 with a short wait":       {[]llmtest.Fault{llmtest.TooFastFor(1), llmtest.Fine}, byOne, llm.KindRateLimit, 2, "Hello from " + big, 0},
		"429 with a long wait":        {[]llmtest.Fault{llmtest.TooFastFor(30)}, byTwo, llm.KindRateLimit, 1, "Hello from " + other, 0},
		"500":                         {[]llmtest.Fault{llmtest.Broken}, byTwo, llm.KindUpstream, 2, "Hello from " + other, 0},
		"529":                         {[]llmtest.Fault{llmtest.Full}, byTwo, llm.KindOverloaded, 2, "Hello from " + other, 0},
		"silence before the first":    {[]llmtest.Fault{llmtest.Silence}, byTwo, llm.KindTimeout, 1, "Hello from " + other, 0},
		"cut before the first":        {[]llmtest.Fault{llmtest.CutAtOnce}, byTwo, llm.KindNetwork, 2, "Hello from " + other, 0},
		"wrong key":                   {[]llmtest.Fault{llmtest.WrongKey}, byTwo, llm.KindAuth, 1, "Hello from " + other, 0},
		"no credit":                   {[]llmtest.Fault{llmtest.NoCredit}, byTwo, llm.KindQuota, 1, "Hello from " + other, 0},
		"unknown model":               {[]llmtest.Fault{llmtest.Unknown}, byTwo, llm.KindNotFound, 1, "Hello from " + other, 0},
		"cut after reasoning":         {[]llmtest.Fault{{Think: true, Cut: true}, llmtest.Fine}, byOne, llm.KindNetwork, 2, "Hello from " + big, -1},
		"garbage after reasoning":     {[]llmtest.Fault{{Think: true, Malformed: true}}, byTwo, llm.KindUpstream, 2, "Hello from " + other, -1},
		"stalls in the middle":        {[]llmtest.Fault{llmtest.Stalled}, nobody, llm.KindTimeout, 1, "Hello from ", -1},
		"cut in the middle":           {[]llmtest.Fault{llmtest.CutInMiddle}, nobody, llm.KindNetwork, 1, "Hello from ", -1},
		"garbage in the middle":       {[]llmtest.Fault{llmtest.Garbage}, nobody, llm.KindUpstream, 1, "Hello from ", -1},
		"the request's own fault":     {[]llmtest.Fault{llmtest.BadRequest}, nobody, llm.KindBadRequest, 1, "", 0},
		"too long for a smaller one":  {[]llmtest.Fault{llmtest.TooLong}, nobody, llm.KindContextLength, 1, "", 0},
		"a negative bill is no money": {[]llmtest.Fault{llmtest.NegativeBill}, byOne, "", 1, "Hello from " + big, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 2)
			g.one.On(big, c.faults...)
			got := g.ask(door.Ask{Instance: g.instance("", nil)})
			require.Equal(t, c.text, got.text)
			require.Len(t, g.one.Calls(), c.calls)
			require.Equal(t, 1, got.settled, "the sum is told once")
			require.Equal(t, len(got.attempts)-1, got.restarts)
			if c.kind != "" {
				require.Equal(t, c.kind, got.attempts[0].Kind)
			}
			spend, provider, model := g.ledger(), "openai", big
			switch c.served {
			case nobody:
				require.Equal(t, c.kind, llm.KindOf(got.err))
				require.Equal(t, string(c.kind), got.decision.Failure)
				require.Empty(t, g.two.Calls(), "no silent switch")
				require.Empty(t, got.decision.Model)
			case byTwo:
				provider, model = "anthropic", other
				fallthrough
			default:
				require.NoError(t, got.err)
				require.Equal(t, model, got.done.Model)
				require.Equal(t, model, got.spent.Model)
				require.Equal(t, provider, got.decision.Provider)
				require.Equal(t, model, got.decision.Model)
				require.Equal(t, door.Answered, got.attempts[len(got.attempts)-1].Outcome)
			}
			require.EqualValues(t, len(got.attempts), spend.Calls, "each attempt is reserved and settled on its own")
			require.Equal(t, spend.CostNanos, got.spent.CostNanos)
			require.Equal(t, spend.CostNanos, got.decision.CostNanos)
			if c.served != nobody && c.paid == 0 && name != "a negative bill is no money" {
				require.Equal(t, g.price(provider, model, 10, 5), spend.CostNanos, "refused calls cost nothing")
			}
			if c.paid < 0 {
				require.Greater(t, spend.CostNanos, int64(0), "what was said until the break is paid")
			}
			if c.served == nobody && c.paid == 0 {
				require.Zero(t, spend.CostNanos)
			}
			require.Positive(t, 1+spend.CostNanos)
		})
	}
}

// With one service alone, failures that may pass are tried three times; the error is the provider's own.
func TestFaultsOfTheOnlyService(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault llmtest.Fault
		kind  llm.ErrorKind
		calls int
		waits int
	}{
		"429": {llmtest.TooFast, llm.KindRateLimit, 3, 2}, "429 with a wait": {llmtest.TooFastFor(4), llm.KindRateLimit, 3, 2},
		"429 with a long wait": {llmtest.TooFastFor(600), llm.KindRateLimit, 1, 0}, "500": {llmtest.Broken, llm.KindUpstream, 3, 2},
		"silence": {llmtest.Silence, llm.KindTimeout, 3, 2}, "wrong key": {llmtest.WrongKey, llm.KindAuth, 1, 0},
		"no credit": {llmtest.NoCredit, llm.KindQuota, 1, 0}, "stalls": {llmtest.Stalled, llm.KindTimeout, 1, 0},
		"cut": {llmtest.CutInMiddle, llm.KindNetwork, 1, 0}, "garbage": {llmtest.Garbage, llm.KindUpstream, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 1)
			g.one.On(big, c.fault)
			got := g.ask(door.Ask{Instance: g.instance("", nil)})
			require.Equal(t, c.kind, llm.KindOf(got.err), "%v", got.err)
			require.Len(t, g.one.Calls(), c.calls)
			require.Len(t, g.waits, c.waits)
			for _, w := range g.waits {
				if c.fault.RetryAfter != "" {
					require.GreaterOrEqual(t, w, 4*time.Second, "what the provider asks for is waited for")
				}
				require.LessOrEqual(t, w, 8*time.Second)
			}
			spend := g.ledger()
			require.EqualValues(t, c.calls, spend.Calls)
			if got.text == "" {
				require.Zero(t, spend.CostNanos)
				require.Zero(t, spend.InputTokens)
			}
		})
	}
}

func TestWrongBillsAreBounded(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	e, _ := llm.Lookup("openai", big)
	g.one.On(big, llmtest.AbsurdBill)
	req := say("Hello")
	req.MaxTokens = 700
	got := g.ask(door.Ask{Instance: g.instance("", nil), Request: req})
	require.NoError(t, got.err)
	require.Equal(t, llm.Usage{Input: e.Context, Output: 700, Estimated: true}, got.done.Usage, "no more than the model takes, and than was asked for")
	require.Equal(t, g.price("openai", big, e.Context, 700), g.ledger().CostNanos)
	g.one.On(big, llmtest.NegativeBill)
	before := g.ledger()
	got = g.ask(door.Ask{Instance: g.instance("", nil), Request: req})
	require.NoError(t, got.err)
	want := llm.EstimateRequest(req)
	require.Equal(t, want, got.done.Usage.Input)
	require.EqualValues(t, before.InputTokens+int64(want), g.ledger().InputTokens)
	require.Greater(t, g.ledger().CostNanos, before.CostNanos)
}

// Without a Restart the caller cannot take anything back: reasoning that was handed out is final too.
func TestReasoningIsFinalForWhoCannotRestart(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.On(big, llmtest.Fault{Think: true, Cut: true})
	plan, err := g.door.Plan(t.Context(), g.sc, door.Ask{Instance: g.instance("", nil), Request: say("Hi")})
	require.NoError(t, err)
	var last error
	for _, err := range g.door.Answer(t.Context(), g.sc, plan, door.Ask{Request: say("Hi"), Model: big}) {
		last = err
	}
	require.Equal(t, llm.KindNetwork, llm.KindOf(last))
	require.Empty(t, g.two.Calls())
}

func TestPinnedModelsHaveNoStandIn(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.one.On("", llmtest.Broken)
	inst := g.instance("gpt-5-mini", nil)
	got := g.ask(door.Ask{Instance: inst})
	require.Equal(t, llm.KindUpstream, llm.KindOf(got.err))
	require.Empty(t, g.two.Calls())
	require.Equal(t, []string{"gpt-5-mini", "gpt-5-mini", "gpt-5-mini"}, g.one.Calls())
}

func TestAHedgeAsksTwoAndPaysTheLoserItsPrompt(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	require.NoError(t, g.sc.SetRouting(t.Context(), models.Routing{HedgeMS: 50}))
	g.door.Forget(g.sc.Org)
	g.door.FirstToken = 10 * time.Second
	g.one.List(big)
	g.two.List(other)
	for name, slow := range map[string]*llmtest.Faulty{"the first is slow": g.one, "the second is slow": g.two} {
		fast, model := g.two, other
		if slow == g.two {
			fast, model = g.one, big
			g.two.On("", llmtest.Silence)
			g.one.On("", llmtest.Fault{Delay: 200 * time.Millisecond})
		} else {
			g.one.On("", llmtest.Silence)
			g.two.On("", llmtest.Fine)
		}
		before, calls, asked := g.ledger(), len(fast.Calls()), len(slow.Calls())
		got := g.ask(door.Ask{Model: big, Request: say(hard)})
		require.NoError(t, got.err, name)
		require.Equal(t, "Hello from "+model, got.text, name)
		require.Len(t, fast.Calls(), calls+1)
		require.ElementsMatch(t, []door.Outcome{door.Answered, door.Lost}, got.outcomes(), name)
		after := g.ledger()
		open, err := g.sc.Reservations(t.Context())
		require.NoError(t, err)
		require.Empty(t, open, "the loser is settled when the answer is over")
		require.GreaterOrEqual(t, int(after.Calls-before.Calls), 1+len(slow.Calls())-asked, "who was asked is paid")
		require.Equal(t, after.CostNanos-before.CostNanos, got.spent.CostNanos)
	}
}
