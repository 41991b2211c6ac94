package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"lobstead/kit/fault"
)

// Inspector looks into the queues for people who run the installation, and lets them act on tasks. Every error is a
// fault: NotFound for a queue or task that is not there (any more), Conflict for an act that its state forbids,
// Unavailable when Redis does not answer.
type Inspector struct {
	rdb   *redis.Client
	asynq *asynq.Inspector
}

// NewInspector makes one on the shared connection; there is nothing to close.
func NewInspector(r *Redis) *Inspector {
	return &Inspector{r.Client(), asynq.NewInspectorFromRedisClient(r.Client())}
}

// State is where a task stands.
type State string

// The states, in the order of a task's life.
const (
	Pending   State = "pending"
	Active    State = "active"
	Scheduled State = "scheduled"
	Retry     State = "retry"
	Archived  State = "archived" // tried too often: it waits for somebody to run or delete it
	Completed State = "completed"
)

// States lists them.
var States = []State{Pending, Active, Scheduled, Retry, Archived, Completed}

// Queue is one queue in figures.
type Queue struct {
	Name    string
	Counts  map[State]int
	Paused  bool
	Unused  bool          // nothing was ever put into it
	Latency time.Duration // age of the oldest pending task
	Bytes   int64         // in Redis, estimated
	Today   int           // tasks that ran today, UTC
	Failed  int           // those of them that failed
}

// Task is one task.
type Task struct {
	ID, Queue, Name   string
	State             State
	Payload           string // JSON
	Tries, MaxTries   int    // repetitions so far, and allowed
	LastError         string
	FailedAt          time.Time // zero without
	NextAt            time.Time // when it runs by itself, zero without
	CompletedAt       time.Time
	Orphaned          bool // its worker is gone; another one takes it over
	Timeout, Retained time.Duration
}

// Org gives the organization that the task works for, "" for none.
func (t *Task) Org() string {
	var p struct {
		Org string `json:"org"`
	}
	_ = json.Unmarshal([]byte(t.Payload), &p) // a task without one has none
	return p.Org
}

// Worker is one process that runs tasks.
type Worker struct {
	Host        string
	PID         int
	Concurrency int
	Active      int
	Status      string
	Started     time.Time
}

// Ping tells how long Redis takes to answer.
func (i *Inspector) Ping(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := i.rdb.Ping(ctx).Err(); err != nil {
		return 0, inspected(err)
	}
	return time.Since(began), nil
}

// Workers lists the processes that run tasks, oldest first.
func (i *Inspector) Workers() ([]Worker, error) {
	servers, err := i.asynq.Servers()
	if err != nil {
		return nil, inspected(err)
	}
	out := []Worker{}
	for _, s := range servers {
		out = append(out, Worker{Host: s.Host, PID: s.PID, Concurrency: s.Concurrency, Active: len(s.ActiveWorkers), Status: s.Status, Started: s.Started})
	}
	slices.SortFunc(out, func(a, b Worker) int { return a.Started.Compare(b.Started) })
	return out, nil
}

// Queues lists all of ours, those that hold nothing yet too.
func (i *Inspector) Queues() ([]Queue, error) {
	out := []Queue{}
	for _, name := range []string{Critical, Default, Low} {
		q, err := i.Queue(name)
		if err != nil {
			return nil, err
		}
		out = append(out, *q)
	}
	return out, nil
}

// Queue reads one.
func (i *Inspector) Queue(name string) (*Queue, error) {
	if _, ours := Queues()[name]; !ours {
		return nil, fault.NotFoundf("queue")
	}
	used, err := i.asynq.Queues() // asynq has no error of its own for a queue that nothing was ever put into
	if err != nil {
		return nil, inspected(err)
	}
	if !slices.Contains(used, name) {
		return &Queue{Name: name, Unused: true, Counts: map[State]int{}}, nil
	}
	info, err := i.asynq.GetQueueInfo(name)
	if err != nil {
		return nil, inspected(err)
	}
	return &Queue{Name: name, Paused: info.Paused, Latency: info.Latency, Bytes: info.MemoryUsage, Today: info.Processed, Failed: info.Failed,
		Counts: map[State]int{Pending: info.Pending, Active: info.Active, Scheduled: info.Scheduled, Retry: info.Retry,
			Archived: info.Archived, Completed: info.Completed}}, nil
}

