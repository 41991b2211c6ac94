package models_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// orphans runs a sweep and tells how many calls it settled.
func orphans(t testing.TB, store *models.Store) (n int) {
	t.Helper()
	refs, err := store.AsSystem("test").OrphanedCalls(t.Context(), 100)
	require.NoError(t, err)
	for _, r := range refs {
		done, err := store.In(r.OrganizationID).SettleOrphan(t.Context(), r.CallID)
		require.NoError(t, err)
		if done {
			n++
		}
	}
	return n
}

func settled(t testing.TB, store *models.Store, org, call string) []models.LedgerEntry {
	t.Helper()
	rows := []models.LedgerEntry{}
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Where("organization_id = ? AND call_id = ? AND kind = ?", org, call, models.Settled).Find(&rows).Error)
	return rows
}

// A call whose process died is settled once, at what it was known to have cost: the worst case was held, never spent.
func TestOrphansAreSettledOnce(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	b := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetDaily, 1000)
	silent := models.Charge{CallID: "silent", Purpose: "chat", Model: "m", CostNanos: 400}
	noted := models.Charge{CallID: "noted", CostNanos: 500}
	require.NoError(t, sc.Reserve(t.Context(), silent))
	require.NoError(t, sc.Reserve(t.Context(), noted))
	now.Add(models.ReservationLease / 2)
	kept, err := sc.KeepReservation(t.Context(), models.Charge{CallID: "noted", CostNanos: 30, InputTokens: 3})
	require.NoError(t, err)
	require.True(t, kept)
	now.Add(models.ReservationLease/2 + time.Second)
	require.Equal(t, 1, orphans(t, store), "the other one was renewed")
	require.Equal(t, []int64{0, 500}, []int64{state(t, sc, b).Spent, state(t, sc, b).Reserved})
	require.Equal(t, "chat", settled(t, store, sc.Org, "silent")[0].Purpose)
	now.Add(models.ReservationLease)
	var did atomic.Int64
	var work sync.WaitGroup
	for range 8 { // workers sweep together
		work.Go(func() {
			done, err := sc.SettleOrphan(t.Context(), "noted")
			if err != nil {
				t.Error(err)
			}
			if done {
				did.Add(1)
			}
		})
	}
	work.Wait()
	require.EqualValues(t, 1, did.Load())
	require.Zero(t, orphans(t, store))
	s := state(t, sc, b)
	require.Equal(t, []int64{30, 0}, []int64{s.Spent, s.Reserved})
	entry := settled(t, store, sc.Org, "noted")
	require.Len(t, entry, 1)
	require.Equal(t, 3, entry[0].InputTokens)
	require.Equal(t, "duplicate", code(sc.Settle(t.Context(), noted)), "the process was only asleep: too late")
	kept, err = sc.KeepReservation(t.Context(), noted)
	require.NoError(t, err)
	require.False(t, kept)
	honest(t, store)
}

// No reservation outlives its turn, and none a change of its worker.
func TestTurnSettlesItsCalls(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, inst, session := conversation(t, store)
	b := budget(t, sc, models.BudgetOfInstance, inst.ID, models.BudgetMoney, models.BudgetTotal, 1000)
	turn := say(t, sc, session.ID, "go")
	claim(t, sc, turn.ID, "a")
	charge := func(call string) models.Charge {
		return models.Charge{CallID: call, TurnID: turn.ID, InstanceID: inst.ID, SessionID: session.ID, CostNanos: 100}
	}
	require.NoError(t, sc.Reserve(t.Context(), charge("first")))
	now.Add(models.TurnLease + time.Second)
	lease := claim(t, sc, turn.ID, "b")
	require.Zero(t, state(t, sc, b).Reserved, "the worker that held it is gone")
	require.NoError(t, sc.Reserve(t.Context(), charge("second")))
	require.EqualValues(t, 100, state(t, sc, b).Reserved)
	_, err := sc.EndTurn(t.Context(), lease, models.TurnFail, models.TurnEnded{})
	require.NoError(t, err)
	s := state(t, sc, b)
	require.Equal(t, []int64{0, 0}, []int64{s.Spent, s.Reserved})
	require.Len(t, settled(t, store, sc.Org, "first"), 1)
	require.Len(t, settled(t, store, sc.Org, "second"), 1)
	honest(t, store)
}

