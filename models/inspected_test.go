package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestRanges(t *testing.T) {
	t.Parallel()
	for text, seqs := range map[string][]int64{"": nil, "7": {7}, "1-3": {1, 2, 3}, "1-2,4,6-9": {1, 2, 4, 6, 7, 8, 9}} {
		require.Equal(t, text, models.Ranges(seqs))
	}
}

// What a turn saw is kept once, is read by its own organization only, and is forgotten in time.
func TestInspectedRows(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, at)
	sc, _, session := conversation(t, store)
	hash := models.ContextHash(at.Now(), "prompt")
	require.NotEqual(t, hash, models.ContextHash(at.Now().AddDate(0, 1, 0), "prompt"), "each month has its own")
	step := models.TurnStep{Step: 1, Model: "m", Seqs: "1,3", MemoryTokens: 5, CacheReadTokens: 2, SystemHash: hash, BeganAt: at.Now(), CreatedAt: at.Now()}
	var last *models.Turn
	for range 2 {
		last = say(t, sc, session.ID, "hello")
		lease := claim(t, sc, last.ID, "node/1")
		_, err := sc.AppendTurn(t.Context(), lease, models.TurnProgress{Model: "m", InputTokens: 10, OutputTokens: 5, CostNanos: 7, Calls: []models.TurnStep{step}, Texts: map[string]string{hash: "prompt"}},
			models.ToolCall{CallID: "a", Tool: "bash"}, models.ToolResult{CallID: "a", Tool: "bash", Error: true})
		require.NoError(t, err)
		last, err = sc.EndTurn(t.Context(), lease, models.TurnFinish, models.TurnEnded{}, models.ToolResult{CallID: "b", Tool: "bash"})
		require.NoError(t, err)
	}
	require.Equal(t, []int{2, 1}, []int{last.ToolCalls, last.ToolFailures})
	steps, err := sc.TurnSteps(t.Context(), last.ID)
	require.NoError(t, err)
	require.Len(t, steps, 1)
	require.Equal(t, 1, steps[0].Attempt)
	text, err := sc.ContextText(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, "prompt", text)
	events, err := sc.EventsAt(t.Context(), session.ID, "1,3-4")
	require.NoError(t, err)
	require.Len(t, events, 3)
	require.EqualValues(t, 3, events[1].Seq)
	_, err = sc.EventsAt(t.Context(), session.ID, "x")
	require.Error(t, err)

	other, _ := modelstest.Found(t, store, "Beta")
	_, err = other.ContextText(t.Context(), hash)
	require.True(t, fault.Is(err, fault.NotFound))
	foreign, err := other.TurnSteps(t.Context(), last.ID)
	require.NoError(t, err)
	require.Empty(t, foreign)
	_, err = other.GradeTurn(t.Context(), last.ID, 3, "", false)
	require.True(t, fault.Is(err, fault.NotFound))

	_, err = sc.GradeTurn(t.Context(), last.ID, 4, "good", false)
	require.NoError(t, err)
	h, err := sc.Habits(t.Context(), at.Now().Add(-time.Hour))
	require.NoError(t, err)
	m := models.ModelHabits{Model: "m", Turns: 2, CostNanos: 14, InputTokens: 20, OutputTokens: 10, Grades: 1, GradeSum: 4, Sighted: 2, WithCache: 2}
	require.Equal(t, models.Habits{Sessions: 1, Turns: 2, CostNanos: 14, InputTokens: 20, OutputTokens: 10, ToolCalls: 4, ToolFailures: 2, Grades: 1, GradeSum: 4,
		Sighted: 2, WithMemory: 2, WithCache: 2, Models: []models.ModelHabits{m}}, *h)
	h, err = other.Habits(t.Context(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, models.Habits{}, *h)

	require.NoError(t, sc.Hear(t.Context(), &models.Opinion{Kind: models.Answer, TurnID: &last.ID, Text: "again"}))
	trim := store.AsSystem("test").TrimInspected
	at.Add(models.DecisionLife - time.Minute)
	require.NoError(t, trim(t.Context()))
	require.NotEmpty(t, must(sc.TurnSteps(t.Context(), last.ID)))
	at.Add(2 * time.Minute)
	require.NoError(t, trim(t.Context()))
	require.Empty(t, must(sc.TurnSteps(t.Context(), last.ID)))
	require.Empty(t, must(sc.TurnOpinions(t.Context(), last.ID, models.Answer)))
	_, err = sc.ContextText(t.Context(), hash)
	require.NoError(t, err, "a step of the month's last day could still name it")
	at.Add(31 * 24 * time.Hour)
	require.NoError(t, trim(t.Context()))
	_, err = sc.ContextText(t.Context(), hash)
	require.True(t, fault.Is(err, fault.NotFound))
	require.NotNil(t, must(sc.TurnGrade(t.Context(), last.ID)), "grades stay with their turn")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
