package gateway

import (
	"context"
	"errors"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

var errLeft = errors.New("the reader has left")

// follower hands on what a turn says while it runs.
type follower struct {
	answer *Answer
	turn   *models.Turn
	yield  func(llm.Chunk, error) bool

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
	turns, sc := f.answer.g.Turns, f.answer.sc
	parts := events.PartsTopic(f.turn.ID)
	sub := turns.Bus.Subscribe(1024, parts, agent.SessionTopic(f.turn.SessionID))
	defer sub.Close()
	poll := time.NewTicker(time.Second) // hints may be lost
	defer poll.Stop()
	look, load := true, true
	for {
		if look {
			t, err := sc.Turn(ctx, f.turn.ID)
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
	list, err := f.answer.g.Turns.Bus.Parts(ctx, f.turn.ID, attempt)
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
