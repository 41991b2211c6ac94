package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/models"
)

func TestDeadSandboxIsBroughtBack(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	r.follow(r.rec)
	r.driver.Kill(i.ID, "killed: out of memory")
	r.looksUntilRunning(t, i.ID)
	require.EqualValues(t, 1, r.reconcile(i.ID).Generation)
}

// At a start-up nothing runs although the rows say so.
func TestStartUpBringsAllBack(t *testing.T) {
	r := newRig(t, clock.Real)
	ids := []string{r.reconcile(r.create("a").ID).ID, r.reconcile(r.create("b").ID).ID}
	require.NoError(t, r.driver.Close())
	r.follow(r.rec)
	for _, id := range ids {
		r.looksUntilRunning(t, id)
	}
}

// looksUntilRunning observes as a worker does, every so often: the first hint may come before anybody listens.
func (r *rig) looksUntilRunning(t *testing.T, id string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); r.driver.State(id) != sandbox.Running; time.Sleep(100 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "not brought back")
		require.NoError(t, r.obs.Check(t.Context()))
	}
}

func TestRevivalSlowsDown(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	i := r.reconcile(r.create("one").ID)
	heard := r.bus.Subscribe(8, "instance-wishes")
	defer heard.Close()
	tries := 0
	for range 60 {
		r.driver.Kill(i.ID, "")
		require.NoError(t, r.obs.Check(t.Context()))
		before := r.driver.Calls(i.ID, provisiontest.Start)
		for len(heard.C()) > 0 {
			<-heard.C()
			r.reconcile(i.ID)
		}
		if r.driver.Calls(i.ID, provisiontest.Start) > before {
			tries++
		}
		now.Add(time.Second)
	}
	require.Greater(t, tries, 10)
	require.Less(t, tries, 20)
}

func TestMetricsAreRealReadings(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	r.create("not-up-yet")
	require.NoError(t, r.obs.Measure(t.Context()))
	points, err := r.sc.Metrics(t.Context(), i.ID, 10)
	require.NoError(t, err)
	require.Len(t, points, 1)
	require.EqualValues(t, 3, points[0].MemoryMB)
	require.Equal(t, 2, points[0].Processes)
}

func TestOrphansAndStraysEnd(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	r.follow(r.rec)
	stopped := r.await(r.create("one"))
	stopped = r.await(r.act(stopped.ID, models.Stop))
	require.NoError(t, r.driver.Start(t.Context(), stopped.ID), "by somebody else")
	require.NoError(t, r.driver.Ensure(t.Context(), sandbox.Spec{ID: "nobody"}))
	require.NoError(t, r.driver.Start(t.Context(), "nobody"))

	require.NoError(t, r.obs.Tidy(t.Context()))
	require.Equal(t, sandbox.Running, r.driver.State("nobody"), "too young")
	require.Eventually(t, func() bool { return r.driver.State(stopped.ID) == sandbox.Stopped }, 10*time.Second, time.Millisecond)
	now.Add(2 * time.Minute)
	require.NoError(t, r.obs.Tidy(t.Context()))
	require.Equal(t, sandbox.Absent, r.driver.State("nobody"))
	require.Len(t, r.driver.Files(stopped.ID), 3, "an owned workspace stays")
}
