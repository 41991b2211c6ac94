package door

import (
	"cmp"
	"context"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Breaker is how one provider stands, over all its models (runtime-api.md, section 8).
type Breaker struct {
	State   State
	Blocked bool // no call goes there now
	Credit  bool // opened because the account has no credit left
	Forced  bool // by an operator
	Models  map[string]State
}

// Breakers tells how the organization's services stand in this process, by name; a service that was never asked is closed.
func (d *Door) Breakers(ctx context.Context, sc *models.Scope) (map[string]Breaker, error) {
	all, err := d.services(ctx, sc)
	if err != nil {
		return nil, err
	}
	p, now := d.policy(ctx, sc), d.now()
	out := map[string]Breaker{}
	for _, s := range all {
		out[s.name] = d.health.breaker(s, p.orders[s.name], now)
	}
	return out, nil
}

func (h *health) breaker(s service, o order, now time.Time) Breaker {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(Route{account: s.account, at: s.at})
	a.obey(o)
	b := Breaker{State: a.whole.state(now), Blocked: o.open || a.whole.rest(now) > 0, Credit: a.whole.credit, Forced: o.open, Models: map[string]State{}}
	for name, m := range a.models {
		if s := m.state(now); s != Closed {
			b.Models[name] = s
		}
		if name == s.model && b.State == Closed { // the model that stands for the service
			b.State, b.Blocked = m.state(now), b.Blocked || m.rest(now) > 0
		}
	}
	if o.open {
		b.State = Open
	}
	return b
}

// OpenBreaker takes a provider out of service until it is reset; every process follows within seconds. NotFound for a name
// that Breakers does not give.
func (d *Door) OpenBreaker(ctx context.Context, sc *models.Scope, provider string) error {
	return d.order(ctx, sc, provider, true)
}

// ResetBreaker ends that, and forgets the failures of a provider.
func (d *Door) ResetBreaker(ctx context.Context, sc *models.Scope, provider string) error {
	return d.order(ctx, sc, provider, false)
}

func (d *Door) order(ctx context.Context, sc *models.Scope, provider string, open bool) error {
	all, err := d.services(ctx, sc)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.name != provider {
			continue
		}
		if err := sc.OrderBreaker(ctx, provider, open); err != nil {
			return err
		}
		d.Forget(sc.Org)
		return nil
	}
	return fault.NotFoundf("provider")
}

// Capacity is what is known of a provider's limits and of their use by this process in the last minute (runtime-api.md,
// section 7). The worst of its models speaks for it.
type Capacity struct {
	Headroom           float64 // 0–1: what is left; 1 when no limit is known
	Near               bool    // more than nine tenths are used up
	Hot                bool    // for half a minute
	Tokens, Requests   int     // in the last minute
	TokensPerMinute    int     // limits as its headers tell them; 0 = not known
	RequestsPerMinute  int
	TokenUse, CallsUse float64 // shares of the limits, 0–1
}

// Capacities tells what the organization's services have left, by name.
func (d *Door) Capacities(ctx context.Context, sc *models.Scope) (map[string]Capacity, error) {
	all, err := d.services(ctx, sc)
	if err != nil {
		return nil, err
	}
	now, out := d.now(), map[string]Capacity{}
	for _, s := range all {
		out[s.name] = d.health.capacity(s, now)
	}
	return out, nil
}

func (h *health) capacity(s service, now time.Time) Capacity {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(Route{account: s.account, at: s.at})
	c := Capacity{Headroom: 1}
	c.Requests, c.Tokens = a.use.minute(now)
	for _, m := range a.models {
		tokens, calls := current(m.room.Tokens, m.roomAt, now), current(m.room.Requests, m.roomAt, now)
		if tokens.Used() >= c.TokenUse && tokens.Limit > 0 {
			c.TokenUse, c.TokensPerMinute = tokens.Used(), tokens.Limit
		}
		if calls.Used() >= c.CallsUse && calls.Limit > 0 {
			c.CallsUse, c.RequestsPerMinute = calls.Used(), calls.Limit
		}
		near := m.used(now) >= nearLimit
		c.Near = c.Near || near
		c.Hot = c.Hot || near && !m.hotSince.IsZero() && now.Sub(m.hotSince) >= hotAfter
	}
	c.Headroom = 1 - max(c.TokenUse, c.CallsUse)
	return c
}

// Offer is what one service offers, or why that is not known.
type Offer struct {
	Kind    string
	Default string // the model that was chosen for it
	Models  []llm.Model
	Err     error
}

// Offers asks every service for its models, each for at most eight seconds, all at once; a list younger than ten minutes is not
// asked for again. By the service's name.
func (d *Door) Offers(ctx context.Context, sc *models.Scope) (map[string]Offer, error) {
	all, err := d.services(ctx, sc)
	if err != nil {
		return nil, err
	}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		out  = map[string]Offer{}
	)
	for _, s := range all {
		wait.Go(func() {
			list, err := d.offers(ctx, s, listLimit)
			mu.Lock()
			defer mu.Unlock()
			out[s.name] = Offer{Kind: s.kind, Default: s.model, Models: list, Err: err}
		})
	}
	wait.Wait()
	if len(all) == 0 && d.Offline != nil {
		r := d.builtIn()
		out[r.service] = Offer{Kind: "offline", Default: r.Model, Models: []llm.Model{{ID: r.Model, Name: r.Label(), ContextWindow: r.Window, Tools: true}}}
	}
	return out, nil
}

// Priced tells what a model of a kind of service costs and counts as, with what administrators have corrected: its entry, its
// tier, and whether its price is known.
func (d *Door) Priced(ctx context.Context, sc *models.Scope, kind, model string) (llm.Entry, llm.Tier, bool) {
	p := d.policy(ctx, sc)
	r := Route{Model: model, free: local(kind)}
	if e, ok := d.known.lookup(kind, model); ok {
		r.entry, r.priced = e, e.Priced() && kind != "openai-compatible" && kind != "ollama"
	}
	if e, ok := p.edits[kind+"/"+model]; ok {
		r.correct(e)
	}
	return r.entry, cmp.Or(r.tier, r.worth(d.now())), r.Priced()
}

// Standing is how the service of a route stands.
func (d *Door) Standing(ctx context.Context, sc *models.Scope, r Route) Breaker {
	if r.account == "" {
		return Breaker{State: Closed}
	}
	return d.health.breaker(service{account: r.account, at: r.at, name: r.service, model: r.Model}, d.policy(ctx, sc).orders[r.service], d.now())
}
