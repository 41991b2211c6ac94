package llm

import "iter"

// Builder assembles the chunks of one stream into the message to be logged and sent back: text and reasoning
// join, a signature closes its reasoning, calls keep their order. The zero value is ready.
type Builder struct {
	parts []Part
	tail  []byte // text or reasoning that still grows: joined once, not per chunk
	grows growth
}

type growth int

const (
	growingNothing growth = iota
	growingText
	growingThought
)

// Add takes the next chunk.
func (b *Builder) Add(c Chunk) {
	if c.Redacted {
		b.seal()
		b.parts = append(b.parts, Part{Thinking: &Thinking{Signature: c.Signature, Redacted: true}})
		return
	}
	b.grow(growingThought, c.Thinking)
	if c.Signature != "" {
		closes := b.grows == growingThought
		b.seal()
		if !closes {
			b.parts = append(b.parts, Part{Thinking: &Thinking{}})
		}
		b.parts[len(b.parts)-1].Thinking.Signature = c.Signature
	}
	b.grow(growingText, c.Text)
	if c.Call != nil {
		b.seal()
		call := *c.Call
		b.parts = append(b.parts, Part{Call: &call})
	}
}

func (b *Builder) grow(kind growth, s string) {
	if s == "" {
		return
	}
	if b.grows != kind {
		b.seal()
		b.grows = kind
	}
	b.tail = append(b.tail, s...)
}

func (b *Builder) seal() {
	switch b.grows {
	case growingText:
		b.parts = append(b.parts, Part{Text: string(b.tail)})
	case growingThought:
		b.parts = append(b.parts, Part{Thinking: &Thinking{Text: string(b.tail)}})
	}
	b.tail, b.grows = b.tail[:0], growingNothing
}

// Message gives what was assembled so far, the assistant's.
func (b *Builder) Message() Message {
	c := Builder{parts: b.parts[:len(b.parts):len(b.parts)], tail: b.tail, grows: b.grows}
	c.seal()
	return Message{Role: Assistant, Parts: c.parts}
}

// Text gives the visible answer so far.
func (b *Builder) Text() string {
	s := ""
	for _, p := range b.Message().Parts {
		s += p.Text
	}
	return s
}

// Calls gives the calls so far, in order.
func (b *Builder) Calls() []ToolCall {
	var out []ToolCall
	for _, p := range b.Message().Parts {
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
