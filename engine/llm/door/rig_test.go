package door_test

import (
	"cmp"
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/engine/llm/wire"
	"lobstead/kit/clock"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

const (
	big   = "gpt-6-sol"        // of openai, the organization's default
	other = "claude-haiku-4-5" // of anthropic
)

// rig is an organization with two services that really listen, reached by the real adapters, on a real store.
type rig struct {
	t       *testing.T
	clock   *clock.Fake
	store   *models.Store
	sc      *models.Scope
	door    *door.Door
	one     *llmtest.Faulty // openai, the default
	two     *llmtest.Faulty // anthropic; nil in a rig of one
	mu      sync.Mutex
	waits   []time.Duration
	patient bool
}

// newRig connects one or two services. Waits between tries are noted and not waited for.
func newRig(t *testing.T, services int) *rig {
	g := &rig{t: t, clock: clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))}
	g.store = modelstest.NewAt(t, g.clock)
	g.sc, _ = modelstest.Found(t, g.store, "Acme")
	g.door = &door.Door{Clock: g.clock, Connect: func(row *models.Provider, key secret.String) (llm.Provider, error) {
		return connect.New(connect.Config{Kind: connect.Kind(row.Kind), BaseURL: row.BaseURL, Key: key.Reveal, AllowPrivate: true,
			Timeouts: wire.Timeouts{First: 300 * time.Millisecond, Idle: 300 * time.Millisecond}})
	}, FirstToken: 150 * time.Millisecond, Sleep: func(_ context.Context, d time.Duration) bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.waits = append(g.waits, d)
		return true
	}}
	if services > 1 {
		g.two = llmtest.Serve(t)
		g.connect("anthropic", g.two.URL, other)
	}
	g.one = llmtest.Serve(t)
	g.connect("openai", g.one.URL+"/v1", big) // the newest is the default
	return g
}

func (g *rig) connect(kind, url, model string) *models.Provider {
	row, err := g.sc.ConnectProvider(g.t.Context(), models.NewProvider{Kind: kind, BaseURL: url, Model: model, Key: secret.Of("sk-a-key-for-" + kind), Private: true}, "ok")
	require.NoError(g.t, err)
	return row
}

func say(text string) llm.Request {
	return llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}
}

// answer is what one call gave.
type answer struct {
	text     string
	thinking string
	done     *llm.Done
	err      error
	spent    door.Spent
	settled  int
	restarts int
	decision *models.Decision
	attempts []door.Attempt
}

func (a answer) outcomes() (out []door.Outcome) {
	for _, at := range a.attempts {
		out = append(out, at.Outcome)
	}
	return out
}

// ask plans and answers, as the turn loop does.
func (g *rig) ask(a door.Ask) answer {
	g.t.Helper()
	if len(a.Request.Messages) == 0 {
		a.Request = say("Hello there, what can you do?")
	}
	plan, err := g.door.Plan(g.t.Context(), g.sc, a)
	if err != nil {
		return answer{err: err}
	}
	return g.carry(plan, a)
}

func (g *rig) carry(plan door.Plan, a door.Ask) answer {
	g.t.Helper()
	out := answer{}
	a.Call.Purpose = cmp.Or(a.Call.Purpose, "test")
	a.Call.Settled = func(s door.Spent) { out.spent = s; out.settled++ }
	a.Restart = func() { out.text, out.thinking = "", ""; out.restarts++ }
	for c, err := range g.door.Answer(g.t.Context(), g.sc, plan, a) {
		if err != nil {
			out.err = err
			break
		}
		out.text += c.Text
		out.thinking += c.Thinking
		if c.Done != nil {
			out.done = c.Done
		}
	}
	rows, err := g.sc.Decisions(g.t.Context(), 1)
	require.NoError(g.t, err)
	if len(rows) > 0 {
		out.decision = &rows[0]
		require.NoError(g.t, json.Unmarshal([]byte(rows[0].Attempts), &out.attempts))
	}
	return out
}

// ledger gives what was settled.
func (g *rig) ledger() models.Spend {
	g.t.Helper()
	s, err := g.sc.SpentSince(g.t.Context(), time.Time{})
	require.NoError(g.t, err)
	return s
}

// price is what a usage costs at a model, by the catalogue.
func (g *rig) price(kind, model string, in, out int) int64 {
	g.t.Helper()
	e, ok := llm.Lookup(kind, model)
	require.True(g.t, ok, model)
	return e.Cost(llm.Usage{Input: in, Output: out}, g.clock.Now())
}

func (g *rig) state(provider string) door.Breaker {
	g.t.Helper()
	all, err := g.door.Breakers(g.t.Context(), g.sc)
	require.NoError(g.t, err)
	require.Contains(g.t, all, provider)
	return all[provider]
}

// hard is a prompt that calls for a flagship.
const hard = "Please prove step by step that the algorithm terminates, analyse the trade-offs of its design, compare it with the matrix version, debug func main() { in main.go and " +
	"optimize it. Write a comprehensive report in detail, as JSON. 1. Why? 2. How? 3. When? 4. Where? 5. Who? 6. What?"

func (g *rig) instance(model string, provider *string) *models.Instance {
	g.t.Helper()
	return &models.Instance{ID: "cinstance", OrganizationID: g.sc.Org, Model: model, ProviderID: provider}
}
