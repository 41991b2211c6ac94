package anthropic_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/anthropic"
	"lobstead/engine/llm/wire"
	"lobstead/engine/llm/wire/wiretest"
)

const secret = "sk-ant-test-0123456789"

func provider(s *wiretest.Server) *anthropic.Provider {
	return anthropic.New(anthropic.Config{BaseURL: s.URL + "/v1", Key: func() string { return secret }, Client: wiretest.Client(),
		Timeouts: wire.Timeouts{First: 5 * time.Second, Idle: 5 * time.Second}})
}

func events(list ...string) string {
	out := ""
	for _, e := range list {
		var t struct{ Type string }
		_ = json.Unmarshal([]byte(e), &t)
		out += "event: " + t.Type + "\ndata: " + e + "\n\n"
	}
	return out
}

const (
	begin   = `{"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-5","role":"assistant","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}`
	textOn  = `{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}`
	textOne = `{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"I look — é🦞"}}`
)

var full = events(begin, `{"type":"ping"}`,
	`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see."}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG=="}}`,
	`{"type":"content_block_stop","index":0}`,
	`{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"OPAQUE"}}`, `{"type":"content_block_stop","index":1}`,
	textOn, textOne, `{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" now."}}`, `{"type":"content_block_stop","index":2}`,
	`{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"bash","input":{}}}`,
	`{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}`,
	`{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"command\": \"l"}}`,
	`{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"s\"}"}}`, `{"type":"content_block_stop","index":3}`,
	`{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}`, `{"type":"content_block_stop","index":4}`,
	`{"type":"future_event","x":1}`,
	`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":42}}`, `{"type":"message_stop"}`)

func TestStreamSplitAnywhere(t *testing.T) {
	s := wiretest.Serve(t)
	p := provider(s)
	for i := range len(full) {
		s.Set(wiretest.Answer{Body: full, Split: i})
		m, d, err := llm.Collect(p.Stream(context.Background(), wiretest.Ask("claude-sonnet-5", "hi")))
		require.NoError(t, err, i)
		require.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "Let me see.", Signature: "anthropic:SIG=="}}, {Thinking: &llm.Thinking{Redacted: true, Signature: "anthropic:OPAQUE"}},
			{Text: "I look — é🦞 now."}, {Call: &llm.ToolCall{ID: "toolu_1", Name: "bash", Input: json.RawMessage(`{"command": "ls"}`)}},
			{Call: &llm.ToolCall{ID: "toolu_2", Name: "now", Input: json.RawMessage(`{}`)}}}, m.Parts)
		require.Equal(t, llm.Usage{Input: 1110, Output: 42, CacheRead: 1000, CacheWrite: 100}, d.Usage)
		require.Equal(t, llm.StopTools, d.Stop)
	}
}

func TestWire(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: full})
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Conversation("claude-sonnet-4-5")))
	require.NoError(t, err)
	in := s.Sent()[0]
	require.Equal(t, "/v1/messages", in.Path)
	require.Equal(t, secret, in.Header.Get("X-Api-Key"))
	require.Equal(t, "2023-06-01", in.Header.Get("Anthropic-Version"))
	require.Empty(t, in.Header.Get("Authorization"))
	require.JSONEq(t, `{"model":"claude-sonnet-4-5","max_tokens":300,"stream":true,"temperature":0.5,
		"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
		"tools":[{"name":"bash","description":"Run","input_schema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"],"additionalProperties":false,"$schema":"x"}},
			{"name":"now","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}],
		"messages":[
			{"role":"user","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AQID"}}]},
			{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sigA"},{"type":"redacted_thinking","data":"opaque"},{"type":"text","text":"I run two."},
				{"type":"tool_use","id":"c1","name":"bash","input":{"command":"ls"}},{"type":"tool_use","id":"c2","name":"bash","input":{"command":"pwd"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"a.txt"},{"type":"tool_result","tool_use_id":"c2","content":"denied","is_error":true},
				{"type":"text","text":"and hurry"},{"type":"text","text":"go on","cache_control":{"type":"ephemeral"}}]}]}`, in.Raw)
}

