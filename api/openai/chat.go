package openai

import (
	"bytes"
	"cmp"
	"encoding/json"

	"lobstead/api/wire"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// Completion is a whole answer.
type Completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"` // chat.completion
	Created int64    `json:"created"`
	Model   string   `json:"model"` // that served
	Choices []Choice `json:"choices"`
	Usage   Usage    `json:"usage"`
}

// Choice is the one answer.
type Choice struct {
	Index        int             `json:"index"`
	Message      Message         `json:"message"`
	LogProbs     json.RawMessage `json:"logprobs"`      // always null
	FinishReason string          `json:"finish_reason"` // stop, length, tool_calls, content_filter
}

// Message is what the model said.
type Message struct {
	Role      string  `json:"role"`
	Content   *string `json:"content"` // null beside calls, in OpenAI's dialect only
	Refusal   *string `json:"refusal"`
	ToolCalls []Call  `json:"tool_calls,omitempty"`
}

// Call is one call of a tool.
type Call struct {
	Index    *int         `json:"index,omitempty"` // in a stream
	ID       string       `json:"id"`
	Type     string       `json:"type"` // function
	Function CallFunction `json:"function"`
}

// CallFunction is what is called, with its arguments as JSON text.
type CallFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// Usage counts the tokens of an answer.
type Usage struct {
	PromptTokens            int                     `json:"prompt_tokens"`
	CompletionTokens        int                     `json:"completion_tokens"`
	TotalTokens             int                     `json:"total_tokens"`
	PromptTokensDetails     PromptTokensDetails     `json:"prompt_tokens_details"`
	CompletionTokensDetails CompletionTokensDetails `json:"completion_tokens_details"`
}

// PromptTokensDetails says how much of a prompt came from a cache.
type PromptTokensDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

// CompletionTokensDetails says how much of an answer was reasoning.
type CompletionTokensDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

func newUsage(u llm.Usage) Usage {
	return Usage{u.Input, u.Output, u.Input + u.Output, PromptTokensDetails{u.CacheRead}, CompletionTokensDetails{u.Reasoning}}
}

var finishes = map[llm.StopReason]string{llm.StopEnd: "stop", llm.StopTools: "tool_calls", llm.StopLength: "length", llm.StopRefusal: "content_filter"}

func finish(s llm.StopReason) string {
	if w, ok := finishes[s]; ok {
		return w
	}
	return "stop"
}

// chunk is one frame of a stream.
type chunk struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"` // chat.completion.chunk
	Created int64       `json:"created"`
	Model   string      `json:"model"`
	Choices []chunkPart `json:"choices"`
	Usage   *Usage      `json:"usage,omitempty"`
	Extra   any         `json:"x_lobstack,omitempty"`
}

type chunkPart struct {
	Index        int     `json:"index"`
	Delta        delta   `json:"delta"`
	FinishReason *string `json:"finish_reason"`
}

type delta struct {
	Role      string  `json:"role,omitempty"`
	Content   *string `json:"content,omitempty"`
	ToolCalls []Call  `json:"tool_calls,omitempty"`
}

// ChatWriter spells one answer as a chat completion, whole or as the frames of a stream.
type ChatWriter struct {
	RequestID string
	Model     string // until the one that served is known
	Created   int64
	Dialect   Dialect
	Usage     bool // a last chunk with the usage, in OpenAI's dialect

	calls int
	head  []byte // of every frame with text
}

// Whole spells a buffered answer.
func (w *ChatWriter) Whole(m llm.Message, d llm.Done) any {
	out := Message{Role: "assistant"}
	text := ""
	for _, p := range m.Parts {
		text += p.Text
		if p.Call != nil {
			out.ToolCalls = append(out.ToolCalls, Call{ID: p.Call.ID, Type: "function", Function: CallFunction{p.Call.Name, string(p.Call.Input)}})
		}
	}
	if text != "" || len(out.ToolCalls) == 0 || w.Dialect == Lobstack {
		out.Content = &text
	}
	return Completion{ID: "chatcmpl-" + w.RequestID, Object: "chat.completion", Created: w.Created, Model: cmp.Or(d.Model, w.Model),
		Choices: []Choice{{Message: out, FinishReason: finish(d.Stop)}}, Usage: newUsage(d.Usage)}
}

// Begin is the first frame of a stream.
func (w *ChatWriter) Begin() []byte {
	empty := ""
	return w.frame(delta{Role: "assistant", Content: &empty}, nil)
}

// Piece spells one piece; nil for what the format has no place for.
func (w *ChatWriter) Piece(c llm.Chunk) []byte {
	switch {
	case c.Call != nil:
		n := w.calls
		w.calls++
		return w.frame(delta{ToolCalls: []Call{{Index: &n, ID: c.Call.ID, Type: "function", Function: CallFunction{c.Call.Name, string(c.Call.Input)}}}}, nil)
	case c.Text != "":
		return w.text(c.Text)
	}
	return nil
}

// text is the frame that a stream is mostly made of.
func (w *ChatWriter) text(s string) []byte {
	if w.head == nil {
		const cut = `"content":"`
		empty := ""
		whole := w.frame(delta{Content: &empty}, nil)
		w.head = whole[:bytes.Index(whole, []byte(cut))+len(cut)-1]
	}
	out := append(make([]byte, 0, len(w.head)+len(s)+48), w.head...)
	quoted := wire.JSON(s)
	out = append(out, quoted...)
	return append(out, "},\"finish_reason\":null}]}\n\n"...)
}

// End closes a stream: the reason, the usage with extra where it is wanted, and the mark of the end.
func (w *ChatWriter) End(d llm.Done, extra any) []byte {
	why := finish(d.Stop)
	w.Model = cmp.Or(d.Model, w.Model)
	out := w.frame(delta{}, &why)
	if w.Usage || w.Dialect == Lobstack {
		u := newUsage(d.Usage)
		if w.Dialect == Standard {
			extra = nil
		}
		out = append(out, event(chunk{ID: "chatcmpl-" + w.RequestID, Object: "chat.completion.chunk", Created: w.Created, Model: w.Model,
			Choices: []chunkPart{}, Usage: &u, Extra: extra})...)
	}
	return append(out, done...)
}

// Fail closes a stream that broke off: its status was 200 long ago.
func (w *ChatWriter) Fail(e *fault.Error) []byte {
	body := NewError(e, w.RequestID, w.Dialect)
	if w.Dialect == Lobstack {
		body.Error.Type = "gateway_error"
	}
	return append(event(body), done...)
}

const done = "data: [DONE]\n\n"

func (w *ChatWriter) frame(d delta, why *string) []byte {
	return event(chunk{ID: "chatcmpl-" + w.RequestID, Object: "chat.completion.chunk", Created: w.Created, Model: w.Model,
		Choices: []chunkPart{{Delta: d, FinishReason: why}}})
}

func event(v any) []byte {
	return append(append([]byte("data: "), wire.JSON(v)...), "\n\n"...)
}

// Named says who is expected to answer.
func (w *ChatWriter) Named(model string) { w.Model = model }
