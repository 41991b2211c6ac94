package agent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/secret"
	"lobstead/models"
)

// stage is a rig whose organization connected two services; the anthropic one is the default, and answer plays both.
func stage(t *testing.T, answer func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error) *rig {
	g := newRig(t, answer)
	g.door.Connect = func(row *models.Provider, _ secret.String) (llm.Provider, error) {
		return named{g.model, row.Kind}, nil
	}
	for _, n := range []models.NewProvider{{Kind: "openai", Model: "gpt-5-mini"}, {Kind: "anthropic", Model: "claude-opus-5-5"}} {
		n.Key = secret.Of("sk-some-key-of-it")
		_, err := g.sc.ConnectProvider(t.Context(), n, "ok")
		require.NoError(t, err)
	}
	return g
}

// named is the scripted model under a service's name.
type named struct {
	*scripted
	name string
}

func (n named) Name() string { return n.name }

func TestATurnFallsBackBeforeItsFirstWordAndSaysWhoAnswered(t *testing.T) {
	g := stage(t, func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		if r.Model == "claude-opus-5-5" {
			emit(llm.Chunk{Thinking: "hm"})
			return llm.Fail("anthropic", llm.KindQuota, "no credit left", nil)
		}
		emit(text("answered"))
		return nil
	})
	g.run("a")
	turn := g.await(g.start("go"))
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	m := of[models.AssistantMessage](t, g.log())[0]
	require.Equal(t, "answered", m.Text)
	require.Equal(t, "openai", m.Provider)
	require.Equal(t, "gpt-5-mini", m.Model)
	require.Empty(t, of[models.Thinking](t, g.log()), "what the first one thought is void")
	require.Equal(t, "openai", turn.Provider)
	rows, err := g.sc.TurnDecisions(t.Context(), turn.ID)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "gpt-5-mini", rows[0].Model)
	require.Equal(t, "anthropic/claude-opus-5-5", rows[0].Chosen)
	require.Contains(t, rows[0].Attempts, "no credit left")
	require.Equal(t, turn.SessionID, rows[0].SessionID)
	spent, err := g.sc.SpentSince(t.Context(), g.inst.CreatedAt.AddDate(-1, 0, 0))
	require.NoError(t, err)
	require.Equal(t, spent.CostNanos, turn.CostNanos, "the turn pays for both")
}

func TestAnInstanceOnAutoHasOneModelForATurn(t *testing.T) {
	g := stage(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n < 2 {
			emit(call("c"+itoa(n), "bash", `{"command":"echo `+itoa(n)+`"}`))
			return nil
		}
		emit(text("done"))
		return nil
	})
	auto, err := g.sc.CreateInstance(t.Context(), models.NewInstance{Name: "auto", Region: "local", Tier: models.Starter, Model: door.Auto})
	require.NoError(t, err)
	s, err := g.sc.CreateSession(t.Context(), models.NewSession{InstanceID: auto.ID})
	require.NoError(t, err)
	g.run("a")
	turn := g.await(g.startIn(s.ID, "hi"))
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	for _, r := range g.model.asked() {
		require.Equal(t, "gpt-5-mini", r.Model, "the only cheap one")
	}
	rows, err := g.sc.TurnDecisions(t.Context(), turn.ID)
	require.NoError(t, err)
	require.Len(t, rows, 1, "one decision for the turn")
	require.True(t, rows[0].Routed)
	require.Equal(t, "claude-opus-5-5", rows[0].BaselineModel)
	require.Greater(t, *rows[0].BaselineNanos, rows[0].CostNanos)
	labels, err := g.door.Labels(t.Context(), g.sc, []models.Instance{*auto})
	require.NoError(t, err)
	require.Equal(t, "Chosen for each request", labels[auto.ID])
}
