package provision_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/provision"
	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Random wishes, deaths and pauses, beside two workers: the last wish wins, and nothing is left over.
func TestTheLastWishWins(t *testing.T) {
	r := newRig(t, clock.Real)
	r.driver.Disturb = func(ctx context.Context, _ provisiontest.Op, _ string) error {
		select {
		case <-time.After(time.Duration(rand.IntN(3)) * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.follow(r.rec)
	r.follow(r.reconciler("other", clock.Real))
	var serial atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		i := r.create(fmt.Sprintf("i-%d", serial.Add(1)))
		want := models.WantRunning
		for range rapid.IntRange(1, 12).Draw(rt, "wishes") {
			switch a := rapid.SampledFrom([]string{"start", "stop", "restart", "delete", "kill", "wait", "settle"}).Draw(rt, "a"); a {
			case "kill":
				r.driver.Kill(i.ID, "killed")
			case "wait":
				time.Sleep(time.Duration(rapid.IntRange(0, 5).Draw(rt, "ms")) * time.Millisecond)
			case "settle":
				r.settle(rt, i.ID, want)
			default:
				got, err := r.desk.Act(t.Context(), r.sc, i.ID, models.Action(a))
				if err == nil {
					want = got.Desired
				} else if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
					rt.Fatal(err)
				}
			}
		}
		r.settle(rt, i.ID, want)
		if want != models.WantDeleted {
			_, err := r.desk.Delete(t.Context(), r.sc, i.ID)
			require.NoError(rt, err)
			r.settle(rt, i.ID, models.WantDeleted)
		}
	})
	require.Zero(t, r.driver.Overlaps())
	ids, err := r.driver.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, ids, "leaked")
}

// settle waits until row and sandbox are as wanted; the observer's ticks run meanwhile.
func (r *rig) settle(rt *rapid.T, id string, want models.Desired) {
	rt.Helper()
	right := func() bool {
		i, err := r.sc.Instance(r.t.Context(), id)
		switch want {
		case models.WantDeleted:
			return fault.Is(err, fault.NotFound) && r.driver.State(id) == sandbox.Absent
		case models.WantStopped:
			return err == nil && i.State == models.Stopped && i.ObservedGeneration == i.Generation && r.driver.State(id) == sandbox.Stopped
		}
		return err == nil && i.State == models.Running && i.ObservedGeneration == i.Generation && r.driver.State(id) == sandbox.Running
	}
	// A sandbox that is killed while it starts is a failure, tried again after a pause: the sweep's work.
	sweep := &provision.Sweeper{Reconciler: r.rec, Jobs: direct{r.rec}}
	end := time.Now().Add(20 * time.Second)
	for !right() {
		if time.Now().After(end) {
			i, err := r.sc.Instance(r.t.Context(), id)
			rt.Fatalf("want %s, row %+v (%v), sandbox %s", want, i, err, r.driver.State(id))
		}
		require.NoError(rt, r.obs.Check(r.t.Context()))
		require.NoError(rt, sweep.Sweep(r.t.Context()))
		time.Sleep(2 * time.Millisecond)
	}
}

// direct does a job at once instead of queueing it.
type direct struct{ rec *provision.Reconciler }

func (d direct) Reconcile(ctx context.Context, org, id string) error {
	return d.rec.Reconcile(ctx, org, id)
}
