package app

import (
	"net/netip"
	"sync"
	"time"
)

// quota counts tries per key in this process: a brake against guessing passwords. Limits that must hold over
// several processes live in Redis and come with the API's limits.
type quota struct {
	mu    sync.Mutex
	until map[string]time.Time // when the key's bucket is empty again
	told  map[string]time.Time // since when the key is refused, once somebody was told
}

// signInBurst tries are free, then one every signInPace.
const (
	signInBurst = 10
	signInPace  = 6 * time.Second
	startBurst  = 30 // leaving for another service, or asking for a challenge, guesses nothing
	quotaKeys   = 50_000
	lockoutNews = 10 * time.Minute
)

func newQuota() *quota { return &quota{until: map[string]time.Time{}, told: map[string]time.Time{}} }

// allow is a leaky bucket (GCRA): it admits burst at once and then one per pace.
func (q *quota) allow(key string, burst int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if len(q.until) > quotaKeys {
		q.forget(now)
	}
	t := q.until[key]
	if t.Before(now) {
		t = now
	}
	if t.Sub(now) > time.Duration(burst-1)*signInPace {
		return false
	}
	q.until[key] = t.Add(signInPace)
	return true
}

// first tells, of a key that was just refused, whether this is news: it is once in ten minutes.
func (q *quota) first(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Sub(q.told[key]) < lockoutNews {
		return false
	}
	for k, t := range q.told {
		if now.Sub(t) >= lockoutNews {
			delete(q.told, k)
		}
	}
	q.told[key] = now
	return true
}

// subscriber is whom an address stands for: the one of IPv4, the /64 of IPv6, which one line has to itself.
func subscriber(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

func (q *quota) forget(now time.Time) {
	for k, t := range q.until {
		if t.Before(now) {
			delete(q.until, k)
		}
	}
}

// Forgive forgets all tries to sign in, for tests of many.
func (a *App) Forgive() { a.quota.empty() }

func (q *quota) empty() {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.until)
}
