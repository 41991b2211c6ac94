// Package jobstest runs tasks for tests, by a real asynq server.
package jobstest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"lobstead/jobs"
)

// Worker is a running server.
type Worker struct {
	server *asynq.Server
	once   sync.Once
}

// Work runs f for every task until the test ends; what f refuses is tried again only when somebody says so.
func Work(t testing.TB, r *jobs.Redis, f func(p any) error) *Worker {
	t.Helper()
	w := &Worker{server: asynq.NewServer(r.Asynq(), asynq.Config{
		Concurrency: 4, Queues: jobs.Queues(), TaskCheckInterval: 20 * time.Millisecond, LogLevel: asynq.FatalLevel,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
	})}
	require.NoError(t, w.server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		p, err := jobs.Decode(task.Type(), task.Payload())
		if err != nil {
			return err
		}
		return f(p)
	})))
	t.Cleanup(w.Stop)
	return w
}

// Stop ends it, once.
func (w *Worker) Stop() { w.once.Do(w.server.Shutdown) }
