package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/sse"
)

type chunk struct {
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`
	Object  string          `json:"object"`
}

type choice struct {
	Delta   delta  `json:"delta"`
	Message *delta `json:"message"` // of a server that does not stream
	Finish  string `json:"finish_reason"`
}

type delta struct {
	Content          content     `json:"content"`
	ReasoningContent string      `json:"reasoning_content"` // DeepSeek, vLLM
	Reasoning        string      `json:"reasoning"`         // OpenRouter, Ollama
	Refusal          string      `json:"refusal"`
	Calls            []callDelta `json:"tool_calls"`
}

// content is a string; Mistral and a few proxies send a list of parts.
type content string

func (c *content) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'['}) {
		var parts []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(b, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			*c += content(p.Text)
		}
		return nil
	}
	return json.Unmarshal(b, (*string)(c))
}

type callDelta struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // a string; an object from a few servers
	} `json:"function"`
}

type usage struct {
	Prompt        int `json:"prompt_tokens"`
	Completion    int `json:"completion_tokens"`
	PromptDetails struct {
		Cached int `json:"cached_tokens"`
		Write  int `json:"cache_write_tokens"` // OpenRouter
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// stream assembles one answer.
type stream struct {
	provider string
	request  llm.Request
	emit     wire.Emit
	calls    []*pending
	done     llm.Done
	finished string // finish_reason
	closed   bool   // [DONE]
	refused  bool
	begun    bool
}

type pending struct {
	index    int
	id, name string
	args     strings.Builder
}

func (s *stream) event(e sse.Event) error {
	data := strings.TrimSpace(e.Data)
	if data == "[DONE]" {
		s.closed = true
		return io.EOF
	}
	if data == "" {
		return nil
	}
	var c chunk
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		return wire.Garbled(s.provider, err)
	}
	if e.Name == "error" || c.Object == "error" || len(c.Error) > 0 && string(c.Error) != "null" {
		return llm.FromEvent(s.provider, []byte(data))
	}
	if c.Model != "" {
		s.done.Model = c.Model
	}
	if u := c.Usage; u != nil {
		s.done.Usage = llm.Usage{Input: u.Prompt, Output: u.Completion, CacheRead: u.PromptDetails.Cached,
			CacheWrite: u.PromptDetails.Write, Reasoning: u.CompletionDetails.Reasoning}
	}
	for _, ch := range c.Choices[:min(len(c.Choices), 1)] {
		if ch.Finish != "" {
			s.finished = ch.Finish
		}
		d := ch.Delta
		if ch.Message != nil {
			d = *ch.Message
		}
		if err := s.take(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) take(d delta) error {
	thinking := d.ReasoningContent
	if thinking == "" {
		thinking = d.Reasoning
	}
	s.refused = s.refused || d.Refusal != ""
	for _, c := range []llm.Chunk{{Thinking: thinking}, {Text: string(d.Content)}, {Text: d.Refusal}} {
		if c.Text == "" && c.Thinking == "" {
			continue
		}
		s.begun = true
		if err := s.emit(c); err != nil {
			return err
		}
	}
	for _, c := range d.Calls {
		s.call(c)
	}
	return nil
}

// call joins a piece to its call. Servers differ: the index may be missing, or 0 for every call; whole calls may
// come at once; ids may be missing or repeated with each piece. A new id, or a name on a call whose
// arguments are complete, begins a new call.
func (s *stream) call(c callDelta) {
	s.begun = true
	index := len(s.calls) - 1
	if c.Index != nil {
		index = *c.Index
	} else if c.ID != "" || c.Function.Name != "" {
		index = len(s.calls)
	}
	var p *pending
	for _, q := range s.calls {
		if q.index == index {
			p = q // the last one with this index
		}
	}
	if p != nil && (c.ID != "" && p.id != "" && c.ID != p.id || c.ID == "" && c.Function.Name != "" && json.Valid([]byte(p.args.String()))) {
		p = nil
	}
	if p == nil {
		p = &pending{index: index}
		s.calls = append(s.calls, p)
	}
	if p.id == "" {
		p.id = c.ID
	}
	if p.name == "" {
		p.name = c.Function.Name
	}
	var text string
	if json.Unmarshal(c.Function.Arguments, &text) == nil {
		p.args.WriteString(text)
	} else if len(c.Function.Arguments) > 0 {
		p.args.Write(c.Function.Arguments)
	}
}

// finish hands out the calls, which are whole only now, and judges how the stream ended.
func (s *stream) finish() error {
	if !s.closed && s.finished == "" {
		return wire.Cut(s.provider)
	}
	if s.finished == "error" {
		return llm.Fail(s.provider, llm.KindUpstream, "the model failed in the middle of its answer", nil)
	}
	sent := 0
	for i, p := range s.calls {
		if p.name == "" {
			continue
		}
		if p.id == "" {
			p.id = wire.CallID(s.request, i)
		}
		if err := s.emit(llm.Chunk{Call: wire.Call(p.id, p.name, p.args.String())}); err != nil {
			return err
		}
		sent++
	}
	s.done.Stop = stop(s.finished, sent > 0, s.refused)
	return nil
}

func stop(reason string, calls, refused bool) llm.StopReason {
	switch {
	case reason == "length":
		return llm.StopLength
	case reason == "content_filter" || refused:
		return llm.StopRefusal
	case calls:
		return llm.StopTools
	}
	return llm.StopEnd
}
