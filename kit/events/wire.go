package events

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"lobstead/kit/clock"
)

const (
	channelPrefix = "lobstead:ev:"
	resyncTopic   = "!resync" // to every process: hints of the sending node were lost

	outboxSize = 4096
	batchSize  = 256
	sendLimit  = 2 * time.Second
	backoffMin = 50 * time.Millisecond
	backoffMax = 2 * time.Second
	quietLimit = 5 * time.Second // silence after which the connection must answer a ping
)

// command is one thing for the sender: a hint, or a part with its hint.
type command struct {
	topic   string
	payload []byte
	part    *Part
}

// send moves commands to Redis in pipelined batches, so that a burst of tokens costs one round trip.
func (b *Bus) send(ctx context.Context) {
	backoff := backoffMin
	for {
		var retry <-chan time.Time
		if b.lost.Load() {
			retry = time.After(backoff)
		}
		var batch []command
		select {
		case <-ctx.Done():
			b.flush(b.drain(nil))
			return
		case c := <-b.outbox:
			batch = b.drain([]command{c})
		case <-retry:
		}
		if b.flush(batch) {
			backoff = backoffMin
			continue
		}
		if backoff = min(2*backoff, backoffMax); !clock.Sleep(ctx, backoff) {
			return
		}
	}
}

func (b *Bus) drain(batch []command) []command {
	for len(batch) < batchSize {
		select {
		case c := <-b.outbox:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// flush sends a batch; what fails is dropped and the others are told to resync once Redis is back.
func (b *Bus) flush(batch []command) bool {
	lost := b.lost.Swap(false)
	if len(batch) == 0 && !lost {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendLimit)
	defer cancel()
	pipe := b.rdb.Pipeline()
	touched := map[string]struct{}{}
	for _, c := range batch {
		if c.part != nil {
			addPart(ctx, pipe, c)
			touched[c.part.Turn] = struct{}{}
		}
		pipe.Publish(ctx, channelPrefix+c.topic, b.node+string(c.payload))
	}
	// Once a batch and not once a part; once in a while would leave a stream without an end after a flush.
	for turn := range touched {
		pipe.Expire(ctx, partsKey(turn), partsTTL)
	}
	if lost {
		pipe.Publish(ctx, channelPrefix+resyncTopic, b.node)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		b.lost.Store(true)
		b.failed(err)
		return false
	}
	b.recovered()
	return true
}

// receive holds the one connection on which all topics of the other processes come in. A pattern for
// everything needs no confirmation per topic: who subscribes here hears at once.
func (b *Bus) receive(ctx context.Context, ready func()) {
	defer ready()
	backoff := backoffMin
	for ctx.Err() == nil {
		joined := b.follow(ctx, ready)
		ready() // a Redis that is away must not hold Open
		if joined {
			backoff = backoffMin
		}
		if !clock.Sleep(ctx, backoff) {
			return
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// follow reads one connection until it breaks and reports whether it had joined.
func (b *Bus) follow(ctx context.Context, ready func()) (joined bool) {
	ps := b.rdb.PSubscribe(ctx, channelPrefix+"*")
	defer func() { _ = ps.Close() }()
	// Receiving does not look at the context while it reads.
	defer context.AfterFunc(ctx, func() { _ = ps.Close() })()
	for pinged := false; ; {
		msg, err := ps.ReceiveTimeout(ctx, quietLimit)
		if isTimeout(err) && !pinged && ps.Ping(ctx) == nil {
			pinged = true
			continue
		}
		if err != nil {
			if ctx.Err() == nil {
				b.failed(err)
			}
			return joined
		}
		pinged = false
		switch m := msg.(type) {
		case *redis.Subscription:
			// Before each join was a gap, also when go-redis rejoins by itself inside a receive. In Open,
			// nobody listens yet.
			b.topics.resync()
			joined = true
			b.recovered()
			ready()
		case *redis.Message:
			b.incoming(m)
		}
	}
}

func (b *Bus) incoming(m *redis.Message) {
	if len(m.Payload) < len(b.node) || strings.HasPrefix(m.Payload, b.node) {
		return
	}
	name := strings.TrimPrefix(m.Channel, channelPrefix)
	switch {
	case name == resyncTopic:
		b.topics.resync()
	case b.topics.has(name):
		b.topics.deliver(Event{Topic: name, Payload: []byte(m.Payload[len(b.node):])})
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
