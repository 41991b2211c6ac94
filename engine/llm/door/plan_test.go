package door_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// offered are lists of the two services, from all tiers.
func (g *rig) offered() {
	g.one.List("gpt-6-sol", "gpt-5-mini", "gpt-5-nano", "gpt-5", "text-embedding-3-large", "gpt-5-mini-2025-08-07", "what-nobody-knows")
	g.two.List("claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5-5")
}

func (g *rig) plan(a door.Ask) door.Plan {
	g.t.Helper()
	p, err := g.door.Plan(g.t.Context(), g.sc, a)
	require.NoError(g.t, err)
	return p
}

func TestAutoTakesTheCheapestThatWillDo(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	easy := g.plan(door.Ask{Model: door.Auto, Request: say("hi")})
	require.Equal(t, "gpt-5-nano", easy.Routes[0].Model)
	require.Equal(t, llm.TierNano, easy.Decision.Tier)
	require.True(t, easy.Decision.Routed)
	require.Equal(t, big, easy.Decision.Baseline.Model)
	require.Equal(t, "plan_ceiling", easy.Decision.Baseline.Reason)
	require.Contains(t, easy.Decision.Reason, "nano")
	names := map[string]bool{}
	for _, r := range easy.Routes {
		names[r.Name] = true
	}
	require.Len(t, names, 2, "another service always stands ready")
	for _, c := range easy.Decision.Candidates {
		require.NotContains(t, []string{"text-embedding-3-large", "what-nobody-knows", "gpt-5-mini-2025-08-07"}, c.Model)
	}
	tough := g.plan(door.Ask{Model: "AUTO", Request: say(hard)})
	require.Greater(t, tough.Decision.Complexity, easy.Decision.Complexity)
	require.GreaterOrEqual(t, tough.Decision.Tier.Rank(), llm.TierPremium.Rank())
	tools := say("hi")
	tools.Tools = []llm.Tool{{Name: "bash"}}
	require.Equal(t, llm.TierSmall, g.plan(door.Ask{Model: door.Auto, Request: tools}).Decision.Tier, "the smallest lose their way among tools")
	low := g.plan(door.Ask{Model: door.Auto, Request: say(hard), Ceiling: llm.TierSmall})
	require.Equal(t, llm.TierSmall, low.Decision.Tier)
	for _, r := range low.Routes {
		require.LessOrEqual(t, r.Tier().Rank(), llm.TierSmall.Rank())
	}
	sees := say("What is this?")
	sees.Messages[0].Parts = append(sees.Messages[0].Parts, llm.Part{Image: &llm.Image{MediaType: "image/png"}})
	require.True(t, g.plan(door.Ask{Model: door.Auto, Request: sees}).Routes[0].Images)
	long := say("hi")
	long.MaxTokens = 350_000
	require.GreaterOrEqual(t, g.plan(door.Ask{Model: door.Auto, Request: long}).Routes[0].Window, 350_000)
	long.MaxTokens = 90_000_000
	_, err := g.door.Plan(t.Context(), g.sc, door.Ask{Model: door.Auto, Request: long})
	require.True(t, fault.Is(err, fault.TooLarge), "%v", err)
}

func TestSavingsAreMeasured(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	got := g.ask(door.Ask{Model: door.Auto, Request: say("hi"), Call: door.Call{TurnID: "cturn", SessionID: "csession", InstanceID: "cinst"}})
	require.NoError(t, got.err)
	require.Equal(t, "gpt-5-nano", got.done.Model)
	rows, err := g.sc.TurnDecisions(t.Context(), "cturn")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	d := rows[0]
	require.Equal(t, g.price("openai", "gpt-5-nano", 10, 5), d.CostNanos)
	require.Equal(t, g.price("openai", big, 10, 5), *d.BaselineNanos)
	require.Equal(t, "openai/gpt-5-nano", d.Chosen)
	require.Equal(t, "auto", d.Requested)
	require.Equal(t, "csession", d.SessionID)
	require.Equal(t, "cinst", d.InstanceID)
	require.Equal(t, got.spent.CallID, d.CallID)
	require.NotEmpty(t, d.CallID)
	require.Contains(t, d.Features, "small talk")
	require.Contains(t, d.Candidates, "claude-haiku-4-5")
}

