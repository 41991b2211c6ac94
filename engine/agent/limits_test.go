package agent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/models"
)

func TestProviderErrors(t *testing.T) {
	fail := func(k llm.ErrorKind) error { return llm.Fail("scripted", k, "what the provider said", nil) }
	for name, c := range map[string]struct {
		answer func(n int, emit func(llm.Chunk) bool) error
		state  models.TurnState
		calls  int
		reason string
		text   string
	}{
		"passes": {func(n int, emit func(llm.Chunk) bool) error {
			if n < 2 {
				return fail(llm.KindOverloaded)
			}
			emit(text("ok"))
			return nil
		}, models.TurnDone, 3, "", "ok"},
		"stays":  {func(int, func(llm.Chunk) bool) error { return fail(llm.KindNetwork) }, models.TurnFailed, 3, "what the provider said", ""},
		"refuse": {func(int, func(llm.Chunk) bool) error { return fail(llm.KindAuth) }, models.TurnFailed, 1, "refused the key", ""},
		"middle": {func(_ int, emit func(llm.Chunk) bool) error { emit(text("half")); return fail(llm.KindNetwork) }, models.TurnFailed, 1, "what the provider said", "half"},
		"empty":  {func(int, func(llm.Chunk) bool) error { return nil }, models.TurnFailed, 2, "empty answer", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
				return c.answer(n, emit)
			})
			g.run("a")
			turn := g.await(g.start("go"))
			require.Equal(t, c.state, turn.State)
			require.Contains(t, turn.Reason, c.reason)
			require.Len(t, g.model.asked(), c.calls)
			log := g.log()
			said := ""
			for _, m := range of[models.AssistantMessage](t, log) {
				said += m.Text
				require.Equal(t, c.state == models.TurnFailed, m.Cut)
			}
			require.Equal(t, c.text, said)
			if c.state == models.TurnFailed {
				require.Contains(t, of[models.TurnEnded](t, log)[0].Code, "llm.")
			}
		})
	}
}

func TestPanicFailsTheTurnOnly(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n == 0 {
			panic("a defect")
		}
		emit(text("fine"))
		return nil
	})
	g.run("a")
	turn := g.await(g.start("go"))
	require.Equal(t, models.TurnFailed, turn.State)
	require.Equal(t, "An internal error ended this turn", turn.Reason)
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
}

func TestLoopAndStepLimits(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, _ := lastUser(g2(r))
		if words == "loop" {
			emit(call("c"+itoa(n), "bash", `{"command":"echo same"}`))
		} else {
			emit(call("c"+itoa(n), "bash", `{"command":"echo `+itoa(n)+`"}`))
		}
		return nil
	})
	g.config = func(c *agent.Config) { c.MaxSteps = 5 }
	g.run("a")
	turn := g.await(g.start("loop"))
	require.Equal(t, models.TurnFailed, turn.State)
	require.Contains(t, turn.Reason, "same result each time")
	require.Equal(t, 3, turn.Steps)
	turn = g.await(g.start("steps"))
	require.Equal(t, models.TurnFailed, turn.State)
	require.Contains(t, turn.Reason, "after 5 steps")
	g.log()
}

// g2 cuts a request down to its last message with words.
func g2(r llm.Request) llm.Request {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		for _, p := range r.Messages[i].Parts {
			if p.Text == "loop" || p.Text == "steps" {
				return llm.Request{Messages: []llm.Message{{Parts: []llm.Part{p}}}}
			}
		}
	}
	return r
}
