package provision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/models"
)

// A suspension stops what runs, and its end brings back what was wanted; both tell workers and watchers.
func TestSuspensionOfAnOrganization(t *testing.T) {
	r := newRig(t, clock.Real)
	runs, stands := r.reach("runs", models.Running), r.reach("stands", models.Stopped)
	r.follow(r.rec)
	watch := r.bus.Subscribe(100, provision.OrgTopic(r.sc.Org))
	defer watch.Close()
	require.NoError(t, r.desk.Suspend(t.Context(), r.sc, "the subscription was cancelled"))
	<-watch.C()
	look := func(id string) *models.Instance {
		i, err := r.sc.Instance(t.Context(), id)
		require.NoError(t, err)
		return r.await(i)
	}
	for _, i := range []*models.Instance{runs, stands} {
		now := look(i.ID)
		require.Equal(t, models.Suspended, now.State)
		require.Equal(t, "The organization is suspended: the subscription was cancelled", now.Reason)
		require.Equal(t, sandbox.Stopped, r.driver.State(i.ID))
	}
	require.NoError(t, r.desk.Resume(t.Context(), r.sc))
	require.Equal(t, models.Running, look(runs.ID).State)
	require.Equal(t, sandbox.Running, r.driver.State(runs.ID))
	require.Equal(t, models.Stopped, look(stands.ID).State)
	require.Equal(t, sandbox.Stopped, r.driver.State(stands.ID))
}

// What a creation leaves running in a suspended organization is found by the sweep.
func TestSweepSuspendsStragglers(t *testing.T) {
	r := newRig(t, clock.Real)
	o, err := r.sc.Organization(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.desk.Suspend(t.Context(), r.sc, "unpaid"))
	late, err := r.sc.Knowing(o).CreateInstance(t.Context(), models.NewInstance{Name: "late", Region: "local", Tier: models.Starter})
	require.NoError(t, err)
	require.Equal(t, models.Running, r.reconcile(late.ID).State)
	sweeper := &provision.Sweeper{Reconciler: r.rec, Jobs: lost{}, Log: r.rec.Log}
	require.NoError(t, sweeper.Sweep(t.Context()))
	require.Equal(t, models.Suspended, r.reconcile(late.ID).State)
	require.Equal(t, sandbox.Stopped, r.driver.State(late.ID))
}