func TestANamedModelIsACeiling(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	p := g.plan(door.Ask{Model: "claude-sonnet-5", Request: say("hi")})
	require.True(t, p.Decision.Routed)
	require.Equal(t, "gpt-5-nano", p.Routes[0].Model)
	require.Equal(t, "named", p.Decision.Baseline.Reason)
	require.Equal(t, "claude-sonnet-5", p.Decision.Baseline.Model)
	p = g.plan(door.Ask{Model: "claude-haiku-4-5", Request: say(hard)})
	require.False(t, p.Decision.Routed, "nothing smaller will do")
	require.Equal(t, "claude-haiku-4-5", p.Routes[0].Model)
	for _, name := range []string{"gpt-5-mini", "openai/gpt-5-mini", "GPT-5-MINI", "gpt-5-mini-2025-08-07"} {
		p = g.plan(door.Ask{Model: name, Request: say(hard)})
		require.Contains(t, p.Routes[0].Model, "gpt-5-mini", name)
		for _, r := range p.Routes {
			require.LessOrEqual(t, r.Tier().Rank(), llm.TierSmall.Rank(), "stand-ins keep to the ceiling")
		}
	}
	for _, name := range []string{"lobster-9", "openai/lobster-9", "gpt-5-mini/", "/", "claude/gpt-5"} {
		_, err := g.door.Plan(t.Context(), g.sc, door.Ask{Model: name, Request: say("hi")})
		require.Equal(t, "llm.unknown_model", fault.As(err).Code, name)
	}
}

func TestAnInstanceStaysWithItsOwnService(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	rows, err := g.sc.Providers(t.Context())
	require.NoError(t, err)
	own := &rows[1].ID
	require.Equal(t, "anthropic", rows[1].Kind)
	for _, a := range []door.Ask{{Instance: g.instance("auto", own)}, {Instance: g.instance("", own), Model: door.Auto}, {Instance: g.instance("", own)}, {Instance: g.instance("claude-opus-5-5", own)},
		{Instance: g.instance("claude-opus-5-5", own), Model: "claude-opus-5-5"}} {
		a.Request = say("hi")
		p := g.plan(a)
		for _, r := range p.Routes {
			require.Equal(t, "anthropic", r.Name)
		}
		if a.Instance.Model == "claude-opus-5-5" {
			require.Len(t, p.Routes, 1, "exactly that")
			require.False(t, p.Decision.Routed)
			require.Equal(t, "claude-opus-5-5", p.Routes[0].Model)
		}
	}
	_, err = g.door.Plan(t.Context(), g.sc, door.Ask{Instance: g.instance("", own), Model: "gpt-5-mini", Request: say("hi")})
	require.Equal(t, "llm.unknown_model", fault.As(err).Code)
	auto := g.plan(door.Ask{Instance: g.instance("auto", nil), Request: say("hi")})
	require.Equal(t, "gpt-5-nano", auto.Routes[0].Model)
	plain := g.plan(door.Ask{Instance: g.instance("", nil), Request: say("hi")})
	require.Equal(t, big, plain.Routes[0].Model, "without auto, what it was")
	require.Equal(t, other, plain.Routes[1].Model, "the other service stands in")
}

func TestShadowModeServesWhatItWasAndKeepsTheDecision(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	require.NoError(t, g.sc.SetRouting(t.Context(), models.Routing{Shadow: true}))
	got := g.ask(door.Ask{Model: door.Auto, Request: say("hi")})
	require.NoError(t, got.err)
	require.Equal(t, big, got.done.Model)
	require.True(t, got.decision.Shadow)
	require.False(t, got.decision.Routed)
	require.Equal(t, "openai/gpt-5-nano", got.decision.Chosen)
	require.Equal(t, big, got.decision.Model)
	got = g.ask(door.Ask{Model: "claude-sonnet-5", Request: say("hi")})
	require.Equal(t, "claude-sonnet-5", got.done.Model)
	require.NoError(t, g.sc.SetRouting(t.Context(), models.Routing{}))
	g.clock.Add(6 * time.Second) // every process hears of it by then
	require.Equal(t, "gpt-5-nano", g.ask(door.Ask{Model: door.Auto, Request: say("hi")}).done.Model)
}

