package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// What a rebuild makes of each state.
func TestRebuildInEveryState(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	seen := map[models.InstanceState]bool{}
	for name, c := range map[string]struct {
		saw  models.Observation
		want models.Desired
		next models.InstanceState // "" = refused
	}{
		"provisioning": {next: ""}, "running": {saw: models.SawRunning, next: models.Provisioning}, "failed": {saw: models.SawFailure, next: models.Provisioning},
		"stopped": {saw: models.SawStopped, want: models.WantStopped, next: models.Stopped},
	} {
		i := modelstest.Instance(t, sc, name)
		var err error
		if c.want == models.WantStopped {
			_, err = sc.Observe(t.Context(), i.ID, models.Observed{Saw: models.SawRunning, Generation: i.Generation})
			require.NoError(t, err)
			i, err = sc.ActOnInstance(t.Context(), i.ID, models.Stop)
			require.NoError(t, err)
		}
		if c.saw != "" {
			i, err = sc.Observe(t.Context(), i.ID, models.Observed{Saw: c.saw, Generation: i.Generation, Reason: "because"})
			require.NoError(t, err)
		}
		seen[i.State] = true
		after, err := sc.UpdateInstance(t.Context(), i.ID, models.InstanceChange{Rebuild: true})
		if c.next == "" {
			require.True(t, fault.Is(err, fault.Conflict), name)
			require.Equal(t, "instance.rebuilding", fault.As(err).Code)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, []any{c.next, i.Generation + 1, i.Desired, "", 0}, []any{after.State, after.Generation, after.Desired, after.Reason, after.Attempts}, name)
		require.Nil(t, after.RetryAt)
	}
	require.Len(t, seen, 4)
	i := modelstest.Instance(t, sc, "suspended")
	require.NoError(t, func() error { _, err := sc.Suspend(t.Context(), "unpaid"); return err }())
	_, err := sc.UpdateInstance(t.Context(), i.ID, models.InstanceChange{Rebuild: true})
	require.True(t, fault.Is(err, fault.Conflict))
}

// An instance's own key is its service; without one, the service that was chosen or none.
func TestInstancesOwnKey(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	i, other := modelstest.Instance(t, sc, "one"), modelstest.Instance(t, sc, "two")
	change := func(k models.OwnKey) error {
		changed, err := sc.UpdateInstance(t.Context(), i.ID, models.InstanceChange{Key: &k})
		if err == nil {
			i = changed
		}
		return err
	}
	require.NoError(t, change(models.OwnKey{Kind: "openai", Model: "first", Key: secret.Of("sk-0123456789abcdef")}))
	require.NoError(t, change(models.OwnKey{Kind: "anthropic", Model: "second", Key: secret.Of("sk-ant-0123456789abcdef")}))
	rows, err := sc.InstanceKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.NotContains(t, string(rows[0].KeySealed), "0123456789")
	p, err := sc.ServiceOf(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, []string{"anthropic", "second"}, []string{p.Kind, p.Model})
	key, err := sc.ProviderKey(p)
	require.NoError(t, err)
	require.Equal(t, "sk-ant-0123456789abcdef", key.Reveal())
	known, err := store.AsSystem("test").ProviderKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, known, 1, "the scrubber hears of it")
	other.ProviderID = i.ProviderID
	p, err = sc.ServiceOf(t.Context(), other)
	require.NoError(t, err)
	require.Nil(t, p, "it serves no other instance")
	require.True(t, fault.Is(setForeignKey(t, store, i.ID), fault.NotFound))
	require.Error(t, change(models.OwnKey{Kind: "nonsense", Key: secret.Of("x")}))
	p, err = sc.ServiceOf(t.Context(), i)
	require.NoError(t, err)
	require.NotNil(t, p, "a refused key takes none away")
	require.NoError(t, change(models.OwnKey{}))
	p, err = sc.ServiceOf(t.Context(), i)
	require.NoError(t, err)
	require.Nil(t, p)
}

// setForeignKey is what another organization hears of an instance.
func setForeignKey(t *testing.T, store *models.Store, instance string) error {
	t.Helper()
	foreign, _ := modelstest.Found(t, store, "Beta")
	_, err := foreign.UpdateInstance(t.Context(), instance, models.InstanceChange{Key: &models.OwnKey{Kind: "openai", Key: secret.Of("sk-0123456789")}})
	return err
}
