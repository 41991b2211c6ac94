package provision_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/models"
)

// warm makes a running instance whose sandbox may sleep after five minutes.
func (r *rig) warm(window any) *models.Instance {
	r.t.Helper()
	i := r.create("warm")
	i = r.reconcile(i.ID)
	require.Equal(r.t, models.Running, i.State)
	_, err := r.sc.ChangeProfile(r.t.Context(), i.ID, models.ProfileChange{Settings: map[string]any{"warmth_window_ms": window}})
	require.NoError(r.t, err)
	return i
}

func (r *rig) sandbox(id string) sandbox.State {
	r.t.Helper()
	o, err := r.driver.Observe(r.t.Context(), id)
	require.NoError(r.t, err)
	return o.State
}

// round is what a worker does within a minute: it tidies, looks, and reconciles what it heard of.
func (r *rig) round(id string) *models.Instance {
	r.t.Helper()
	require.NoError(r.t, r.obs.Tidy(r.t.Context()))
	require.NoError(r.t, r.obs.Check(r.t.Context()))
	return r.reconcile(id)
}

func TestIdleSandboxSleepsAndWakes(t *testing.T) {
	fake := clock.NewFake(time.Now())
	r := newRig(t, fake)
	i := r.warm(300_000)
	fake.Add(4 * time.Minute)
	require.Equal(t, sandbox.Running, func() sandbox.State { r.round(i.ID); return r.sandbox(i.ID) }(), "its window is not over")
	require.NoError(t, r.sc.TouchInstance(t.Context(), i.ID))
	fake.Add(4 * time.Minute)
	r.round(i.ID)
	require.Equal(t, sandbox.Running, r.sandbox(i.ID), "it was used since")
	s, err := r.sc.CreateSession(t.Context(), models.NewSession{InstanceID: i.ID})
	require.NoError(t, err)
	turn, _, err := r.sc.StartTurn(t.Context(), s.ID, models.Input{Text: "hello"})
	require.NoError(t, err)
	fake.Add(time.Hour)
	r.round(i.ID)
	require.Equal(t, sandbox.Running, r.sandbox(i.ID), "a message waits for its answer")
	_, err = r.sc.InterruptTurn(t.Context(), turn.ID)
	require.NoError(t, err)

	for range 3 {
		i = r.round(i.ID)
		require.True(t, i.Asleep())
		require.Equal(t, models.Running, i.State)
		require.Equal(t, models.StandingActive, i.Standing())
		require.NotEqual(t, sandbox.Running, r.sandbox(i.ID))
		fake.Add(time.Minute)
	}
	h, err := r.sc.InstanceHealth(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, "healthy", h.Status)
	require.NoError(t, r.desk.Wake(t.Context(), r.sc, i.ID))
	i = r.reconcile(i.ID)
	require.False(t, i.Asleep())
	require.Equal(t, sandbox.Running, r.sandbox(i.ID))
	r.round(i.ID)
	require.Equal(t, sandbox.Running, r.sandbox(i.ID), "waking counts as use")
	logs, err := r.sc.Logs(t.Context(), i.ID, 100)
	require.NoError(t, err)
	for _, l := range logs {
		require.NotEqual(t, models.LogWarn, l.Level, l.Message)
	}
	require.NoError(t, r.driver.Stop(t.Context(), i.ID))
	r.reconcile(i.ID)
	logs, err = r.sc.Logs(t.Context(), i.ID, 100)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(logs, func(l models.InstanceLog) bool { return l.Level == models.LogWarn }), "one that dies later is told of")
}

// Whatever a person asks of a sleeping instance is done as of any other.
func TestSleepersAreCommandedLikeOthers(t *testing.T) {
	fake := clock.NewFake(time.Now())
	for action, want := range map[models.Action]sandbox.State{models.Restart: sandbox.Running, models.Stop: sandbox.Stopped} {
		r := newRig(t, fake)
		i := r.warm(300_000)
		fake.Add(time.Hour)
		require.True(t, r.round(i.ID).Asleep())
		r.act(i.ID, action)
		i = r.reconcile(i.ID)
		require.False(t, i.Asleep(), action)
		require.Equal(t, want, r.sandbox(i.ID), action)
	}
	r := newRig(t, fake)
	i := r.warm(nil)
	fake.Add(1000 * time.Hour)
	require.False(t, r.round(i.ID).Asleep(), "null is never")
}
