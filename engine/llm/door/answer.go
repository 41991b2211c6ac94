package door

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

const (
	maxTries   = 3                       // on one route, when no other stands ready
	spareTries = 2                       // when one does
	maxWait    = 5 * time.Second         // a provider that asks for more is not waited for
	spareWait  = 1500 * time.Millisecond // when another route stands ready
	firstWait  = 200 * time.Millisecond  // before the second try; doubled for each further
	firstToken = 30 * time.Second        // silence at the beginning that is borne when another route stands ready
)

// Attempt is what became of one try of a call.
type Attempt struct {
	Provider  string        `json:"provider"`
	Model     string        `json:"model"`
	CallID    string        `json:"call_id,omitempty"` // of the ledger; "" = no call was made
	Outcome   Outcome       `json:"outcome"`
	Kind      llm.ErrorKind `json:"kind,omitempty"`
	Error     string        `json:"error,omitempty"`
	FirstMS   int64         `json:"first_ms,omitempty"` // to the first piece
	TotalMS   int64         `json:"total_ms"`
	WaitedMS  int64         `json:"waited_ms,omitempty"` // before this try
	CostNanos int64         `json:"cost_nanos,omitempty"`
}

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	Answered Outcome = "answered"
	Failed   Outcome = "failed"
	Skipped  Outcome = "skipped" // its breaker is open, or its provider failed just now
	Left     Outcome = "left"    // the reader went away
	Lost     Outcome = "lost"    // another model was faster
)

// Answer streams the answer of a plan; errors are as those of Stream. The chunk with Done names the model that served. A
// failure that may pass is tried again, then the plan's next route answers, as long as nothing was shown; the error of a plan
// whose routes all failed is the first route's. Call.Settled hears once, at the end, what all tries took together.
func (d *Door) Answer(ctx context.Context, sc *models.Scope, p Plan, a Ask) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		m := d.memo(ctx, sc, p, a)
		if m.replay(ctx, yield) {
			return
		}
		a, yield := m.listen(a, yield)
		t := &tries{door: d, sc: sc, plan: p, ask: a, spent: m.spent(), yield: yield, down: map[string]bool{}, orders: d.policy(ctx, sc).orders}
		t.call = a.Call
		t.call.Settled = t.settled
		if p.Decision.Routed && !p.Decision.Shadow {
			t.call.baseline = p.Decision.Baseline
		}
		defer t.close(ctx)
		t.run(ctx)
		m.keep(ctx, t)
	}
}

// tries is one answer in the making.
type tries struct {
	door   *Door
	sc     *models.Scope
	plan   Plan
	ask    Ask
	call   Call
	yield  func(llm.Chunk, error) bool
	orders map[string]order
	down   map[string]bool // accounts that failed as a whole

	shown bool // what was handed out cannot be taken back
	begun bool // something was handed out since the last restart
	left  bool
	first error // of the first route
	final error // that the caller saw
	won   int   // the attempt that answered, -1 = none

	mu       sync.Mutex // a hedge settles beside
	spent    Spent
	costs    map[string]Spent // by call
	attempts []Attempt
	waited   time.Duration
}

func (t *tries) settled(s Spent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.costs == nil {
		t.costs = map[string]Spent{}
	}
	t.costs[s.CallID] = s
	t.spent.add(s)
}

// run goes through the routes until one has answered or the caller has seen an error.
func (t *tries) run(ctx context.Context) {
	t.won = -1
	for n, r := range t.plan.Routes {
		if t.down[r.account] && r.account != "" {
			t.note(Attempt{Provider: r.service, Model: r.Model, Outcome: Skipped, Error: "its provider failed just now"})
			continue
		}
		stand := t.door.health.look(r, t.orders[r.service], t.door.now())
		if stand.waiting > spareWait && t.spare(n) {
			t.note(Attempt{Provider: r.service, Model: r.Model, Outcome: Skipped, Kind: llm.KindRateLimit, Error: "it asked to be left alone"})
			continue
		}
		err, over := t.route(ctx, n, r)
		if over {
			return
		}
		if t.first == nil {
			t.first = err
		}
		if accountWide(llm.KindOf(err)) {
			t.down[r.account] = true
		}
		if !t.others(llm.KindOf(err), n) {
			break
		}
		t.restart()
	}
	t.fail(t.first)
}

// others tells whether the routes after n may do better.
func (t *tries) others(k llm.ErrorKind, n int) bool {
	for _, r := range t.plan.Routes[n+1:] {
		if t.down[r.account] && r.account != "" {
			continue
		}
		if k != llm.KindContextLength || r.Window > t.plan.Routes[n].Window {
			return true
		}
	}
	return false
}

