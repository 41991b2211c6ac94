package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"lobstead/jobs"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/kit/testservices"
)

// forEach runs a test on the embedded Redis and on a real one.
func forEach(t *testing.T, f func(t *testing.T, url secret.String)) {
	t.Run("embedded", func(t *testing.T) { f(t, secret.String{}) })
	t.Run("redis", func(t *testing.T) { f(t, secret.Of(testservices.Redis(t))) })
}

type rig struct {
	*jobs.Redis
	*jobs.Client
	inspect *asynq.Inspector
}

func newRig(t *testing.T, url secret.String) rig {
	r, err := jobs.OpenRedis(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return rig{r, jobs.NewClient(r, slog.New(slog.DiscardHandler)), asynq.NewInspectorFromRedisClient(r.Client())}
}

func (r rig) pending(t *testing.T, queue string) []string {
	t.Helper()
	tasks, err := r.inspect.ListPendingTasks(queue)
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return nil
	}
	require.NoError(t, err)
	var ids []string
	for _, task := range tasks {
		ids = append(ids, task.ID)
	}
	slices.Sort(ids)
	return ids
}

// work runs a worker with f as the handler of every task until the test ends.
func (r rig) work(t *testing.T, f func(ctx context.Context, p any) error) {
	srv := asynq.NewServer(r.Asynq(), asynq.Config{
		Concurrency: 8, Queues: jobs.Queues(), TaskCheckInterval: 20 * time.Millisecond, LogLevel: asynq.FatalLevel,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
	})
	require.NoError(t, srv.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		p, err := jobs.Decode(task.Type(), task.Payload())
		if err != nil {
			return err
		}
		return f(ctx, p)
	})))
	t.Cleanup(srv.Shutdown)
}

func TestEachMethodFillsItsQueueOnce(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		period := time.Date(2026, 11, 22, 3, 0, 0, 0, time.FixedZone("x", 3600))
		for range 3 {
			require.NoError(t, r.Reconcile(t.Context(), "o1", "i1"))
			require.NoError(t, r.Reconcile(t.Context(), "o1", "i2"))
			require.NoError(t, r.Metrics(t.Context(), period))
			require.NoError(t, r.Sweep(t.Context(), period.UTC()))
			require.NoError(t, r.Title(t.Context(), "o1", "s1"))
		}
		require.Equal(t, []string{"reconcile:i1", "reconcile:i2", "sweep:2026-11-22T02:00:00Z"}, r.pending(t, jobs.Critical))
		require.Equal(t, []string{"metrics:2026-11-22T02:00:00Z", "title:s1"}, r.pending(t, jobs.Low))
	})
}

func TestReconcileWhileOneRuns(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		running, release := make(chan struct{}, 8), make(chan struct{})
		r.work(t, func(ctx context.Context, _ any) error {
			running <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
			return nil
		})
		t.Cleanup(func() { close(release) }) // before the worker is shut down
		// Workers start as many as are asked for after the last start: each ask is served by a later run.
		for n := range 5 {
			require.NoError(t, r.Reconcile(t.Context(), "o", "i"), n)
			select {
			case <-running:
			case <-time.After(10 * time.Second):
				t.Fatalf("ask %d started nothing", n)
			}
		}
		require.Empty(t, running)
	})
}

func TestFailedReconcileIsPulledForward(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		runs := make(chan struct{}, 8)
		var fail sync.Once
		r.work(t, func(context.Context, any) (err error) {
			fail.Do(func() { err = errors.New("first run fails") })
			runs <- struct{}{}
			return err
		})
		require.NoError(t, r.Reconcile(t.Context(), "o", "i"))
		<-runs
		require.Eventually(t, func() bool {
			info, err := r.inspect.GetTaskInfo(jobs.Critical, "reconcile:i")
			return err == nil && info.State == asynq.TaskStateRetry
		}, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, r.Reconcile(t.Context(), "o", "i"))
		select {
		case <-runs:
		case <-time.After(10 * time.Second):
			t.Fatal("the retry waits its hour")
		}
	})
}

func TestPeriodRunsOnceAndTitleAgain(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		runs := make(chan any, 8)
		r.work(t, func(_ context.Context, p any) error { runs <- p; return nil })
		period := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
		require.NoError(t, r.Metrics(t.Context(), period))
		require.Equal(t, jobs.CollectMetrics{Period: period}, <-runs)
		require.Eventually(t, func() bool {
			info, err := r.inspect.GetTaskInfo(jobs.Low, "metrics:2026-11-22T02:00:00Z")
			return err == nil && info.State == asynq.TaskStateCompleted
		}, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, r.Metrics(t.Context(), period), "the second scheduler comes late")
		for range 2 {
			require.NoError(t, r.Title(t.Context(), "o", "s"))
			require.Equal(t, jobs.TitleSession{Org: "o", Session: "s"}, <-runs, "and not the metrics again")
			require.Eventually(t, func() bool {
				_, err := r.inspect.GetTaskInfo(jobs.Low, "title:s")
				return errors.Is(err, asynq.ErrTaskNotFound)
			}, 10*time.Second, 10*time.Millisecond)
		}
	})
}

func TestFlushedQueueIsFilledAgain(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		require.NoError(t, r.Reconcile(t.Context(), "o", "i"))
		for range 2 {
			require.NoError(t, r.Redis.Client().FlushAll(t.Context()).Err())
			for range 3 { // the conflicts must not trip over the queue that asynq forgot
				require.NoError(t, r.Reconcile(t.Context(), "o", "i"))
			}
			require.Equal(t, []string{"reconcile:i"}, r.pending(t, jobs.Critical))
		}
		runs := make(chan any, 1)
		r.work(t, func(_ context.Context, p any) error { runs <- p; return nil })
		require.Equal(t, jobs.ReconcileInstance{Org: "o", Instance: "i"}, <-runs)
	})
}

func TestLostRedisIsUnavailableAndLogged(t *testing.T) {
	r, err := jobs.OpenRedis(t.Context(), secret.String{})
	require.NoError(t, err)
	var log bytes.Buffer
	c := jobs.NewClient(r, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, r.Close())
	err = c.Reconcile(t.Context(), "o", "i")
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Contains(t, log.String(), "reconcile:i")
	require.Equal(t, "jobs.payload", fault.As(c.Reconcile(t.Context(), "", "i")).Code, "no job without its organization")
	require.Equal(t, "jobs.payload", fault.As(c.Metrics(t.Context(), time.Time{})).Code)
}

func TestDecode(t *testing.T) {
	p, err := jobs.Decode(jobs.TaskReconcile, []byte(`{"org":"o","instance":"i","later":1}`))
	require.NoError(t, err)
	require.Equal(t, jobs.ReconcileInstance{Org: "o", Instance: "i"}, p)
	for name, data := range map[string]string{
		"no:such": `{}`, jobs.TaskReconcile: `{"org":"o"}`, jobs.TaskTitle: `[]`, jobs.TaskSweep: `{}`, jobs.TaskMetrics: `{"period":"x"}`,
	} {
		_, err := jobs.Decode(name, []byte(data))
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{jobs.TaskReconcile, jobs.TaskMetrics, jobs.TaskSweep, jobs.TaskTitle} {
		f.Add(name, []byte(`{"org":"o","instance":"i","session":"s","period":"2026-11-22T02:00:00Z"}`))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if p, err := jobs.Decode(name, data); err == nil && fmt.Sprint(p) == "<nil>" {
			t.Fatal("nothing decoded")
		}
	})
}
