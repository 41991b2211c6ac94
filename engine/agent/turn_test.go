package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

func TestHappyPath(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		switch n {
		case 0:
			emit(llm.Chunk{Thinking: "let me "})
			emit(llm.Chunk{Thinking: "see", Signature: "x:sig"})
			emit(text("I write "))
			emit(text("a file."))
			emit(call("c1", "write_file", `{"path":"a.txt","content":"one\ntwo\n"}`))
			emit(call("c1", "bash", `{"command":"echo hi"}`)) // a provider that repeats its ids
		case 1:
			emit(call("c3", "edit_file", `{"path":"a.txt","old_text":"two","new_text":"three"}`))
			emit(call("c4", "nonsense", `{}`))
		default:
			emit(text("Done."))
		}
		return nil
	})
	sub := g.bus.Subscribe(100, agent.SessionTopic(g.session.ID))
	defer sub.Close()
	g.run("a")
	turn := g.await(g.start("go"))
	require.Equal(t, models.TurnDone, turn.State)
	require.Equal(t, 3, turn.Steps)
	require.Equal(t, 30, turn.InputTokens)
	require.Equal(t, 15, turn.OutputTokens)
	require.NotNil(t, turn.FirstTokenAt)
	log := g.log()
	require.Equal(t, []models.EventKind{models.KindUser, models.KindThinking, models.KindAssistant, models.KindCall, models.KindCall,
		models.KindResult, models.KindResult, models.KindCall, models.KindCall, models.KindResult, models.KindResult,
		models.KindAssistant, models.KindEnded}, kinds(log))
	require.Equal(t, "I write a file.", of[models.AssistantMessage](t, log)[0].Text)
	require.True(t, of[models.AssistantMessage](t, log)[1].Final)
	results := of[models.ToolResult](t, log)
	require.Equal(t, "hi\n", results[1].Output)
	require.Equal(t, 0, *results[1].ExitCode)
	require.Contains(t, results[2].Diff, "-two\n+three\n")
	require.True(t, results[3].Error)
	require.Contains(t, results[3].Output, "bash, read_file")
	require.Equal(t, 30, of[models.TurnEnded](t, log)[0].InputTokens)

	answer, err := g.turns.Answer(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	require.Equal(t, "Done.", answer.Text)
	require.Equal(t, log[11].ID, answer.MessageID)
	require.Len(t, answer.ToolsUsed, 4)
	require.Equal(t, "error", answer.ToolsUsed[3].Status)
	spent, err := g.sc.SpentSince(t.Context(), time.Time{})
	require.NoError(t, err)
	require.EqualValues(t, 3, spent.Calls, "offline calls are counted too")
	require.Contains(t, g.model.asked()[1].System, `"one"`)
	think := g.model.asked()[1].Messages[1].Parts[0].Thinking
	require.Equal(t, "x:sig", think.Signature)
	var last string
	for len(sub.C()) > 0 {
		if e := <-sub.C(); len(e.Payload) > 0 {
			last = string(e.Payload)
		}
	}
	require.NotEmpty(t, last)
}

func TestPartsAreShownAtOnceAndForgotten(t *testing.T) {
	hold := make(chan struct{})
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("Hel"))
		<-hold
		for range 200 {
			emit(text("o"))
		}
		return nil
	})
	g.run("a")
	parts := make(chan events.Part, 1000)
	turn := g.start("go")
	defer g.bus.Listen(events.PartsTopic(turn.ID), func(e events.Event) { p, _ := events.DecodePart(e.Payload); parts <- p })()
	require.Eventually(t, func() bool {
		ps, _ := g.bus.Parts(t.Context(), turn.ID, 1)
		return len(ps) == 1 && ps[0].Text == "Hel" && ps[0].Kind == "text/1"
	}, 5*time.Second, time.Millisecond)
	close(hold)
	g.await(turn)
	require.Less(t, len(parts), 20, "two hundred pieces were joined")
	rest := ""
	for len(parts) > 0 {
		p := <-parts
		rest += p.Text
	}
	require.True(t, strings.HasSuffix("Hel"+strings.Repeat("o", 200), rest))
	require.Eventually(t, func() bool { ps, _ := g.bus.Parts(t.Context(), turn.ID, 1); return len(ps) == 0 }, 5*time.Second, time.Millisecond)
}

