package anthropic_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/api/anthropic"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

func TestWhatAMessageMayNotBe(t *testing.T) {
	with := func(more string) string {
		return `{"max_tokens":9,"messages":[{"role":"user","content":"hi"}],` + more + `}`
	}
	for body, param := range map[string]string{
		`{`: "", `[]`: "", `{"messages":[{"role":"user","content":"hi"}]}`: "max_tokens", `{"max_tokens":9}`: "messages", `{"max_tokens":9,"messages":[{"role":"system","content":"x"}]}`: "messages.0",
		`{"max_tokens":9,"messages":[{"role":"user","content":[]}]}`: "messages.0", `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"document"}]}]}`: "messages.0",
		`{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result"}]}]}`: "messages.0", `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image"}]}]}`: "messages.0",
		`{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]}`: "messages.0",
		with(`"temperature":1.5`): "temperature", with(`"max_tokens":"x"`): "max_tokens", with(`"tools":[{"type":"web_search_20250305","name":"w"}]`): "tools.0",
		with(`"tools":[{"name":"a"}]`): "tools.0", with(`"tool_choice":{"type":"any"}`): "tool_choice", with(`"tool_choice":{"type":"tool","name":"x"}`): "tool_choice",
		with(`"output_config":{"format":{"type":"xml"}}`): "output_config",
	} {
		_, err := anthropic.Read([]byte(body), nil)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", body, err)
		if param != "" {
			require.Equal(t, []any{param}, fault.As(err).Fields[0].Path, body)
			assert.Equal(t, "invalid_request_error", anthropic.NewError(fault.As(err), "r").Error.Type)
		}
	}
}

func TestWhatAMessageSays(t *testing.T) {
	r, err := anthropic.Read([]byte(`{"model":"m","max_tokens":9,"system":[{"type":"text","text":"One.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Two."}],
		"messages":[{"role":"user","content":"look"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"anthropic:S"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no"}]}]}],
		"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"stop_sequences":["END"],"top_k":5,
		"thinking":{"type":"enabled","budget_tokens":20000},"output_config":{"format":{"type":"json_schema","schema":{}}},"metadata":{"user_id":"u"},"stream":true}`), nil)
	require.NoError(t, err)
	assert.Equal(t, []any{"m", true, true, []string{"top_k"}}, []any{r.Model, r.Streamed, r.Thinking, r.Dropped})
	q := r.Request
	assert.Equal(t, []any{"One.\n\nTwo.", 9, llm.EffortHigh, []string{"END"}, llm.Choice{Mode: llm.ChooseOne, Name: "f", Solo: true}}, []any{q.System, q.MaxTokens, q.Effort, q.Stop, q.Choice})
	assert.Equal(t, json.RawMessage("{}"), q.Output.Schema)
	assert.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "hm", Signature: "anthropic:S"}}, {Call: &llm.ToolCall{ID: "t1", Name: "f", Input: json.RawMessage(`{"a":1}`)}}}, q.Messages[1].Parts)
	assert.Equal(t, &llm.ToolResult{CallID: "t1", Content: "no", Error: true}, q.Messages[2].Parts[0].Result)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`))
	f.Add([]byte(`{"max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}],"thinking":{"type":"adaptive"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := anthropic.Read(body, nil)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		llm.Normalize(r.Request.Messages)
		llm.EstimateRequest(r.Request)
	})
}
