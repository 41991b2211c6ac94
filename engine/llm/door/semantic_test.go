package door_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/fault"
	"lobstead/models"
)

const embedder = "text-embedding-3-small"

func TestSimilarQuestionsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	i := g.cached(models.CacheChange{Semantic: ptr(true), Threshold: ptr(90)})
	place := g.price("openai", big, 0, 0) + 60 // 3 tokens at 20 nano-dollars each
	first := g.once(i, say("What is the colour of a lobster?"), door.CacheAsSet)
	require.NoError(t, first.err)
	require.Equal(t, []string{embedder, big}, g.one.Calls(), "the message is placed before a model is asked")
	require.Equal(t, g.price("openai", big, 10, 5)+place, first.spent.CostNanos, "and that is part of what the answer cost")

	again := g.once(i, say("Of a lobster, what is the colour?"), door.CacheAsSet)
	require.NoError(t, again.err)
	require.Equal(t, []any{first.text, models.CacheSemantic, place, models.CacheSemantic}, []any{again.text, again.spent.Cached, again.spent.CostNanos, again.decision.Cached})
	require.Equal(t, []string{embedder, big, embedder}, g.one.Calls())
	exact := g.once(i, say("What is the colour of a lobster?"), door.CacheAsSet)
	require.Equal(t, []any{models.CacheExact, int64(0)}, []any{exact.spent.Cached, exact.spent.CostNanos}, "the same words need no comparing")

	require.Equal(t, models.CacheMiss, g.once(i, say("How deep is the sea?"), door.CacheAsSet).spent.Cached)
	other := say("Of a lobster, what is the colour?")
	other.System = "You are a poet."
	require.Equal(t, models.CacheMiss, g.once(i, other, door.CacheAsSet).spent.Cached, "only the last message may differ")
	longer := say("Hello")
	longer.Messages = append(longer.Messages, say("Of a lobster, what is the colour?").Messages...)
	require.Equal(t, models.CacheMiss, g.once(i, longer, door.CacheAsSet).spent.Cached)

	entries, err := g.sc.SettledEntries(t.Context(), time.Time{}, 100, 0)
	require.NoError(t, err)
	paid := map[string]int{}
	for _, e := range entries {
		paid[e.Purpose+" "+e.Model]++
		if e.Purpose == "embedding" {
			require.Equal(t, []any{3, int64(60), i.ID, false}, []any{e.InputTokens, e.CostNanos, e.InstanceID, e.Unpriced})
		}
	}
	require.Equal(t, map[string]int{"embedding " + embedder: 5, "gateway " + big: 4, "cached " + big: 2}, paid)
	open, err := g.sc.Reservations(t.Context())
	require.NoError(t, err)
	require.Empty(t, open)
	_, stats, err := g.sc.ResponseCache(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, models.CacheStats{Hits: 2, SemanticHits: 1, Misses: 4, Entries: 4}, stats)
}

// When nobody can place a message, it is answered as if nothing were cached.
func TestNoComparingIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault llmtest.Fault
		calls int
	}{
		"refused": {fault: llmtest.Unknown, calls: 2},
		"broken":  {fault: llmtest.Broken, calls: 2},
		"silent":  {fault: llmtest.Fault{CutFirst: true}, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 1)
			i := g.cached(models.CacheChange{Semantic: ptr(true)})
			g.one.On(embedder, c.fault)
			got := g.once(i, say("Hello there"), door.CacheAsSet)
			require.NoError(t, got.err)
			require.Equal(t, "Hello from "+big, got.text)
			require.Len(t, g.one.Calls(), c.calls)
			require.Equal(t, models.CacheExact, g.once(i, say("Hello there"), door.CacheAsSet).spent.Cached)
		})
	}
}

// A budget that is used up stops the comparing, and then the call itself.
func TestComparingFallsUnderTheBudget(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	i := g.cached(models.CacheChange{Semantic: ptr(true)})
	_, err := g.sc.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfInstance, TargetID: i.ID, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 20})
	require.NoError(t, err)
	require.NoError(t, g.once(i, say("Hello there"), door.CacheAsSet).err)
	for _, asked := range []int{3, 3} { // placing the second message used up the rest; the third is not even placed
		got := g.once(i, say("How deep is the sea?"), door.CacheAsSet)
		require.True(t, fault.Is(got.err, fault.Payment), "%v", got.err)
		require.Len(t, g.one.Calls(), asked)
	}
}

func TestWhoPlacesMessages(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	i := g.instance("", nil)
	r, err := g.door.Embedder(t.Context(), g.sc, i, "")
	require.NoError(t, err)
	require.Equal(t, []any{"openai", embedder, true}, []any{r.Name, r.Model, r.Priced()})
	r, err = g.door.Embedder(t.Context(), g.sc, i, "what-nobody-knows")
	require.NoError(t, err)
	require.Equal(t, []any{"what-nobody-knows", false}, []any{r.Model, r.Priced()}, "it cannot run under a budget in money")
	rows, err := g.sc.Providers(t.Context())
	require.NoError(t, err)
	for _, p := range rows {
		if p.Kind == "anthropic" {
			_, err = g.door.Embedder(t.Context(), g.sc, g.instance("", &p.ID), "")
			require.True(t, fault.Is(err, fault.NotFound), "Anthropic has no embeddings, and an instance stays with its service")
		}
	}
}

// A model that is named is asked of the service that has it, whichever comes first.
func TestANamedModelIsAskedWhereItIs(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	g.connect("ollama", g.one.URL, "llama3.2") // the newest comes first
	i := g.instance("", nil)
	for model, service := range map[string]string{"text-embedding-3-large": "openai", "nomic-embed-text": "ollama", "": "ollama", "what-nobody-knows": "ollama"} {
		r, err := g.door.Embedder(t.Context(), g.sc, i, model)
		require.NoError(t, err)
		require.Equal(t, service, r.Name, model)
	}
}
