// Package events carries hints ("session X has news") and the live parts of a running turn.
//
// Both may be lost at any time. A hint says where to look, the database says what is true; a part is
// text on its way that the log will hold soon. Who listens must therefore be able to re-read: Resync
// asks for it. The package keeps nothing durable and must never be the only place of a fact.
package events

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Event is one hint. With Resync set, hints were lost: read the truth again, Payload is empty.
type Event struct {
	Topic   string
	Payload []byte // shared between listeners: read only
	Resync  bool
}

// Bus delivers events inside this process at once and to other processes through Redis.
// All methods are safe for concurrent use.
type Bus struct {
	node   string
	rdb    redis.UniversalClient // nil: this process only
	topics topics
	parts  partStore

	outbox  chan command
	lost    atomic.Bool // something did not reach the others: tell them to resync
	down    atomic.Bool // logged already
	stop    context.CancelFunc
	stopped atomic.Bool
	work    sync.WaitGroup
}

// Open makes a bus. With a nil client it serves this process only. It waits for the first connection,
// two seconds at most; a Redis that comes later is joined later.
func Open(rdb redis.UniversalClient) *Bus {
	b := &Bus{node: rand.Text(), rdb: rdb, outbox: make(chan command, outboxSize)}
	if rdb == nil {
		return b
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	ready := make(chan struct{})
	b.work.Go(func() { b.receive(ctx, sync.OnceFunc(func() { close(ready) })) })
	b.work.Go(func() { b.send(ctx) })
	select {
	case <-ready:
	case <-time.After(2 * time.Second):
	}
	return b
}

// Close sends what waits, within a second, and ends the connection. Listeners hear nothing from
// others any more; the client stays open, it belongs to the caller.
func (b *Bus) Close() {
	if b.stopped.Swap(true) || b.rdb == nil {
		return
	}
	b.stop()
	b.work.Wait()
}

// Publish tells every listener of the topic, here before it returns, elsewhere soon. It never waits
// for Redis and never fails; the context is for tracing and cancels nothing.
func (b *Bus) Publish(_ context.Context, topic string, payload []byte) {
	b.topics.deliver(Event{Topic: topic, Payload: payload})
	b.enqueue(command{topic: topic, payload: payload})
}

// enqueue hands a command to the sender, or drops it when the sender is far behind.
func (b *Bus) enqueue(c command) {
	if b.rdb == nil || b.stopped.Load() {
		return
	}
	select {
	case b.outbox <- c:
	default:
		b.lost.Store(true)
	}
}

// failed notes an unreachable Redis: one line when it goes, one when it comes back.
func (b *Bus) failed(err error) {
	if !b.down.Swap(true) {
		slog.Warn("events: Redis is away, other processes hear nothing until it is back", "error", err)
	}
}

func (b *Bus) recovered() {
	if b.down.Swap(false) {
		slog.Info("events: Redis is back")
	}
}
