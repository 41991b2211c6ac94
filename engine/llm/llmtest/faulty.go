package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is what a faulty service does with one call.
type Fault struct {
	Status     int    // refuses with it; 0 = the call is answered
	Body       string // of the refusal, or of the malformed event
	RetryAfter string // header of the refusal, as it is

	Silent    bool // takes the call and says nothing until the client leaves
	Stall     bool // says half of the answer, then nothing until the client leaves
	Cut       bool // says half of the answer, then breaks the connection
	CutFirst  bool // breaks the connection before a word
	Malformed bool // says half of the answer, then an event that nobody can read
	Think     bool // reasons before the answer, so that the fault comes after reasoning and before text

	Usage  *[2]int       // input and output tokens that it claims, whatever is true; nil = 10 and 5
	Limits [2]int        // of requests: limit and remaining, in the headers; 0 = none
	Delay  time.Duration // before the first word
}

// The faults that a provider is known for.
var (
	Fine         = Fault{}
	TooFast      = Fault{Status: 429, Body: `{"error":{"type":"rate_limit_error","message":"slow down"}}`}
	Broken       = Fault{Status: 500, Body: `{"error":{"type":"server_error","message":"it broke"}}`}
	Full         = Fault{Status: 529, Body: `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}
	WrongKey     = Fault{Status: 401, Body: `{"error":{"type":"authentication_error","message":"invalid api key"}}`}
	NoCredit     = Fault{Status: 429, Body: `{"error":{"type":"insufficient_quota","message":"You exceeded your current quota"}}`}
	Unknown      = Fault{Status: 404, Body: `{"error":{"type":"not_found_error","message":"no such model"}}`}
	TooLong      = Fault{Status: 400, Body: `{"error":{"code":"context_length_exceeded","message":"maximum context length"}}`}
	BadRequest   = Fault{Status: 400, Body: `{"error":{"type":"invalid_request_error","message":"no good"}}`}
	Silence      = Fault{Silent: true}
	Stalled      = Fault{Stall: true}
	CutInMiddle  = Fault{Cut: true}
	CutAtOnce    = Fault{CutFirst: true}
	Garbage      = Fault{Malformed: true}
	NegativeBill = Fault{Usage: &[2]int{-5, -7}}
	AbsurdBill   = Fault{Usage: &[2]int{1 << 40, 1 << 40}}
)

// TooFastFor refuses with a wait in seconds.
func TooFastFor(seconds int) Fault {
	f := TooFast
	f.RetryAfter = fmt.Sprint(seconds)
	return f
}

// Faulty is a model service on a real listener that speaks OpenAI's chat completions and embeddings and Anthropic's messages, and fails as it
// is told. Answers are "Hello from " and the model's name, in two pieces. Safe for concurrent use.
type Faulty struct {
	URL    string // of the service, without /v1
	mu     sync.Mutex
	script map[string][]Fault
	each   func(request []byte) Fault
	calls  []string // the models, in order
	listed []string
}

// Serve starts a service that ends with the test.
func Serve(t testing.TB) *Faulty {
	f := &Faulty{script: map[string][]Fault{}}
	s := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	f.URL = s.URL
	return f
}

// On says what becomes of the calls of a model, in order; the last one repeats. "" stands for every model without a script.
func (f *Faulty) On(model string, faults ...Fault) *Faulty {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script[model] = faults
	return f
}

// Each decides of every call by its request, in place of scripts.
func (f *Faulty) Each(decide func(request []byte) Fault) *Faulty {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.each = decide
	return f
}

// List sets what the service says that it offers; without one the list cannot be read.
func (f *Faulty) List(models ...string) *Faulty {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed = models
	return f
}

// Calls gives the models that were asked, in order.
func (f *Faulty) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *Faulty) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/models") {
		f.list(w)
		return
	}
	var body struct {
		Model string `json:"model"`
		Input string `json:"input"` // of an embedding
	}
	raw, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(raw, &body)
	fault := f.next(body.Model, raw)
	if n := fault.Limits; n[0] > 0 {
		w.Header().Set("X-Ratelimit-Limit-Requests", fmt.Sprint(n[0]))
		w.Header().Set("X-Ratelimit-Remaining-Requests", fmt.Sprint(n[1]))
		w.Header().Set("X-Ratelimit-Reset-Requests", "30s")
	}
	switch {
	case fault.Status != 0:
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(fault.Status)
		_, _ = io.WriteString(w, fault.Body)
	case strings.HasSuffix(r.URL.Path, "/embeddings"):
		embed(w, body.Input)
	case fault.CutFirst:
		panic(http.ErrAbortHandler)
	case fault.Silent:
		f.wait(r)
	default:
		f.answer(w, r, body.Model, fault)
	}
}

// embed answers with the text's place and 3 tokens.
func embed(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{"embedding": Place(text)}}, "usage": map[string]int{"prompt_tokens": 3}})
}

func (f *Faulty) list(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listed == nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	type item struct {
		ID string `json:"id"`
	}
	var out struct {
		Data []item `json:"data"`
	}
	for _, m := range f.listed {
		out.Data = append(out.Data, item{m})
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *Faulty) next(model string, request []byte) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, model)
	if f.each != nil {
		return f.each(request)
	}
	key := model
	if _, ok := f.script[key]; !ok {
		key = ""
	}
	s := f.script[key]
	if len(s) == 0 {
		return Fine
	}
	if len(s) > 1 {
		f.script[key] = s[1:]
	}
	return s[0]
}

// wait keeps a client until it leaves.
func (f *Faulty) wait(r *http.Request) { <-r.Context().Done() }

func (f *Faulty) answer(w http.ResponseWriter, r *http.Request, model string, fault Fault) {
	if fault.Delay > 0 {
		t := time.NewTimer(fault.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			f.wait(r)
			return
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	speak := openAI
	if strings.HasSuffix(r.URL.Path, "/messages") {
		speak = anthropic
	}
	usage := [2]int{10, 5}
	if fault.Usage != nil {
		usage = *fault.Usage
	}
	events := speak(model, fault.Think, usage)
	say := func(part []string) {
		for _, e := range part {
			_, _ = io.WriteString(w, e+"\n\n")
		}
		_ = http.NewResponseController(w).Flush()
	}
	// The first half ends after the first piece of text; where it reasons, after the reasoning.
	say(events[0])
	switch {
	case fault.Stall:
		f.wait(r)
	case fault.Cut:
		panic(http.ErrAbortHandler)
	case fault.Malformed:
		say([]string{"data: {\"choices\": nonsense"})
	default:
		say(events[1])
	}
}

// openAI gives the two halves of an answer.
func openAI(model string, think bool, usage [2]int) [2][]string {
	delta := func(field, text string) string {
		return fmt.Sprintf(`data: {"model":%q,"choices":[{"delta":{%q:%q}}]}`, model, field, text)
	}
	end := []string{fmt.Sprintf(`data: {"model":%q,"choices":[{"delta":{},"finish_reason":"stop"}]}`, model),
		fmt.Sprintf(`data: {"model":%q,"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, model, usage[0], usage[1]), "data: [DONE]"}
	first, second := delta("content", "Hello from "), delta("content", model)
	if think {
		return [2][]string{{delta("reasoning_content", "let me think")}, append([]string{first, second}, end...)}
	}
	return [2][]string{{first}, append([]string{second}, end...)}
}

// anthropic gives the two halves of an answer.
func anthropic(model string, think bool, usage [2]int) [2][]string {
	delta := func(kind, field, text string) string {
		return fmt.Sprintf(`data: {"type":"content_block_delta","index":0,"delta":{"type":%q,%q:%q}}`, kind, field, text)
	}
	start := fmt.Sprintf(`data: {"type":"message_start","message":{"model":%q,"usage":{"input_tokens":%d,"output_tokens":1}}}`, model, usage[0])
	end := []string{`data: {"type":"content_block_stop","index":0}`,
		fmt.Sprintf(`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":%d}}`, usage[1]), `data: {"type":"message_stop"}`}
	first, second := delta("text_delta", "text", "Hello from "), delta("text_delta", "text", model)
	if think {
		return [2][]string{{start, delta("thinking_delta", "thinking", "let me think")}, append([]string{first, second}, end...)}
	}
	return [2][]string{{start, first}, append([]string{second}, end...)}
}
