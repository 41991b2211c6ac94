package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision"
	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
)

func TestCreateRunsAndShowsItsSteps(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	require.Equal(t, models.Running, i.State)
	require.EqualValues(t, 1, i.ObservedGeneration)
	require.Empty(t, i.LeaseOwner)
	require.Contains(t, i.Isolation, "landlock")
	steps := r.steps(i)
	require.Len(t, steps, 4)
	for _, name := range []string{"Workspace", "Sandbox", "Isolation", "Agent"} {
		require.Equal(t, models.StepDone, steps[name].State, name)
		require.NotNil(t, steps[name].FinishedAt, name)
	}
	require.Equal(t, "512 MB memory, 1024 MB storage, 64 processes, 1 CPU", steps["Workspace"].Detail)
	require.Equal(t, "Applied: landlock. Not applied: cgroup memory (not delegated)", steps["Isolation"].Detail)
	require.ElementsMatch(t, []string{"README.md", "samples/catch.csv", "samples/harbour.md"}, r.driver.Files(i.ID))
	require.Equal(t, 512, r.driver.Spec(i.ID).Limits.MemoryMB)

	r.reconcile(i.ID)
	require.Equal(t, 1, r.driver.Calls(i.ID, provisiontest.Start), "nothing is done twice")
}

func TestTierChangeAndRestartStopFirst(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	tier := models.Pro
	_, err := r.desk.Update(t.Context(), r.sc, i.ID, models.InstanceChange{Tier: &tier})
	require.NoError(t, err)
	i = r.reconcile(i.ID)
	require.Equal(t, models.Running, i.State)
	require.Equal(t, 2048, r.driver.Spec(i.ID).Limits.MemoryMB)
	require.Contains(t, r.steps(i), "Stop")
	r.act(i.ID, models.Restart)
	i = r.reconcile(i.ID)
	require.EqualValues(t, 3, i.ObservedGeneration)
	require.Equal(t, 2, r.driver.Calls(i.ID, provisiontest.Stop))
	require.Equal(t, 3, r.driver.Calls(i.ID, provisiontest.Start))
}

func TestStopStartDelete(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.reconcile(r.create("one").ID)
	r.act(i.ID, models.Stop)
	i = r.reconcile(i.ID)
	require.Equal(t, models.Stopped, i.State)
	require.Equal(t, sandbox.Stopped, r.driver.State(i.ID))
	require.Len(t, r.driver.Files(i.ID), 3)
	r.act(i.ID, models.Start)
	require.Equal(t, models.Running, r.reconcile(i.ID).State)
	r.act(i.ID, models.Delete)
	require.Nil(t, r.reconcile(i.ID))
	require.Equal(t, sandbox.Absent, r.driver.State(i.ID))
	require.Nil(t, r.reconcile(i.ID), "again is harmless")
}

func TestFailureSaysWhyAndIsTriedAgain(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	r.driver.Disturb = provisiontest.FailTimes(r.driver, provisiontest.Start, 2)
	i := r.reconcile(r.create("one").ID)
	require.Equal(t, models.Errored, i.State)
	require.Equal(t, "The host's disk is full. Free some space. It is tried again by itself; Recover tries at once.", i.Reason)
	require.Equal(t, models.StepFailed, r.steps(i)["Sandbox"].State)
	require.Equal(t, "The host's disk is full. Free some space", r.steps(i)["Sandbox"].Detail)
	require.Empty(t, i.LeaseOwner)
	r.reconcile(i.ID)
	require.Equal(t, 1, r.driver.Calls(i.ID, provisiontest.Start), "not before its time")
	for range 2 {
		now.Add(10 * time.Second)
		i = r.reconcile(i.ID)
	}
	require.Equal(t, models.Running, i.State)
	require.Zero(t, i.Attempts)
	require.Empty(t, i.Reason)
}

// The row of an instance whose revival failed is unsettled, although its wish was answered once.
func TestFailedRevivalIsFoundBySweep(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	i := r.reconcile(r.create("one").ID)
	r.driver.Kill(i.ID, "killed: out of memory")
	r.driver.Disturb = provisiontest.FailTimes(r.driver, provisiontest.Start, 2)
	require.Equal(t, models.Errored, r.reconcile(i.ID).State)
	now.Add(10 * time.Second)
	refs, err := r.store.AsSystem("test").UnsettledInstances(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []models.InstanceRef{{OrganizationID: r.sc.Org, ID: i.ID}}, refs)
	require.Equal(t, models.Running, r.reconcile(i.ID).State)
	logs, err := r.sc.Logs(t.Context(), i.ID, 50)
	require.NoError(t, err)
	found := false
	for _, l := range logs {
		found = found || l.Level == models.LogWarn && l.Message == "The sandbox was gone (killed: out of memory) and is brought up again"
	}
	require.True(t, found, "%v", logs)
}