func TestThePlanIsACeiling(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	g.store = modelstest.NewAs(t, models.Options{Clock: g.clock, PlanLimits: true})
	first, founded := modelstest.Found(t, g.store, "Acme") // the first has the largest plan
	o, err := g.store.AsSystem("test").NewOrganizationFor(t.Context(), models.Actor{UserID: founded.User.ID}, "Beta")
	require.NoError(t, err)
	g.sc = g.store.In(o.ID).As(first.Actor)
	g.connect("openai", g.one.URL+"/v1", "gpt-5-mini")
	g.one.List("gpt-5-mini", "gpt-5-nano", "gpt-5", "gpt-6-sol", "o1-pro")
	for _, a := range []door.Ask{{Model: door.Auto}, {Model: "o1-pro"}} {
		a.Request = say(hard)
		p := g.plan(a)
		for _, r := range p.Routes {
			require.LessOrEqual(t, r.Tier().Rank(), llm.TierStandard.Rank(), "a starter plan ends at standard")
		}
	}
	for word, want := range map[string]llm.Tier{"STARTER": llm.TierStandard, "pro": llm.TierPremium, "performance": llm.TierFlagship, "Enterprise": llm.TierFlagship} {
		tier, ok := door.CeilingOf(word)
		require.True(t, ok)
		require.Equal(t, want, tier)
	}
	_, ok := door.CeilingOf("gold")
	require.False(t, ok)
}

func TestAdministratorsKnowBetter(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	sy, by := g.store.AsSystem("test"), models.Actor{Name: "Staff", Staff: true}
	g.one.List("gpt-5-nano", big, "ours-7b")
	local := g.connect("openai-compatible", g.one.URL+"/v1", "ours-7b")
	require.NotEmpty(t, local.ID)
	p := g.plan(door.Ask{Model: door.Auto, Request: say("hi")})
	require.NotEqual(t, "ours-7b", p.Routes[0].Model, "what has no price comes last")
	require.False(t, p.Routes[len(p.Routes)-1].Priced())
	in, out := int64(1000), int64(2000)
	require.NoError(t, sy.EditCatalogue(t.Context(), by, models.CatalogueEdit{Provider: "openai-compatible", Model: "ours-7b", Tier: "premium", Input: &in, Output: &out}))
	g.door.Forget(g.sc.Org)
	got := g.ask(door.Ask{Model: door.Auto, Request: say(hard)})
	require.NoError(t, got.err)
	require.Equal(t, "ours-7b", got.done.Model)
	require.Equal(t, "premium", got.decision.Tier)
	require.EqualValues(t, 10*1+5*2, g.ledger().CostNanos, "micro-dollars for a million are thousandths of a nano-dollar for one")
	_, tier, priced := g.door.Priced(t.Context(), g.sc, "openai-compatible", "ours-7b")
	require.True(t, priced)
	require.Equal(t, llm.TierPremium, tier)
}

func TestAPlanIsKeptOnceAndAgainWhenThereIsSomethingToTell(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	ask := door.Ask{Instance: g.instance("", nil), Request: say("hi"), Call: door.Call{TurnID: "cturn"}}
	plan := g.plan(ask)
	count := func() int {
		rows, err := g.sc.TurnDecisions(t.Context(), "cturn")
		require.NoError(t, err)
		return len(rows)
	}
	for range 3 {
		require.NoError(t, g.carry(plan, ask).err)
		require.Equal(t, 1, count())
	}
	g.one.On(big, llmtest.Broken, llmtest.Fine)
	require.NoError(t, g.carry(plan, ask).err)
	require.Equal(t, 2, count())
}

func TestTheBuiltInModelIsAskedWhenThereIsNoOther(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	rows, err := g.sc.Providers(t.Context())
	require.NoError(t, err)
	require.NoError(t, g.sc.DisconnectProvider(t.Context(), rows[0].ID))
	_, err = g.door.Plan(t.Context(), g.sc, door.Ask{Model: door.Auto, Request: say("hi")})
	require.Equal(t, "llm.none", fault.As(err).Code)
	g.door.Offline = llmtest.Scripted(llmtest.Say("I am here"), llmtest.Fail(llm.KindNetwork, "x"))
	for _, model := range []string{"", door.Auto, llm.DefaultModel("offline")} {
		require.True(t, g.plan(door.Ask{Model: model, Request: say(hard)}).Routes[0].Offline, model)
	}
	require.Equal(t, "I am here", g.ask(door.Ask{Model: door.Auto}).text)
}