// A parked turn keeps its place without a worker, through restarts, until somebody or its time lets it go on.
func TestParkedTurns(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _, session := conversation(t, store)
	system := store.AsSystem("test")
	turn, behind := say(t, sc, session.ID, "one"), say(t, sc, session.ID, "two")
	until := now.Now().Add(time.Hour)
	b, err := sc.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetTotal})
	require.NoError(t, err)
	park := func(owner string, until *time.Time) {
		lease := claim(t, sc, turn.ID, owner)
		require.NoError(t, sc.ParkTurn(t.Context(), lease, *b, until, nil, models.Notice{Text: "parked"}))
		_, err := sc.Heartbeat(t.Context(), lease)
		require.ErrorIs(t, err, models.ErrLeaseLost, "its worker has let go")
	}
	claimable := func() int {
		refs, err := system.ClaimableTurns(t.Context(), 10)
		require.NoError(t, err)
		return len(refs)
	}
	park("a", &until)
	now.Add(models.TurnLease * 2)
	require.Zero(t, claimable(), "neither the parked one nor the one behind it")
	for _, one := range []*models.Turn{turn, behind} {
		_, _, err := sc.ClaimTurn(t.Context(), one.ID, "thief")
		require.ErrorIs(t, err, models.ErrLeaseLost)
	}
	parked, err := sc.ParkedTurns(t.Context())
	require.NoError(t, err)
	require.Len(t, parked, 1)
	due, err := system.DueParkedTurns(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, due)
	now.Add(time.Hour)
	due, err = system.DueParkedTurns(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []models.TurnRef{{OrganizationID: sc.Org, ID: turn.ID}}, due)
	for want := range []bool{false, true} {
		done, err := sc.ResumeTurn(t.Context(), turn.ID)
		require.NoError(t, err)
		require.Equal(t, want == 0, done, "once")
	}
	require.Equal(t, 1, claimable())
	park("b", nil)
	stopped, err := sc.InterruptTurn(t.Context(), turn.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, stopped.State)
	require.Equal(t, models.WaitReason(""), stopped.WaitsFor)
	require.Equal(t, 1, claimable(), "the one behind it goes on")
	lease := claim(t, sc, behind.ID, "c")
	_, err = sc.InterruptTurn(t.Context(), behind.ID)
	require.NoError(t, err)
	require.ErrorIs(t, sc.ParkTurn(t.Context(), lease, *b, nil, nil), models.ErrLeaseLost, "it is being stopped")
}

// A turn that is refused while its budget is raised does not sleep: whoever raised it could not wake what was not parked
// yet, and may have died before waking what was.
func TestParkedTurnsHearOfTheirBudget(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, session := conversation(t, store)
	due := func() int {
		refs, err := store.AsSystem("test").DueParkedTurns(t.Context(), 10)
		require.NoError(t, err)
		return len(refs)
	}
	again := func(turn *models.Turn) models.Lease {
		done, err := sc.ResumeTurn(t.Context(), turn.ID)
		require.NoError(t, err)
		require.True(t, done)
		return claim(t, sc, turn.ID, "again")
	}
	b, err := sc.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetTotal})
	require.NoError(t, err)
	turn := say(t, sc, session.ID, "one")
	lease := claim(t, sc, turn.ID, "a")
	require.NoError(t, sc.ParkTurn(t.Context(), lease, *b, nil, nil, models.Notice{Text: "parked"}))
	require.Zero(t, due(), "nothing has changed")
	raised, err := sc.UpdateBudget(t.Context(), b.ID, 5, 0)
	require.NoError(t, err)
	require.Equal(t, 1, due(), "raised")
	require.NoError(t, sc.ParkTurn(t.Context(), again(turn), *raised, nil, nil, models.Notice{Text: "parked"}))
	require.Zero(t, due(), "refused by what it is now")
	require.NoError(t, sc.ParkTurn(t.Context(), again(turn), *b, nil, nil, models.Notice{Text: "parked"}))
	require.Equal(t, 1, due(), "refused by what it was")
	lease = again(turn)
	_, err = sc.DeleteBudget(t.Context(), b.ID)
	require.NoError(t, err)
	require.NoError(t, sc.ParkTurn(t.Context(), lease, *raised, nil, nil, models.Notice{Text: "parked"}))
	require.Equal(t, 1, due(), "refused by one that is gone")
}
