package anthropic

import (
	"encoding/json"
	"io"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/sse"
)

type event struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		Model string `json:"model"`
		Usage usage  `json:"usage"`
	} `json:"message"`
	Block struct {
		Type      string          `json:"type"`
		Text      string          `json:"text"`
		Thinking  string          `json:"thinking"`
		Signature string          `json:"signature"`
		Data      string          `json:"data"`
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
	} `json:"content_block"`
	Delta struct {
		Type       string `json:"type"`
		Text       string `json:"text"`
		Thinking   string `json:"thinking"`
		Signature  string `json:"signature"`
		Partial    string `json:"partial_json"`
		StopReason string `json:"stop_reason"`
		Sequence   string `json:"stop_sequence"`
	} `json:"delta"`
	Usage *usage `json:"usage"`
}

type usage struct {
	Input      *int `json:"input_tokens"` // without what came from or went to the cache
	Output     *int `json:"output_tokens"`
	CacheRead  *int `json:"cache_read_input_tokens"`
	CacheWrite *int `json:"cache_creation_input_tokens"`
}

// block is one content block while it grows.
type block struct {
	kind, id, name string
	input          strings.Builder
	signature      string
}

type stream struct {
	provider string
	emit     wire.Emit
	blocks   map[int]*block
	done     llm.Done
	plain    int // input tokens outside the cache
	reason   string
	closed   bool
	calls    bool
}

func (s *stream) event(e sse.Event) error {
	if strings.TrimSpace(e.Data) == "" {
		return nil
	}
	var ev event
	if err := json.Unmarshal([]byte(e.Data), &ev); err != nil {
		return wire.Garbled(s.provider, err)
	}
	switch ev.Type {
	case "error":
		return llm.FromEvent(s.provider, []byte(e.Data))
	case "message_start":
		s.done.Model = ev.Message.Model
		s.count(&ev.Message.Usage)
	case "content_block_start":
		return s.start(ev)
	case "content_block_delta":
		return s.grow(ev)
	case "content_block_stop":
		return s.end(ev.Index)
	case "message_delta":
		if ev.Delta.StopReason != "" {
			s.reason, s.done.Ended = ev.Delta.StopReason, ev.Delta.Sequence
		}
		s.count(ev.Usage)
	case "message_stop":
		s.closed = true
		return io.EOF
	}
	return nil // ping, and whatever comes next year
}

func (s *stream) start(ev event) error {
	b := &block{kind: ev.Block.Type, id: ev.Block.ID, name: ev.Block.Name, signature: ev.Block.Signature}
	s.blocks[ev.Index] = b
	switch {
	case b.kind == "redacted_thinking":
		return s.emit(llm.Chunk{Redacted: true, Signature: wire.Signed(adapter, ev.Block.Data)})
	case ev.Block.Text != "":
		return s.emit(llm.Chunk{Text: ev.Block.Text})
	case ev.Block.Thinking != "":
		return s.emit(llm.Chunk{Thinking: ev.Block.Thinking})
	case b.kind == "tool_use" && len(ev.Block.Input) > 2: // some gateways send the whole input here
		b.input.Write(ev.Block.Input)
	}
	return nil
}

func (s *stream) grow(ev event) error {
	b := s.blocks[ev.Index]
	if b == nil {
		b = &block{kind: "text"}
		s.blocks[ev.Index] = b
	}
	switch d := ev.Delta; d.Type {
	case "text_delta":
		if d.Text != "" {
			return s.emit(llm.Chunk{Text: d.Text})
		}
	case "thinking_delta":
		if d.Thinking != "" {
			return s.emit(llm.Chunk{Thinking: d.Thinking})
		}
	case "signature_delta":
		b.signature += d.Signature
	case "input_json_delta":
		b.input.WriteString(d.Partial)
	}
	return nil
}

func (s *stream) end(index int) error {
	b := s.blocks[index]
	delete(s.blocks, index)
	switch {
	case b == nil:
	case b.kind == "thinking" && b.signature != "":
		return s.emit(llm.Chunk{Signature: wire.Signed(adapter, b.signature)})
	case b.kind == "tool_use":
		s.calls = true
		return s.emit(llm.Chunk{Call: wire.Call(b.id, b.name, b.input.String())})
	}
	return nil
}

// count takes what an event says; later events repeat and correct the earlier ones.
func (s *stream) count(u *usage) {
	if u == nil {
		return
	}
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&s.plain, u.Input)
	set(&s.done.Usage.Output, u.Output)
	set(&s.done.Usage.CacheRead, u.CacheRead)
	set(&s.done.Usage.CacheWrite, u.CacheWrite)
	s.done.Usage.Input = s.plain + s.done.Usage.CacheRead + s.done.Usage.CacheWrite
}

func (s *stream) finish() (llm.Done, error) {
	if !s.closed && s.reason == "" {
		return llm.Done{}, wire.Cut(s.provider)
	}
	switch s.reason {
	case "tool_use":
		s.done.Stop = llm.StopTools
	case "max_tokens", "model_context_window_exceeded":
		s.done.Stop = llm.StopLength
	case "refusal":
		s.done.Stop = llm.StopRefusal
	default:
		s.done.Stop = llm.StopEnd
		if s.calls {
			s.done.Stop = llm.StopTools
		}
	}
	return s.done, nil
}
