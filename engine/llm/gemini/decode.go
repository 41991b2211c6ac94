package gemini

import (
	"encoding/json"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/sse"
)

type answer struct {
	Candidates []struct {
		Content struct {
			Parts []answerPart `json:"parts"`
		} `json:"content"`
		Finish  string `json:"finishReason"`
		Message string `json:"finishMessage"`
	} `json:"candidates"`
	Feedback struct {
		Block   string `json:"blockReason"`
		Message string `json:"blockReasonMessage"`
	} `json:"promptFeedback"`
	Usage *struct {
		Prompt   int `json:"promptTokenCount"` // the cached part included
		ToolUse  int `json:"toolUsePromptTokenCount"`
		Answer   int `json:"candidatesTokenCount"`
		Thoughts int `json:"thoughtsTokenCount"` // not part of the answer's count
		Cached   int `json:"cachedContentTokenCount"`
	} `json:"usageMetadata"`
	Model string          `json:"modelVersion"`
	Error json.RawMessage `json:"error"`
}

type answerPart struct {
	Text      string `json:"text"`
	Thought   bool   `json:"thought"`
	Signature string `json:"thoughtSignature"`
	Call      *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
}

type stream struct {
	provider string
	request  llm.Request
	emit     wire.Emit
	done     llm.Done
	reason   string
	calls    int
}

func (s *stream) event(e sse.Event) error {
	if strings.TrimSpace(e.Data) == "" {
		return nil
	}
	var a answer
	if err := json.Unmarshal([]byte(e.Data), &a); err != nil {
		return wire.Garbled(s.provider, err)
	}
	if len(a.Error) > 0 {
		return llm.FromEvent(s.provider, []byte(e.Data))
	}
	if a.Feedback.Block != "" {
		return llm.Fail(s.provider, llm.KindContentFilter, strings.TrimSpace("the prompt was blocked: "+a.Feedback.Block+" "+a.Feedback.Message), nil)
	}
	if a.Model != "" {
		s.done.Model = a.Model
	}
	if u := a.Usage; u != nil {
		s.done.Usage = llm.Usage{Input: u.Prompt + u.ToolUse, Output: u.Answer + u.Thoughts, CacheRead: u.Cached, Reasoning: u.Thoughts}
	}
	for _, c := range a.Candidates[:min(len(a.Candidates), 1)] {
		for _, p := range c.Content.Parts {
			if err := s.part(p); err != nil {
				return err
			}
		}
		if c.Finish != "" && c.Finish != "FINISH_REASON_UNSPECIFIED" {
			s.reason = c.Finish
		}
		if strings.HasPrefix(c.Finish, "MALFORMED") || c.Finish == "UNEXPECTED_TOOL_CALL" {
			return llm.Fail(s.provider, llm.KindUpstream, "the model wrote a broken tool call: "+c.Finish+" "+c.Message, nil)
		}
	}
	return nil
}

// part hands on one part. A signature on a call travels with the call; on text or alone it closes
// the reasoning before it.
func (s *stream) part(p answerPart) error {
	sig := wire.Signed(adapter, p.Signature)
	if p.Call != nil {
		id := p.Call.ID
		if id == "" {
			id = wire.CallID(s.request, s.calls)
		}
		s.calls++
		c := wire.Call(id, p.Call.Name, string(p.Call.Args))
		c.Signature = sig
		return s.emit(llm.Chunk{Call: c})
	}
	c := llm.Chunk{Text: p.Text}
	if p.Thought {
		c = llm.Chunk{Thinking: p.Text}
	}
	if p.Text != "" {
		if err := s.emit(c); err != nil {
			return err
		}
	}
	if sig != "" {
		return s.emit(llm.Chunk{Signature: sig})
	}
	return nil
}

func (s *stream) finish() (llm.Done, error) {
	switch s.reason {
	case "":
		return llm.Done{}, wire.Cut(s.provider)
	case "MAX_TOKENS":
		s.done.Stop = llm.StopLength
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY":
		s.done.Stop = llm.StopRefusal
	default:
		s.done.Stop = llm.StopEnd
		if s.calls > 0 {
			s.done.Stop = llm.StopTools
		}
	}
	return s.done, nil
}
