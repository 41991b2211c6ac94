package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/jobs"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

func TestInspector(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r := newRig(t, url)
		i := jobs.NewInspector(r.Redis)
		queues, err := i.Queues()
		require.NoError(t, err)
		require.Len(t, queues, 3)
		require.True(t, queues[0].Unused)
		require.True(t, fault.Is(i.Pause(jobs.Low), fault.Conflict))
		_, err = i.Queue("nonsense")
		require.True(t, fault.Is(err, fault.NotFound))
		_, err = i.Tasks(jobs.Low, "nonsense", 1, 10)
		require.True(t, fault.Is(err, fault.NotFound))
		tasks, err := i.Tasks(jobs.Low, jobs.Pending, 1, 10)
		require.NoError(t, err)
		require.Empty(t, tasks)
		_, err = i.Task(jobs.Low, "title:s1")
		require.True(t, fault.Is(err, fault.NotFound))
		_, err = i.Ping(t.Context())
		require.NoError(t, err)

		require.NoError(t, r.Title(t.Context(), "o1", "s1"))
		require.NoError(t, r.Title(t.Context(), "o1", "s2"))
		require.NoError(t, i.Pause(jobs.Low))
		require.NoError(t, i.Pause(jobs.Low), "twice is once")
		q, err := i.Queue(jobs.Low)
		require.NoError(t, err)
		require.True(t, q.Paused)
		require.Equal(t, 2, q.Counts[jobs.Pending])
		one, err := i.Task(jobs.Low, "title:s2")
		require.NoError(t, err)
		require.Equal(t, "o1", one.Org())
		require.True(t, fault.Is(i.Run(one), fault.Conflict), "it waits already")
		require.NoError(t, i.Delete(one))
		require.True(t, fault.Is(i.Delete(one), fault.NotFound))

		fail, ran := true, make(chan struct{}, 10)
		r.work(t, func(context.Context, any) error {
			ran <- struct{}{}
			if fail {
				return errors.New("no words for it")
			}
			return nil
		})
		require.NoError(t, i.Unpause(jobs.Low))
		<-ran
		require.Eventually(t, func() bool {
			list, err := i.Tasks(jobs.Low, jobs.Retry, 1, 10)
			return err == nil && len(list) == 1 && list[0].LastError == "no words for it"
		}, 10*time.Second, 10*time.Millisecond)
		workers, err := i.Workers()
		require.NoError(t, err)
		require.Len(t, workers, 1)
		require.Equal(t, 8, workers[0].Concurrency)
		fail = false
		one, err = i.Task(jobs.Low, "title:s1")
		require.NoError(t, err)
		require.NoError(t, i.Run(one))
		<-ran
		require.Eventually(t, func() bool { _, err := i.Task(jobs.Low, "title:s1"); return fault.Is(err, fault.NotFound) }, 10*time.Second, 10*time.Millisecond)
	})
}
