package provision_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

var allActions = []models.Action{models.Start, models.Stop, models.Restart, models.Recover, models.Delete}

// wanted is the contract's table: what the reconciler makes of an action in a state; "" = refused, "gone" =
// no row is left.
var wanted = map[models.InstanceState]map[models.Action]models.InstanceState{
	models.Provisioning: {models.Delete: "gone"},
	models.Running:      {models.Stop: models.Stopped, models.Restart: models.Running, models.Delete: "gone"},
	models.Stopped:      {models.Start: models.Running, models.Delete: "gone"},
	models.Errored:      {models.Recover: models.Running, models.Delete: "gone"},
	models.Suspended:    {models.Delete: "gone"},
}

// suspend makes one instance what the suspension of its organization makes of all, below the models: the others of the
// test go on.
func (r *rig) suspend(i *models.Instance) *models.Instance {
	r.t.Helper()
	if modelstest.Postgres() {
		r.t.Skip("the state is the same on every database")
	}
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "lobstead.db"))
	require.NoError(r.t, err)
	_, err = db.ExecContext(r.t.Context(), "PRAGMA busy_timeout=5000; UPDATE instances SET state = 'SUSPENDED', reason = 'unpaid', generation = generation + 1 WHERE id = ?", i.ID)
	require.NoError(r.t, err)
	require.NoError(r.t, db.Close())
	i, err = r.sc.Instance(r.t.Context(), i.ID)
	require.NoError(r.t, err)
	return i
}

// A suspended instance has no process, and says why.
func TestSuspendedIsStopped(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.reach("one", models.Suspended).ID)
	require.Equal(t, models.Suspended, i.State)
	require.Equal(t, "unpaid", i.Reason)
	require.Equal(t, i.Generation, i.ObservedGeneration)
	require.Equal(t, sandbox.Stopped, r.driver.State(i.ID))
}

// reach brings a new instance into a state.
func (r *rig) reach(name string, s models.InstanceState) *models.Instance {
	r.t.Helper()
	i := r.create(name)
	if s == models.Provisioning {
		return i
	}
	i = r.reconcile(i.ID)
	switch s {
	case models.Stopped:
		r.act(i.ID, models.Stop)
		i = r.reconcile(i.ID)
	case models.Errored:
		var err error
		i, err = r.sc.Observe(r.t.Context(), i.ID, models.Observed{Saw: models.SawFailure, Reason: "x"})
		require.NoError(r.t, err)
	case models.Suspended:
		i = r.suspend(i)
	}
	require.Equal(r.t, s, i.State)
	return i
}

func TestEveryActionInEveryState(t *testing.T) {
	r := newRig(t, clock.Real)
	for _, s := range models.InstanceStates {
		for _, a := range allActions {
			t.Run(string(s)+"/"+string(a), func(t *testing.T) {
				r := r.in(t)
				i := r.reach("one", s)
				want := wanted[s][a]
				require.Equal(t, want != "", s.May(a))
				_, err := r.desk.Act(t.Context(), r.sc, i.ID, a)
				if want == "" {
					require.True(t, fault.Is(err, fault.Invalid), "%v", err)
					return
				}
				require.NoError(t, err)
				got := r.reconcile(i.ID)
				if want == "gone" {
					require.Nil(t, got)
					require.Equal(t, sandbox.Absent, r.driver.State(i.ID))
					return
				}
				require.Equal(t, want, got.State)
				require.Equal(t, got.Generation, got.ObservedGeneration)
				require.Equal(t, want == models.Running, r.driver.State(i.ID) == sandbox.Running)
			})
		}
	}
}

// After every observation in every state the reconciler brings an instance to what is wanted.
func TestEveryObservationInEveryStateConverges(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	for _, s := range models.InstanceStates {
		for _, o := range []models.Observation{models.SawStarting, models.SawRunning, models.SawStopped, models.SawFailure} {
			t.Run(string(s)+"/"+string(o), func(t *testing.T) {
				r := r.in(t)
				i := r.reach("one", s)
				i, err := r.sc.Observe(t.Context(), i.ID, models.Observed{Saw: o})
				require.NoError(t, err)
				if next, ok := s.Next(o); ok {
					require.Equal(t, next, i.State)
				}
				now.Add(time.Minute)
				i = r.reconcile(i.ID)
				want := models.Running
				switch {
				case s == models.Suspended:
					want = s
				case i.Desired == models.WantStopped:
					want = models.Stopped
				}
				require.Equal(t, want, i.State)
				require.Equal(t, want == models.Running, r.driver.State(i.ID) == sandbox.Running)
			})
		}
	}
}
