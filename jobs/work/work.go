// Package work is the side of the queue that runs tasks: an asynq server with handlers of three lines, and
// the tickers of a worker process. What a task does is decided in engine; this package must not query rows
// or know a driver. A lost task is no loss: rows say what is to do, and the tickers read them.
package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"lobstead/engine/automate"
	"lobstead/engine/channels"
	"lobstead/engine/outbox"
	"lobstead/engine/provision"
	"lobstead/jobs"
	"lobstead/kit/fault"
)

// Titler names a session after its first exchange.
type Titler interface {
	Title(ctx context.Context, org, session string) error
}

// Ledger settles what killed processes left, and wakes turns whose budget has started again.
type Ledger interface {
	SweepLedger(ctx context.Context) error
}

// Backups copies the database and tries the copies; the rows say what is wanted.
type Backups interface {
	MakeBackup(ctx context.Context, backup string) error
	RehearseBackup(ctx context.Context, backup string) error
	UnfinishedBackups(ctx context.Context) (copies, rehearsals []string, err error)
}

// Config is what a worker works with.
type Config struct {
	Redis       *jobs.Redis
	Log         *slog.Logger
	Reconciler  *provision.Reconciler
	Titler      Titler
	Backups     Backups
	Observer    *provision.Observer
	Ledger      Ledger
	Sweeper     *provision.Sweeper
	Outbox      *outbox.Outbox
	Timer       *automate.Timer
	Files       func(context.Context) error // removes what is over from workspaces; nil = nobody does
	Channels    *channels.Keeper            // nil = nothing is listened for
	Concurrency int                         // tasks at once; 0 = 16: most wait for a sandbox or a model
}

// Server is one worker.
type Server struct {
	Config
	jobs *jobs.Client
}

const (
	// A wish starts by a hint (see provision.Reconciler.Follow), so the queue need not be quick.
	checkInterval = 250 * time.Millisecond
	// asynq looks only this often for what is to be tried again.
	retryInterval = time.Second
	retryDelay    = 2 * time.Second
	drainLimit    = 6 * time.Second // of the eight seconds that a shutdown may take
)

// New makes a worker; it does nothing before Run.
func New(c Config) *Server {
	if c.Concurrency <= 0 {
		c.Concurrency = 16
	}
	return &Server{Config: c, jobs: jobs.NewClient(c.Redis, c.Log)}
}

// Run works until ctx ends, then lets go of what it holds and returns. It survives a Redis that is away.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Reconciler.Recover(ctx); err != nil {
		return err
	}
	queue := asynq.NewServer(s.Redis.Asynq(), asynq.Config{
		Concurrency: s.Concurrency, Queues: jobs.Queues(), TaskCheckInterval: checkInterval,
		DelayedTaskCheckInterval: retryInterval, ShutdownTimeout: drainLimit,
		// Rows hold the real retry; this one is for a database that did not answer.
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return retryDelay },
		// A shutdown is nobody's failure: the task waits for the next worker.
		IsFailure: func(err error) bool { return !errors.Is(err, context.Canceled) },
		Logger:    asynqLog{s.Log}, LogLevel: asynq.WarnLevel,
		ErrorHandler: asynq.ErrorHandlerFunc(s.failed),
	})
	if err := queue.Start(s.mux(ctx)); err != nil {
		return fault.Wrap(err, fault.Unavailable, "work.start", "The worker does not start")
	}
	reconciled, delivered := s.Reconciler.Follow(ctx), s.Outbox.Follow(ctx)
	var tickers sync.WaitGroup
	s.tick(ctx, &tickers)
	tickers.Go(func() { s.Timer.Run(ctx) })
	if s.Channels != nil {
		tickers.Go(func() { s.Channels.Run(ctx) })
	}
	<-ctx.Done()
	queue.Shutdown()
	tickers.Wait()
	reconciled()
	delivered()
	return nil
}

// failed logs a task's failure in our own words; asynq keeps the task for its retry.
func (s *Server) failed(ctx context.Context, t *asynq.Task, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	s.Log.WarnContext(ctx, "task failed", "task", t.Type(), "payload", string(t.Payload()), "error", err)
}

// unfinishedBackups enqueues what rows ask for and no task stands for any more.
func (s *Server) unfinishedBackups(ctx context.Context) error {
	copies, rehearsals, err := s.Backups.UnfinishedBackups(ctx)
	for _, id := range copies {
		err = errors.Join(err, s.jobs.Backup(ctx, id))
	}
	for _, id := range rehearsals {
		err = errors.Join(err, s.jobs.Rehearse(ctx, id))
	}
	return err
}
