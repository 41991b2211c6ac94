// Package wiretest owns the replay server with which the adapters' tests check both directions of the wire.
// It is for tests only.
package wiretest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
)

// Answer is one scripted HTTP answer; the last one repeats.
type Answer struct {
	Status int         // 0 = 200
	Header http.Header // Content-Type: text/event-stream when nil
	Body   string
	Split  int           // bytes after which to flush once; 0 = whole
	Each   int           // bytes of a write; 0 = whole
	Pause  time.Duration // before the first byte of the body, and at the split
	Cut    bool          // break the connection after the body
	Hang   bool          // keep the connection open after the body
}

// Sent is a request that arrived.
type Sent struct {
	Method, Path string
	Header       http.Header
	Body         map[string]any
	Raw          string
}

// Server replays answers and keeps what was sent.
type Server struct {
	URL     string
	mu      sync.Mutex
	answers []Answer
	sent    []Sent
	gone    int // clients that left while an answer hung
}

// Serve starts a server that ends with the test.
func Serve(t testing.TB, answers ...Answer) *Server {
	s := &Server{answers: answers}
	h := httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(h.CloseClientConnections)
	t.Cleanup(h.Close)
	t.Cleanup(h.CloseClientConnections)
	s.URL = h.URL
	return s
}

// Set replaces the answers.
func (s *Server) Set(answers ...Answer) { s.mu.Lock(); s.answers, s.sent = answers, nil; s.mu.Unlock() }

// Sent gives the requests so far.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent(nil), s.sent...)
}

// Gone counts the clients that left a hanging answer.
func (s *Server) Gone() int { s.mu.Lock(); defer s.mu.Unlock(); return s.gone }

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	in := Sent{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Raw: string(raw)}
	_ = json.Unmarshal(raw, &in.Body)
	s.mu.Lock()
	a := s.answers[min(len(s.sent), len(s.answers)-1)]
	s.sent = append(s.sent, in)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	for k, v := range a.Header {
		w.Header()[k] = v
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	s.write(w, r, a)
	if a.Hang {
		<-r.Context().Done()
		s.mu.Lock()
		s.gone++
		s.mu.Unlock()
	}
	if a.Cut {
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a Answer) {
	flush := func(b string) {
		_, _ = io.WriteString(w, b)
		w.(http.Flusher).Flush()
	}
	wait := func() {
		if a.Pause > 0 {
			select {
			case <-time.After(a.Pause):
			case <-r.Context().Done():
			}
		}
	}
	w.(http.Flusher).Flush()
	wait()
	switch {
	case a.Each > 0:
		for i := 0; i < len(a.Body); i += a.Each {
			flush(a.Body[i:min(i+a.Each, len(a.Body))])
		}
	case a.Split > 0:
		flush(a.Body[:a.Split])
		wait()
		flush(a.Body[a.Split:])
	default:
		flush(a.Body)
	}
}

// Client is the guarded client, opened for the test server on loopback.
func Client() *http.Client { return wire.NewClient(dial.Policy{AllowPrivate: true}) }

// Conversation is a request with everything that a wire format must carry.
func Conversation(model string) llm.Request {
	temp := 0.5
	return llm.Request{Model: model, System: "Be brief.", MaxTokens: 300, Temperature: &temp,
		Tools: []llm.Tool{{Name: "bash", Description: "Run", Schema: json.RawMessage(`{"type":"object","properties":{"command":{"type":"string"}},"required":["command"],"additionalProperties":false,"$schema":"x"}`)}, {Name: "now"}},
		Messages: []llm.Message{
			{Role: llm.User, Parts: []llm.Part{{Text: "look"}, {Text: "  "}, {Image: &llm.Image{MediaType: "image/png", Data: []byte{1, 2, 3}}}}},
			{Role: llm.Assistant, Parts: []llm.Part{{Thinking: &llm.Thinking{Text: "hm", Signature: "anthropic:sigA"}}, {Thinking: &llm.Thinking{Signature: "anthropic:opaque", Redacted: true}},
				{Text: "I run two."}, {Call: &llm.ToolCall{ID: "c1", Name: "bash", Input: json.RawMessage(`{"command":"ls"}`), Signature: "gemini:sigG"}},
				{Call: &llm.ToolCall{ID: "c2", Name: "bash", Input: json.RawMessage(`{"command":"pwd"}`)}}}},
			{Role: llm.User, Parts: []llm.Part{{Text: "and hurry"}, {Result: &llm.ToolResult{CallID: "c2", Name: "bash", Content: "denied", Error: true}}, {Result: &llm.ToolResult{CallID: "c1", Name: "bash", Content: "a.txt"}}}},
			{Role: llm.User, Parts: []llm.Part{{Text: "go on"}}},
		}}
}

// Ask is a plain request.
func Ask(model, text string) llm.Request {
	return llm.Request{Model: model, Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}
}