func TestReasoningByGeneration(t *testing.T) {
	for model, want := range map[string]string{
		"claude-opus-5-5":            `{"type":"adaptive"} {"effort":"high"}`,
		"claude-opus-4-7":            `{"type":"adaptive"} {"effort":"high"}`,
		"claude-sonnet-4-5-20250929": `{"budget_tokens":24576,"type":"enabled"} null`,
		"claude-opus-4-20250514":     `{"budget_tokens":24576,"type":"enabled"} null`,
		"claude-3-5-haiku-latest":    `null null`,
	} {
		s := wiretest.Serve(t, wiretest.Answer{Body: full})
		r := wiretest.Conversation(model)
		r.Effort = llm.EffortHigh
		_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
		require.NoError(t, err)
		b := s.Sent()[0].Body
		a, _ := json.Marshal(b["thinking"])
		o, _ := json.Marshal(b["output_config"])
		require.Equal(t, want, string(a)+" "+string(o), model)
		require.NotContains(t, b, "temperature")
		if strings.Contains(want, "budget") {
			require.Greater(t, b["max_tokens"], 24576.0)
		}
	}
	s := wiretest.Serve(t, wiretest.Answer{Body: full})
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Conversation("claude-opus-5-5")))
	require.NoError(t, err)
	require.NotContains(t, s.Sent()[0].Body, "temperature", "refused by current models")
}

func TestFailures(t *testing.T) {
	part := events(begin, textOn, textOne)
	overloaded := `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`
	for name, c := range map[string]struct {
		answer wiretest.Answer
		kind   llm.ErrorKind
		says   string
	}{
		"mid-stream":   {wiretest.Answer{Body: part + events(overloaded)}, llm.KindOverloaded, "Overloaded"},
		"529":          {wiretest.Answer{Status: 529, Body: overloaded}, llm.KindOverloaded, "Overloaded"},
		"cut":          {wiretest.Answer{Body: part, Cut: true}, llm.KindNetwork, "cut"},
		"ends early":   {wiretest.Answer{Body: part}, llm.KindNetwork, "before the answer"},
		"garbage":      {wiretest.Answer{Body: "data: nope\n\n"}, llm.KindUpstream, "not the expected JSON"},
		"key":          {wiretest.Answer{Status: 401, Body: `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key ` + secret + `"}}`}, llm.KindAuth, "invalid x-api-key [redacted]"},
		"credit":       {wiretest.Answer{Status: 400, Body: `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`}, llm.KindQuota, "credit balance"},
		"too long":     {wiretest.Answer{Status: 400, Body: `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 250000 tokens > 200000 maximum"}}`}, llm.KindContextLength, "prompt is too long"},
		"rate":         {wiretest.Answer{Status: 429, Body: `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of 30,000 input tokens per minute"}}`}, llm.KindRateLimit, "rate limit"},
		"no model":     {wiretest.Answer{Status: 404, Body: `{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}`}, llm.KindNotFound, "claude-x"},
		"broken proxy": {wiretest.Answer{Status: 502, Body: `<html><head><title>502 Bad Gateway</title></head></html>`}, llm.KindUpstream, "502 Bad Gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wiretest.Serve(t, c.answer)
			_, _, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
			require.Equal(t, c.kind, llm.KindOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestStopReasonsAndModels(t *testing.T) {
	s := wiretest.Serve(t)
	for reason, want := range map[string]llm.StopReason{"end_turn": llm.StopEnd, "max_tokens": llm.StopLength, "refusal": llm.StopRefusal, "stop_sequence": llm.StopEnd, "model_context_window_exceeded": llm.StopLength} {
		s.Set(wiretest.Answer{Body: events(begin, `{"type":"message_delta","delta":{"stop_reason":"`+reason+`"},"usage":{"output_tokens":2}}`, `{"type":"message_stop"}`)})
		_, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
		require.NoError(t, err)
		require.Equal(t, want, d.Stop)
	}
	s.Set(wiretest.Answer{Body: `{"data":[{"type":"model","id":"claude-opus-5-5","display_name":"Claude Opus 5.5"},{"id":"claude-next","max_input_tokens":5}]}`})
	list, err := provider(s).Models(context.Background())
	require.NoError(t, err)
	require.Equal(t, llm.Model{ID: "claude-opus-5-5", Name: "Claude Opus 5.5", ContextWindow: 1000000, Tools: true, Images: true}, list[0])
	require.Equal(t, 5, list[1].ContextWindow)
	require.Equal(t, "/v1/models?limit=1000", s.Sent()[0].Path)
}
