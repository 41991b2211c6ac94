// Package door owns the one way to a model: which service and model answer an instance, and the ledger that every call
// goes through. It knows no wire format (engine/llm has them) and nothing of turns.
package door

import (
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

	cache providers
	mu    sync.RWMutex
	found []Found
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
}

// Spent is what one call took.
type Spent struct {
	Usage     llm.Usage
	CostNanos int64
}

// Stream calls a model. Errors are *llm.Error from the provider, or faults: of the ledger, or of the database.
// Leaving the loop or cancelling ctx ends the call, and what it took until then is settled.
func (d *Door) Stream(ctx context.Context, sc *models.Scope, call Call, route Route, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		charge := call.charge(route)
		worst := charge
		worst.InputTokens, worst.OutputTokens = llm.EstimateRequest(req), route.answer(req)
		worst.CostNanos = route.cost(llm.Usage{Input: worst.InputTokens, Output: worst.OutputTokens}, d.now())
		if err := sc.Reserve(ctx, worst); err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		m := meter{route: route, req: req}
		defer func() { d.settle(ctx, sc, call, charge, &m) }()
		defer d.keep(ctx, sc, charge, &m)()
		for c, err := range route.Provider.Stream(ctx, req) {
			m.see(c, err)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// settle writes the second half, also when the caller is gone.
func (d *Door) settle(ctx context.Context, sc *models.Scope, call Call, c models.Charge, m *meter) {
	s := Spent{Usage: m.usage(ctx.Err() != nil)}
	s.CostNanos = m.route.cost(s.Usage, d.now())
	c.InputTokens, c.OutputTokens, c.CostNanos = s.Usage.Input, s.Usage.Output, s.CostNanos
	if m.served != "" {
		c.Model = m.served
	}
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
	done   *llm.Usage
	served string
	output int          // bytes
	said   atomic.Int64 // output, for the keeper of the lease
	chunks int
	err    error
}

func (m *meter) see(c llm.Chunk, err error) {
	if err != nil {
		m.err = err
		return
	}
	m.chunks++
	m.output += len(c.Text) + len(c.Thinking)
	if c.Call != nil {
		m.output += len(c.Call.Name) + len(c.Call.Input)
	}
	m.said.Store(int64(m.output))
	if c.Done != nil {
		m.done, m.served = &c.Done.Usage, c.Done.Model
	}
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
	return llm.Usage{Input: llm.EstimateRequest(m.req), Output: (m.output + 3) / 4, Estimated: true}
}
