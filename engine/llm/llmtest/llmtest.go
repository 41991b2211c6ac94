// Package llmtest owns the test doubles of model providers: a scripted provider that answers step by step and
// fails on demand. It is for tests only and makes no connection.
package llmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode"

	"lobstead/engine/llm"
)

// Step is one scripted answer; the n-th call to the provider gets the n-th step.
type Step struct {
	Chunks []llm.Chunk
	Stop   llm.StopReason // "" = tools when there are calls, else end
	Usage  llm.Usage      // zero = 10 in, 5 out
	Delay  time.Duration  // before each chunk

	Before error // instead of the first chunk
	Cut    int   // with After: the number of chunks before it
	After  error // in the middle of the stream
	Hang   bool  // after the chunks, until the caller stops
	Stays  bool  // further calls get this step too
	Check  func(llm.Request) error
}

// Say answers with text, a chunk per piece.
func Say(pieces ...string) Step {
	var s Step
	for _, p := range pieces {
		s.Chunks = append(s.Chunks, llm.Chunk{Text: p})
	}
	return s
}

// Think puts reasoning before the answer.
func (s Step) Think(text string) Step {
	s.Chunks = append([]llm.Chunk{{Thinking: text}}, s.Chunks...)
	return s
}

// Call asks for a tool; input is JSON.
func Call(id, name, input string) Step {
	return Step{}.And(id, name, input)
}

// And adds a call.
func (s Step) And(id, name, input string) Step {
	s.Chunks = append(s.Chunks[:len(s.Chunks):len(s.Chunks)], llm.Chunk{Call: &llm.ToolCall{ID: id, Name: name, Input: json.RawMessage(input)}})
	return s
}

// Slow waits before each chunk.
func (s Step) Slow(d time.Duration) Step { s.Delay = d; return s }

// Hangs stays silent after its chunks, until the caller stops.
func (s Step) Hangs() Step { s.Hang = true; return s }

// Always gives the step to every further call.
func (s Step) Always() Step { s.Stays = true; return s }

// Fail fails before the first chunk.
func Fail(kind llm.ErrorKind, message string) Step {
	return Step{Before: llm.Fail("scripted", kind, message, nil)}
}

// RateLimited fails with a wait.
func RateLimited(wait time.Duration) Step {
	e := llm.Fail("scripted", llm.KindRateLimit, "slow down", nil)
	e.Status, e.RetryAfter = 429, wait
	return Step{Before: e}
}

// CutAfter breaks the stream after n chunks.
func (s Step) CutAfter(n int) Step {
	s.Cut, s.After = n, llm.Fail("scripted", llm.KindNetwork, "the connection was cut in the middle", nil)
	return s
}

// Provider plays a script; safe for concurrent use.
type Provider struct {
	mu       sync.Mutex
	steps    []Step
	requests []llm.Request
	running  int
	stopped  int
}

// Scripted makes a provider of steps. A call behind the last step fails as a bad request.
func Scripted(steps ...Step) *Provider { return &Provider{steps: steps} }

// Name is "scripted".
func (*Provider) Name() string { return "scripted" }

// Models gives one model, "scripted-1".
func (*Provider) Models(context.Context) ([]llm.Model, error) {
	return []llm.Model{{ID: "scripted-1", Name: "Scripted", ContextWindow: 100000, Tools: true, Images: true}}, nil
}

// Requests gives what was asked so far.
func (p *Provider) Requests() []llm.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]llm.Request(nil), p.requests...)
}

// Running gives the number of streams that are open; Stopped those that the caller left early.
func (p *Provider) Running() int { p.mu.Lock(); defer p.mu.Unlock(); return p.running }

// Stopped counts the streams that their reader left before the end.
func (p *Provider) Stopped() int { p.mu.Lock(); defer p.mu.Unlock(); return p.stopped }

func (p *Provider) next(r llm.Request) (Step, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.requests)
	p.requests = append(p.requests, r)
	if last := len(p.steps) - 1; n > last && last >= 0 && p.steps[last].Stays {
		return p.steps[last], nil
	}
	if n >= len(p.steps) {
		return Step{}, llm.Fail("scripted", llm.KindBadRequest, fmt.Sprintf("the script has only %d steps", len(p.steps)), nil)
	}
	return p.steps[n], nil
}

func (p *Provider) count(running, stopped int) {
	p.mu.Lock()
	p.running, p.stopped = p.running+running, p.stopped+stopped
	p.mu.Unlock()
}

// Stream plays the next step.
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		start := time.Now()
		s, err := p.next(r)
		p.count(1, 0)
		defer p.count(-1, 0)
		if err == nil && s.Check != nil {
			err = s.Check(r)
		}
		if err == nil {
			err = s.Before
		}
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		tools := false
		for i, c := range s.Chunks {
			if err := pause(ctx, s.Delay); err != nil {
				p.count(0, 1)
				yield(llm.Chunk{}, err)
				return
			}
			if s.After != nil && i == s.Cut {
				break
			}
			tools = tools || c.Call != nil
			if !yield(c, nil) {
				p.count(0, 1)
				return
			}
		}
		if s.Hang {
			<-ctx.Done()
			p.count(0, 1)
			yield(llm.Chunk{}, pause(ctx, 0))
			return
		}
		if s.After != nil {
			yield(llm.Chunk{}, s.After)
			return
		}
		yield(llm.Chunk{Done: s.done(r, tools, time.Since(start))}, nil)
	}
}

func (s Step) done(r llm.Request, tools bool, total time.Duration) *llm.Done {
	d := &llm.Done{Model: r.Model, Stop: s.Stop, Usage: s.Usage, Timing: llm.Timing{First: total, Total: total}}
	if d.Stop == "" {
		d.Stop = llm.StopEnd
		if tools {
			d.Stop = llm.StopTools
		}
	}
	if d.Usage == (llm.Usage{}) {
		d.Usage = llm.Usage{Input: 10, Output: 5}
	}
	return d
}

// pause waits; a caller that has stopped is seen even without a wait.
func pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
	if ctx.Err() != nil {
		return llm.Fail("scripted", llm.KindCancelled, "the call was stopped", context.Cause(ctx))
	}
	return nil
}

// places is how many directions a text of a test can lie in.
const places = 64

// Place lays a text by its words, whatever their order and case: texts of the same words lie in the same place.
func Place(text string) []float32 {
	out := make([]float32, places)
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(word))
		out[h.Sum32()%places]++
	}
	return out
}
