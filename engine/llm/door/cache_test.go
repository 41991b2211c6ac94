package door_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

func ptr[T any](v T) *T { return &v }

// cached makes an instance whose answers are given again.
func (g *rig) cached(c models.CacheChange) *models.Instance {
	g.t.Helper()
	i, err := g.sc.CreateInstance(g.t.Context(), models.NewInstance{Name: "cached", Region: "local", Tier: models.Starter})
	require.NoError(g.t, err)
	c.Enabled = ptr(true)
	_, err = g.sc.SetResponseCache(g.t.Context(), i.ID, c)
	require.NoError(g.t, err)
	g.door.Forget(g.sc.Org)
	return i
}

// once asks an instance as the gateway does.
func (g *rig) once(i *models.Instance, r llm.Request, use door.CacheUse) answer {
	return g.ask(door.Ask{Instance: i, Request: r, Cache: use, Call: door.Call{Purpose: "gateway", InstanceID: i.ID}})
}

func TestTheSameQuestionIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	i := g.cached(models.CacheChange{})
	g.one.On(big, llmtest.Fault{Think: true})
	first := g.once(i, say("What is a lobster?"), door.CacheAsSet)
	require.Equal(t, models.CacheMiss, first.spent.Cached)
	paid := g.ledger()
	again := g.once(i, say("What is a lobster?"), door.CacheAsSet)
	require.NoError(t, again.err)
	require.Len(t, g.one.Calls(), 1, "nobody was asked")
	require.Equal(t, []any{first.text, first.thinking, first.done.Model, first.done.Stop, first.done.Usage}, []any{again.text, again.thinking, again.done.Model, again.done.Stop, again.done.Usage})
	require.Equal(t, door.Spent{Cached: models.CacheExact, Provider: "openai", Model: big, CallID: again.spent.CallID}, again.spent, "it cost nothing")
	require.Equal(t, 1, again.settled)
	require.Equal(t, models.CacheExact, again.decision.Cached)
	require.Empty(t, again.attempts)
	after := g.ledger()
	require.Equal(t, paid.CostNanos, after.CostNanos)
	require.Equal(t, paid.Calls+1, after.Calls, "an entry of nothing tells of it")
	entries, err := g.sc.SettledEntries(t.Context(), time.Time{}, 1, 0)
	require.NoError(t, err)
	require.True(t, entries[0].Cached())
	require.Equal(t, g.price("openai", big, 10, 5), *entries[0].BaselineNanos, "and of what it saved")
	_, stats, err := g.sc.ResponseCache(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, models.CacheStats{Hits: 1, Misses: 1, Entries: 1}, stats)

	g.clock.Add(24*time.Hour + time.Minute)
	require.Equal(t, models.CacheMiss, g.once(i, say("What is a lobster?"), door.CacheAsSet).spent.Cached, "a day later somebody is asked again")
}

// Whatever may change the answer makes it another question.
func TestAnotherQuestionIsAsked(t *testing.T) {
	t.Parallel()
	base := say("What is a lobster?")
	base.System, base.MaxTokens = "Be brief.", 100
	for name, change := range map[string]func(*llm.Request){
		"words":         func(r *llm.Request) { r.Messages = say("What is a crab?").Messages },
		"system":        func(r *llm.Request) { r.System = "Be long." },
		"earlier":       func(r *llm.Request) { r.Messages = append(say("Hello").Messages, r.Messages...) },
		"tools":         func(r *llm.Request) { r.Tools = []llm.Tool{{Name: "look", Schema: json.RawMessage(`{}`)}} },
		"choice":        func(r *llm.Request) { r.Choice = llm.Choice{Mode: llm.ChooseNone} },
		"length":        func(r *llm.Request) { r.MaxTokens = 101 },
		"top_p":         func(r *llm.Request) { r.TopP = ptr(.5) },
		"zero":          func(r *llm.Request) { r.Temperature = ptr(0.) },
		"stop":          func(r *llm.Request) { r.Stop = []string{"x"} },
		"effort":        func(r *llm.Request) { r.Effort = llm.EffortHigh },
		"output":        func(r *llm.Request) { r.Output = &llm.Output{Name: "o"} },
		"another model": nil, "another instance": nil, "another purpose": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 1)
			i := g.cached(models.CacheChange{})
			g.once(i, base, door.CacheAsSet)
			require.Equal(t, models.CacheExact, g.once(i, base, door.CacheAsSet).spent.Cached)
			r, purpose := base, "gateway"
			switch {
			case change != nil:
				change(&r)
			case name == "another model":
				i.Model = "gpt-5-mini"
			case name == "another instance":
				i = g.cached(models.CacheChange{})
			default:
				purpose = "comparison"
			}
			got := g.ask(door.Ask{Instance: i, Request: r, Call: door.Call{Purpose: purpose}})
			require.NoError(t, got.err)
			require.Equal(t, models.CacheMiss, got.spent.Cached)
		})
	}
}

