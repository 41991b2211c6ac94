package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// verbs are the exported ways to move a turn, with the move that each makes.
var verbs = []struct {
	name string
	move func(models.TurnState) models.TurnMove
	run  func(*testing.T, *models.Scope, models.Lease) error
}{
	{"claim", func(s models.TurnState) models.TurnMove {
		if s.Held() {
			return models.TurnTakeOver
		}
		return models.TurnClaim
	}, func(t *testing.T, sc *models.Scope, l models.Lease) error {
		_, _, err := sc.ClaimTurn(t.Context(), l.TurnID, "thief")
		return err
	}},
	{"interrupt", func(models.TurnState) models.TurnMove { return models.TurnInterrupt }, func(t *testing.T, sc *models.Scope, l models.Lease) error {
		return second(sc.InterruptTurn(t.Context(), l.TurnID))
	}},
	{"finish", moving(models.TurnFinish), ending(models.TurnFinish)},
	{"fail", moving(models.TurnFail), ending(models.TurnFail)},
	{"cut", moving(models.TurnCut), ending(models.TurnCut)},
	{"end by claim", nil, ending(models.TurnClaim)},
	{"end by take over", nil, ending(models.TurnTakeOver)},
	{"end by ask", nil, ending(models.TurnAsk)},
	{"end by answer", nil, ending(models.TurnAnswer)},
	{"end by interrupt", nil, ending(models.TurnInterrupt)},
	{"heartbeat", nil, func(t *testing.T, sc *models.Scope, l models.Lease) error {
		return second(sc.Heartbeat(t.Context(), l))
	}},
	{"append", nil, func(t *testing.T, sc *models.Scope, l models.Lease) error {
		return second(sc.AppendTurn(t.Context(), l, models.TurnProgress{Steps: 1}, models.Notice{Text: "x"}))
	}},
	{"compact", nil, func(t *testing.T, sc *models.Scope, l models.Lease) error {
		return sc.Compact(t.Context(), l, models.Compacted{Through: 1})
	}},
	{"release", nil, func(t *testing.T, sc *models.Scope, l models.Lease) error { return sc.ReleaseTurn(t.Context(), l) }},
}

func moving(m models.TurnMove) func(models.TurnState) models.TurnMove {
	return func(models.TurnState) models.TurnMove { return m }
}

func ending(m models.TurnMove) func(*testing.T, *models.Scope, models.Lease) error {
	return func(t *testing.T, sc *models.Scope, l models.Lease) error {
		return second(sc.EndTurn(t.Context(), l, m, models.TurnEnded{}))
	}
}

// No verb does in any state what the table does not have, and the ended states never change.
func TestVerbsInEveryState(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, inst, _ := conversation(t, store)
	require.Len(t, models.TurnMoves, len(models.TurnStates))
	for _, state := range models.TurnStates {
		for _, v := range verbs {
			s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
			require.NoError(t, err)
			l := turnIn(t, store, sc, s.ID, state)
			if v.name == "claim" { // a lease that still runs would refuse it: tested elsewhere
				fake.Add(models.TurnLease)
			}
			err = v.run(t, sc, l)
			after, readErr := sc.Turn(t.Context(), l.TurnID)
			require.NoError(t, readErr)
			want, move := state, models.TurnMove("")
			if v.move != nil {
				move = v.move(state)
			}
			next, ok := models.TurnMoves[state][move]
			if !state.Held() && (move == models.TurnFinish || move == models.TurnFail || move == models.TurnCut) {
				ok = false // nobody holds it, so nobody may end it
			}
			if ok {
				want = next
				require.NoError(t, err, "%s in %s", v.name, state)
			}
			require.Equal(t, want, after.State, "%s in %s: %v", v.name, state, err)
			require.Equal(t, want.Ended() && !state.Ended(), after.EndedAt != nil, "%s in %s", v.name, state)
			if state.Ended() && v.name != "interrupt" && v.name != "release" {
				require.ErrorIs(t, err, models.ErrLeaseLost, "%s in %s", v.name, state)
			}
			ends := 0
			events, err := sc.Events(t.Context(), s.ID, 0, 0)
			require.NoError(t, err)
			for _, e := range events {
				if e.Kind == models.KindEnded {
					ends++
				}
			}
			require.Equal(t, want.Ended() && !state.Ended(), ends == 1, "%s in %s: %d ends in the log", v.name, state, ends)
		}
	}
}

// turnIn makes a turn in a state, below the verbs, held by a worker where the state is.
func turnIn(t *testing.T, store *models.Store, sc *models.Scope, sessionID string, state models.TurnState) models.Lease {
	t.Helper()
	turn := say(t, sc, sessionID, "hello")
	l := models.Lease{TurnID: turn.ID, SessionID: sessionID, Owner: "worker"}
	if state != models.TurnQueued {
		l = claim(t, sc, turn.ID, "worker")
	}
	set := map[string]any{"state": state}
	if state.Ended() {
		set["lease_owner"], set["lease_until"] = "", nil
	}
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Model(&models.Turn{}).Where("id = ?", turn.ID).Updates(set).Error)
	return l
}

// The table itself, so that a change of it is a decision.
func TestTurnTable(t *testing.T) {
	t.Parallel()
	n := 0
	for _, s := range models.TurnStates {
		for _, m := range models.AllTurnMoves {
			next, ok := models.TurnMoves[s][m]
			if !ok {
				continue
			}
			n++
			require.Contains(t, models.TurnStates, next)
			switch m {
			case models.TurnClaim:
				require.Equal(t, models.TurnQueued, s)
			case models.TurnJoin:
				require.Equal(t, models.TurnQueued, s, "what began is answered by itself")
				require.True(t, next.Ended())
			case models.TurnTakeOver:
				require.Equal(t, s, next, "taking over changes the holder only")
				require.True(t, s.Held())
			case models.TurnFinish, models.TurnFail, models.TurnCut:
				require.True(t, next.Ended())
			case models.TurnAsk, models.TurnAnswer, models.TurnInterrupt:
				require.NotEqual(t, s, next)
			}
		}
		require.Equal(t, !s.Ended(), strings.Contains(models.IsOpen, "'"+string(s)+"'"), "the index and the table are in step")
		require.Equal(t, s == models.TurnDone || s == models.TurnFailed || s == models.TurnInterrupted, s.Ended())
	}
	require.Equal(t, 19, n)
}

func TestEndingByAnotherMoveIsADefect(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	l := claim(t, sc, say(t, sc, s.ID, "x").ID, "w")
	for _, m := range []models.TurnMove{models.TurnTakeOver, models.TurnAsk, models.TurnInterrupt} {
		require.Equal(t, "turn.move", fault.As(second(sc.EndTurn(t.Context(), l, m, models.TurnEnded{}))).Code)
	}
}
