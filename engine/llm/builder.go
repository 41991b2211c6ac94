package llm

import "iter"

// Builder assembles the chunks of one stream into the message to be logged and sent back: text and reasoning
// join, a signature closes its reasoning, calls keep their order. The zero value is ready.
type Builder struct {
	parts []Part
	open  bool // the last part is reasoning that more may join
}

// Add takes the next chunk.
func (b *Builder) Add(c Chunk) {
	if c.Redacted {
		b.parts, b.open = append(b.parts, Part{Thinking: &Thinking{Signature: c.Signature, Redacted: true}}), false
		return
	}
	if c.Thinking != "" {
		if !b.open {
			b.parts, b.open = append(b.parts, Part{Thinking: &Thinking{}}), true
		}
		b.last().Thinking.Text += c.Thinking
	}
	if c.Signature != "" {
		if !b.open {
			b.parts = append(b.parts, Part{Thinking: &Thinking{}})
		}
		b.last().Thinking.Signature, b.open = c.Signature, false
	}
	if c.Text != "" {
		if b.open = false; len(b.parts) == 0 || b.last().Text == "" {
			b.parts = append(b.parts, Part{})
		}
		b.last().Text += c.Text
	}
	if c.Call != nil {
		call := *c.Call
		b.parts, b.open = append(b.parts, Part{Call: &call}), false
	}
}

func (b *Builder) last() *Part { return &b.parts[len(b.parts)-1] }

// Message gives what was assembled so far, the assistant's.
func (b *Builder) Message() Message { return Message{Role: Assistant, Parts: b.parts} }

// Text gives the visible answer so far.
func (b *Builder) Text() string {
	s := ""
	for _, p := range b.parts {
		s += p.Text
	}
	return s
}

// Calls gives the calls so far, in order.
func (b *Builder) Calls() []ToolCall {
	var out []ToolCall
	for _, p := range b.parts {
		if p.Call != nil {
			out = append(out, *p.Call)
		}
	}
	return out
}

// Collect drains a stream. With an error, the message is what came before it.
func Collect(stream iter.Seq2[Chunk, error]) (Message, Done, error) {
	var (
		b    Builder
		done Done
	)
	for c, err := range stream {
		if err != nil {
			return b.Message(), done, err
		}
		b.Add(c)
		if c.Done != nil {
			done = *c.Done
		}
	}
	return b.Message(), done, nil
}
