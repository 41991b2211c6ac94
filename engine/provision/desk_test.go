package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision"
	"lobstead/engine/provision/provisiontest"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
)

func TestAwaitAnswersWithTheStateReached(t *testing.T) {
	r := newRig(t, clock.Real)
	r.follow(r.rec)
	i := r.await(r.create("one"))
	require.Equal(t, models.Running, i.State)
	require.Equal(t, models.Stopped, r.await(r.act(i.ID, models.Stop)).State)
	require.Equal(t, models.Running, r.await(r.act(i.ID, models.Start)).State)
	require.Equal(t, models.Running, r.await(r.act(i.ID, models.Restart)).State)
	i, err := r.desk.Delete(t.Context(), r.sc, i.ID)
	require.NoError(t, err)
	_, err = r.desk.Await(t.Context(), r.sc, i.ID, i.Generation)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

func TestAwaitOfFailureAndOfNoWorker(t *testing.T) {
	r := newRig(t, clock.Real)
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	i := r.create("one")
	got, err := r.desk.Await(short, r.sc, i.ID, i.Generation)
	require.NoError(t, err, "the row as it is")
	require.Equal(t, models.Provisioning, got.State)

	r.driver.Disturb = provisiontest.FailTimes(r.driver, provisiontest.Ensure, 1)
	r.follow(r.rec)
	i = r.await(r.create("two"))
	require.Equal(t, models.Errored, i.State)
	i = r.await(r.act(i.ID, models.Recover))
	require.Equal(t, models.Running, i.State)
}

func TestHintsNameWhatChanged(t *testing.T) {
	r := newRig(t, clock.Real)
	org := r.bus.Subscribe(100, provision.OrgTopic(r.sc.Org))
	defer org.Close()
	i := r.create("one")
	r.reconcile(i.ID)
	require.NoError(t, r.obs.Measure(t.Context()))
	seen := map[provision.What]bool{}
	for len(org.C()) > 0 {
		c, ok := provision.ReadChange(<-org.C())
		require.True(t, ok)
		require.Equal(t, i.ID, c.Instance)
		for _, w := range c.What {
			seen[w] = true
		}
	}
	require.Len(t, seen, 4)
}

// A rename is no wish: nobody works on it.
func TestRenameIsNotDriven(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	r.follow(r.rec)
	name := "two"
	i, err := r.desk.Update(t.Context(), r.sc, i.ID, models.InstanceChange{Name: &name})
	require.NoError(t, err)
	require.EqualValues(t, 1, i.Generation)
	require.Equal(t, "two", r.await(i).Name)
}
