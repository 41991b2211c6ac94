package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"lobstead/engine/llm"
)

// Emit hands a chunk to the reader; it gives ErrStop when the reader has left.
type Emit func(llm.Chunk) error

// Run turns an adapter's push into a stream: it measures the time, estimates a usage that the provider did not
// send, closes the connection when the reader leaves, and lets no untyped error and no panic out.
func Run(ctx context.Context, provider string, r llm.Request, call func(context.Context, Emit) (llm.Done, error)) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		m := meter{start: time.Now(), yield: yield}
		done, err := call(ctx, m.emit)
		switch {
		case m.left:
		case err != nil:
			yield(llm.Chunk{}, typed(provider, err))
		default:
			m.finish(r, done)
		}
	}
}

func typed(provider string, err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		return e
	}
	return llm.Fail(provider, llm.KindUpstream, err.Error(), err)
}

type meter struct {
	start  time.Time
	first  time.Duration
	yield  func(llm.Chunk, error) bool
	left   bool
	output int // tokens, estimated
}

func (m *meter) emit(c llm.Chunk) error {
	if m.left {
		return ErrStop
	}
	if m.first == 0 {
		m.first = max(time.Since(m.start), 1)
	}
	m.output += len(c.Text) + len(c.Thinking)
	if c.Call != nil {
		m.output += len(c.Call.Name) + len(c.Call.Input)
	}
	if !m.yield(c, nil) {
		m.left = true
		return ErrStop
	}
	return nil
}

func (m *meter) finish(r llm.Request, d llm.Done) {
	if d.Model == "" {
		d.Model = r.Model
	}
	if d.Usage.Input == 0 && d.Usage.Output == 0 {
		d.Usage = llm.Usage{Input: llm.EstimateRequest(r), Output: (m.output + 3) / 4, Estimated: true}
	}
	d.Timing.Total = time.Since(m.start)
	if d.Timing.First = m.first; m.first == 0 {
		d.Timing.First = d.Timing.Total
	}
	m.yield(llm.Chunk{Done: &d}, nil)
}

// Call makes a tool call of what a model sent: arguments that are no JSON object are kept as Invalid.
func Call(id, name, arguments string) *llm.ToolCall {
	c := &llm.ToolCall{ID: id, Name: name, Input: json.RawMessage("{}")}
	args := strings.TrimSpace(arguments)
	var object map[string]json.RawMessage
	switch {
	case args == "" || args == "null":
	case json.Unmarshal([]byte(args), &object) == nil:
		c.Input = json.RawMessage(args)
	default:
		c.Invalid = arguments
	}
	return c
}

// CallID gives an id to a call of a server that sends none; it is unique in the conversation and the same when
// the same step is repeated.
func CallID(r llm.Request, n int) string {
	turn := 0
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if p.Call != nil {
				turn++
			}
		}
	}
	return fmt.Sprintf("call_%d_%d", len(r.Messages), turn+n)
}

// Signed marks a provider's signature with its adapter; Unsigned gives it back, "" for another adapter's.
func Signed(adapter, signature string) string {
	if signature == "" {
		return ""
	}
	return adapter + ":" + signature
}

// Unsigned is the inverse of Signed.
func Unsigned(adapter, signature string) string {
	s, ok := strings.CutPrefix(signature, adapter+":")
	if !ok {
		return ""
	}
	return s
}

// Cut is the error of a stream that ended without saying so.
func Cut(provider string) error {
	return llm.Fail(provider, llm.KindNetwork, "the stream ended before the answer was complete", nil)
}

// Garbled is the error of an event that is not the expected JSON.
func Garbled(provider string, err error) error {
	return llm.Fail(provider, llm.KindUpstream, "the stream has an event that is not the expected JSON", err)
}
