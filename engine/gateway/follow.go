package gateway

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

var errLeft = errors.New("the reader has left")

// Telling hands on what a turn says while it runs. When the reader leaves, the turn is stopped.
type Telling struct {
	Turns *agent.Turns
	Scope *models.Scope
	Turn  *models.Turn
	// Ended is called before the last chunk, with the turn as it is then, and also when the reader left; nil = nothing to do.
	Ended func(context.Context, *models.Turn)
}

// Chunks gives what the turn says as it is said; what was lost on the way comes at the end, from the log. The last one has
// Done. Errors are faults: why the turn failed, gateway.left when ctx ended, Timeout after ten minutes.
func (t *Telling) Chunks(ctx context.Context) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		ctx, cancel := context.WithTimeoutCause(ctx, turnLimit, errLate)
		defer cancel()
		f := &follower{Telling: t, yield: yield}
		ended, err := f.follow(ctx)
		late, done := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
		defer done()
		last := ended
		if ended == nil { // the caller left, or had enough
			last, _ = t.Turns.Stop(late, t.Scope, t.Turn.ID)
		}
		if t.Ended != nil && last != nil {
			t.Ended(late, last)
		}
		switch {
		case errors.Is(err, errLeft):
		case err != nil:
			yield(llm.Chunk{}, err)
		default:
			f.finish(late, ended)
		}
	}
}

// follower is one reading of a turn.
type follower struct {
	*Telling
	yield func(llm.Chunk, error) bool

	said    strings.Builder
	attempt int
	next    int                 // the part that is expected
	waiting map[int]events.Part // those that came early
	step    string              // whose words were said last
	lost    bool                // the rest comes from the log
}

const earlyParts = 256 // that wait for one before them

// follow reads until the turn has ended, and gives it; nil when it goes on without the reader.
func (f *follower) follow(ctx context.Context) (*models.Turn, error) {
	parts := events.PartsTopic(f.Turn.ID)
	sub := f.Turns.Bus.Subscribe(1024, parts, agent.SessionTopic(f.Turn.SessionID))
	defer sub.Close()
	poll := time.NewTicker(time.Second) // hints may be lost
	defer poll.Stop()
	look, load := true, true
	for {
		if look {
			t, err := f.Scope.Turn(ctx, f.Turn.ID)
			switch {
			case ctx.Err() != nil:
				return nil, f.cut(ctx)
			case err != nil || t.State.Ended():
				return t, err
			}
			if load && t.Attempt > 0 {
				load = false
				if err := f.load(ctx, t.Attempt); err != nil {
					return nil, err
				}
			}
			look = false
		}
		select {
		case <-ctx.Done():
			return nil, f.cut(ctx)
		case <-poll.C:
			look = true
		case e := <-sub.C():
			look = e.Topic != parts || e.Resync
			load = load || e.Resync
			if p, err := events.DecodePart(e.Payload); e.Topic == parts && err == nil {
				if err := f.take(p); err != nil {
					return nil, err
				}
			}
		}
	}
}

// load reads the parts that were said before anybody listened.
func (f *follower) load(ctx context.Context, attempt int) error {
	list, err := f.Turns.Bus.Parts(ctx, f.Turn.ID, attempt)
	if err != nil {
		return nil // the log brings them
	}
	for _, p := range list {
		if err := f.take(p); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) cut(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errLate) {
		return fault.New(fault.Timeout, "gateway.timeout", "The agent did not answer in time")
	}
	return fault.Wrap(context.Cause(ctx), fault.Unavailable, "gateway.left", "The caller has left")
}

// take puts a part where it belongs; one that comes early waits for those before it.
func (f *follower) take(p events.Part) error {
	switch {
	case p.Attempt < f.attempt, f.lost:
		return nil
	case p.Attempt > f.attempt:
		f.lost = f.said.Len() > 0 // another worker says it again
		f.attempt, f.next, f.waiting = p.Attempt, 0, map[int]events.Part{}
	}
	if f.lost || p.N < f.next {
		return nil
	}
	f.waiting[p.N] = p
	if len(f.waiting) > earlyParts {
		f.lost = true
		return nil
	}
	for q, ok := f.waiting[f.next]; ok; q, ok = f.waiting[f.next] {
		delete(f.waiting, f.next)
		f.next++
		if err := f.say(q); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) say(p events.Part) error {
	kind, step, _ := strings.Cut(p.Kind, "/")
	if kind != agent.PartText || p.Text == "" {
		return nil
	}
	text := p.Text
	if f.step != "" && f.step != step {
		text = "\n\n" + text
	}
	f.step = step
	f.said.WriteString(text)
	if !f.yield(llm.Chunk{Text: text}, nil) {
		return errLeft
	}
	return nil
}
