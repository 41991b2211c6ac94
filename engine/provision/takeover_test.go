package provision_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision/provisiontest"
	"lobstead/kit/clock"
	"lobstead/models"
)

func TestTwoWorkersDoNothingTwice(t *testing.T) {
	r := newRig(t, clock.Real)
	r.driver.Disturb = func(context.Context, provisiontest.Op, string) error {
		time.Sleep(time.Millisecond)
		return nil
	}
	r.follow(r.rec)
	r.follow(r.reconciler("other", clock.Real))
	made := []*models.Instance{}
	for n := range 20 {
		made = append(made, r.create(fmt.Sprintf("i-%d", n)))
	}
	for _, i := range made {
		i = r.await(i)
		require.Equal(t, models.Running, i.State)
		require.Len(t, r.steps(i), 4)
		require.Equal(t, 1, r.driver.Calls(i.ID, provisiontest.Ensure))
		require.Equal(t, 1, r.driver.Calls(i.ID, provisiontest.Start))
	}
	require.Zero(t, r.driver.Overlaps())
}

// A worker that was killed holds its lease until that runs out; then another begins anew.
func TestKilledWorkerIsTakenOver(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	i := r.create("one")
	_, err := r.sc.LeaseInstance(t.Context(), i.ID, "dead/1")
	require.NoError(t, err)
	require.Equal(t, models.Provisioning, r.reconcile(i.ID).State, "still held")
	require.Zero(t, r.driver.Calls(i.ID, provisiontest.Ensure))
	now.Add(models.ReconcileLease)
	require.Equal(t, models.Running, r.reconcile(i.ID).State)
}

// The same node after a restart need not wait for its own lease; nor does it take another node's.
func TestRestartTakesItsLeasesBack(t *testing.T) {
	r := newRig(t, clock.Real)
	mine, other := r.create("mine"), r.create("other")
	_, err := r.sc.LeaseInstance(t.Context(), mine.ID, "node/1")
	require.NoError(t, err)
	_, err = r.sc.LeaseInstance(t.Context(), other.ID, "node2/1")
	require.NoError(t, err)
	require.NoError(t, r.rec.Recover(t.Context()))
	require.Equal(t, models.Running, r.reconcile(mine.ID).State)
	require.Equal(t, models.Provisioning, r.reconcile(other.ID).State)
}

// A worker that was frozen past its lease wakes up: what it writes then is refused.
func TestFrozenWorkerWritesNothing(t *testing.T) {
	now := clock.NewFake(time.Now())
	r := newRig(t, now)
	frozen, thaw := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	r.driver.Disturb = func(_ context.Context, op provisiontest.Op, _ string) error {
		if op == provisiontest.Start && first.CompareAndSwap(false, true) {
			close(frozen)
			<-thaw
		}
		return nil
	}
	i := r.create("one")
	done := make(chan error)
	go func() { done <- r.rec.Reconcile(t.Context(), r.sc.Org, i.ID) }()
	<-frozen
	now.Add(models.ReconcileLease)
	require.NoError(t, r.reconciler("other", now).Reconcile(t.Context(), r.sc.Org, i.ID))
	r.act(i.ID, models.Stop)
	require.NoError(t, r.reconciler("other", now).Reconcile(t.Context(), r.sc.Org, i.ID))
	before, err := r.sc.Instance(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, models.Stopped, before.State)
	close(thaw)
	require.NoError(t, <-done)
	after, err := r.sc.Instance(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, before, after)
}
