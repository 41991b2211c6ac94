package work_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/hands"
	"lobstead/engine/sandbox/process"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// The test binary is also the daemon inside its sandboxes.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "hands" {
		os.Exit(hands.Main(os.Args[2:]))
	}
}

func processes(t testing.TB) sandbox.Driver {
	d, err := process.New(process.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// The whole life of an instance with real sandboxes, a death and a restart of the server in it.
func TestLifeWithRealSandboxes(t *testing.T) {
	dir := t.TempDir()
	open := func() sandbox.Driver {
		d, err := process.New(process.Config{Dir: dir})
		require.NoError(t, err)
		return d
	}
	f := newFloor(t, secret.String{}, open())
	stop := f.worker("a", f.bus)
	i := f.create(1)[0]
	f.allRun([]*models.Instance{i})
	require.Contains(t, f.say(i.ID, "cat README.md"), "Your workspace")
	f.say(i.ID, "echo kept > mine.txt")

	stop()
	require.NoError(t, f.driver.Close())
	f.driver = open()
	t.Cleanup(func() { _ = f.driver.Close() })
	f.worker("a", f.bus)
	f.runs(i.ID)
	require.Equal(t, "kept\n", f.say(i.ID, "cat mine.txt"))

	for _, step := range []struct {
		do   models.Action
		want models.InstanceState
	}{{models.Stop, models.Stopped}, {models.Start, models.Running}, {models.Restart, models.Running}} {
		got, err := f.desk.Act(t.Context(), f.sc, i.ID, step.do)
		require.NoError(t, err)
		got, err = f.desk.Await(t.Context(), f.sc, i.ID, got.Generation)
		require.NoError(t, err)
		require.Equal(t, step.want, got.State)
	}
	require.Equal(t, "kept\n", f.say(i.ID, "cat mine.txt"))
	f.remove(i)
	ids, err := f.driver.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, ids)
}

func (f *floor) runs(id string) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		o, err := f.driver.Observe(f.t.Context(), id)
		return err == nil && o.State == sandbox.Running
	}, 20*time.Second, 5*time.Millisecond)
}

func (f *floor) say(id, shell string) string {
	f.t.Helper()
	h, err := f.driver.Hands(f.t.Context(), id)
	require.NoError(f.t, err)
	defer func() { _ = h.Close() }()
	r, err := h.Exec(f.t.Context(), sandbox.Command{Shell: shell}, nil)
	require.NoError(f.t, err)
	require.Zero(f.t, r.ExitCode, "%+v", r)
	return r.Stdout
}

func (f *floor) remove(i *models.Instance) {
	f.t.Helper()
	i, err := f.desk.Delete(f.t.Context(), f.sc, i.ID)
	require.NoError(f.t, err)
	for {
		_, err = f.desk.Await(f.t.Context(), f.sc, i.ID, i.Generation)
		if fault.Is(err, fault.NotFound) {
			return
		}
		require.NoError(f.t, err)
	}
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(p int) float64 { return float64(took[len(took)*p/100]) / float64(time.Millisecond) }
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(95), "p95-ms")
}

// BenchmarkCreateToRunning is from the call of the verb to the committed RUNNING; "queue" is a worker that
// hears no hint. The one with the fake driver is what provisioning itself costs.
func BenchmarkCreateToRunning(b *testing.B) {
	run := func(b *testing.B, d sandbox.Driver, hint bool) {
		f := newFloor(b, secret.String{}, d)
		ear := f.bus
		if !hint {
			ear = events.Open(nil)
		}
		f.worker("a", ear)
		f.remove(f.create(1)[0]) // the first prepares statements and connections
		took := []time.Duration{}
		for b.Loop() {
			at := time.Now()
			made := f.create(1)
			f.allRun(made)
			took = append(took, time.Since(at))
			f.remove(made[0])
		}
		report(b, took)
	}
	b.Run("fake", func(b *testing.B) { run(b, &provisiontest.Driver{}, true) })
	b.Run("process", func(b *testing.B) { run(b, processes(b), true) })
	b.Run("process-queue", func(b *testing.B) { run(b, processes(b), false) })
}

// BenchmarkHundredCreates creates a hundred at once and times each until it runs.
func BenchmarkHundredCreates(b *testing.B) {
	run := func(b *testing.B, d sandbox.Driver) {
		f := newFloor(b, secret.String{}, d)
		f.worker("a", f.bus)
		f.remove(f.create(1)[0])
		took := []time.Duration{}
		for b.Loop() {
			var all sync.WaitGroup
			var mu sync.Mutex
			made := make([]*models.Instance, 100)
			for n := range made {
				all.Go(func() {
					at := time.Now()
					i, err := f.desk.Create(b.Context(), f.sc, models.NewInstance{Name: fmt.Sprintf("i-%d", n), Region: "local", Tier: models.Starter})
					require.NoError(b, err)
					f.allRun([]*models.Instance{i})
					mu.Lock()
					defer mu.Unlock()
					took, made[n] = append(took, time.Since(at)), i
				})
			}
			all.Wait()
			for _, i := range made {
				f.remove(i)
			}
		}
		report(b, took)
	}
	b.Run("fake", func(b *testing.B) { run(b, &provisiontest.Driver{}) })
	b.Run("process", func(b *testing.B) { run(b, processes(b)) })
}

// BenchmarkIdleWorker gives the processor time of a worker with nothing to do, and with ten that run.
func BenchmarkIdleWorker(b *testing.B) {
	for _, live := range []int{0, 10} {
		b.Run(fmt.Sprint(live), func(b *testing.B) {
			f := newFloor(b, secret.String{}, processes(b))
			f.worker("a", f.bus)
			f.allRun(f.create(live))
			time.Sleep(time.Second)
			for b.Loop() {
				before := cpu(b)
				time.Sleep(5 * time.Second)
				b.ReportMetric(100*(cpu(b)-before).Seconds()/5, "cpu-%")
			}
		})
	}
}

func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
