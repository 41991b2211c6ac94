package agent_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
)

// each is what the scripted model takes for a call, in tokens.
const each = 15

func (g *rig) limit(unit models.BudgetUnit, period models.BudgetPeriod, amount int64) *models.Budget {
	g.t.Helper()
	b, err := g.sc.CreateBudget(g.t.Context(), models.NewBudget{Scope: models.BudgetOfInstance, TargetID: g.inst.ID, Unit: unit, Period: period, Amount: amount})
	require.NoError(g.t, err)
	return b
}

func (g *rig) spent(b *models.Budget) models.BudgetState {
	g.t.Helper()
	s, err := g.sc.Budget(g.t.Context(), b.ID)
	require.NoError(g.t, err)
	return *s
}

func (g *rig) raise(b *models.Budget, amount int64) {
	g.t.Helper()
	_, err := g.sc.UpdateBudget(g.t.Context(), b.ID, amount, 0)
	require.NoError(g.t, err)
	require.NoError(g.t, g.turns.ResumeAll(g.t.Context(), g.sc))
}

// parked waits until so many turns wait for a decision, and none is under way.
func (g *rig) parked(want int) {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		list, err := g.sc.ParkedTurns(g.t.Context())
		return err == nil && len(list) == want
	}, 60*time.Second, 10*time.Millisecond)
}

func (g *rig) honest() {
	g.t.Helper()
	reports, err := g.store.AsSystem("test").CheckLedger(g.t.Context())
	require.NoError(g.t, err)
	for _, r := range reports {
		require.Empty(g.t, r.Problems)
	}
}

// A turn that meets the limit between a tool's result and the next call waits there through a restart, and goes on
// without a call asked or a tool run twice.
func TestTurnPausesAtTheLimit(t *testing.T) {
	g := newRig(t, counting)
	b := g.limit(models.BudgetTokens, models.BudgetTotal, each)
	turn, behind := g.start("go"), g.start("next")
	stop := g.run("a")
	g.parked(1)
	require.Len(t, g.model.asked(), 1)
	stop()
	g.run("b")
	time.Sleep(500 * time.Millisecond) // sweeps pass it by
	row, err := g.sc.Turn(t.Context(), turn.ID)
	require.NoError(t, err)
	require.True(t, row.Parked())
	require.Equal(t, []any{1, ""}, []any{row.Attempt, row.LeaseOwner})
	next, err := g.sc.Turn(t.Context(), behind.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnQueued, next.State, "a session's messages are answered in their order")
	paused := of[models.Paused](t, g.log())
	require.Len(t, paused, 1)
	require.Equal(t, []string{b.ID, "budget.reached"}, []string{paused[0].BudgetID, paused[0].Code})
	require.Contains(t, paused[0].Text, "The budget of this instance of 15 tokens is used up: 15 tokens")
	require.Nil(t, paused[0].Until)
	g.raise(b, 1000)
	turn, behind = g.await(turn), g.await(behind)
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	require.Equal(t, models.TurnDone, behind.State, behind.Reason)
	require.Equal(t, 2, g.boxes.effects["k"], "one for each message")
	require.Len(t, g.model.asked(), 4)
	require.Len(t, of[models.ToolResult](t, g.log()), 2)
	require.EqualValues(t, 4*each, g.spent(b).Spent)
	require.Equal(t, 2*each, turn.InputTokens+turn.OutputTokens)
	g.honest()
}

// Fifty turns at once under one limit: what is settled is at most the limit and one call, whoever is refused waits, and
// all end once when there is more.
func TestFiftyTurnsUnderOneLimit(t *testing.T) {
	const turns, limit = 50, 20 * each
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("ok"))
		return nil
	})
	b := g.limit(models.BudgetTokens, models.BudgetTotal, limit-1)
	g.run("a")
	g.run("b")
	all := []*models.Turn{}
	for range turns {
		all = append(all, g.startIn(g.newSession().ID, "go"))
	}
	g.parked(turns - 20)
	s := g.spent(b)
	require.LessOrEqual(t, s.Spent, int64(limit-1+each))
	require.Zero(t, s.Reserved)
	g.raise(b, 1<<40)
	for _, turn := range all {
		require.Equal(t, models.TurnDone, g.await(turn).State)
		require.Len(t, of[models.AssistantMessage](t, g.logOf(turn.SessionID)), 1)
	}
	require.Len(t, g.model.asked(), turns)
	require.EqualValues(t, turns*each, g.spent(b).Spent)
	g.honest()
}

// Whoever waits for an answer gets the refusal instead, with the time when it may help to ask again.
func TestCallersThatWaitAreRefused(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	g := newRigAt(t, now, counting)
	g.limit(models.BudgetTokens, models.BudgetDaily, 0)
	g.run("a")
	turn, _, err := g.turns.Start(t.Context(), g.sc, g.session.ID, models.Input{Text: "go", Source: "agent-api"})
	require.NoError(t, err)
	require.Equal(t, models.TurnFailed, g.await(turn).State)
	ended := of[models.TurnEnded](t, g.log())[0]
	require.Equal(t, "budget.reached", ended.Code)
	require.Equal(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC), ended.RetryAt.UTC())
	refused := g.turns.Refused(t.Context(), g.sc, turn.ID)
	require.True(t, fault.Is(refused, fault.Payment))
	require.Equal(t, ended.RetryAt.UTC(), fault.As(refused).RetryAt.UTC())
	require.Empty(t, g.model.asked())
}

