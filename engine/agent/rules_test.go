package agent_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/clock"
	"lobstead/models"
)

// settle gives the rig's agent settings in the fleet API's words.
func (g *rig) settle(settings map[string]any) {
	g.t.Helper()
	_, err := g.sc.ChangeProfile(g.t.Context(), g.inst.ID, models.ProfileChange{Settings: settings})
	require.NoError(g.t, err)
}

// say sends a message by the API's channel.
func (g *rig) say(words string) *models.Turn {
	g.t.Helper()
	turn, _, err := g.turns.Start(g.t.Context(), g.sc, g.session.ID, models.Input{Text: words, Source: "test", Message: &models.NewMessage{Channel: models.APIChannel, QueueMode: models.Collect}})
	require.NoError(g.t, err)
	return turn
}

// A turn that takes longer than its agent lets it fails with that reason, whether a program runs or a model talks; what it started is gone.
func TestTurnsEndWhenTheirTimeIsOver(t *testing.T) {
	g := newRig(t, func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		switch words, _ := lastUser(r); {
		case words == "run":
			emit(call("c1", "bash", `{"command":"wait for ever"}`))
		case words == "talk":
			emit(text("I begin"))
			<-ctx.Done()
			return ctx.Err()
		default:
			emit(text("done"))
		}
		return nil
	})
	g.settle(map[string]any{"timeout_seconds": 0.4})
	g.run("a")
	for words, killed := range map[string]int{"run": 3, "talk": 0} {
		turn := g.await(g.start(words))
		require.Equal(t, models.TurnFailed, turn.State, words)
		require.Contains(t, turn.Reason, "timeout_seconds", words)
		ends := of[models.TurnEnded](t, g.log())
		last := ends[len(ends)-1]
		require.Equal(t, "turn.time", last.Code, words)
		require.Equal(t, killed, last.Killed, words)
	}
	said := of[models.AssistantMessage](t, g.log())
	require.Equal(t, "I begin", said[0].Text)
	require.True(t, said[0].Cut, "what was shown stays")
	require.Equal(t, models.TurnDone, g.await(g.start("quick")).State, "one that is quick enough is whole")
	g.settle(map[string]any{})
	require.Zero(t, g.rules().Timeout())
}

func (g *rig) rules() models.AgentRules {
	p, err := g.sc.AgentProfile(g.t.Context(), g.inst.ID)
	require.NoError(g.t, err)
	return p.Rules()
}

// The time counts from the turn's begin over all workers: one that takes a turn over does not begin anew.
func TestTimeCountsOverWorkers(t *testing.T) {
	fake := clock.NewFake(time.Now())
	g := newRigAt(t, fake, func(ctx context.Context, _ int, _ llm.Request, _ func(llm.Chunk) bool) error {
		<-ctx.Done()
		return ctx.Err()
	})
	g.settle(map[string]any{"timeout_seconds": 3600})
	turn := g.start("hello")
	_, lease, err := g.sc.ClaimTurn(t.Context(), turn.ID, "dead/1")
	require.NoError(t, err)
	require.NoError(t, g.sc.ReleaseTurn(t.Context(), lease))
	fake.Add(2 * time.Hour)
	g.run("b")
	require.Contains(t, g.await(turn).Reason, "1h0m0s")
}

func TestCompactionFollowsTheAgentsSettings(t *testing.T) {
	asked := []llm.Request{}
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if strings.HasPrefix(r.System, "You compact") {
			asked = append(asked, r)
			emit(text("the short of it"))
			return nil
		}
		emit(text(strings.Repeat("word ", 6000)))
		return nil
	})
	g.door.Find(door.Found{Kind: "openai", Provider: g.model, Model: "gpt-4o"}) // a window of 128,000 tokens
	long := func(n int) []models.Compacted {
		for range n {
			require.Equal(t, models.TurnDone, g.await(g.start("message "+strings.Repeat("long ", 6000))).State)
		}
		return of[models.Compacted](t, g.log())
	}
	g.settle(map[string]any{"compaction": map[string]any{"enabled": false, "threshold_trigger": 50_000}})
	g.run("a")
	require.Empty(t, long(5), "it is off: nothing is summed up though the threshold is passed")
	g.settle(map[string]any{"compaction": map[string]any{"threshold_trigger": json.Number("5.0e4"), "model": "gpt-4o-mini", "instructions": "Keep every price."}})
	require.NotEmpty(t, long(1))
	require.NotEmpty(t, asked)
	require.Equal(t, "gpt-4o-mini", asked[0].Model)
	require.Contains(t, asked[0].System, "Keep every price.")
	turn, err := g.sc.LastTurn(t.Context(), g.session.ID)
	require.NoError(t, err)
	bill, err := g.sc.TurnLedger(t.Context(), turn.ID)
	require.NoError(t, err)
	sum, short := int64(0), 0
	for _, e := range bill {
		sum += e.CostNanos
		if e.Purpose == "compaction" {
			short++
			require.Equal(t, []any{"gpt-4o-mini", "", int64(10*150 + 5*600)}, []any{e.Model, e.Failure, e.CostNanos}, "charged as the model that made it")
		}
	}
	require.Equal(t, len(asked), short)
	require.Equal(t, sum, turn.CostNanos, "and to the turn that needed it")
	for _, r := range g.model.asked()[7:] {
		require.Less(t, llm.EstimateRequest(r), 66_000)
	}
	other := g.newSession()
	g.session = other
	g.settle(map[string]any{})
	require.Empty(t, long(5), "without a setting the model's window decides")
}

