package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// Who waits for a person writes to those who can do something about it: once, a minute later, and not when it is decided
// by then.
func TestLettersOfWhatWaits(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, inst, _ := conversation(t, store)
	system := store.AsSystem("test")
	owner := sc.Actor.UserID
	_, admin := joined(t, store, sc, "ada@example.com", models.Admin)
	_, member := joined(t, store, sc, "mel@example.com", models.Member)
	address := map[*models.Scope]string{sc: "acme@example.com", admin: "ada@example.com", member: "mel@example.com"}
	pending := func() []string {
		rows, err := system.AllDeliveries(t.Context(), models.DeliveryFilter{State: models.DeliveryPending})
		require.NoError(t, err)
		out := []string{}
		for _, d := range rows {
			require.Equal(t, now.Now().Add(time.Minute), d.NextAt.UTC())
			out = append(out, d.Destination)
		}
		return out
	}
	begin := func(by *models.Scope) *models.Turn {
		session, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
		require.NoError(t, err)
		return say(t, by, session.ID, "go")
	}
	letter := &models.Mail{Subject: "It waits", Text: "https://example.org/approvals"}
	ask := func(by *models.Scope) *models.Approval {
		turn := begin(by)
		a := &models.Approval{InstanceID: turn.InstanceID, CallID: "c1", Tool: "bash", Input: `{}`, Fingerprint: "f", RuleName: "r", Reason: "why"}
		l := claim(t, sc, turn.ID, "w")
		_, err := sc.AppendTurn(t.Context(), l, models.TurnProgress{}, models.ToolCall{CallID: "c1", Tool: "bash", Input: []byte(`{}`), Step: 1})
		require.NoError(t, err)
		require.NoError(t, sc.AskApproval(t.Context(), l, a, letter))
		return a
	}
	stop := func(turnID string) {
		_, err := sc.InterruptTurn(t.Context(), turnID)
		require.NoError(t, err)
	}

	a := ask(admin)
	require.Equal(t, []string{address[admin]}, pending(), "they may decide: nobody else needs to know")
	_, err := sc.Resolve(t.Context(), a.ID, models.Resolution{})
	require.NoError(t, err)
	require.Empty(t, pending(), "it was decided")
	a = ask(member)
	require.ElementsMatch(t, []string{address[sc], address[admin], address[member]}, pending(), "a member cannot decide: who can hears of it, too")
	stop(a.TurnID)
	require.Empty(t, pending(), "it was withdrawn")

	b, err := sc.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 1})
	require.NoError(t, err)
	until := now.Now().Add(12 * time.Hour)
	park := func(by *models.Scope, b models.Budget) {
		turn := begin(by)
		require.NoError(t, sc.ParkTurn(t.Context(), claim(t, sc, turn.ID, "w"), b, &until, letter, models.Notice{Text: "parked"}))
		stop(turn.ID)
	}
	require.NoError(t, system.SetLetters(t.Context(), owner, false))
	park(member, *b)
	park(member, *b)
	require.ElementsMatch(t, []string{address[admin], address[member]}, pending(), "once for a budget, and not to who wants none")
	until = until.Add(24 * time.Hour)
	park(admin, *b)
	require.ElementsMatch(t, []string{address[admin], address[member], address[admin]}, pending(), "it was reached again in another period; the member has no turn there")
	now.Add(time.Minute)
	_, err = sc.UpdateBudget(t.Context(), b.ID, 5, 0)
	require.NoError(t, err)
	require.Empty(t, pending(), "it is another budget now")
	require.NoError(t, system.SetLetters(t.Context(), owner, true))
	raised, err := sc.Budget(t.Context(), b.ID)
	require.NoError(t, err)
	park(admin, raised.Budget)
	require.ElementsMatch(t, []string{address[admin], address[sc]}, pending())
	honest(t, store)
}