// A budget that starts again wakes the turns that wait for it.
func TestParkedTurnsGoOnWithThePeriod(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 10, 23, 0, 0, 0, time.UTC))
	g := newRigAt(t, now, counting)
	b := g.limit(models.BudgetTokens, models.BudgetDaily, each)
	g.run("a")
	turn := g.start("go")
	g.parked(1)
	require.NoError(t, g.turns.SweepLedger(t.Context()))
	g.parked(1)
	now.Add(time.Hour)
	require.NoError(t, g.turns.SweepLedger(t.Context()))
	turn = g.await(turn)
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	require.EqualValues(t, each, g.spent(b).Spent, "of the new day")
	g.honest()
}

func TestParkedTurnIsStopped(t *testing.T) {
	g := newRig(t, counting)
	g.limit(models.BudgetTokens, models.BudgetTotal, each)
	g.run("a")
	turn, behind := g.start("go"), g.startIn(g.newSession().ID, "other")
	g.parked(2)
	stopped, err := g.turns.Stop(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, stopped.State)
	require.Equal(t, models.TurnInterrupted, g.await(turn).State)
	require.Len(t, of[models.TurnEnded](t, g.log()), 1)
	require.NoError(t, g.turns.Resume(t.Context(), g.sc, turn.ID), "what has ended stays as it is")
	row, err := g.sc.Turn(t.Context(), behind.ID)
	require.NoError(t, err)
	require.True(t, row.Parked())
}

// A worker that dies right after parking leaves a turn that waits, and that goes on.
func TestCrashAfterParking(t *testing.T) {
	g := newRig(t, counting)
	var dead atomic.Bool
	died := make(chan struct{})
	g.config = func(c *agent.Config) {
		c.Crash = func(p string) {
			if p == agent.CrashParked && !dead.Swap(true) {
				close(died)
				runtime.Goexit()
			}
		}
	}
	b := g.limit(models.BudgetTokens, models.BudgetTotal, each)
	stop := g.run("a")
	turn := g.start("go")
	wait(t, died)
	stop()
	g.run("b")
	g.raise(b, 1000)
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Equal(t, 1, g.boxes.effects["k"])
	g.honest()
}

// A worker that dies at any point leaves a ledger in which no call is open after the turn, and no balance is off.
func TestLedgerAtEveryCrashPoint(t *testing.T) {
	for _, point := range agent.CrashPoints {
		t.Run(point, func(t *testing.T) {
			now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
			g := newRigAt(t, now, counting)
			b := g.limit(models.BudgetTokens, models.BudgetDaily, 1<<40)
			var dead atomic.Bool
			died := make(chan struct{})
			g.config = func(c *agent.Config) {
				c.Crash = func(p string) {
					if p == point && !dead.Swap(true) {
						close(died)
						runtime.Goexit()
					}
				}
			}
			stop := g.run("a")
			turn := g.start("go")
			wait(t, died)
			// A killed process settles nothing; Goexit does. So one more call is left as a kill leaves it.
			require.NoError(t, g.sc.Reserve(t.Context(), models.Charge{CallID: "killed", TurnID: turn.ID, InstanceID: g.inst.ID, SessionID: turn.SessionID, InputTokens: 1_000_000}))
			stop()
			now.Add(models.TurnLease + time.Second)
			g.run("b")
			turn = g.await(turn)
			require.Equal(t, models.TurnDone, turn.State, turn.Reason)
			if point == agent.CrashEnded { // its turn had ended: the lease is what bounds it
				now.Add(models.ReservationLease + time.Second)
				require.NoError(t, g.turns.SweepLedger(t.Context()))
			}
			s := g.spent(b)
			require.Zero(t, s.Reserved, "no reservation outlives its turn")
			require.Less(t, s.Spent, int64(16_000), "the worst case is not spent")
			g.honest()
		})
	}
}

// A model that nobody knows the price of waits for a decision under a budget in money; one with a price runs.
func TestUnpricedModelPauses(t *testing.T) {
	g := newRig(t, counting)
	g.door.Find(door.Found{Kind: "openai-compatible", Provider: g.model, Model: "mystery", Source: "test"})
	b := g.limit(models.BudgetMoney, models.BudgetMonthly, models.Dollar)
	g.run("a")
	turn := g.start("go")
	g.parked(1)
	require.Equal(t, "budget.unpriced", of[models.Paused](t, g.log())[0].Code)
	_, err := g.sc.DeleteBudget(t.Context(), b.ID)
	require.NoError(t, err)
	require.NoError(t, g.turns.ResumeAll(t.Context(), g.sc))
	require.Equal(t, models.TurnDone, g.await(turn).State)
}

// A long call keeps its lease, and what it is known to have taken is noted for the day its process dies.
func TestLongCallKeepsItsLease(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	release := make(chan struct{})
	g := newRigAt(t, now, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("forty letters, which are ten tokens long"))
		<-release
		return nil
	})
	g.door.Keep = 5 * time.Millisecond
	b := g.limit(models.BudgetTokens, models.BudgetDaily, 1<<40)
	g.run("a")
	turn := g.start("go")
	held := func() models.Reservation {
		list, err := g.sc.Reservations(t.Context())
		require.NoError(t, err)
		if len(list) == 0 {
			return models.Reservation{}
		}
		return list[0]
	}
	require.Eventually(t, func() bool { return held().OutputTokens == 10 }, 20*time.Second, 5*time.Millisecond)
	require.NotZero(t, held().InputTokens)
	until := held().LeaseUntil
	now.Add(models.ReservationLease / 2)
	require.Eventually(t, func() bool { return held().LeaseUntil.After(until) }, 20*time.Second, 5*time.Millisecond)
	close(release)
	g.await(turn)
	require.Empty(t, held().CallID)
	require.EqualValues(t, each, g.spent(b).Spent)
	g.honest()
}