func TestQueuedMessagesRunInOrderAndAreNotSeenBeforeOrWhenTakenBack(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, result := lastUser(r)
		if words == "first" && result == nil {
			emit(call("w", "bash", `{"command":"wait x"}`))
			return nil
		}
		emit(text("answer " + itoa(n)))
		return nil
	})
	g.run("a")
	one := g.start("first")
	wait(t, g.boxes.running)
	two, three := g.start("second"), g.start("third")
	stopped, err := g.turns.Stop(t.Context(), g.sc, g.start("never").ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, stopped.State, "a queued turn ends at once")
	close(g.boxes.release)
	for _, turn := range []*models.Turn{one, two, three} {
		require.Equal(t, models.TurnDone, g.await(turn).State)
	}
	g.log()
	asked := g.model.asked()
	require.Len(t, asked, 4)
	require.Equal(t, []string{"first", "call", "result"}, flat(asked[1]), "no later message before its turn")
	require.Equal(t, []string{"first", "call", "result", "answer 1", "second"}, flat(asked[2]))
	require.Equal(t, []string{"first", "call", "result", "answer 1", "second", "answer 2", "third"}, flat(asked[3]))
}

func itoa(n int) string { return string(rune('0' + n)) }

func flat(r llm.Request) []string {
	var out []string
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			switch {
			case p.Call != nil:
				out = append(out, "call")
			case p.Result != nil:
				out = append(out, "result")
			default:
				out = append(out, p.Text)
			}
		}
	}
	return out
}

func TestStopWhileStreaming(t *testing.T) {
	began := make(chan struct{}, 1)
	g := newRig(t, func(ctx context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("a long"))
		emit(text(" story"))
		began <- struct{}{}
		<-ctx.Done()
		return llm.Fail("scripted", llm.KindCancelled, "cancelled", ctx.Err())
	})
	g.run("a")
	turn := g.start("tell")
	wait(t, began)
	from := time.Now()
	_, err := g.turns.Stop(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	turn = g.await(turn)
	t.Logf("stopped after %s", time.Since(from))
	require.Equal(t, models.TurnInterrupted, turn.State)
	require.Equal(t, "Stopped by Owner of Acme", turn.Reason)
	m := of[models.AssistantMessage](t, g.log())[0]
	require.Equal(t, "a long story", m.Text)
	require.True(t, m.Cut)
	require.Positive(t, turn.OutputTokens, "what was said until then is counted")
}

func TestStopWhileAToolRuns(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if words, _ := lastUser(r); words == "again" {
			emit(text("fine"))
			return nil
		}
		emit(call("w", "bash", `{"command":"wait x"}`))
		emit(call("v", "bash", `{"command":"count y"}`))
		return nil
	})
	g.run("a")
	turn := g.start("go")
	wait(t, g.boxes.running)
	stopped, err := g.turns.StopSession(t.Context(), g.sc, g.session.ID)
	require.NoError(t, err)
	require.Equal(t, turn.ID, stopped.ID)
	require.Equal(t, models.TurnInterrupted, g.await(turn).State)
	log := g.log()
	results := of[models.ToolResult](t, log)
	require.Len(t, results, 2)
	require.True(t, results[0].Interrupted)
	require.Equal(t, 3, results[0].Killed)
	require.Contains(t, results[0].Output, "waiting")
	require.Contains(t, results[1].Output, "not run")
	require.Equal(t, 3, of[models.TurnEnded](t, log)[0].Killed)
	require.Zero(t, g.boxes.effects["y"])
	require.Equal(t, models.TurnDone, g.await(g.start("again")).State)
	none, err := g.turns.StopSession(t.Context(), g.sc, g.session.ID)
	require.NoError(t, err)
	require.Nil(t, none)
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	g := newRig(t, nil)
	turn := g.start("nobody runs this")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := g.turns.Await(ctx, g.sc, turn.ID)
	require.True(t, fault.Is(err, fault.Timeout), "%v", err)
	_, err = g.turns.Await(t.Context(), g.sc, "cnone")
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestAttachments(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("seen"))
		return nil
	})
	g.run("a")
	turn := g.startIn(g.session.ID, "look", models.Upload{Name: "a.png", MediaType: "image/png", Data: []byte("png")})
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Equal(t, "png", string(g.boxes.get(g.inst.ID).files["uploads/a.png"]))
	require.Contains(t, flat(g.model.asked()[0])[1], "uploads/a.png")
}
