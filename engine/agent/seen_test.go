package agent_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// shown holds what was kept of a turn's calls against what the model was really sent, to the byte.
func (g *rig) shown(turn *models.Turn, sent []llm.Request) []models.TurnStep {
	g.t.Helper()
	steps, err := g.sc.TurnSteps(g.t.Context(), turn.ID)
	require.NoError(g.t, err)
	require.Len(g.t, steps, len(sent), "one row for each call")
	for i := range steps {
		seen, err := g.turns.Seen(g.t.Context(), g.sc, &steps[i])
		require.NoError(g.t, err)
		require.True(g.t, seen.Exact, "step %d", steps[i].Step)
		require.Equal(g.t, sent[i].System, seen.Request.System)
		require.Equal(g.t, fmt.Sprintf("%+v", plainly(sent[i].Messages)), fmt.Sprintf("%+v", plainly(seen.Request.Messages)))
		require.Len(g.t, seen.Request.Tools, len(sent[i].Tools))
		for n, tool := range sent[i].Tools {
			require.Equal(g.t, tool.Name, seen.Request.Tools[n].Name)
			require.JSONEq(g.t, string(tool.Schema), string(seen.Request.Tools[n].Schema))
		}
		require.InDelta(g.t, llm.EstimateRequest(sent[i]), steps[i].PromptTokens(), 20)
	}
	return steps
}

// plainly gives parts by value.
func plainly(in []llm.Message) []string {
	out := []string{}
	for _, m := range in {
		for _, p := range m.Parts {
			line := string(m.Role) + " " + p.Text
			if p.Call != nil {
				line += fmt.Sprintf(" %+v", *p.Call)
			}
			if p.Result != nil {
				line += fmt.Sprintf(" %+v", *p.Result)
			}
			if p.Thinking != nil {
				line += fmt.Sprintf(" %+v", *p.Thinking)
			}
			if p.Image != nil {
				line += fmt.Sprintf(" %x", p.Image.Data)
			}
			out = append(out, line)
		}
	}
	return out
}

func TestSeenIsWhatWasSent(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.model.answer = func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, result := lastUser(r)
		switch {
		case result == nil && strings.HasPrefix(words, "run"):
			emit(llm.Chunk{Thinking: "let me see"})
			emit(text("I look."))
			emit(call(fmt.Sprint("a", n), "bash", `{"command":"echo <script>alert(1)</script>"}`))
			emit(call(fmt.Sprint("b", n), "remember", `{"key":"k","value":"told"}`))
			return nil
		case strings.HasPrefix(words, "[Attached"):
			return llm.Fail("scripted", llm.KindBadRequest, "no", io.EOF)
		}
		emit(text("done"))
		return nil
	}
	g.run("a")
	_, err := g.sc.Remember(t.Context(), models.NewMemory{InstanceID: g.inst.ID, Key: "plan", Value: "first"})
	require.NoError(t, err)
	asked := func() int { return len(g.model.asked()) }

	first := g.await(g.start("hello"))
	n := asked()
	steps := g.shown(first, g.model.asked())
	require.Equal(t, 1, steps[0].Step)
	require.Positive(t, steps[0].MemoryTokens)
	require.Equal(t, "scripted", steps[0].Provider)
	require.Equal(t, 10, steps[0].InputTokens)
	require.NotEmpty(t, steps[0].CallID)
	require.Contains(t, steps[0].Attempts, "answered")

	second := g.await(g.start("run it"))
	sent := g.model.asked()[n:]
	steps = g.shown(second, sent)
	require.Len(t, steps, 2)
	require.Greater(t, steps[1].HistoryTokens, steps[0].HistoryTokens)
	require.NotEqual(t, steps[0].SystemHash, steps[1].SystemHash, "the step remembered something")
	require.Equal(t, steps[0].ToolsHash, steps[1].ToolsHash)

	// What changes later changes nothing of what was seen.
	_, err = g.sc.Remember(t.Context(), models.NewMemory{InstanceID: g.inst.ID, Key: "plan", Value: "second"})
	require.NoError(t, err)
	n = asked()
	third := g.await(g.startIn(g.session.ID, "fail", models.Upload{Name: "a.txt", MediaType: "text/plain", Data: []byte("x")}))
	require.Equal(t, models.TurnFailed, third.State)
	steps = g.shown(third, g.model.asked()[n:])
	require.Equal(t, "bad_request", steps[len(steps)-1].Failure, "what failed was kept too")
	g.shown(second, sent)
	seen, err := g.turns.Seen(t.Context(), g.sc, &steps[0])
	require.NoError(t, err)
	require.Contains(t, seen.Request.System[seen.Memory:], `"second"`)
	require.NotContains(t, seen.Request.System[:seen.Memory], `"second"`)

	// Somebody else has no such turn.
	_, err = g.turns.Seen(t.Context(), g.store.In("nobody"), &steps[0])
	require.True(t, fault.Is(err, fault.NotFound))
}

