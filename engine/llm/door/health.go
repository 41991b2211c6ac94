package door

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"lobstead/engine/llm"
)

const (
	nearLimit  = 0.9              // share of a provider's limit from which on others are preferred
	hotAfter   = 30 * time.Second // near its limit for so long is hot
	limitLife  = time.Minute      // of what the headers said, when they do not say until when
	maxModels  = 500              // breakers of one account that are kept
	maxAccount = 10_000
)

// health is what this process has learned of the services: breakers, limits and use, by account. An account is a connected
// service of one organization, or a service of the host.
type health struct {
	mu  sync.Mutex
	all map[string]*account
}

// account is one key at one provider.
type account struct {
	at     time.Time // of the row that the account was built from: a new key deserves a new start
	reset  time.Time // by a person, the newest that was heard of
	whole  breaker   // of what strikes every model: network, key, credit
	models map[string]*modelHealth
	use    usage
}

type modelHealth struct {
	breaker
	wait     time.Time // the provider asked to be left alone until then
	room     llm.Headroom
	roomAt   time.Time
	hotSince time.Time
}

// used is the share of the limit, 0 when what was heard is over.
func (m *modelHealth) used(now time.Time) float64 {
	return max(current(m.room.Requests, m.roomAt, now).Used(), current(m.room.Tokens, m.roomAt, now).Used())
}

func current(q llm.Quota, at, now time.Time) llm.Quota {
	life := q.Reset
	if life <= 0 {
		life = limitLife
	}
	if now.Sub(at) >= life {
		q.Remaining = q.Limit
	}
	return q
}

// account finds or makes; h.mu is held. A row that changed begins anew.
func (h *health) account(r Route) *account {
	a := h.all[r.account]
	if a != nil && a.at.Equal(r.at) {
		return a
	}
	if h.all == nil || len(h.all) > maxAccount {
		h.all = map[string]*account{}
	}
	a = &account{at: r.at, models: map[string]*modelHealth{}}
	h.all[r.account] = a
	return a
}

func (a *account) model(name string) *modelHealth {
	m := a.models[name]
	if m == nil {
		if len(a.models) >= maxModels {
			a.models = map[string]*modelHealth{}
		}
		m = &modelHealth{}
		a.models[name] = m
	}
	return m
}

// obey takes over a person's reset of which another process may have heard first.
func (a *account) obey(o order) {
	if o.reset.After(a.reset) {
		a.reset = o.reset
		a.whole = breaker{}
		a.models = map[string]*modelHealth{}
	}
}

// standing is how a route stands.
type standing struct {
	rest    time.Duration // no call may go there for so long
	why     string
	forced  bool
	waiting time.Duration // the provider asked for it; calls may go, but others are better
	near    bool
	trial   bool // half open
}

func (h *health) look(r Route, o order, now time.Time) standing {
	if r.account == "" {
		return standing{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(r)
	a.obey(o)
	m := a.model(r.Model)
	return a.standing(m, o, now)
}

func (a *account) standing(m *modelHealth, o order, now time.Time) standing {
	s := standing{near: m.used(now) >= nearLimit, waiting: max(m.wait.Sub(now), 0), forced: o.open,
		trial: a.whole.state(now) == HalfOpen || m.state(now) == HalfOpen}
	s.rest = max(a.whole.rest(now), m.rest(now))
	switch {
	case o.open:
		s.rest, s.why = BreakerMaxCooldown, "an operator took it out of service"
	case s.rest > 0 && a.whole.credit:
		s.why = "the account has no credit left"
	case s.rest > 0:
		s.why = "it failed several times"
	}
	return s
}

// enter lets a call through, or says why not with the typed error that the caller sees.
func (h *health) enter(r Route, o order, now time.Time) error {
	if r.account == "" {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(r)
	a.obey(o)
	m := a.model(r.Model)
	if s := a.standing(m, o, now); s.rest > 0 {
		return s.refusal(r)
	}
	a.whole.enter(now)
	m.enter(now)
	return nil
}

// refusal is what a caller sees of a route that rests.
func (s standing) refusal(r Route) error {
	wait := max(s.rest.Round(time.Second), time.Second)
	text := fmt.Sprintf("%s is not asked now: %s; it is tried again in %s", r.Model, s.why, wait)
	kind := llm.KindOverloaded
	switch {
	case s.forced:
		text = r.Model + " is not asked: " + s.why
	case s.why == "the account has no credit left":
		kind = llm.KindQuota
	}
	e := llm.Fail(r.Name, kind, text, nil)
	if !s.forced {
		e.RetryAfter = wait
	}
	e.Retryable = false
	return e
}

// outcome is what a call showed of its provider.
type outcome struct {
	err   error // nil = it answered
	mute  bool  // says nothing: the caller left, or our own rules ended it
	again bool  // one more try of a call that was counted
	used  llm.Usage
}

func (h *health) leave(r Route, o outcome, now time.Time) {
	if r.account == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.account(r)
	m := a.model(r.Model)
	a.use.add(now, o.used)
	kind := llm.KindOf(o.err)
	switch {
	case o.mute:
		a.whole.leave()
		m.leave()
	case o.err == nil:
		a.whole.succeed()
		m.succeed()
		m.wait = time.Time{}
	case accountWide(kind):
		m.leave()
		if !o.again {
			a.whole.fail(now, 0, kind == llm.KindQuota)
		}
	case kind == llm.KindRateLimit && llm.AsError(o.err).RetryAfter > 0:
		a.whole.leave()
		m.leave()
		m.wait = now.Add(llm.AsError(o.err).RetryAfter)
	case modelWide(kind):
		a.whole.leave()
		if !o.again {
			m.fail(now, llm.AsError(o.err).RetryAfter, false)
		}
	default: // the request's own fault: the provider is well
		a.whole.leave()
		m.leave()
	}
	if o.again && o.err != nil {
		a.whole.leave()
		m.leave()
	}
}

func accountWide(k llm.ErrorKind) bool {
	return k == llm.KindAuth || k == llm.KindQuota || k == llm.KindNetwork
}

func modelWide(k llm.ErrorKind) bool {
	switch k {
	case llm.KindRateLimit, llm.KindOverloaded, llm.KindTimeout, llm.KindUpstream, llm.KindNotFound:
		return true
	}
	return false
}

// watch learns the limits from the headers of what is asked under the returned context.
func (h *health) watch(ctx context.Context, r Route, now func() time.Time) context.Context {
	if r.account == "" {
		return ctx
	}
	return llm.WatchHeaders(ctx, func(head http.Header) {
		at := now()
		room, ok := llm.ReadHeadroom(head, at)
		if !ok {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		m := h.account(r).model(r.Model)
		m.room, m.roomAt = room, at
		switch {
		case room.Used() < nearLimit:
			m.hotSince = time.Time{}
		case m.hotSince.IsZero():
			m.hotSince = at
		}
	})
}

// usage counts calls and tokens of the last minute, by second.
type usage struct {
	seconds [60]struct {
		at               int64
		requests, tokens int
	}
}

func (u *usage) add(now time.Time, used llm.Usage) {
	s := now.Unix()
	slot := &u.seconds[s%60]
	if slot.at != s {
		slot.at, slot.requests, slot.tokens = s, 0, 0
	}
	slot.requests++
	slot.tokens += used.Input + used.Output
}

func (u *usage) minute(now time.Time) (requests, tokens int) {
	for _, s := range u.seconds {
		if age := now.Unix() - s.at; age >= 0 && age < 60 {
			requests += s.requests
			tokens += s.tokens
		}
	}
	return requests, tokens
}
