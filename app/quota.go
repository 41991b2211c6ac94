package app

import (
	"sync"
	"time"
)

// quota counts tries per key in this process: a brake against guessing passwords. Limits that must hold over
// several processes live in Redis and come with the API's limits.
type quota struct {
	mu    sync.Mutex
	until map[string]time.Time // when the key's bucket is empty again
}

// signInBurst tries are free, then one every signInPace.
const (
	signInBurst = 10
	signInPace  = 6 * time.Second
	quotaKeys   = 50_000
)

func newQuota() *quota { return &quota{until: map[string]time.Time{}} }

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

func (q *quota) forget(now time.Time) {
	for k, t := range q.until {
		if t.Before(now) {
			delete(q.until, k)
		}
	}
}
