package openai_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/openai"
	"lobstead/engine/llm/wire"
	"lobstead/engine/llm/wire/wiretest"
)

const secret = "sk-test-0123456789abcdef"

func provider(s *wiretest.Server) *openai.Provider {
	return openai.New(openai.Config{Name: "vllm", BaseURL: s.URL + "/v1/", Key: func() string { return secret }, Client: wiretest.Client(),
		Timeouts: wire.Timeouts{First: 5 * time.Second, Idle: 5 * time.Second}})
}

func data(events ...string) string {
	s := ""
	for _, e := range events {
		s += "data: " + e + "\n\n"
	}
	return s
}

func delta(d string) string {
	return `{"id":"x","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":` + d + `,"finish_reason":null}]}`
}

func finish(reason string) string {
	return `{"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

const usageEvent = `{"model":"m-1","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":12},"completion_tokens_details":{"reasoning_tokens":4}}}`

var full = data(delta(`{"role":"assistant","content":""}`), delta(`{"reasoning_content":"Let me "}`), delta(`{"reasoning_content":"see."}`),
	delta(`{"content":"I look — é🦞"}`), delta(`{"content":" now."}`),
	delta(`{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"bash","arguments":""}}]}`),
	delta(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":"}}]}`), delta(`{"tool_calls":[{"index":0,"function":{"arguments":"\"ls -la\"}"}}]}`),
	delta(`{"tool_calls":[{"index":1,"id":"call_b","function":{"name":"now","arguments":""}}]}`), finish("tool_calls"), usageEvent, "[DONE]")

func checkFull(t *testing.T, m llm.Message, d llm.Done) {
	t.Helper()
	require.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "Let me see."}}, {Text: "I look — é🦞 now."},
		{Call: &llm.ToolCall{ID: "call_a", Name: "bash", Input: json.RawMessage(`{"command":"ls -la"}`)}},
		{Call: &llm.ToolCall{ID: "call_b", Name: "now", Input: json.RawMessage(`{}`)}}}, m.Parts)
	require.Equal(t, llm.Usage{Input: 20, Output: 9, CacheRead: 12, Reasoning: 4}, d.Usage)
	require.Equal(t, llm.StopTools, d.Stop)
	require.Equal(t, "m-1", d.Model)
	require.Positive(t, d.Timing.First)
	require.GreaterOrEqual(t, d.Timing.Total, d.Timing.First)
}

func TestStreamSplitAnywhere(t *testing.T) {
	s := wiretest.Serve(t)
	p := provider(s)
	for i := range len(full) {
		s.Set(wiretest.Answer{Body: full, Split: i})
		m, d, err := llm.Collect(p.Stream(context.Background(), wiretest.Ask("m", "hi")))
		require.NoError(t, err, i)
		checkFull(t, m, d)
	}
	s.Set(wiretest.Answer{Body: strings.ReplaceAll(full, "\n", "\r\n"), Each: 7})
	m, d, err := llm.Collect(p.Stream(context.Background(), wiretest.Ask("m", "hi")))
	require.NoError(t, err)
	checkFull(t, m, d)
}

func TestWire(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: data(delta(`{"content":"ok"}`), finish("stop"), "[DONE]")})
	_, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Conversation("m-1")))
	require.NoError(t, err)
	require.True(t, d.Usage.Estimated)
	require.Equal(t, llm.StopEnd, d.Stop)
	in := s.Sent()[0]
	require.Equal(t, "/v1/chat/completions", in.Path)
	require.Equal(t, "Bearer "+secret, in.Header.Get("Authorization"))
	require.Equal(t, map[string]any{"include_usage": true}, in.Body["stream_options"])
	require.EqualValues(t, 300, in.Body["max_tokens"])
	require.NotContains(t, in.Body, "max_completion_tokens")
	b, _ := json.Marshal(in.Body["messages"])
	require.JSONEq(t, `[{"role":"system","content":"Be brief."},
		{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AQID"}}]},
		{"role":"assistant","content":"I run two.","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\"command\":\"ls\"}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{\"command\":\"pwd\"}"}}]},
		{"role":"tool","tool_call_id":"c1","content":"a.txt"},{"role":"tool","tool_call_id":"c2","content":"Error: denied"},
		{"role":"user","content":"and hurry\n\ngo on"}]`, string(b))
	b, _ = json.Marshal(in.Body["tools"])
	require.Contains(t, string(b), `"parameters":{"properties":{},"type":"object"}`)
}

