package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"lobstead/kit/fault"
)

const (
	followUps = 3 // ids that one subject may use at once, see ensure
	// periodic tasks keep their id for a while after they ran, so that the second scheduler of two is
	// turned away even when it is slow.
	periodKept = 10 * time.Minute
)

// Client enqueues. Enqueue after the commit, and treat an error as "later": it is logged here, the row
// stands, and the sweep enqueues again. Every error is a fault.Unavailable jobs.enqueue, except for a
// payload without its ids (fault.Invalid jobs.payload). Safe for concurrent use.
type Client struct {
	rdb     *redis.Client
	asynq   atomic.Pointer[asynq.Client]
	inspect *asynq.Inspector
	log     *slog.Logger
}

// NewClient makes a client on the shared connection; there is nothing to close.
func NewClient(r *Redis, log *slog.Logger) *Client {
	c := &Client{rdb: r.Client(), inspect: asynq.NewInspectorFromRedisClient(r.Client()), log: log}
	c.renew()
	return c
}

// Reconcile makes sure that a reconciliation of the instance starts after this call: a waiting one is
// enough, beside a running one a follow-up waits.
func (c *Client) Reconcile(ctx context.Context, org, instance string) error {
	return c.enqueue(ctx, job{
		name: TaskReconcile, id: "reconcile:" + instance, queue: Critical, again: true,
		payload: ReconcileInstance{org, instance},
		options: []asynq.Option{asynq.MaxRetry(5), asynq.Timeout(10 * time.Minute)},
	})
}

// Metrics samples once for the period that begins at the time given, from however many schedulers.
func (c *Client) Metrics(ctx context.Context, period time.Time) error {
	return c.enqueue(ctx, job{
		name: TaskMetrics, id: "metrics:" + stamp(period), queue: Low, payload: CollectMetrics{period.UTC()},
		options: []asynq.Option{asynq.MaxRetry(0), asynq.Timeout(time.Minute), asynq.Retention(periodKept)},
	})
}

// Sweep sweeps once for the period that begins at the time given.
func (c *Client) Sweep(ctx context.Context, period time.Time) error {
	return c.enqueue(ctx, job{
		name: TaskSweep, id: "sweep:" + stamp(period), queue: Critical, payload: SweepRows{period.UTC()},
		options: []asynq.Option{asynq.MaxRetry(0), asynq.Timeout(5 * time.Minute), asynq.Retention(periodKept)},
	})
}

// Title names the session once; a waiting or running one is enough.
func (c *Client) Title(ctx context.Context, org, session string) error {
	return c.enqueue(ctx, job{
		name: TaskTitle, id: "title:" + session, queue: Low, payload: TitleSession{org, session},
		options: []asynq.Option{asynq.MaxRetry(3), asynq.Timeout(2 * time.Minute)},
	})
}

// backupLimit is how long the copy of a large database may take.
const backupLimit = 2 * time.Hour

// Backup makes the copy that a row asks for; a waiting or running one is enough.
func (c *Client) Backup(ctx context.Context, backup string) error {
	return c.enqueue(ctx, job{
		name: TaskBackup, id: "backup:" + backup, queue: Default, payload: MakeBackup{backup},
		options: []asynq.Option{asynq.MaxRetry(3), asynq.Timeout(backupLimit)},
	})
}

// Rehearse tries a copy; a waiting or running one is enough.
func (c *Client) Rehearse(ctx context.Context, backup string) error {
	return c.enqueue(ctx, job{
		name: TaskRehearse, id: "rehearse:" + backup, queue: Default, payload: RehearseBackup{backup},
		options: []asynq.Option{asynq.MaxRetry(3), asynq.Timeout(backupLimit)},
	})
}

// Deliver makes an attempt at a delivery that is due; a waiting or running one is enough.
func (c *Client) Deliver(ctx context.Context, delivery string) error {
	return c.enqueue(ctx, job{
		name: TaskDeliver, id: "deliver:" + delivery, queue: Default, payload: SendDelivery{delivery},
		options: []asynq.Option{asynq.MaxRetry(0), asynq.Timeout(10 * time.Minute)}, // the row holds the next attempt
	})
}

type job struct {
	name, id, queue string
	payload         any
	options         []asynq.Option
	again           bool // beside a running one, a second must wait
}

func (c *Client) enqueue(ctx context.Context, j job) error {
	data, err := json.Marshal(j.payload)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "jobs.payload", "A task has no JSON form")
	}
	if _, err := Decode(j.name, data); err != nil {
		return err
	}
	if err := c.ensure(ctx, j, asynq.NewTask(j.name, data, j.options...)); err != nil {
		c.log.WarnContext(ctx, "enqueue failed, the sweep will try again", "task", j.name, "id", j.id, "error", err)
		return fault.Wrap(err, fault.Unavailable, "jobs.enqueue", "The job queue is not available")
	}
	return nil
}

// ensure enqueues under the job's id, or finds that a task under this id will do. An id stays taken
// while its task runs; a job that must run once more takes the next of a few ids then.
func (c *Client) ensure(ctx context.Context, j job, task *asynq.Task) error {
	for n := range followUps {
		id := j.id
		if n > 0 {
			id = fmt.Sprintf("%s:%d", j.id, n)
		}
		done, err := c.claim(ctx, j, task, id)
		if done || err != nil {
			return err
		}
	}
	// All of them run at once, which only lost leases can bring about: better one too many.
	_, err := c.asynq.Load().EnqueueContext(ctx, task, asynq.Queue(j.queue))
	return err
}

// claim tries one id; not done means that a task runs under it and another must follow.
func (c *Client) claim(ctx context.Context, j job, task *asynq.Task, id string) (done bool, err error) {
	for range 5 { // between two looks the task under the id may end
		_, err = c.asynq.Load().EnqueueContext(ctx, task, asynq.Queue(j.queue), asynq.TaskID(id))
		if !errors.Is(err, asynq.ErrTaskIDConflict) {
			return err == nil, err
		}
		var info *asynq.TaskInfo
		info, err = c.inspect.GetTaskInfo(j.queue, id)
		switch {
		case errors.Is(err, asynq.ErrTaskNotFound):
			continue
		case errors.Is(err, asynq.ErrQueueNotFound):
			c.renew()
			continue
		case err != nil:
			return false, err
		}
		switch info.State {
		case asynq.TaskStateActive:
			return !j.again, nil
		case asynq.TaskStateRetry, asynq.TaskStateScheduled, asynq.TaskStateArchived:
			// Asked for now: neither the wait after a failure nor the grave of failures may hold it.
			if err = c.inspect.RunTask(j.queue, id); err == nil {
				return true, nil
			}
		default: // waiting, or a period that is done
			return true, nil
		}
	}
	return false, err
}

// renew replaces the asynq client: it registers each queue in Redis only once in its life, and after a
// flush its inspector does not find a queue that is in use.
func (c *Client) renew() { c.asynq.Store(asynq.NewClientFromRedisClient(c.rdb)) }
