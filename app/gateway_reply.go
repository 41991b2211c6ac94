package app

import (
	"bufio"
	"context"
	"iter"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/engine/gateway"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// speech spells one answer: whole, or as the frames of a stream, in this order.
type speech interface {
	frames
	Named(model string) // who is expected to answer
	Whole(m llm.Message, d llm.Done) any
	End(d llm.Done, extra any) []byte
}

// frames spells the pieces of a stream.
type frames interface {
	Begin() []byte
	Piece(c llm.Chunk) []byte // nil for what the format has no place for
	Fail(e *fault.Error) []byte
}

// answer runs a call. A stream begins with the first piece, so that a refusal before it has a status of its own. When
// the client leaves, the call is cancelled, and what it took is settled.
func (h *ModelGateway) answer(c *Ctx, call gateway.Call, s speech) (Reply, error) {
	ctx, stop := c.untilGone()
	a, err := h.gate.Begin(ctx, c.Scope, call)
	if err == nil {
		err = c.tellPlan(a)
	}
	if err != nil {
		stop()
		return nil, err
	}
	s.Named(a.Model())
	if !call.Streamed {
		defer stop()
		return whole(ctx, c, a, s)
	}
	next, end := iter.Pull2(a.Chunks(ctx))
	first, err, _ := next()
	if err != nil {
		end()
		stop()
		return nil, err
	}
	c.tellCache(a.Cached())
	requestID := c.requestID
	finish := func(d llm.Done) []byte {
		sum := a.Sum()
		d.Usage = sum.Usage
		return s.End(d, extra(requestID, sum))
	}
	return &telling{speech: s, finish: finish, first: first, next: next, end: end, stop: stop}, nil
}

func whole(ctx context.Context, c *Ctx, a *gateway.Answer, s speech) (Reply, error) {
	m, done, err := llm.Collect(a.Chunks(ctx))
	if err != nil {
		return nil, err
	}
	sum := a.Sum()
	c.tellSum(sum)
	done.Usage = sum.Usage
	return data(s.Whole(m, done)), nil
}

// telling is a stream that has begun.
type telling struct {
	speech frames
	finish func(llm.Done) []byte // the last frame of an answer that came to its end
	first  llm.Chunk
	next   func() (llm.Chunk, error, bool)
	end    func() // lets go of the chunks
	stop   func() // stops watching the client

	mu sync.Mutex // of w: the heartbeat writes too
	w  *bufio.Writer
}

func (r *telling) write(c *Ctx) error {
	c.f.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.f.Set(fiber.HeaderCacheControl, "no-cache,no-transform")
	c.f.Set("X-Accel-Buffering", "no")
	log, id := c.app.Log, c.requestID
	c.f.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer r.stop()
		defer r.end()
		defer func() {
			if p := recover(); p != nil {
				log.Error("panic in a stream of the gateway", "request", id, "panic", p, "stack", string(debug.Stack()))
			}
		}()
		r.w = w
		defer r.beat()()
		r.run()
	})
	return nil
}

// run hands on the chunks until they end or the client has left.
func (r *telling) run() {
	if !r.send(r.speech.Begin()) {
		return
	}
	var done llm.Done
	for chunk, err, ok := r.first, error(nil), true; ok; chunk, err, ok = r.next() {
		if err != nil {
			r.send(r.speech.Fail(fault.As(err)))
			return
		}
		if chunk.Done != nil {
			done = *chunk.Done
			continue
		}
		if frame := r.speech.Piece(chunk); frame != nil && !r.send(frame) {
			return
		}
	}
	r.send(r.finish(done))
}

func (r *telling) send(frame []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.w.Write(frame); err != nil {
		return false
	}
	return r.w.Flush() == nil
}

// beat keeps a silent stream alive through proxies; the function ends it.
func (r *telling) beat() func() {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		t := time.NewTicker(heartbeat)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				r.send([]byte(": beat\n\n"))
			}
		}
	})
	return func() { close(done); ended.Wait() }
}

// untilGone is a context that ends when the client leaves or the server stops; stop must be called before the
// connection is used again.
func (c *Ctx) untilGone() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(c.Context)
	unwatch := watchPeer(c.f.Context().Conn(), func() { cancel(gateway.ErrGone) })
	return ctx, sync.OnceFunc(func() { unwatch(); cancel(nil) })
}
