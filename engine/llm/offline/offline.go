// Package offline owns the built-in model: a deterministic engine that follows plain requests with the tools of
// the agent, so that a first run works without a key or a network.
//
// It reads a request with a fixed grammar, plans tool calls, and reports what the tools really said. It keeps no
// state: everything follows from the messages. It must never pretend to be a large model or to understand
// more than its grammar does, and it never invents a result.
package offline

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"lobstead/engine/llm"
)

// The names under which it is known.
const (
	Name  = "offline"
	Model = "offline-1"
)

// DefaultPace is the pause between two groups of words: fast, and still readable as it comes.
const DefaultPace = 8 * time.Millisecond

// Options tune the provider.
type Options struct {
	Pace time.Duration // between two chunks; negative = none (tests, benchmarks), 0 = DefaultPace
}

// Provider is the built-in model; safe for concurrent use.
type Provider struct{ pace time.Duration }

// New makes the provider.
func New(o Options) *Provider {
	if o.Pace == 0 {
		o.Pace = DefaultPace
	}
	warming.Do(func() { go warm() }) // the first question should not pay for it
	return &Provider{pace: max(o.Pace, 0)}
}

var warming sync.Once

// Name is "offline".
func (p *Provider) Name() string { return Name }

// Models gives the one model.
func (p *Provider) Models(context.Context) ([]llm.Model, error) {
	return []llm.Model{{ID: Model, Name: "Built-in offline model", ContextWindow: 128000, Tools: true}}, nil
}

// Stream answers: words at a natural pace, the first ones at once, then the calls, whole.
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		start := time.Now()
		a := reply(r)
		chunks := a.chunks(len(r.Messages))
		first := time.Duration(0)
		for i, c := range chunks {
			if i > 0 && c.Call == nil && !p.wait(ctx) || ctx.Err() != nil {
				yield(llm.Chunk{}, llm.Fail(Name, llm.KindCancelled, "the call was stopped", context.Cause(ctx)))
				return
			}
			if i == 0 {
				first = time.Since(start)
			}
			if !yield(c, nil) {
				return
			}
		}
		stop := llm.StopEnd
		if len(a.calls) > 0 {
			stop = llm.StopTools
		}
		yield(llm.Chunk{Done: &llm.Done{Model: Model, Stop: stop, Timing: llm.Timing{First: first, Total: time.Since(start)},
			Usage: llm.Usage{Input: llm.EstimateRequest(r), Output: a.tokens(), Reasoning: llm.EstimateTokens(a.thinking), Estimated: true}}}, nil)
	}
}

// wait pauses between chunks; false when the caller stopped.
func (p *Provider) wait(ctx context.Context) bool {
	if p.pace <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(p.pace)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// answer is one step of the model: reasoning, then text, then calls.
type answer struct {
	thinking, text string
	calls          []call
}

func (a answer) tokens() int {
	n := llm.EstimateTokens(a.thinking) + llm.EstimateTokens(a.text)
	for _, c := range a.calls {
		n += 8 + llm.EstimateTokens(string(c.input()))
	}
	return n
}

// chunks cuts the answer; ids follow from the position, so that the same conversation gives the same ids.
func (a answer) chunks(position int) []llm.Chunk {
	var out []llm.Chunk
	for _, s := range words(a.thinking) {
		out = append(out, llm.Chunk{Thinking: s})
	}
	for _, s := range words(a.text) {
		out = append(out, llm.Chunk{Text: s})
	}
	for i, c := range a.calls {
		id := fmt.Sprintf("offline_%d_%d", position, i+1)
		out = append(out, llm.Chunk{Call: &llm.ToolCall{ID: id, Name: c.tool, Input: c.input()}})
	}
	return out
}

// words cuts text behind white space into groups of some 12 bytes; joined they are the text again.
func words(s string) []string {
	var out []string
	for s != "" {
		end := len(s)
		if i := strings.IndexAny(s[min(len(s), 8):], " \n"); i >= 0 {
			end = min(len(s), 8) + i + 1
		}
		out, s = append(out, s[:end]), s[end:]
	}
	return out
}