// What may not be repeated is neither looked for nor kept.
func TestWhatIsNotKept(t *testing.T) {
	t.Parallel()
	tool := append(say("look").Messages, llm.Message{Role: llm.Assistant, Parts: []llm.Part{{Call: &llm.ToolCall{ID: "1", Name: "look", Input: json.RawMessage(`{}`)}}}},
		llm.Message{Role: llm.User, Parts: []llm.Part{{Result: &llm.ToolResult{CallID: "1", Name: "look", Content: "rain"}}}})
	for name, c := range map[string]struct {
		change func(*llm.Request)
		use    door.CacheUse
		fault  llmtest.Fault
		asked  int // -1: the request cannot even be written
	}{
		"variety": {change: func(r *llm.Request) { r.Temperature = ptr(.7) }},
		"a tool":  {change: func(r *llm.Request) { r.Messages = tool }},
		"a picture": {change: func(r *llm.Request) {
			r.Messages[0].Parts = append(r.Messages[0].Parts, llm.Part{Image: &llm.Image{MediaType: "image/png", Data: []byte("x")}})
		}},
		"a bad schema": {change: func(r *llm.Request) { r.Tools = []llm.Tool{{Name: "look", Schema: json.RawMessage("nonsense")}} }, asked: -1},
		"no-store":     {use: door.CacheNot},
		"cut off":      {fault: llmtest.CutInMiddle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 1)
			i := g.cached(models.CacheChange{})
			g.one.On(big, c.fault)
			r := say("What is a lobster?")
			if c.change != nil {
				c.change(&r)
			}
			for range 2 {
				require.Equal(t, models.CacheMiss, g.once(i, r, c.use).spent.Cached)
			}
			require.Len(t, g.one.Calls(), 2+2*c.asked)
			stats, err := g.sc.CacheStats(t.Context())
			require.NoError(t, err)
			require.Zero(t, stats.Entries)
		})
	}
}

func TestAnAnswerOfAStandInIsNotKept(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	i := g.cached(models.CacheChange{})
	g.one.On(big, llmtest.WrongKey, llmtest.Fine)
	require.Equal(t, "Hello from "+other, g.once(i, say("Hi"), door.CacheAsSet).text)
	stats, err := g.sc.CacheStats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.Entries)
}

// A caller may want a fresh word, which then is the one that is kept.
func TestAnew(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	i := g.cached(models.CacheChange{})
	g.once(i, say("Hi"), door.CacheAsSet)
	g.one.On(big, llmtest.Fault{Usage: &[2]int{7, 7}})
	require.Equal(t, models.CacheMiss, g.once(i, say("Hi"), door.CacheAnew).spent.Cached)
	got := g.once(i, say("Hi"), door.CacheAsSet)
	require.Equal(t, models.CacheExact, got.spent.Cached)
	require.Equal(t, 7, got.done.Usage.Output, "the newer answer")
	_, err := g.sc.SetResponseCache(t.Context(), i.ID, models.CacheChange{Enabled: ptr(false)})
	require.NoError(t, err)
	g.door.Forget(g.sc.Org)
	require.Equal(t, models.CacheMiss, g.once(i, say("Hi"), door.CacheAsSet).spent.Cached, "off is off")
}
