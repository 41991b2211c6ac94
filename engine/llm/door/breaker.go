package door

import (
	"slices"
	"time"
)

// State is a circuit breaker's.
type State string

// The states: calls go through; none does; one does, to see.
const (
	Closed   State = "closed"
	Open     State = "open"
	HalfOpen State = "half_open"
)

// The rules of a breaker (runtime-api.md, section 8).
const (
	BreakerThreshold   = 3                // failures within BreakerWindow that open it
	BreakerWindow      = 60 * time.Second // in which failures count together
	BreakerCooldown    = 60 * time.Second // before the first look, doubled after each that fails
	BreakerMaxCooldown = 900 * time.Second
)

// breaker keeps calls away from what fails. It is not safe for concurrent use, and takes the time from who asks.
type breaker struct {
	failures []time.Time // within the window, while closed
	until    time.Time   // it stays open; zero = closed
	cooldown time.Duration
	probe    time.Time // the look that is on its way began then; zero = none
	credit   bool      // the account has no credit left
	changed  time.Time // of the last failure
}

func (b *breaker) state(now time.Time) State {
	switch {
	case b.until.IsZero():
		return Closed
	case now.Before(b.until):
		return Open
	}
	return HalfOpen
}

// rest is how long no call may go through; 0 = one may. While a look is on its way, others wait for its end; a look that
// never ended (its process froze) is forgotten after a cooldown.
func (b *breaker) rest(now time.Time) time.Duration {
	switch b.state(now) {
	case Closed:
		return 0
	case Open:
		return b.until.Sub(now)
	}
	if b.probe.IsZero() || now.Sub(b.probe) >= BreakerCooldown {
		return 0
	}
	return time.Second
}

// enter notes that a call goes through; only after rest gave 0.
func (b *breaker) enter(now time.Time) {
	if b.state(now) == HalfOpen {
		b.probe = now
	}
}

// leave forgets a call that says nothing about the provider.
func (b *breaker) leave() { b.probe = time.Time{} }

func (b *breaker) succeed() { *b = breaker{changed: b.changed} }

// fail counts a failure. wait is what the provider asks for; credit opens at once.
func (b *breaker) fail(now time.Time, wait time.Duration, credit bool) {
	b.changed, b.credit = now, b.credit || credit
	switch b.state(now) {
	case Open: // of a call that began before
		return
	case HalfOpen:
		b.open(now, max(min(b.cooldown*2, BreakerMaxCooldown), wait))
		return
	}
	b.failures = slices.DeleteFunc(b.failures, func(t time.Time) bool { return now.Sub(t) >= BreakerWindow })
	b.failures = append(b.failures, now)
	if credit || len(b.failures) >= BreakerThreshold {
		b.open(now, max(BreakerCooldown, wait))
	}
}

func (b *breaker) open(now time.Time, d time.Duration) {
	b.cooldown = min(d, BreakerMaxCooldown)
	b.until, b.failures, b.probe = now.Add(b.cooldown), nil, time.Time{}
}