// A compacted and shortened conversation, with a message that came while an earlier turn ran.
func TestSeenAfterCompaction(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	var sent []llm.Request
	g.model.answer = func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		_, result := lastUser(r)
		if result == nil || n%7 != 0 {
			emit(call(fmt.Sprint("c", n), "read_file", `{"path":"uploads/long.txt"}`))
			return nil
		}
		emit(text("done"))
		return nil
	}
	g.run("a")
	last := g.startIn(g.session.ID, "one", models.Upload{Name: "long.txt", MediaType: "text/plain", Data: []byte(strings.Repeat("words and numbers 123\n", 700))})
	var turns []*models.Turn
	for i := range 6 {
		next := g.start(fmt.Sprint("message ", i))
		turns = append(turns, g.await(last))
		last = next
	}
	turns = append(turns, g.await(last))
	sent = g.model.asked()
	compacted, cut := false, false
	for _, turn := range turns {
		steps, err := g.sc.TurnSteps(t.Context(), turn.ID)
		require.NoError(t, err)
		require.LessOrEqual(t, len(steps), len(sent))
		g.shown(turn, sent[:len(steps)])
		sent = sent[len(steps):]
		for _, s := range steps {
			compacted, cut = compacted || s.SummaryHash != "", cut || s.Shortened > 0
		}
	}
	require.Empty(t, sent)
	require.True(t, compacted, "nothing was compacted: the test is too small")
	require.True(t, cut, "nothing was shortened: the test is too small")
}

// BenchmarkSight is what keeping a step costs: measured as the difference of a whole step with and without it in a long
// conversation (see docs/turns.md), and here as what is done beside the transaction that a step has anyway.
func BenchmarkSight(b *testing.B) {
	var messages []llm.Message
	for i := range 200 {
		role := llm.User
		if i%2 == 1 {
			role = llm.Assistant
		}
		messages = append(messages, llm.Message{Role: role, Parts: []llm.Part{{Text: strings.Repeat(fmt.Sprint("some words of message ", i, ", with code(); "), 25)}}})
	}
	for name, f := range map[string]func(){"first step of a turn": func() { agent.Measure(messages) }, "further step": func() { agent.Measure(messages[195:]) }} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
	b.Run("rows", func(b *testing.B) {
		g := newRig(b, nil)
		turn := g.start("hello")
		_, lease, err := g.sc.ClaimTurn(b.Context(), turn.ID, "bench")
		require.NoError(b, err)
		for _, with := range []bool{false, true} {
			b.Run(fmt.Sprint(with), func(b *testing.B) {
				for b.Loop() {
					p := models.TurnProgress{}
					if with {
						p.Calls = []models.TurnStep{{Step: 1, Provider: "p", Model: "m", Seqs: "1-200", BeganAt: time.Now(), CreatedAt: time.Now()}}
					}
					_, err := g.sc.AppendTurn(b.Context(), lease, p, models.Notice{Text: "n"})
					require.NoError(b, err)
				}
			})
		}
	})
}
