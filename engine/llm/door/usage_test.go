package door_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// The ledger says of each attempt how it ended and what it would have cost without a router: the sums of the pages are made
// of that.
func TestTheLedgerTellsFailuresAndSavings(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	g.one.On("gpt-5-nano", llmtest.Broken, llmtest.Fine)
	got := g.ask(door.Ask{Model: door.Auto, Request: say("hi")})
	require.NoError(t, got.err)
	require.Equal(t, []door.Outcome{door.Failed, door.Answered}, got.outcomes())
	f := models.UsageFilter{From: g.clock.Now().Truncate(time.Hour), Until: g.clock.Now().Truncate(time.Hour).Add(time.Hour)}
	rows, err := g.sc.UsageEntries(t.Context(), f, "", "", 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	failures := []string{rows[0].Failure, rows[1].Failure}
	require.ElementsMatch(t, []string{"", string(llm.KindUpstream)}, failures)
	cells, err := g.sc.Usage(t.Context(), f, models.ByModel, nil)
	require.NoError(t, err)
	require.Len(t, cells, 1)
	sum := cells[0].UsageSum
	require.EqualValues(t, 1, sum.Errors)
	require.EqualValues(t, 2, sum.Compared, "what failed costs without saving")
	require.Equal(t, *got.decision.BaselineNanos, sum.BaselineNanos)
	require.Equal(t, *got.decision.BaselineNanos-got.decision.CostNanos, sum.SavedNanos(), "the decision says the same of the whole")
	require.Zero(t, sum.Unpriced)
}

// Without a router there is nothing to compare with, and a caller that leaves is no error.
func TestACallThatIsLeftIsNoError(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	plan, err := g.door.Plan(t.Context(), g.sc, door.Ask{Request: say("hi"), Instance: g.instance("", nil)})
	require.NoError(t, err)
	for range g.door.Answer(t.Context(), g.sc, plan, door.Ask{Request: say("hi"), Call: door.Call{Purpose: "test"}}) {
		break
	}
	cells, err := g.sc.Usage(t.Context(), models.UsageFilter{From: g.clock.Now().Truncate(time.Hour), Until: g.clock.Now().Truncate(time.Hour).Add(time.Hour)}, models.ByPurpose, nil)
	require.NoError(t, err)
	require.Len(t, cells, 1)
	require.EqualValues(t, 1, cells[0].Calls)
	require.Zero(t, cells[0].Errors)
	require.Zero(t, cells[0].Compared)
}