func TestCallsOfOtherServers(t *testing.T) {
	call := func(id, name, args string) string {
		return fmt.Sprintf("%s %s %s", id, name, args)
	}
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"whole at once": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}`), finish("tool_calls")},
			[]string{call("a", "f", `{"x":1}`), call("b", "g", "{}")}},
		"no ids": {[]string{delta(`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}`), delta(`{"tool_calls":[{"index":1,"function":{"name":"f","arguments":"{}"}}]}`), finish("stop")},
			[]string{call("call_1_0", "f", "{}"), call("call_1_1", "f", "{}")}},
		"index always 0, other ids": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`), delta(`{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]}`), finish("stop")},
			[]string{call("a", "f", "{}"), call("b", "g", "{}")}},
		"index always 0, no ids": {[]string{delta(`{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":1}"}}]}`), delta(`{"tool_calls":[{"index":0,"function":{"name":"g","arguments":"{}"}}]}`), finish("stop")},
			[]string{call("call_1_0", "f", `{"a":1}`), call("call_1_1", "g", "{}")}},
		"no index": {[]string{delta(`{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\""}}]}`), delta(`{"tool_calls":[{"function":{"arguments":":1}"}}]}`), delta(`{"tool_calls":[{"id":"b","function":{"name":"g"}}]}`), finish("stop")},
			[]string{call("a", "f", `{"a":1}`), call("b", "g", "{}")}},
		"id repeated": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}`), delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}]}`), finish("stop")},
			[]string{call("a", "f", "{}")}},
		"object arguments": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":[1]}}}]}`), finish("stop")}, []string{call("a", "f", `{"x":[1]}`)}},
		"broken arguments": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`), finish("length")}, []string{call("a", "f", "{}") + ` !{"x":`}},
		"interleaved": {[]string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}`),
			delta(`{"tool_calls":[{"index":1,"function":{"arguments":"}"}},{"index":0,"function":{"arguments":"}"}}]}`), finish("tool_calls")}, []string{call("a", "f", "{}"), call("b", "g", "{}")}},
		"not streamed": {[]string{`{"model":"m","choices":[{"message":{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`}, []string{call("a", "f", "{}")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := wiretest.Serve(t, wiretest.Answer{Body: data(c.events...)})
			m, _, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
			require.NoError(t, err)
			var got []string
			for _, p := range m.Parts {
				line := call(p.Call.ID, p.Call.Name, string(p.Call.Input))
				if p.Call.Invalid != "" {
					line += " !" + p.Call.Invalid
				}
				got = append(got, line)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestServersThatDoNotStreamAndEndOtherwise(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: `{"model":"m","choices":[{"message":{"content":[{"type":"text","text":"whole"}],"reasoning":"r"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`})
	m, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
	require.NoError(t, err)
	require.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "r"}}, {Text: "whole"}}, m.Parts)
	require.Equal(t, llm.Usage{Input: 1, Output: 2}, d.Usage)
	for body, stop := range map[string]llm.StopReason{
		data(delta(`{"content":"x"}`), finish("length")):                                              llm.StopLength,
		data(delta(`{"refusal":"no"}`), finish("stop"), "[DONE]"):                                     llm.StopRefusal,
		": OPENROUTER PROCESSING\n\n" + data(delta(`{"content":"x"}`), "[DONE]"):                      llm.StopEnd,
		data(delta(`{"content":"x"}`), finish("content_filter")) + "\n":                               llm.StopRefusal,
		strings.TrimRight(data(delta(`{"content":"x"}`), finish("stop")), "\n"):                       llm.StopEnd,
		strings.TrimRight(data(delta(`{"content":"x"}`), "[DONE]"), "\n"):                             llm.StopEnd,
		data(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"error":null}`, "[DONE]"): llm.StopEnd,
	} {
		s.Set(wiretest.Answer{Body: body})
		_, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
		require.NoError(t, err, body)
		require.Equal(t, stop, d.Stop, body)
	}
}

func TestRefusedFieldsAreLeftOutAndRemembered(t *testing.T) {
	good := wiretest.Answer{Body: data(delta(`{"content":"ok"}`), finish("stop"), "[DONE]")}
	no := func(m string) wiretest.Answer {
		return wiretest.Answer{Status: 400, Body: `{"error":{"message":"` + m + `","type":"invalid_request_error"}}`}
	}
	s := wiretest.Serve(t, no("Unknown parameter: 'stream_options'"), no("Unsupported parameter: 'max_tokens' is not supported, use 'max_completion_tokens'"), no("Unsupported value: 'temperature' does not support 0.5"), good)
	p := provider(s)
	_, _, err := llm.Collect(p.Stream(context.Background(), wiretest.Conversation("o9")))
	require.NoError(t, err)
	last := s.Sent()[3].Body
	require.NotContains(t, last, "stream_options")
	require.NotContains(t, last, "temperature")
	require.NotContains(t, last, "max_tokens")
	require.EqualValues(t, 300, last["max_completion_tokens"])
	_, _, err = llm.Collect(p.Stream(context.Background(), wiretest.Conversation("o9")))
	require.NoError(t, err)
	require.Len(t, s.Sent(), 5, "what was learned holds")
	s.Set(no("stream_options"), no("stream_options"))
	_, _, err = llm.Collect(p.Stream(context.Background(), wiretest.Conversation("other")))
	require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
	require.Len(t, s.Sent(), 2, "once, not for ever")
}

func TestFailures(t *testing.T) {
	part := data(delta(`{"content":"so far"}`))
	for name, c := range map[string]struct {
		answer wiretest.Answer
		kind   llm.ErrorKind
		says   string
	}{
		"cut":             {wiretest.Answer{Body: part, Cut: true}, llm.KindNetwork, "cut"},
		"ends early":      {wiretest.Answer{Body: part}, llm.KindNetwork, "before the answer was complete"},
		"cut in an event": {wiretest.Answer{Body: part + `data: {"choices":[{"del`}, llm.KindNetwork, "cut in the middle"},
		"garbage":         {wiretest.Answer{Body: data("<html>")}, llm.KindUpstream, "not the expected JSON"},
		"empty":           {wiretest.Answer{Body: ""}, llm.KindNetwork, "before"},
		"html, status ok": {wiretest.Answer{Body: "<html><body>Login</body></html>", Header: http.Header{"Content-Type": {"text/html"}}}, llm.KindNetwork, "before"},
		"huge line":       {wiretest.Answer{Body: "data: " + strings.Repeat("x", 5<<20)}, llm.KindUpstream, "too long"},
		"error event":     {wiretest.Answer{Body: part + data(`{"error":{"message":"Provider returned error","code":502},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`)}, llm.KindUpstream, "Provider returned error"},
		"rate in stream":  {wiretest.Answer{Body: part + data(`{"error":{"message":"Rate limit exceeded","code":429}}`)}, llm.KindRateLimit, "Rate limit"},
		"vllm error":      {wiretest.Answer{Body: data(`{"object":"error","message":"boom ` + secret + `","type":"x","code":500}`)}, llm.KindUpstream, "boom [redacted]"},
		"finish error":    {wiretest.Answer{Body: part + data(finish("error"))}, llm.KindUpstream, "failed in the middle"},
		"key":             {wiretest.Answer{Status: 401, Body: `{"error":{"message":"Incorrect API key provided: ` + secret + `. You can find…","code":"invalid_api_key"}}`}, llm.KindAuth, "Incorrect API key provided: [redacted]. You"},
		"ollama":          {wiretest.Answer{Status: 404, Body: `{"error":"model 'x' not found, try pulling it first"}`}, llm.KindNotFound, "try pulling it first"},
		"redirect":        {wiretest.Answer{Status: 302, Header: http.Header{"Location": {"http://169.254.169.254/"}}}, llm.KindBadRequest, "redirects"},
		"slow first":      {wiretest.Answer{Hang: true}, llm.KindTimeout, "no first token"},
		"silent":          {wiretest.Answer{Body: part, Hang: true}, llm.KindTimeout, "went silent"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wiretest.Serve(t, c.answer)
			p := provider(s)
			if limits, waits := map[string]wire.Timeouts{"slow first": {First: 150 * time.Millisecond, Idle: 20 * time.Millisecond}, "silent": {First: 5 * time.Second, Idle: 50 * time.Millisecond}}[name]; waits {
				p = openai.New(openai.Config{BaseURL: s.URL, Client: wiretest.Client(), Timeouts: limits})
			}
			_, _, err := llm.Collect(p.Stream(context.Background(), wiretest.Ask("m", "hi")))
			require.Equal(t, c.kind, llm.KindOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestLeavingClosesTheConnection(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: data(delta(`{"content":"one"}`), delta(`{"content":"two"}`)), Hang: true})
	for range provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")) {
		break
	}
	require.Eventually(t, func() bool { return s.Gone() == 1 }, 2*time.Second, 5*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	var last error
	for _, err := range provider(s).Stream(ctx, wiretest.Ask("m", "hi")) {
		cancel()
		last = err
	}
	require.Equal(t, llm.KindCancelled, llm.KindOf(last))
	require.Eventually(t, func() bool { return s.Gone() == 2 }, 2*time.Second, 5*time.Millisecond)
	cancel()
}

func TestModelsAndTest(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: `{"data":[{"id":"llama","max_model_len":4096},{"id":"openai/gpt-5","name":"GPT","context_length":99,"supported_parameters":["tools"],"architecture":{"input_modalities":["text","image"]}},{"id":"gpt-5-mini"}]}`})
	list, err := provider(s).Models(context.Background())
	require.NoError(t, err)
	require.Equal(t, llm.Model{ID: "llama", Name: "llama", ContextWindow: 4096}, list[0])
	require.Equal(t, llm.Model{ID: "openai/gpt-5", Name: "GPT", ContextWindow: 99, Tools: true, Images: true}, list[1])
	require.Equal(t, 400000, list[2].ContextWindow)
	s.Set(wiretest.Answer{Body: full})
	r, err := llm.Test(context.Background(), provider(s), "m")
	require.NoError(t, err)
	require.Equal(t, "I look — é🦞 now.", r.Text)
	require.Positive(t, r.First)
	s.Set(wiretest.Answer{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`})
	_, err = llm.Test(context.Background(), provider(s), "m")
	require.Equal(t, llm.KindQuota, llm.KindOf(err))
	require.Equal(t, 7*time.Second, llm.AsError(err).RetryAfter)
}

func TestPrivateAddressIsRefusedByDefault(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: full})
	_, _, err := llm.Collect(openai.New(openai.Config{BaseURL: s.URL}).Stream(context.Background(), wiretest.Ask("m", "hi")))
	require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
	require.ErrorContains(t, err, "loopback")
	require.Empty(t, s.Sent())
}