// route tries one route; over means that the answer is complete, or that the caller has seen the error.
func (t *tries) route(ctx context.Context, n int, r Route) (err error, over bool) { //nolint:revive // the error is a result here, not a failure
	for try := 0; ; try++ {
		spare := t.spare(n)
		err = t.attempt(ctx, n, r, try, spare)
		if err == nil || t.left {
			return nil, true
		}
		if ctx.Err() != nil || t.shown || !mayPass(err) {
			t.fail(err)
			return err, true
		}
		wait, again := patience(err, try, spare)
		if !again || t.door.health.look(r, t.orders[r.service], t.door.now()).rest > 0 {
			return err, false
		}
		if !t.door.pause(ctx, t.ask.Quit, wait) {
			t.fail(err)
			return err, true
		}
		t.waited = wait
		t.restart()
	}
}

// spare tells whether a route after n stands ready.
func (t *tries) spare(n int) bool {
	for _, r := range t.plan.Routes[n+1:] {
		if !t.down[r.account] && t.door.health.look(r, t.orders[r.service], t.door.now()).rest == 0 {
			return true
		}
	}
	return false
}

// mayPass tells whether a further try, there or elsewhere, may do better. What is wrong with the request itself stays wrong, a
// refusal of content is not taken to a more lenient model, and what our own rules refused is no provider's failure.
func mayPass(err error) bool {
	e, ok := errors.AsType[*llm.Error](err)
	if !ok {
		return false
	}
	switch e.Kind {
	case llm.KindContentFilter, llm.KindCancelled:
		return false
	case llm.KindBadRequest:
		return e.Status == 0 || e.Status >= 300 && e.Status < 400 // the service's address is wrong, not the request
	}
	return true
}

// patience says whether and when the same route is tried again.
func patience(err error, try int, spare bool) (time.Duration, bool) {
	e, ok := errors.AsType[*llm.Error](err)
	tries, most := maxTries, maxWait
	if spare {
		tries, most = spareTries, spareWait
	}
	if !ok || !e.Retryable || e.RetryAfter > most || try+1 >= tries || spare && e.Kind == llm.KindTimeout {
		return 0, false
	}
	wait := max(e.RetryAfter, firstWait<<try)
	return wait + rand.N(wait/2+1), true
}

// attempt makes one call and hands on what comes.
func (t *tries) attempt(ctx context.Context, n int, r Route, try int, spare bool) error {
	how := manner{again: try > 0}
	if spare {
		how.first = t.door.firstToken()
	}
	if t.plan.hedge > 0 && spare && try == 0 {
		if err, raced := t.race(ctx, n, r, how); raced {
			return err
		}
	}
	began := time.Now()
	at := t.begin(r)
	err := t.hand(t.door.stream(ctx, t.sc, t.callOf(at), r, t.request(r), how), at, began)
	t.end(at, err, began)
	return err
}

func (t *tries) request(r Route) llm.Request {
	req := t.ask.Request
	req.Model = r.Model
	return req
}

// callOf is the call whose settling is noted at an attempt.
func (t *tries) callOf(at int) Call {
	c := t.call
	c.Settled = func(s Spent) {
		t.mu.Lock()
		t.attempts[at].CallID, t.attempts[at].CostNanos = s.CallID, s.CostNanos
		t.mu.Unlock()
		t.settled(s)
	}
	return c
}

// hand gives chunks to the reader.
func (t *tries) hand(stream iter.Seq2[llm.Chunk, error], at int, began time.Time) error {
	done := false
	for c, err := range stream {
		if err != nil {
			return err
		}
		t.saw(at, began)
		done = done || c.Done != nil
		if !t.give(c) {
			return nil
		}
	}
	if !done {
		return llm.Fail(t.attempts[at].Provider, llm.KindNetwork, "the stream ended before the answer was complete", nil)
	}
	return nil
}

// saw notes the first piece.
func (t *tries) saw(at int, began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.attempts[at].FirstMS == 0 {
		t.attempts[at].FirstMS = max(time.Since(began).Milliseconds(), 1)
	}
}

// give hands one chunk on; false when the reader has left.
func (t *tries) give(c llm.Chunk) bool {
	t.begun = true
	t.shown = t.shown || c.Text != "" || t.ask.Restart == nil && c.Done == nil
	if !t.yield(c, nil) {
		t.left = true
	}
	return !t.left
}

// restart makes void what was handed out.
func (t *tries) restart() {
	if t.ask.Restart != nil {
		t.ask.Restart()
	}
	t.begun = false
}

func (t *tries) fail(err error) {
	t.final = err
	if !t.left {
		t.left = true
		t.yield(llm.Chunk{}, err)
	}
}

// pause waits; false when the caller gave up.
func (d *Door) pause(ctx context.Context, quit <-chan struct{}, wait time.Duration) bool {
	if d.Sleep != nil {
		return d.Sleep(ctx, wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-quit:
		return false
	case <-timer.C:
		return true
	}
}

func (d *Door) firstToken() time.Duration {
	if d.FirstToken > 0 {
		return d.FirstToken
	}
	return firstToken
}
