package agent_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/models"
)

// A run that answers with the mark alone is quiet; whatever else it says was produced, and in a conversation of people the
// mark means nothing.
func TestQuietRuns(t *testing.T) {
	said := ""
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		emit(text(said))
		return nil
	})
	stop := g.run("node")
	defer stop()
	next := time.Now().Add(time.Hour)
	a, _, err := g.sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: g.inst.ID, Name: "n", Prompt: "watch it", Kind: models.AutomationCron, Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &next})
	require.NoError(t, err)
	for answer, want := range map[string]models.RunState{
		"NOTHING_TO_REPORT": models.RunQuiet, " `nothing_to_report`.\n": models.RunQuiet, "**Nothing to report!**": models.RunQuiet,
		"NOTHING_TO_REPORT, but the disk is full": models.RunProduced, "All is well": models.RunProduced,
	} {
		said = answer
		run, err := g.sc.StartRun(t.Context(), a.ID, models.Run{Cause: models.RunNow, Due: time.Now(), Text: "watch it", Source: "schedule"})
		require.NoError(t, err)
		g.turns.Accepted(t.Context(), g.sc.Org, run.SessionID, run.TurnID)
		turn, err := g.sc.Turn(t.Context(), run.TurnID)
		require.NoError(t, err)
		g.await(turn)
		ended, err := g.sc.Run(t.Context(), a.ID, run.ID)
		require.NoError(t, err)
		require.Equal(t, want, ended.State, answer)
		log, err := g.sc.TurnEvents(t.Context(), run.TurnID)
		require.NoError(t, err)
		require.Equal(t, want == models.RunQuiet, decode[models.TurnEnded](t, log[len(log)-1]).Quiet, "who delivers answers can tell")
		asked := g.model.asked()
		require.Contains(t, asked[len(asked)-1].System, agent.NothingToReport)
	}
	said = agent.NothingToReport
	turn := g.await(g.start("hello"))
	log, err := g.sc.TurnEvents(t.Context(), turn.ID)
	require.NoError(t, err)
	require.False(t, decode[models.TurnEnded](t, log[len(log)-1]).Quiet)
	asked := g.model.asked()
	require.NotContains(t, asked[len(asked)-1].System, agent.NothingToReport)
}
