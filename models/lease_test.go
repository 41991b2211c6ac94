package models_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestTakeOverFencesTheZombie(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _, s := conversation(t, store)
	turn := say(t, sc, s.ID, "x")
	zombie := claim(t, sc, turn.ID, "same name")
	claimable := func() int {
		refs, err := store.AsSystem("test").ClaimableTurns(t.Context(), 10)
		require.NoError(t, err)
		return len(refs)
	}
	fake.Add(models.TurnLease - time.Millisecond)
	require.Zero(t, claimable())
	require.ErrorIs(t, second2(sc.ClaimTurn(t.Context(), turn.ID, "other")), models.ErrLeaseLost)
	stop, err := sc.Heartbeat(t.Context(), zombie)
	require.NoError(t, err)
	require.False(t, stop)
	fake.Add(models.TurnLease - time.Millisecond)
	require.Zero(t, claimable(), "the heartbeat counts")
	fake.Add(2 * time.Millisecond)
	require.Equal(t, 1, claimable())
	_, err = sc.AppendTurn(t.Context(), zombie, models.TurnProgress{}, models.Notice{Text: "slow, but nobody took it"})
	require.NoError(t, err)
	require.Zero(t, claimable(), "writing renews")
	fake.Add(models.TurnLease + time.Millisecond)
	taken, heir, err := sc.ClaimTurn(t.Context(), turn.ID, "same name") // the attempt tells them apart, not the name
	require.NoError(t, err)
	require.Equal(t, 2, heir.Attempt)
	require.Equal(t, models.TurnRunning, taken.State)
	require.NotNil(t, taken.StartedAt)
	require.True(t, taken.StartedAt.Before(fake.Now()), "it began when it began")
	before, err := sc.Events(t.Context(), s.ID, 0, 0)
	require.NoError(t, err)
	for name, try := range map[string]func() error{
		"append": func() error {
			return second(sc.AppendTurn(t.Context(), zombie, models.TurnProgress{CostNanos: 9}, models.Notice{}))
		},
		"progress":  func() error { return second(sc.AppendTurn(t.Context(), zombie, models.TurnProgress{CostNanos: 9})) },
		"heartbeat": func() error { return second(sc.Heartbeat(t.Context(), zombie)) },
		"end":       func() error { return second(sc.EndTurn(t.Context(), zombie, models.TurnFinish, models.TurnEnded{})) },
		"compact":   func() error { return sc.Compact(t.Context(), zombie, models.Compacted{Through: 1}) },
	} {
		require.ErrorIs(t, try(), models.ErrLeaseLost, name)
	}
	require.NoError(t, sc.ReleaseTurn(t.Context(), zombie))
	require.Zero(t, claimable(), "a zombie releases nothing")
	after, err := sc.Events(t.Context(), s.ID, 0, 0)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.NoError(t, sc.ReleaseTurn(t.Context(), heir))
	require.Equal(t, 1, claimable(), "at once")
	third := claim(t, sc, turn.ID, "third")
	done, err := sc.EndTurn(t.Context(), third, models.TurnFinish, models.TurnEnded{}, models.AssistantMessage{Text: "bye", Final: true})
	require.NoError(t, err)
	require.Equal(t, 3, done.Attempt)
	require.Zero(t, done.CostNanos)
	require.Empty(t, done.LeaseOwner)
	require.Nil(t, done.LeaseUntil)
}

func second2[A, B any](_ A, _ B, err error) error { return err }

func TestATurnEndsOnce(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	l := claim(t, sc, say(t, sc, s.ID, "x").ID, "w")
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			move := []models.TurnMove{models.TurnFinish, models.TurnFail, models.TurnCut}[n%3]
			_, err := sc.EndTurn(t.Context(), l, move, models.TurnEnded{Reason: "r"}, models.Notice{Text: "last"})
			if err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
			_, _ = sc.InterruptTurn(t.Context(), l.TurnID)
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	events, err := sc.TurnEvents(t.Context(), l.TurnID)
	require.NoError(t, err)
	require.Len(t, events, 3, "the message, the notice, the end")
	end, err := models.Decode[models.TurnEnded](events[2])
	require.NoError(t, err)
	turn, err := sc.Turn(t.Context(), l.TurnID)
	require.NoError(t, err)
	require.Equal(t, turn.State, end.State)
	_, err = models.Decode[models.TurnEnded](events[0])
	require.True(t, fault.Is(err, fault.Internal), "a wrong kind is not read as another")
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	running, queued := say(t, sc, s.ID, "x"), say(t, sc, s.ID, "y")
	l := claim(t, sc, running.ID, "w")
	got, err := sc.InterruptTurn(t.Context(), queued.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, got.State)
	require.Equal(t, "Stopped by Owner of Acme", got.Reason)
	got, err = sc.InterruptTurn(t.Context(), running.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupting, got.State)
	stop, err := sc.Heartbeat(t.Context(), l)
	require.NoError(t, err)
	require.True(t, stop)
	_, err = sc.AppendTurn(t.Context(), l, models.TurnProgress{}, models.ToolResult{Interrupted: true, Killed: 2})
	require.NoError(t, err, "the worker may still say what it killed")
	again, err := sc.InterruptTurn(t.Context(), running.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupting, again.State)
	got, err = sc.EndTurn(t.Context(), l, models.TurnCut, models.TurnEnded{Killed: 2})
	require.NoError(t, err)
	require.Equal(t, "Stopped by Owner of Acme", got.Reason, "the reason of the stop is kept")
	_, err = sc.InterruptTurn(t.Context(), "none")
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestDeleteSession(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	turn, _, err := sc.StartTurn(t.Context(), s.ID, models.Input{Text: "x", Attachments: []models.Upload{{Name: "a", Data: []byte("b")}}})
	require.NoError(t, err)
	_, err = sc.Remember(t.Context(), models.NewMemory{InstanceID: inst.ID, Key: "k", Value: "v", TurnID: turn.ID})
	require.NoError(t, err)
	require.Equal(t, "session.busy", fault.As(sc.DeleteSession(t.Context(), s.ID)).Code, "queued")
	l := claim(t, sc, turn.ID, "w")
	require.Equal(t, "session.busy", fault.As(sc.DeleteSession(t.Context(), s.ID)).Code, "running")
	busy, err := sc.BusySessions(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]models.WaitReason{s.ID: ""}, busy)
	_, err = sc.EndTurn(t.Context(), l, models.TurnFinish, models.TurnEnded{})
	require.NoError(t, err)
	require.NoError(t, sc.DeleteSession(t.Context(), s.ID))
	n := counts(t, store)
	require.Zero(t, n["events"]+n["turns"]+n["attachments"]+n["sessions"])
	require.EqualValues(t, 1, n["memories"], "what was learned stays")
	require.True(t, fault.Is(sc.DeleteSession(t.Context(), s.ID), fault.NotFound))
}