// Tasks lists those in a state; page counts from 1, with size tasks each.
func (i *Inspector) Tasks(queue string, state State, page, size int) ([]Task, error) {
	list, ok := map[State]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		Pending: i.asynq.ListPendingTasks, Active: i.asynq.ListActiveTasks, Scheduled: i.asynq.ListScheduledTasks,
		Retry: i.asynq.ListRetryTasks, Archived: i.asynq.ListArchivedTasks, Completed: i.asynq.ListCompletedTasks}[state]
	if _, ours := Queues()[queue]; !ours || !ok {
		return nil, fault.NotFoundf("queue")
	}
	infos, err := list(queue, asynq.Page(max(1, page)), asynq.PageSize(size))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return []Task{}, nil
	}
	if err != nil {
		return nil, inspected(err)
	}
	out := make([]Task, len(infos))
	for n, info := range infos {
		out[n] = newTask(info)
	}
	return out, nil
}

// Task reads one.
func (i *Inspector) Task(queue, id string) (*Task, error) {
	info, err := i.asynq.GetTaskInfo(queue, id)
	if err != nil {
		return nil, inspected(err)
	}
	t := newTask(info)
	return &t, nil
}

func newTask(i *asynq.TaskInfo) Task {
	return Task{ID: i.ID, Queue: i.Queue, Name: i.Type, State: State(i.State.String()), Payload: string(i.Payload), Tries: i.Retried, MaxTries: i.MaxRetry,
		LastError: i.LastErr, FailedAt: i.LastFailedAt, NextAt: i.NextProcessAt, CompletedAt: i.CompletedAt, Orphaned: i.IsOrphaned,
		Timeout: i.Timeout, Retained: i.Retention}
}

// Runnable tells whether Run may be asked of a task.
func (t *Task) Runnable() bool {
	return t.State == Scheduled || t.State == Retry || t.State == Archived
}

// Deletable tells whether Delete may be asked of a task.
func (t *Task) Deletable() bool { return t.State != Active }

// Run has a task run now that waits for its time, for its retry, or in the archive.
func (i *Inspector) Run(t *Task) error {
	if !t.Runnable() {
		return fault.New(fault.Conflict, "job.state", "This task is %s: it cannot be run again", t.State)
	}
	return inspected(i.asynq.RunTask(t.Queue, t.ID))
}

// Delete forgets a task that does not run.
func (i *Inspector) Delete(t *Task) error {
	if !t.Deletable() {
		return fault.New(fault.Conflict, "job.state", "This task runs: it cannot be deleted")
	}
	return inspected(i.asynq.DeleteTask(t.Queue, t.ID))
}

// Pause stops workers from taking tasks of a queue; those that run go on. Pausing twice changes nothing.
func (i *Inspector) Pause(queue string) error { return i.setPaused(queue, true, i.asynq.PauseQueue) }

// Unpause lets them take tasks again.
func (i *Inspector) Unpause(queue string) error {
	return i.setPaused(queue, false, i.asynq.UnpauseQueue)
}

func (i *Inspector) setPaused(queue string, paused bool, f func(string) error) error {
	q, err := i.Queue(queue)
	if err != nil || q.Paused == paused {
		return err
	}
	if q.Unused {
		return fault.New(fault.Conflict, "queue.unused", "Nothing was ever put into this queue")
	}
	return inspected(f(queue))
}

// inspected makes asynq's errors ours.
func inspected(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, asynq.ErrQueueNotFound):
		return fault.NotFoundf("queue")
	case errors.Is(err, asynq.ErrTaskNotFound):
		return fault.New(fault.NotFound, "task.not_found", "This task is not in the queue any more")
	}
	return fault.Wrap(err, fault.Unavailable, "jobs.inspect", "The job queue does not answer")
}
