// Package limit owns "so many in so long": exact counts that hold over all processes that share a Redis. It must
// not know what is counted or who is refused.
package limit

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"lobstead/kit/id"
)

// Rule is how many of something may happen in any span of Per; N of 0 is no limit.
type Rule struct {
	N   int
	Per time.Duration
}

// Verdict is the answer to one try.
type Verdict struct {
	Allowed   bool
	Limit     int           // 0 = none
	Remaining int           // after this one
	Reset     time.Duration // until the oldest one counted no longer counts: when refused, when to come back
	undo      func(context.Context)
}

// Undo takes an allowed try back: what it was for did not happen.
func (v Verdict) Undo(ctx context.Context) {
	if v.undo != nil {
		v.undo(ctx)
	}
}

// RetryAfter is Reset in whole seconds, at least one, as the HTTP header has it.
func (v Verdict) RetryAfter() int { return max(1, int(math.Ceil(v.Reset.Seconds()))) }

// Limiter counts in Redis. While Redis does not answer, each process counts for itself.
type Limiter struct {
	redis redis.UniversalClient
	log   *slog.Logger
	alone local
	away  atomic.Int64 // Redis is not asked before this moment, in nanoseconds
}

// New counts in a Redis.
func New(r redis.UniversalClient, log *slog.Logger) *Limiter {
	return &Limiter{redis: r, log: log, alone: local{tries: map[string][]try{}}}
}

// A busy Redis is waited for, else a burst would be counted by halves. One that does not answer at all is left alone
// for a while: requests must not all wait for it.
const (
	patience = 2 * time.Second
	pause    = 5 * time.Second
)

// The list of the tries that count is a sorted set by time, in microseconds of the server's clock.
var take = redis.NewScript(`
local now = redis.call('TIME')
local t = now[1] * 1000000 + now[2]
local span, most = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', t - span))
local n, ok = redis.call('ZCARD', KEYS[1]), 0
if n < most then
  redis.call('ZADD', KEYS[1], string.format('%.0f', t), ARGV[3])
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', span / 1000 + 1000))
  n, ok = n + 1, 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local reset = 0
if oldest[2] then reset = tonumber(oldest[2]) + span - t end
return {ok, most - n, reset}`)

// Take counts one try under a key.
func (l *Limiter) Take(ctx context.Context, key string, r Rule) Verdict {
	if r.N <= 0 {
		return Verdict{Allowed: true}
	}
	key = "limit:" + key
	member := id.New()
	if time.Now().UnixNano() < l.away.Load() {
		return l.alone.take(key, member, r)
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got, err := take.Run(asked, l.redis, []string{key}, r.Per.Microseconds(), r.N, member).Int64Slice()
	if err != nil || len(got) != 3 {
		l.away.Store(time.Now().Add(pause).UnixNano())
		l.log.WarnContext(ctx, "limits are counted by this process alone", "error", err)
		return l.alone.take(key, member, r)
	}
	v := Verdict{Allowed: got[0] == 1, Limit: r.N, Remaining: int(got[1]), Reset: time.Duration(got[2]) * time.Microsecond}
	if v.Allowed {
		v.undo = func(ctx context.Context) { l.redis.ZRem(ctx, key, member) }
	}
	return v
}

// local is the same count inside one process.
type local struct {
	mu    sync.Mutex
	tries map[string][]try
}

type try struct {
	id string
	at time.Time
}

const localKeys = 10_000

func (l *local) take(key, member string, r Rule) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tries) > localKeys {
		clear(l.tries)
	}
	now := time.Now()
	kept := l.tries[key][:0]
	for _, t := range l.tries[key] {
		if now.Sub(t.at) < r.Per {
			kept = append(kept, t)
		}
	}
	v := Verdict{Allowed: len(kept) < r.N, Limit: r.N}
	if v.Allowed {
		kept = append(kept, try{member, now})
		v.undo = func(context.Context) { l.drop(key, member) }
	}
	l.tries[key] = kept
	v.Remaining, v.Reset = r.N-len(kept), r.Per-now.Sub(kept[0].at)
	return v
}

func (l *local) drop(key, member string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, t := range l.tries[key] {
		if t.id == member {
			l.tries[key] = append(l.tries[key][:i], l.tries[key][i+1:]...)
			return
		}
	}
}
