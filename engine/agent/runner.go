package agent

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"lobstead/engine/llm/door"
	"lobstead/engine/sandbox"
	"lobstead/jobs"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/models"
)

// Config is what a runner needs; the zero values of the last group have defaults.
type Config struct {
	Store  *models.Store
	Bus    *events.Bus
	Driver sandbox.Driver
	Door   *door.Door
	Jobs   *jobs.Client // nil = sessions get no titles
	Fetch  *http.Client // guarded; nil = fetch_url says that it is off

	// Spec says what sandbox an instance gets: the same function as whoever provisions uses, since the driver keeps
	// the last word.
	Spec func(*models.Scope, *models.Instance) (sandbox.Spec, error)

	// Checkpoints note what turns change in their workspaces; nil = nobody does.
	Checkpoints Checkpoints

	// Letters is where the links of letters to people lead: the address of the installation. "" = nobody is written to.
	Letters string

	Tools     *Registry           // nil = Builtin
	Node      string              // begins the lease owner's name, which is unique for each start
	Workers   int                 // turns at once; 0 = 64
	MaxSteps  int                 // model calls in one turn; 0 = 50
	Heartbeat time.Duration       // 0 = 1.5 s; must be well below models.TurnLease
	Sweep     time.Duration       // 0 = 1 s
	Busy      func() bool         // while it says so, the sweep rests: turns that no hint told of wait; nil = never
	Grace     time.Duration       // for running turns at the end; 0 = 8 s
	Scrub     func(string) string // takes known secrets out of live parts; nil = nothing
	Log       *slog.Logger
	Clock     clock.Clock
	Crash     func(point string) // tests only: called at each named crash point, see crash.go
}

// Runner claims turns and runs them. One per process.
type Runner struct {
	Config
	owner    string
	waiting  *waiting
	slots    chan struct{}
	draining chan struct{}
	running  sync.WaitGroup
	active   atomic.Int64
	hard     context.Context // ends when the grace of a drain is over
	cut      context.CancelCauseFunc
}

// New makes a runner; it does nothing before Run.
func New(c Config) *Runner {
	if c.Tools == nil {
		c.Tools = Builtin(c.Fetch)
	}
	if c.Workers <= 0 {
		c.Workers = 64
	}
	if c.MaxSteps <= 0 {
		c.MaxSteps = 50
	}
	c.Heartbeat = orDefault(c.Heartbeat, 1500*time.Millisecond)
	c.Sweep = orDefault(c.Sweep, time.Second)
	c.Grace = orDefault(c.Grace, 8*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = clock.Real
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	r := &Runner{Config: c, owner: c.Node + "/" + rand.Text(), waiting: newWaiting(),
		slots: make(chan struct{}, c.Workers), draining: make(chan struct{})}
	r.hard, r.cut = context.WithCancelCause(context.Background())
	return r
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// Run claims and runs turns until ctx ends, then drains: no new turns, the running ones stop at a point from
// which any worker goes on, and their leases are given back. It returns when all have ended, or after Grace.
func (r *Runner) Run(ctx context.Context) error {
	stop := r.Bus.Listen(TurnsTopic, r.hinted)
	defer stop()
	sweep := time.NewTicker(r.Sweep)
	defer sweep.Stop()
	r.sweep(ctx)
	for ctx.Err() == nil {
		r.dispatch(ctx)
		select {
		case <-ctx.Done():
		case <-r.waiting.wake:
		case <-sweep.C:
			r.sweep(ctx)
		}
	}
	r.drain()
	return nil
}

func (r *Runner) hinted(e events.Event) {
	if e.Resync { // the sweep reads the rows within a second
		return
	}
	if ref, ok := readTurnHint(e.Payload); ok {
		r.waiting.push(ref)
	}
}

// sweep finds what no hint told of: hints that were lost, leases that ran out, turns left by the last start.
func (r *Runner) sweep(ctx context.Context) {
	if len(r.slots) == cap(r.slots) || r.Busy != nil && r.Busy() {
		return
	}
	refs, err := r.Store.AsSystem("claim turns").ClaimableTurns(ctx, 4*r.Workers)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.WarnContext(ctx, "agent: claimable turns cannot be read", "error", err)
		}
		return
	}
	for _, ref := range refs {
		r.waiting.push(ref)
	}
}

// dispatch gives waiting turns to free workers, and waits for a worker when there are more turns.
func (r *Runner) dispatch(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		ref, ok := r.waiting.pop()
		if !ok {
			<-r.slots
			return
		}
		r.running.Add(1)
		r.active.Add(1)
		go func() {
			defer func() {
				r.waiting.forget(ref.ID)
				r.active.Add(-1)
				<-r.slots
				r.running.Done()
			}()
			r.take(ref)
		}()
	}
}

// drain first lets each turn come to the end of its step, then cuts what is still going.
func (r *Runner) drain() {
	close(r.draining)
	done := make(chan struct{})
	go func() { r.running.Wait(); close(done) }()
	soft := time.NewTimer(r.Grace * 3 / 8)
	defer soft.Stop()
	end := time.NewTimer(r.Grace)
	defer end.Stop()
	select {
	case <-done:
	case <-soft.C:
		r.cut(errDrain)
		select {
		case <-done:
		case <-end.C:
			r.Log.Warn("agent: turns did not stop in time, their leases will run out", "turns", r.active.Load())
		}
	}
	r.cut(errDrain)
}
