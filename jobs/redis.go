// Package jobs owns the names and payloads of background tasks, the client that enqueues them, and the
// opening of Redis, embedded or real.
//
// A task is a nudge, never a fact: the row that asks for the work is written first, a sweep finds rows
// whose task was lost, and running a task twice must do no harm. Only this package and jobs/work know
// asynq; what a task does is not decided here.
package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// go-redis writes to standard error by itself, one line for each attempt while a server is away. What
// matters of it reaches us as errors.
func init() { redis.SetLogger(quiet{}) }

type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

const (
	pingLimit = 5 * time.Second
	tick      = 200 * time.Millisecond // how coarse the TTLs of the embedded Redis are
)

// Redis is the one connection of this process, to a server or to the Redis inside the process.
type Redis struct {
	client *redis.Client
	asynq  asynq.RedisClientOpt
	mini   *miniredis.Miniredis
	stop   chan struct{}
	done   chan struct{}
}

// OpenRedis connects to url, or starts an embedded Redis when url is empty.
// Errors: fault.Invalid redis.url, fault.Unavailable redis.connect. Neither shows the url's password.
func OpenRedis(ctx context.Context, url secret.String) (*Redis, error) {
	if url.Empty() {
		return embedded()
	}
	opt, err := redis.ParseURL(url.Reveal())
	if err != nil {
		// The parser's error repeats the url, and so the password: it is not even wrapped.
		return nil, fault.New(fault.Invalid, "redis.url", "REDIS_URL is not a redis://, rediss:// or unix:// address")
	}
	r := &Redis{client: redis.NewClient(opt), asynq: asynqOptions(opt)}
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	if err := r.client.Ping(ctx).Err(); err != nil {
		_ = r.client.Close()
		return nil, fault.Wrap(err, fault.Unavailable, "redis.connect", "Redis at %s does not answer: check REDIS_URL, and that the server runs and accepts the password", opt.Addr)
	}
	return r, nil
}

func asynqOptions(opt *redis.Options) asynq.RedisClientOpt {
	return asynq.RedisClientOpt{
		Network: opt.Network, Addr: opt.Addr, Username: opt.Username, Password: opt.Password,
		DB: opt.DB, TLSConfig: opt.TLSConfig,
	}
}

// embedded starts miniredis on a free loopback port with a password that nobody else knows: loopback is
// not an identity.
func embedded() (*Redis, error) {
	password := rand.Text() + rand.Text()
	m := miniredis.NewMiniRedis()
	m.RequireAuth(password)
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "redis.embedded", "The embedded Redis does not start")
	}
	opt := &redis.Options{Network: "tcp", Addr: m.Addr(), Password: password}
	r := &Redis{
		client: redis.NewClient(opt), asynq: asynqOptions(opt), mini: m,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go r.age()
	return r, nil
}

// age lets TTLs run, which miniredis does not do by itself. It passes the time that really went by:
// a busy machine delays ticks.
func (r *Redis) age() {
	defer close(r.done)
	t := time.NewTicker(tick)
	defer t.Stop()
	for last := time.Now(); ; {
		select {
		case <-r.stop:
			return
		case <-t.C:
			now := time.Now()
			r.mini.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Client gives the shared client; it belongs to Redis and is closed with it.
func (r *Redis) Client() *redis.Client { return r.client }

// Asynq gives the options for an asynq server, which makes and closes its own connections.
func (r *Redis) Asynq() asynq.RedisConnOpt { return r.asynq }

// Embedded reports whether the Redis lives in this process, and so is empty at every start.
func (r *Redis) Embedded() bool { return r.mini != nil }

// Close ends the connections, and the embedded Redis with all it holds.
func (r *Redis) Close() error {
	err := r.client.Close()
	if r.mini != nil {
		close(r.stop)
		<-r.done
		r.mini.Close()
	}
	if err != nil {
		return fmt.Errorf("jobs: close redis: %w", err)
	}
	return nil
}
