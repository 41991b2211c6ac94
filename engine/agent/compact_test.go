package agent_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/secret"
	"lobstead/models"
)

// A long conversation is compacted by the offline extract; a later turn sees the summary, the log stays whole.
func TestLongConversationIsCompacted(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text(strings.Repeat("word ", 6000)))
		return nil
	})
	g.run("a")
	for n := range 14 {
		turn := g.await(g.start("message " + itoa(n%10) + " " + strings.Repeat("long ", 6000)))
		require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	}
	log := g.log()
	done := of[models.Compacted](t, log)
	require.NotEmpty(t, done)
	require.Less(t, done[0].After, done[0].Before)
	require.Contains(t, done[0].Summary, "message 0")
	for _, r := range g.model.asked() {
		require.Less(t, llm.EstimateRequest(r), 64_000)
		checkMessages(t, r.Messages)
		require.Contains(t, r.Messages[len(r.Messages)-1].Parts[len(r.Messages[len(r.Messages)-1].Parts)-1].Text, "message ")
	}
	s, err := g.sc.Session(t.Context(), g.session.ID)
	require.NoError(t, err)
	require.Positive(t, s.CompactedSeq)
}

// One turn that outgrows the window is compacted in the middle: between steps, never between call and result,
// and its question stays in sight.
func TestLongTurnIsCompactedBetweenSteps(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n < 40 {
			emit(call("c"+itoa(n), "write_file", `{"path":"f`+itoa(n)+`","content":"`+strings.Repeat("text ", 3000)+`"}`))
			return nil
		}
		emit(text("finished"))
		return nil
	})
	g.run("a")
	turn := g.await(g.start("the question"))
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	require.NotEmpty(t, of[models.Compacted](t, g.log()))
	for _, r := range g.model.asked() {
		checkMessages(t, r.Messages)
		require.Less(t, llm.EstimateRequest(r), 64_000)
		require.Contains(t, strings.Join(flat(r), "|"), "the question")
	}
}

func TestDoorOrderAndLedger(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("hi"))
		return nil
	})
	route, err := g.door.Resolve(t.Context(), g.sc, g.inst)
	require.NoError(t, err)
	require.True(t, route.Offline)
	g.door.Find(door.Found{Kind: "openai", Provider: g.model, Model: "gpt-4o"})
	route, err = g.door.Resolve(t.Context(), g.sc, g.inst)
	require.NoError(t, err)
	require.Equal(t, "gpt-4o", route.Model)
	require.Equal(t, 128000, route.Window)
	require.True(t, route.Images)
	built := 0
	g.door.Connect = func(_ *models.Provider, key secret.String) (llm.Provider, error) {
		built++
		require.Equal(t, "the key of it", key.Reveal())
		return g.model, nil
	}
	_, report, err := g.door.Try(t.Context(), g.sc, models.NewProvider{Kind: "anthropic", Key: secret.Of("the key of it")})
	require.NoError(t, err)
	require.Equal(t, "hi", report.Text)
	for range 3 {
		route, err = g.door.Resolve(t.Context(), g.sc, g.inst)
		require.NoError(t, err)
	}
	require.Equal(t, llm.DefaultModel("anthropic"), route.Model)
	require.Equal(t, 2, built, "once to try, once to keep")
	labels, err := g.door.Labels(t.Context(), g.sc, []models.Instance{*g.inst})
	require.NoError(t, err)
	require.Contains(t, labels[g.inst.ID], route.Model)
	before, err := g.sc.SpentSince(t.Context(), g.inst.CreatedAt.AddDate(-1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 1, before.Calls, "the try is in the ledger")
	require.Positive(t, before.CostNanos)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range g.door.Stream(ctx, g.sc, door.Call{Purpose: "test"}, route, llm.Request{Model: route.Model, System: "some words"}) {
		cancel() // the reader leaves in the middle
		break
	}
	after, err := g.sc.SpentSince(t.Context(), g.inst.CreatedAt.AddDate(-1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 2, after.Calls, "settled although it was cut")
	require.Greater(t, after.CostNanos, before.CostNanos)
}

func TestTitles(t *testing.T) {
	for in, want := range map[string]string{
		"Fix the login bug. It happens on Safari only.": "Fix the login bug",
		"## **List** my `files`\nplease":                "List my files",
		"":                                              "",
		"```go\nx\n```\nWhat does this do?":             "What does this do?",
		strings.Repeat("word ", 30):                     "word word word word word word word word word word word…",
	} {
		require.Equal(t, want, agent.PlainTitle(in))
	}
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("\"Model Title.\""))
		return nil
	})
	g.start("Name me after this! Not after that.")
	titler := &agent.Titler{Store: g.store, Door: g.door, Bus: g.bus}
	require.NoError(t, titler.Title(t.Context(), g.sc.Org, g.session.ID))
	s, err := g.sc.Session(t.Context(), g.session.ID)
	require.NoError(t, err)
	require.Equal(t, "Name me after this!", s.Title)
	require.Empty(t, g.model.asked(), "the offline model is not asked")
	g.door.Find(door.Found{Kind: "openai", Provider: g.model, Model: "gpt-4o"})
	second := g.newSession()
	g.startIn(second.ID, "whatever")
	require.NoError(t, titler.Title(t.Context(), g.sc.Org, second.ID))
	require.NoError(t, titler.Title(t.Context(), g.sc.Org, second.ID))
	s, err = g.sc.Session(t.Context(), second.ID)
	require.NoError(t, err)
	require.Equal(t, "Model Title", s.Title)
	require.Len(t, g.model.asked(), 1)
	require.NoError(t, titler.Title(t.Context(), g.sc.Org, "cgone"))
}
