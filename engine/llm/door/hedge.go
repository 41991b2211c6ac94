package door

import (
	"context"
	"sync"
	"time"

	"lobstead/engine/llm"
)

// runner is one of two calls that race to their first piece.
type runner struct {
	at     int
	began  time.Time
	cancel context.CancelFunc
	frames chan frame // closed at its end
	err    error      // of its end; read after frames is closed
}

type frame struct {
	chunk llm.Chunk
}

// race asks the route, and when it stays silent for too long the next one too; whoever says something first goes on, and the
// other is cancelled and settled. raced is false when no second route stands ready.
func (t *tries) race(ctx context.Context, n int, r Route, how manner) (err error, raced bool) { //nolint:revive // the error is a result here
	var second *Route
	for i := range t.plan.Routes[n+1:] {
		if o := &t.plan.Routes[n+1+i]; !t.down[o.account] && t.door.health.look(*o, t.orders[o.service], t.door.now()).rest == 0 {
			second = o
			break
		}
	}
	if second == nil {
		return nil, false
	}
	var all sync.WaitGroup
	defer all.Wait() // both are settled when the answer is over
	a := t.start(ctx, &all, r, how)
	defer a.cancel()
	timer := time.NewTimer(t.plan.hedge)
	defer timer.Stop()
	select {
	case f, ok := <-a.frames:
		return t.follow(a, f, ok), true
	case <-timer.C:
	}
	b := t.start(ctx, &all, *second, how)
	defer b.cancel()
	x, y := a.frames, b.frames
	for x != nil || y != nil {
		select {
		case f, ok := <-x:
			if ok {
				b.stop()
				return t.follow(a, f, ok), true
			}
			x = nil
			t.end(a.at, a.err, a.began)
		case f, ok := <-y:
			if ok {
				a.stop()
				return t.follow(b, f, ok), true
			}
			y = nil
			t.end(b.at, b.err, b.began)
		}
	}
	return a.err, true
}

func (t *tries) start(ctx context.Context, all *sync.WaitGroup, r Route, how manner) *runner {
	ctx, cancel := context.WithCancel(ctx)
	run := &runner{at: t.begin(r), began: time.Now(), cancel: cancel, frames: make(chan frame)}
	call := t.callOf(run.at)
	all.Go(func() {
		defer close(run.frames)
		defer func() { // a panic in a goroutine would end the process; in the caller's it ends the call
			if p := recover(); p != nil {
				run.err = llm.Fail(r.Name, llm.KindUpstream, "the call failed inside", nil)
			}
		}()
		done := false
		for c, err := range t.door.stream(ctx, t.sc, call, r, t.request(r), how) {
			if err != nil {
				run.err = err
				return
			}
			done = done || c.Done != nil
			select {
			case run.frames <- frame{c}:
			case <-ctx.Done():
				return
			}
		}
		if !done {
			run.err = llm.Fail(r.Name, llm.KindNetwork, "the stream ended before the answer was complete", nil)
		}
	})
	return run
}

// stop ends the loser; its goroutine settles it.
func (r *runner) stop() { r.cancel() }

// follow hands on what the winner says, from its first frame.
func (t *tries) follow(w *runner, f frame, ok bool) error {
	for ; ok; f, ok = <-w.frames {
		t.saw(w.at, w.began)
		if !t.give(f.chunk) {
			w.cancel()
			for range w.frames {
				continue
			}
			t.end(w.at, nil, w.began)
			return nil
		}
	}
	t.end(w.at, w.err, w.began)
	return w.err
}
