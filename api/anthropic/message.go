package anthropic

import (
	"cmp"
	"encoding/json"

	"lobstead/api/wire"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// Message is a whole answer.
type Message struct {
	ID           string  `json:"id"`
	Type         string  `json:"type"` // message
	Role         string  `json:"role"` // assistant
	Model        string  `json:"model"`
	Content      []Block `json:"content"`
	StopReason   *string `json:"stop_reason"` // end_turn, tool_use, max_tokens, stop_sequence, refusal; null while it grows
	StopSequence *string `json:"stop_sequence"`
	Usage        Usage   `json:"usage"`
}

// Block is one piece of an answer; Type says which fields it has.
type Block struct {
	Type      string          `json:"type"` // text, tool_use, thinking, redacted_thinking
	Text      *string         `json:"text,omitempty"`
	Thinking  *string         `json:"thinking,omitempty"`
	Signature *string         `json:"signature,omitempty"`
	Data      string          `json:"data,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
}

// Usage counts tokens; input_tokens are those outside the cache.
type Usage struct {
	InputTokens              int `json:"input_tokens"`
	CacheCreationInputTokens int `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int `json:"cache_read_input_tokens"`
	OutputTokens             int `json:"output_tokens"`
}

func newUsage(u llm.Usage) Usage {
	return Usage{max(u.Input-u.CacheRead-u.CacheWrite, 0), u.CacheWrite, u.CacheRead, u.Output}
}

var stops = map[llm.StopReason]string{llm.StopEnd: "end_turn", llm.StopTools: "tool_use", llm.StopLength: "max_tokens", llm.StopRefusal: "refusal"}

func stop(d llm.Done) (why string, sequence *string) {
	if d.Ended != "" {
		return "stop_sequence", &d.Ended
	}
	if w, ok := stops[d.Stop]; ok {
		return w, nil
	}
	return "end_turn", nil
}

// Writer spells one answer, whole or as the events of a stream.
type Writer struct {
	RequestID string
	Model     string
	Thinking  bool // show the reasoning
	Input     int  // tokens of the prompt, estimated: a stream begins before they are counted

	index int
	open  string // the type of the block that grows, "" for none
}

// Whole spells a buffered answer.
func (w *Writer) Whole(m llm.Message, d llm.Done) any {
	out := Message{ID: "msg_" + w.RequestID, Type: "message", Role: "assistant", Model: cmp.Or(d.Model, w.Model), Content: []Block{}, Usage: newUsage(d.Usage)}
	for _, p := range m.Parts {
		switch {
		case p.Thinking != nil && p.Thinking.Redacted:
			if w.Thinking {
				out.Content = append(out.Content, Block{Type: "redacted_thinking", Data: p.Thinking.Signature})
			}
		case p.Thinking != nil:
			if w.Thinking {
				out.Content = append(out.Content, Block{Type: "thinking", Thinking: &p.Thinking.Text, Signature: &p.Thinking.Signature})
			}
		case p.Call != nil:
			out.Content = append(out.Content, Block{Type: "tool_use", ID: p.Call.ID, Name: p.Call.Name, Input: p.Call.Input})
		case p.Text != "":
			out.Content = append(out.Content, Block{Type: "text", Text: &p.Text})
		}
	}
	why, sequence := stop(d)
	out.StopReason, out.StopSequence = &why, sequence
	return out
}

type object = map[string]any

// Begin opens the message.
func (w *Writer) Begin() []byte {
	m := Message{ID: "msg_" + w.RequestID, Type: "message", Role: "assistant", Model: w.Model, Content: []Block{}, Usage: Usage{InputTokens: w.Input}}
	return append(event("message_start", object{"message": m}), event("ping", object{})...)
}

// Piece spells one piece; nil for reasoning that nobody asked for.
func (w *Writer) Piece(c llm.Chunk) []byte {
	switch {
	case c.Call != nil:
		out := w.begin(Block{Type: "tool_use", ID: c.Call.ID, Name: c.Call.Name, Input: json.RawMessage("{}")})
		out = append(out, w.delta(object{"type": "input_json_delta", "partial_json": string(c.Call.Input)})...)
		return append(out, w.end()...)
	case c.Redacted && w.Thinking:
		return append(w.begin(Block{Type: "redacted_thinking", Data: c.Signature}), w.end()...)
	case c.Text != "":
		return w.grow("text", object{"type": "text_delta", "text": c.Text})
	case c.Thinking != "" && w.Thinking:
		return w.grow("thinking", object{"type": "thinking_delta", "thinking": c.Thinking})
	case c.Signature != "" && !c.Redacted && w.open == "thinking":
		return append(w.delta(object{"type": "signature_delta", "signature": c.Signature}), w.end()...)
	}
	return nil
}

func (w *Writer) grow(kind string, delta object) []byte {
	if w.open == kind {
		return w.delta(delta)
	}
	empty := ""
	b := Block{Type: kind}
	if kind == "text" {
		b.Text = &empty
	} else {
		b.Thinking, b.Signature = &empty, &empty
	}
	return append(w.begin(b), w.delta(delta)...)
}

func (w *Writer) begin(b Block) []byte {
	out := w.end()
	w.open = b.Type
	return append(out, event("content_block_start", object{"index": w.index, "content_block": b})...)
}

func (w *Writer) delta(d object) []byte {
	return event("content_block_delta", object{"index": w.index, "delta": d})
}

func (w *Writer) end() []byte {
	if w.open == "" {
		return nil
	}
	w.open = ""
	w.index++
	return event("content_block_stop", object{"index": w.index - 1})
}

// End closes the message.
func (w *Writer) End(d llm.Done, _ any) []byte {
	out := w.end()
	why, sequence := stop(d)
	out = append(out, event("message_delta", object{"delta": object{"stop_reason": why, "stop_sequence": sequence}, "usage": newUsage(d.Usage)})...)
	return append(out, event("message_stop", object{})...)
}

// Fail closes a stream that broke off.
func (w *Writer) Fail(e *fault.Error) []byte {
	return append([]byte("event: error\ndata: "), append(wire.JSON(NewError(e, w.RequestID)), "\n\n"...)...)
}

func event(name string, v object) []byte {
	v["type"] = name
	return append(append([]byte("event: "+name+"\ndata: "), wire.JSON(v)...), "\n\n"...)
}

// Error is the error body.
type Error struct {
	Type      string    `json:"type"` // error
	Error     ErrorBody `json:"error"`
	RequestID string    `json:"request_id,omitempty"`
}

// ErrorBody says what is wrong.
type ErrorBody struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"` // ours: stable, for programs
}

var types = map[fault.Kind]string{fault.Unauthenticated: "authentication_error", fault.Forbidden: "permission_error", fault.Payment: "billing_error",
	fault.TooMany: "rate_limit_error", fault.Invalid: "invalid_request_error", fault.NotFound: "not_found_error", fault.Conflict: "invalid_request_error",
	fault.TooLarge: "request_too_large", fault.Unavailable: "overloaded_error", fault.Timeout: "timeout_error"}

// NewError spells a fault; Internal ones say nothing of what went wrong.
func NewError(e *fault.Error, requestID string) Error {
	message, code, _ := wire.Explain(e)
	out := ErrorBody{Type: cmp.Or(types[e.Kind], "api_error"), Message: message, Code: code}
	return Error{Type: "error", Error: out, RequestID: requestID}
}

// Named says who is expected to answer.
func (w *Writer) Named(model string) { w.Model = model }