func TestHookMessages(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		if n == 0 {
			emit(call("c1", "bash", `{"command":"wait a"}`))
		} else {
			emit(text("fine"))
		}
		return nil
	})
	g.settle(map[string]any{"hook_messages": map[string]any{"channel_message_received": "Answer in 5 words.", "unread_message_reminder": "Hurry: others wait."}, "unread_reminder_interval_ms": 50})
	g.run("a")
	first := g.say("one")
	wait(t, g.boxes.running)
	second := g.say("two")
	time.Sleep(80 * time.Millisecond)
	close(g.boxes.release)
	require.Equal(t, models.TurnDone, g.await(first).State)
	require.Equal(t, models.TurnDone, g.await(second).State)
	third := g.await(g.start("by the page"))
	notices := map[string][]string{}
	for _, e := range g.log() {
		if e.Kind == models.KindNotice {
			notices[*e.TurnID] = append(notices[*e.TurnID], decode[models.Notice](t, e).Text)
		}
	}
	require.Equal(t, []string{"Answer in 5 words.", "Hurry: others wait."}, notices[first.ID])
	require.Equal(t, []string{"Answer in 5 words."}, notices[second.ID])
	require.Empty(t, notices[third.ID], "only messages by a channel are announced")
	seen := strings.Join(flat(g.model.asked()[0]), "|")
	require.Contains(t, seen, "Answer in 5 words.")
	require.Contains(t, strings.Join(flat(g.model.asked()[1]), "|"), "Hurry: others wait.")
}

func TestMemoryFollowsTheAgentsSettings(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, result := lastUser(r)
		if tool, input, ok := strings.Cut(words, " "); ok && result == nil && (tool == "remember" || tool == "recall") {
			emit(call("c", tool, input))
			return nil
		}
		emit(text("fine"))
		return nil
	})
	g.run("a")
	do := func(words string) models.ToolResult {
		turn := g.await(g.start(words))
		require.Equal(t, models.TurnDone, turn.State, turn.Reason)
		results := of[models.ToolResult](t, g.log())
		return results[len(results)-1]
	}
	prompt := func() string { all := g.model.asked(); return all[len(all)-1].System }
	do(`remember {"key":"lasting","value":"kept for ever"}`)
	do(`remember {"tier":"episodic","value":"it happened"}`)

	g.settle(map[string]any{"memory_config": map[string]any{"persistence": "ephemeral"}})
	require.Contains(t, do(`remember {"key":"passing","value":"only here","category":"user_pref"}`).Output, "ephemeral")
	require.Contains(t, do(`recall {}`).Output, "passing: only here")
	require.NotContains(t, do(`recall {}`).Output, "kept for ever")
	require.Contains(t, prompt(), "only here")
	require.NotContains(t, prompt(), "kept for ever")
	g.session = g.newSession()
	require.Contains(t, do(`recall {}`).Output, "nothing found", "another conversation knows nothing of it")

	g.settle(map[string]any{"memory_config": map[string]any{"type": "flat"}})
	require.Contains(t, do(`remember {"tier":"episodic","value":"x"}`).Output, "flat")
	require.False(t, do(`remember {"key":"second","value":"kept too"}`).Error)
	out := do(`recall {}`).Output
	require.Contains(t, out, "kept for ever")
	require.NotContains(t, out, "it happened")
	require.NotContains(t, prompt(), "it happened")

	g.settle(map[string]any{"memory_config": map[string]any{"max_size_mb": 1}})
	big := strings.Repeat("x", 8000)
	for n := range 131 {
		_, err := g.sc.Remember(t.Context(), models.NewMemory{InstanceID: g.inst.ID, Key: "k" + strings.Repeat("i", n), Value: big})
		require.NoError(t, err, n)
	}
	r := do(`remember {"key":"more","value":"` + big + `"}`)
	require.True(t, r.Error)
	require.Contains(t, r.Output, "full (1 MB)")
	require.False(t, do(`remember {"key":"k","value":"smaller"}`).Error, "what is there already may become smaller")
}

// The first tool call wakes a sandbox that sleeps; nobody is told that one was lost, because none was.
func TestToolCallWakesASleepingSandbox(t *testing.T) {
	fake := clock.NewFake(time.Now())
	g := newRigAt(t, fake, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if _, result := lastUser(r); result == nil {
			emit(call("c1", "bash", `{"command":"echo hello"}`))
		} else {
			emit(text("fine"))
		}
		return nil
	})
	_, err := g.sc.Observe(t.Context(), g.inst.ID, models.Observed{Saw: models.SawRunning, Generation: g.inst.Generation})
	require.NoError(t, err)
	g.settle(map[string]any{"warmth_window_ms": 300_000})
	fake.Add(time.Hour)
	slept, err := g.store.AsSystem("test").SleepIdle(t.Context())
	require.NoError(t, err)
	require.Len(t, slept, 1)
	g.run("a")
	turn := g.await(g.start("go"))
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	require.Equal(t, "hello\n", of[models.ToolResult](t, g.log())[0].Output)
	require.Empty(t, of[models.Notice](t, g.log()))
	i, err := g.sc.Instance(t.Context(), g.inst.ID)
	require.NoError(t, err)
	require.False(t, i.Asleep())
	require.NotNil(t, i.LastActiveAt)
}
