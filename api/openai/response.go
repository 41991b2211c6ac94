package openai

import (
	"cmp"
	"fmt"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// Response is an answer of the responses API.
type Response struct {
	ID                 string         `json:"id"`
	Object             string         `json:"object"` // response
	CreatedAt          int64          `json:"created_at"`
	Status             string         `json:"status"` // in_progress, completed, incomplete, failed
	Background         bool           `json:"background"`
	Error              *failure       `json:"error"`
	IncompleteDetails  *incomplete    `json:"incomplete_details"`
	Model              string         `json:"model"`
	Output             []Output       `json:"output"`
	PreviousResponseID *string        `json:"previous_response_id"`
	Store              bool           `json:"store"`
	Truncation         string         `json:"truncation"` // disabled
	Usage              *ResponseUsage `json:"usage"`
	User               *string        `json:"user"`
	Echo
}

type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type incomplete struct {
	Reason string `json:"reason"` // max_output_tokens, content_filter
}

// Output is one item of an answer: a message, or a call of a function.
type Output struct {
	ID        string        `json:"id"`
	Type      string        `json:"type"` // message, function_call
	Status    string        `json:"status"`
	Role      string        `json:"role,omitempty"`
	Content   *[]OutputText `json:"content,omitempty"`
	CallID    string        `json:"call_id,omitempty"`
	Name      string        `json:"name,omitempty"`
	Arguments *string       `json:"arguments,omitempty"`
}

// OutputText is a piece of a message.
type OutputText struct {
	Type        string `json:"type"` // output_text
	Text        string `json:"text"`
	Annotations []any  `json:"annotations"`
	LogProbs    []any  `json:"logprobs"`
}

// ResponseUsage counts the tokens of a response.
type ResponseUsage struct {
	InputTokens         int                     `json:"input_tokens"`
	InputTokensDetails  PromptTokensDetails     `json:"input_tokens_details"`
	OutputTokens        int                     `json:"output_tokens"`
	OutputTokensDetails CompletionTokensDetails `json:"output_tokens_details"`
	TotalTokens         int                     `json:"total_tokens"`
}

// ResponseWriter spells one answer as a response, whole or as the events of a stream.
type ResponseWriter struct {
	RequestID string
	Model     string
	Created   int64
	Echo      Echo

	seq   int
	items []Output
	open  bool   // the last item is a message that grows
	text  []byte // of it
}

func (w *ResponseWriter) response(status string) Response {
	items := append([]Output{}, w.items...)
	return Response{ID: "resp_" + w.RequestID, Object: "response", CreatedAt: w.Created, Status: status, Model: w.Model, Output: items,
		Truncation: "disabled", Echo: w.Echo}
}

// close gives the response as it ended.
func (w *ResponseWriter) close(d llm.Done) Response {
	w.Model = cmp.Or(d.Model, w.Model)
	r := w.response("completed")
	switch d.Stop {
	case llm.StopLength:
		r.Status, r.IncompleteDetails = "incomplete", &incomplete{"max_output_tokens"}
	case llm.StopRefusal:
		r.Status, r.IncompleteDetails = "incomplete", &incomplete{"content_filter"}
	}
	u := d.Usage
	r.Usage = &ResponseUsage{u.Input, PromptTokensDetails{u.CacheRead}, u.Output, CompletionTokensDetails{u.Reasoning}, u.Input + u.Output}
	return r
}

// Whole spells a buffered answer.
func (w *ResponseWriter) Whole(m llm.Message, d llm.Done) any {
	for _, p := range m.Parts {
		switch {
		case p.Call != nil:
			w.items = append(w.items, w.call(*p.Call, "completed", string(p.Call.Input)))
		case p.Text != "":
			w.items = append(w.items, w.message("completed", p.Text))
		}
	}
	return w.close(d)
}

func (w *ResponseWriter) message(status string, text ...string) Output {
	content := []OutputText{}
	for _, s := range text {
		content = append(content, outputText(s))
	}
	return Output{ID: fmt.Sprintf("msg_%s_%d", w.RequestID, len(w.items)), Type: "message", Status: status, Role: "assistant", Content: &content}
}

func outputText(s string) OutputText {
	return OutputText{Type: "output_text", Text: s, Annotations: []any{}, LogProbs: []any{}}
}

func (w *ResponseWriter) call(c llm.ToolCall, status, arguments string) Output {
	return Output{ID: fmt.Sprintf("fc_%s_%d", w.RequestID, len(w.items)), Type: "function_call", Status: status, CallID: c.ID, Name: c.Name, Arguments: &arguments}
}

type object = map[string]any

// event numbers and names one event of a stream.
func (w *ResponseWriter) event(name string, v object) []byte {
	v["type"], v["sequence_number"] = name, w.seq
	w.seq++
	return append([]byte("event: "+name+"\n"), event(v)...)
}

// Begin tells that the response exists and runs.
func (w *ResponseWriter) Begin() []byte {
	return append(w.event("response.created", object{"response": w.response("in_progress")}),
		w.event("response.in_progress", object{"response": w.response("in_progress")})...)
}

// Piece spells one piece; nil for what the format has no place for.
func (w *ResponseWriter) Piece(c llm.Chunk) []byte {
	var out []byte
	switch {
	case c.Call != nil:
		out = w.endMessage()
		n := len(w.items)
		arguments := string(c.Call.Input)
		it := w.call(*c.Call, "in_progress", "")
		out = append(out, w.event("response.output_item.added", object{"output_index": n, "item": it})...)
		out = append(out, w.event("response.function_call_arguments.delta", object{"output_index": n, "item_id": it.ID, "delta": arguments})...)
		out = append(out, w.event("response.function_call_arguments.done", object{"output_index": n, "item_id": it.ID, "name": it.Name, "arguments": arguments})...)
		it.Status, it.Arguments = "completed", &arguments
		w.items = append(w.items, it)
		return append(out, w.event("response.output_item.done", object{"output_index": n, "item": it})...)
	case c.Text != "":
		out = w.beginMessage()
		w.text = append(w.text, c.Text...)
		n := len(w.items) - 1
		return append(out, w.event("response.output_text.delta", object{"output_index": n, "content_index": 0, "item_id": w.items[n].ID, "delta": c.Text, "logprobs": []any{}})...)
	}
	return nil
}

func (w *ResponseWriter) beginMessage() []byte {
	if w.open {
		return nil
	}
	n, it := len(w.items), w.message("in_progress")
	w.items, w.open, w.text = append(w.items, it), true, nil
	return append(w.event("response.output_item.added", object{"output_index": n, "item": it}),
		w.event("response.content_part.added", object{"output_index": n, "content_index": 0, "item_id": it.ID, "part": outputText("")})...)
}

func (w *ResponseWriter) endMessage() []byte {
	if !w.open {
		return nil
	}
	n := len(w.items) - 1
	it, text := w.items[n], string(w.text)
	it.Status, it.Content = "completed", &[]OutputText{outputText(text)}
	w.items[n], w.open = it, false
	out := w.event("response.output_text.done", object{"output_index": n, "content_index": 0, "item_id": it.ID, "text": text, "logprobs": []any{}})
	out = append(out, w.event("response.content_part.done", object{"output_index": n, "content_index": 0, "item_id": it.ID, "part": outputText(text)})...)
	return append(out, w.event("response.output_item.done", object{"output_index": n, "item": it})...)
}

// End closes a stream.
func (w *ResponseWriter) End(d llm.Done, _ any) []byte {
	out := w.endMessage()
	r := w.close(d)
	return append(out, w.event("response."+r.Status, object{"response": r})...)
}

// Fail closes a stream that broke off.
func (w *ResponseWriter) Fail(e *fault.Error) []byte {
	body := NewError(e, w.RequestID, Standard).Error
	r := w.response("failed")
	r.Error = &failure{body.Code, body.Message}
	return w.event("response.failed", object{"response": r})
}

// Named says who is expected to answer.
func (w *ResponseWriter) Named(model string) { w.Model = model }