func TestShutdownIsNoFailure(t *testing.T) {
	r := newRig(t, clock.Real)
	ctx, cancel := context.WithCancel(t.Context())
	r.driver.Disturb = func(ctx context.Context, op provisiontest.Op, _ string) error {
		if op == provisiontest.Start {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	i := r.create("one")
	require.ErrorIs(t, r.rec.Reconcile(ctx, r.sc.Org, i.ID), context.Canceled)
	i, err := r.sc.Instance(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, models.Provisioning, i.State)
	require.Empty(t, i.LeaseOwner, "released")
	require.Zero(t, i.Attempts)
	r.driver.Disturb = nil
	require.Equal(t, models.Running, r.reconcile(i.ID).State)
}

func TestSlowStepIsShownAndCut(t *testing.T) {
	r := newRig(t, clock.Real)
	r.rec.StepLimit = 600 * time.Millisecond
	r.driver.Disturb = func(ctx context.Context, op provisiontest.Op, _ string) error {
		if op != provisiontest.Start {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	i := r.create("one")
	done := make(chan error)
	go func() { done <- r.rec.Reconcile(t.Context(), r.sc.Org, i.ID) }()
	require.Eventually(t, func() bool {
		rows, err := r.sc.Steps(t.Context(), i)
		return err == nil && len(rows) == 2 && rows[1].State == models.StepRunning && rows[0].State == models.StepDone
	}, 10*time.Second, 5*time.Millisecond, "live")
	require.NoError(t, <-done)
	i = r.reconcile(i.ID)
	require.Equal(t, models.Errored, i.State)
	require.Contains(t, i.Reason, "Sandbox took longer than 600ms")
}

func TestNewWishCutsAHangingStep(t *testing.T) {
	r := newRig(t, clock.Real)
	hanging := make(chan struct{}, 1)
	r.driver.Disturb = func(ctx context.Context, op provisiontest.Op, _ string) error {
		if op != provisiontest.Start {
			return nil
		}
		hanging <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	i := r.create("one")
	done := make(chan error)
	go func() { done <- r.rec.Reconcile(t.Context(), r.sc.Org, i.ID) }()
	<-hanging
	_, err := r.desk.Delete(t.Context(), r.sc, i.ID)
	require.NoError(t, err)
	require.NoError(t, <-done, "the same holder does the new wish")
	_, err = r.sc.Instance(t.Context(), i.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	require.Equal(t, sandbox.Absent, r.driver.State(i.ID))
}

// A sandbox that an agent's first tool call woke is not pulled away from under it.
func TestFirstWishKeepsAWokenSandbox(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.create("one")
	require.NoError(t, r.driver.Ensure(t.Context(), sandbox.Spec{ID: i.ID}))
	require.NoError(t, r.driver.Start(t.Context(), i.ID))
	require.Equal(t, models.Running, r.reconcile(i.ID).State)
	require.Zero(t, r.driver.Calls(i.ID, provisiontest.Stop))
}

func TestForeignErrorsStayInTheLog(t *testing.T) {
	r := newRig(t, clock.Real)
	r.driver.Disturb = func(_ context.Context, op provisiontest.Op, _ string) error {
		if op == provisiontest.Ensure {
			return errors.New("open /srv/secret: denied")
		}
		return nil
	}
	i := r.reconcile(r.create("one").ID)
	require.NotContains(t, i.Reason, "secret")
	require.NotContains(t, r.steps(i)["Workspace"].Detail, "secret")
}

// A wish whose hint nobody heard and whose tasks are lost with an emptied queue is still done.
func TestSweepReachesAWishWithoutTheQueue(t *testing.T) {
	r := newRig(t, clock.Real)
	i := r.create("one") // nobody follows yet
	r.follow(r.rec)
	sweeper := &provision.Sweeper{Reconciler: r.rec, Jobs: lost{}, Log: r.rec.Log}
	require.Eventually(t, func() bool {
		require.NoError(t, sweeper.Sweep(t.Context()))
		now, err := r.sc.Instance(t.Context(), i.ID)
		require.NoError(t, err)
		return now.State == models.Running
	}, 30*time.Second, 20*time.Millisecond)
}
