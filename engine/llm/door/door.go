// Package door owns the one way to a model: which service and model answer an instance, and the ledger that every call
// goes through. It knows no wire format (engine/llm has them) and nothing of turns.
package door

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/clock"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Door is the only way to a model. Every call through it is reserved in the ledger before it is made and
// settled after, whatever became of it.
type Door struct {
	// Connect builds the client of a connected service. The row says whether it may be inside the network.
	Connect func(row *models.Provider, key secret.String) (llm.Provider, error)
	Offline llm.Provider  // answers when there is no other
	Clock   clock.Clock   // nil = the system's
	Keep    time.Duration // how often the lease of a call under way is renewed; 0 = a third of it

	FirstToken time.Duration                                   // silence at the beginning that is borne when another route stands ready; 0 = 30 s
	Sleep      func(ctx context.Context, d time.Duration) bool // waits between two tries; nil = really; false = the caller gave up

	cache    providers
	policies policies
	health   health
	lists    lists
	known    lookups
	mu       sync.RWMutex
	found    []Found
}

// Find adds a service of the host, less preferred than those before it; it may come while turns run.
func (d *Door) Find(f Found) {
	d.mu.Lock()
	d.found = append(d.found, f)
	d.mu.Unlock()
}

// Found lists the services of the host, the preferred first.
func (d *Door) Found() []Found {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.found)
}

// Found is a service that was found on the host: a key in the environment, a local server.
type Found struct {
	Kind     string // as in models.ProviderKinds: it decides whose prices hold
	Provider llm.Provider
	Model    string
	Source   string // where it was found: the name of a variable, an address
}

// settleLimit bounds the write of a call whose caller is gone.
const settleLimit = 10 * time.Second

// Call says who calls a model and why.
type Call struct {
	Purpose                       string // "chat", "compaction", "title"
	InstanceID, SessionID, TurnID string
	MemberID, KeyID, ScheduleID   string      // whose budgets it falls under; empty: the turn's, else the scope's actor's
	Settled                       func(Spent) // hears what it took, also after an error; may be nil

	baseline *Baseline // what a router saves against
}

// Spent is what one call took; for an answer of several attempts it is their sum, and the names are those of the one that
// answered.
type Spent struct {
	Usage           llm.Usage
	CostNanos       int64
	CallID          string // of the ledger
	Provider, Model string
	Attempts        []Attempt           // of Answer; nil for Stream
	Cached          models.CacheOutcome // a cache gave the answer, and nobody was asked
}

func (s *Spent) add(o Spent) {
	s.Usage.Input += o.Usage.Input
	s.Usage.Output += o.Usage.Output
	s.Usage.CacheRead += o.Usage.CacheRead
	s.Usage.CacheWrite += o.Usage.CacheWrite
	s.Usage.Reasoning += o.Usage.Reasoning
	s.Usage.Estimated = s.Usage.Estimated || o.Usage.Estimated
	s.CostNanos += o.CostNanos
	s.CallID, s.Provider, s.Model = o.CallID, o.Provider, o.Model
}

// manner is how one call is made.
type manner struct {
	first  time.Duration // silence at the beginning that is borne; 0 = the adapter's own
	again  bool          // one more try of a call whose failure was counted
	unsafe bool          // past the breaker: a person wants to see for themselves
}

var errFirst = errors.New("no first token in time")

// Stream calls a model. Errors are *llm.Error from the provider, or faults: of the ledger, or of the database.
// Leaving the loop or cancelling ctx ends the call, and what it took until then is settled.
func (d *Door) Stream(ctx context.Context, sc *models.Scope, call Call, route Route, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return d.stream(ctx, sc, call, route, req, manner{})
}

func (d *Door) stream(ctx context.Context, sc *models.Scope, call Call, route Route, req llm.Request, how manner) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if !how.unsafe {
			if err := d.health.enter(route, d.policy(ctx, sc).orders[route.service], d.now()); err != nil {
				yield(llm.Chunk{}, err)
				return
			}
		}
		charge := call.charge(route)
		worst, input := charge, llm.EstimateRequest(req)
		worst.InputTokens, worst.OutputTokens = input, route.answer(req)
		worst.CostNanos = route.cost(llm.Usage{Input: worst.InputTokens, Output: worst.OutputTokens}, d.now())
		if err := sc.Reserve(ctx, worst); err != nil {
			d.health.leave(route, outcome{mute: true}, d.now())
			yield(llm.Chunk{}, err)
			return
		}
		m := meter{route: route, req: req, input: input, mute: true}
		defer func() { d.settle(ctx, sc, call, charge, &m, how) }()
		defer d.keep(ctx, sc, charge, &m)()
		d.relay(ctx, &m, how, yield)
	}
}

