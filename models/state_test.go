package models_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

var allActions = []models.Action{models.Start, models.Stop, models.Restart, models.Recover, models.Delete}

// What the contract allows (cloud-api.md, "Instance states"), written down a second time.
var allowed = map[models.InstanceState]map[models.Action]models.Desired{
	models.Provisioning: {models.Delete: models.WantDeleted},
	models.Running:      {models.Stop: models.WantStopped, models.Restart: models.WantRunning, models.Delete: models.WantDeleted},
	models.Stopped:      {models.Start: models.WantRunning, models.Delete: models.WantDeleted},
	models.Errored:      {models.Recover: models.WantRunning, models.Delete: models.WantDeleted},
	models.Suspended:    {models.Delete: models.WantDeleted},
}

var hints = map[models.InstanceState]string{
	models.Provisioning: "Allowed now: delete", models.Running: "Allowed now: stop, restart, delete", models.Stopped: "Allowed now: start, delete",
	models.Errored: "Allowed now: recover, delete", models.Suspended: "Allowed now: delete",
}

// inState makes an instance and puts it into a state below the verbs.
func inState(t *testing.T, store *models.Store, sc *models.Scope, state models.InstanceState) *models.Instance {
	t.Helper()
	i := modelstest.Instance(t, sc, "i")
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Model(&models.Instance{}).Where("id = ?", i.ID).
		Updates(map[string]any{"state": state, "attempts": 3, "reason": "old", "retry_at": time.Now()}).Error)
	i, err := sc.Instance(t.Context(), i.ID)
	require.NoError(t, err)
	return i
}

func TestActionsInEveryState(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	require.Len(t, models.InstanceStates, len(allowed))
	for _, state := range models.InstanceStates {
		for _, a := range allActions {
			i := inState(t, store, sc, state)
			got, err := sc.ActOnInstance(t.Context(), i.ID, a)
			want, ok := allowed[state][a]
			require.Equal(t, ok, state.May(a))
			if !ok {
				f := fault.As(err)
				require.Equal(t, fault.Invalid, f.Kind, "%s %s", a, state)
				require.Equal(t, "Cannot "+string(a)+" instance in "+string(state)+" state", f.Detail)
				require.Equal(t, hints[state], f.Hint)
				again, err := sc.Instance(t.Context(), i.ID)
				require.NoError(t, err)
				require.Equal(t, i, again, "nothing was changed")
				continue
			}
			require.NoError(t, err, "%s %s", a, state)
			require.Equal(t, want, got.Desired)
			require.Equal(t, state, got.State, "an action never moves the observed state")
			require.Equal(t, i.Generation+1, got.Generation)
			require.Zero(t, got.Attempts)
			require.Nil(t, got.RetryAt)
			require.Empty(t, got.Reason)
			logs, err := sc.Logs(t.Context(), i.ID, 1)
			require.NoError(t, err)
			require.Contains(t, logs[0].Message, "by Owner of Acme")
		}
	}
	f := fault.As(second(sc.ActOnInstance(t.Context(), inState(t, store, sc, models.Running).ID, models.Start)))
	require.Equal(t, "Cannot start instance in RUNNING state", f.Detail, "the contract's words")
}

func second[T any](_ T, err error) error { return err }

func TestDeletionIsFinal(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	i := inState(t, store, sc, models.Running)
	first, err := sc.ActOnInstance(t.Context(), i.ID, models.Delete)
	require.NoError(t, err)
	again, err := sc.ActOnInstance(t.Context(), i.ID, models.Delete)
	require.NoError(t, err, "asking twice is no fault")
	require.Equal(t, first.Generation, again.Generation)
	for _, a := range allActions[:4] {
		require.Equal(t, "instance.deleting", fault.As(second(sc.ActOnInstance(t.Context(), i.ID, a))).Code)
	}
	name := "new"
	require.Equal(t, "instance.deleting", fault.As(second(sc.UpdateInstance(t.Context(), i.ID, models.InstanceChange{Name: &name}))).Code)
	_, err = sc.ActOnInstance(t.Context(), "none", models.Stop)
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestObservationsInEveryState(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	p, r, s, e := models.Provisioning, models.Running, models.Stopped, models.Errored
	next := map[models.InstanceState][4]models.InstanceState{ // starting, running, stopped, failure
		p: {p, r, s, e}, r: {r, r, s, e}, s: {p, r, s, e}, e: {p, r, s, e},
		models.Suspended: {models.Suspended, models.Suspended, models.Suspended, models.Suspended},
	}
	for _, state := range models.InstanceStates {
		for n, saw := range []models.Observation{models.SawStarting, models.SawRunning, models.SawStopped, models.SawFailure} {
			i := inState(t, store, sc, state)
			fake.Add(time.Second)
			got, err := sc.Observe(t.Context(), i.ID, models.Observed{Saw: saw, Generation: 1, Reason: "because"})
			require.NoError(t, err)
			require.Equal(t, next[state][n], got.State, "%s %s", state, saw)
			if state == models.Suspended {
				require.Equal(t, "old", got.Reason, "why it is suspended stays")
			} else {
				require.Equal(t, "because", got.Reason)
			}
			require.Equal(t, got.State != state, got.StateSince.Equal(fake.Now()), "since moves with the state only: %s %s", state, saw)
			switch saw {
			case models.SawRunning, models.SawStopped:
				require.Zero(t, got.Attempts)
				require.Nil(t, got.RetryAt)
				require.EqualValues(t, 1, got.ObservedGeneration)
			case models.SawFailure:
				require.Equal(t, 4, got.Attempts)
				require.Equal(t, fake.Now().Add(models.RetryAfter(3)), got.RetryAt.UTC())
				require.Zero(t, got.ObservedGeneration, "a failure answers no wish")
			case models.SawStarting:
				require.Equal(t, 3, got.Attempts)
			}
		}
	}
}

// The matrix of the contract (cloud-api.md, "Roles").
func TestRolesAreTheMatrix(t *testing.T) {
	t.Parallel()
	all, managers, owner := "OWNER ADMIN MEMBER", "OWNER ADMIN", "OWNER"
	for can, who := range map[models.Can]string{
		models.CanView: all, models.CanUseInstances: all, models.CanCreateInstances: managers, models.CanDeleteInstances: managers,
		models.CanManageProviders: managers, models.CanManageTeam: managers, models.CanManageKeys: managers, models.CanEditSettings: managers,
		models.CanManageBilling: owner, models.CanDeleteOrg: owner, "fly": "", "": "",
	} {
		for _, r := range []models.Role{models.Owner, models.Admin, models.Member} {
			require.Equal(t, slices.Contains(strings.Fields(who), string(r)), r.May(can), "%s %s", r, can)
		}
		for _, r := range []models.Role{"", "owner", "AGENT", "ROOT"} {
			require.False(t, r.May(can), "%s %s", r, can)
		}
	}
}

func TestTiersAreTheContracts(t *testing.T) {
	t.Parallel()
	for tier, want := range map[models.Tier][2]int{models.Starter: {512, 1024}, models.Pro: {2048, 10240}, models.Business: {8192, 102400}} {
		s, ok := tier.Size()
		require.True(t, ok)
		require.Equal(t, want, [2]int{s.MemoryMB, s.StorageMB})
	}
	_, ok := models.Tier("starter").Size()
	require.False(t, ok)
}