// relay asks the provider and hands on what it says, for no longer than how.first without a word.
func (d *Door) relay(ctx context.Context, m *meter, how manner, yield func(llm.Chunk, error) bool) {
	inner, cancel := context.WithCancelCause(d.health.watch(ctx, m.route, d.now))
	defer cancel(nil)
	var first *time.Timer
	if how.first > 0 {
		first = time.AfterFunc(how.first, func() { cancel(errFirst) })
		defer first.Stop()
	}
	for c, err := range m.route.Provider.Stream(inner, m.req) {
		if first != nil && err == nil {
			first.Stop()
		}
		if err != nil && ctx.Err() == nil && errors.Is(context.Cause(inner), errFirst) {
			err = llm.Fail(m.route.Name, llm.KindTimeout, errFirst.Error(), err)
		}
		c = m.see(ctx, c, err)
		if !yield(c, err) || err != nil {
			return
		}
	}
	if m.done == nil && m.err == nil {
		m.err, m.mute = llm.Fail(m.route.Name, llm.KindNetwork, "the stream ended before the answer was complete", nil), false
	}
}

// settle writes the second half, also when the caller is gone.
func (d *Door) settle(ctx context.Context, sc *models.Scope, call Call, c models.Charge, m *meter, how manner) {
	s := Spent{Usage: m.usage(ctx.Err() != nil), CallID: c.CallID, Provider: c.Provider, Model: c.Model}
	s.CostNanos = m.route.cost(s.Usage, d.now())
	c.InputTokens, c.OutputTokens, c.CostNanos = s.Usage.Input, s.Usage.Output, s.CostNanos
	c.Failure = m.failure()
	c.BaselineNanos = call.baseline.of(c.Failure, s.Usage, d.now())
	if m.served != "" {
		c.Model, s.Model = m.served, m.served
	}
	d.health.leave(m.route, outcome{err: m.err, mute: m.mute, again: how.again, used: s.Usage}, d.now())
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer done()
	if err := sc.Settle(ctx, c); err != nil {
		slog.WarnContext(ctx, "agent: a call was not settled", "call", c.CallID, "error", err)
	}
	if call.Settled != nil {
		call.Settled(s)
	}
}

func (d *Door) now() time.Time {
	if d.Clock != nil {
		return d.Clock.Now()
	}
	return clock.Real.Now()
}

// meter watches a stream for what it costs.
type meter struct {
	route  Route
	req    llm.Request
	input  int // tokens of req, estimated
	done   *llm.Usage
	served string
	output int          // bytes
	said   atomic.Int64 // output, for the keeper of the lease
	chunks int
	err    error
	mute   bool // nothing was seen that says anything of the provider
}

// see watches a chunk go by; a usage that cannot be true is corrected in it.
func (m *meter) see(ctx context.Context, c llm.Chunk, err error) llm.Chunk {
	m.mute = ctx.Err() != nil && err != nil // who was cancelled did not fail
	if err != nil {
		m.err = err
		return c
	}
	m.chunks++
	m.output += len(c.Text) + len(c.Thinking)
	if c.Call != nil {
		m.output += len(c.Call.Name) + len(c.Call.Input)
	}
	m.said.Store(int64(m.output))
	if c.Done != nil {
		done := *c.Done
		done.Usage = done.Usage.Bounded(m.input, m.route.Window, m.req.MaxTokens, m.output)
		c.Done = &done
		m.done, m.served = &done.Usage, done.Model
	}
	return c
}

// failure is how the call ended, as the ledger says it.
func (m *meter) failure() string {
	switch {
	case m.err == nil && m.done != nil:
		return ""
	case m.err == nil || m.mute:
		return models.CancelledCall
	}
	return cmp.Or(string(llm.KindOf(m.err)), "refused")
}

// usage is the provider's count, else an estimate: a call that was refused before it began took nothing, one
// that broke off took its prompt and what it had said.
func (m *meter) usage(cancelled bool) llm.Usage {
	switch {
	case m.done != nil:
		return *m.done
	case m.chunks == 0 && !cancelled && !errors.Is(m.err, context.Canceled):
		return llm.Usage{}
	}
	return llm.Usage{Input: m.input, Output: (m.output + 3) / 4, Estimated: true}
}
