package openai_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/api/openai"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

const chat = `{"messages":[{"role":"user","content":"hi"}]`

// Every wrong body is Invalid and names its parameter.
func TestWhatAChatMayNotBe(t *testing.T) {
	with := func(more string) string { return chat + "," + more + "}" }
	for body, param := range map[string]string{
		`[]`: "", `{`: "", "\xff": "", `{}`: "messages", `{"messages":[]}`: "messages", `{"messages":7}`: "messages",
		`{"messages":[{"role":"king","content":"x"}]}`: "messages[0]", `{"messages":[{"role":"user"}]}`: "messages[0]",
		`{"messages":[{"role":"user","content":[{"type":"input_audio"}]}]}`: "messages[0]", `{"messages":[{"role":"tool","content":"x"}]}`: "messages[0]",
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`: "messages[0]",
		`{"messages":[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"x"}}]}]}`:                  "messages[0]",
		with(`"max_tokens":0`): "max_tokens", with(`"max_completion_tokens":0`): "max_completion_tokens", with(`"temperature":2.1`): "temperature", with(`"stream":"yes"`): "stream", with(`"top_p":-1`): "top_p",
		with(`"n":2`): "n", with(`"stop":7`): "stop", with(`"tools":[{"type":"custom"}]`): "tools", with(`"tools":[{"type":"function","function":{"name":"a b"}}]`): "tools[0]",
		with(`"tools":[{"type":"function","function":{"name":"a","parameters":[]}}]`): "tools[0]", with(`"tool_choice":"required"`): "tool_choice",
		with(`"tool_choice":{"type":"function","function":{"name":"a"}}`): "tool_choice", with(`"tool_choice":{}`): "tool_choice",
		with(`"response_format":{"type":"xml"}`): "response_format", with(`"response_format":{"type":"json_schema"}`): "response_format", with(`"reasoning_effort":"huge"`): "reasoning_effort",
	} {
		_, err := openai.ReadChat([]byte(body), openai.Standard, nil)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", body, err)
		if f := fault.As(err); param != "" {
			require.Equal(t, []any{param}, f.Fields[0].Path, body)
			e := openai.NewError(f, "r", openai.Standard).Error
			assert.Equal(t, param, *e.Param)
			assert.Equal(t, "invalid_request_error", e.Type)
		}
	}
}

func TestWhatAChatSays(t *testing.T) {
	body := `{"model":"m","session_id":"s","messages":[{"role":"system","content":"One."},{"role":"developer","content":[{"type":"text","text":"Two."}]},
		{"role":"user","content":"look"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
		{"id":"c2","type":"function","function":{"name":"g","arguments":"broken"}}]},{"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"two"}]}],
		"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},
		"parallel_tool_calls":false,"stop":"END","top_p":0.5,"max_completion_tokens":9,"temperature":1,"reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{},"strict":true}},
		"stream":true,"stream_options":{"include_usage":true},"seed":1,"user":null}`
	r, err := openai.ReadChat([]byte(body), openai.Standard, nil)
	require.NoError(t, err)
	assert.Equal(t, []any{"m", "s", true, true, []string{"seed"}}, []any{r.Model, r.Session, r.Streamed, r.IncludeUsage, r.Dropped})
	q := r.Request
	assert.Equal(t, []any{"One.\n\nTwo.", 9, llm.EffortLow, []string{"END"}, llm.Choice{Mode: llm.ChooseOne, Name: "f", Solo: true}},
		[]any{q.System, q.MaxTokens, q.Effort, q.Stop, q.Choice})
	assert.Equal(t, &llm.Output{Name: "n", Schema: json.RawMessage("{}"), Strict: true}, q.Output)
	m := llm.Normalize(q.Messages)
	require.Len(t, m, 3)
	assert.Equal(t, []llm.Part{{Call: &llm.ToolCall{ID: "c1", Name: "f", Input: json.RawMessage(`{"a":1}`)}}, {Call: &llm.ToolCall{ID: "c2", Name: "g", Input: json.RawMessage(`{}`)}}}, m[1].Parts)
	assert.Equal(t, []string{"one", "two"}, []string{m[2].Parts[0].Result.Content, m[2].Parts[1].Result.Content})

	r, err = openai.ReadChat([]byte(body), openai.Lobstack, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"parallel_tool_calls", "reasoning_effort", "response_format", "seed", "stop", "stream_options", "tool_choice", "top_p"}, r.Dropped)
	assert.Equal(t, []any{llm.Choice{}, (*llm.Output)(nil), (*float64)(nil)}, []any{r.Request.Choice, r.Request.Output, r.Request.TopP})

	r, err = openai.ReadChat([]byte(`{"messages":[{"role":"system","content":"Say hi."}]}`), openai.Standard, nil)
	require.NoError(t, err)
	assert.Equal(t, "Say hi.", r.Request.Messages[0].Parts[0].Text)
	refused := errors.New("no")
	_, err = openai.ReadChat([]byte(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}`), openai.Standard,
		func(string) (*llm.Image, error) { return nil, refused })
	require.ErrorIs(t, err, refused)
}

func TestWhatAResponseMayNotBe(t *testing.T) {
	for body, param := range map[string]string{
		`{}`: "input", `{"input":[]}`: "input", `{"input":7}`: "input", `{"input":"x","previous_response_id":"r"}`: "previous_response_id",
		`{"input":"x","background":true}`: "background", `{"input":"x","tools":[{"type":"web_search"}]}`: "tools", `{"input":"x","text":{"format":{"type":"xml"}}}`: "text",
		`{"input":[{"type":"item_reference","id":"x"}]}`: "input[0]", `{"input":[{"type":"function_call_output","output":"x"}]}`: "input[0]",
		`{"input":[{"role":"king","content":"x"}]}`: "input[0]", `{"input":"x","tool_choice":"sometimes"}`: "tool_choice", `{"input":"x","max_output_tokens":0}`: "max_output_tokens", `{"input":"x","reasoning":{"effort":"much"}}`: "reasoning",
	} {
		_, err := openai.ReadResponse([]byte(body), nil)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", body, err)
		require.Equal(t, []any{param}, fault.As(err).Fields[0].Path, body)
	}
}

// Anything may come: it is read or Invalid, and what is read can be sent to a model.
func FuzzRead(f *testing.F) {
	f.Add([]byte(chat + `}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"b","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"x"}],"stop":["a"],"n":1}`))
	f.Add([]byte(`{"input":[{"type":"function_call","call_id":"a","name":"b","arguments":"["},{"role":"user","content":[{"type":"input_image","image_url":"data:,"}]}],"tools":[]}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("A", 40) + `"}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		check := func(r llm.Request, err error) {
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatal(err)
				}
				return
			}
			llm.Normalize(r.Messages)
			llm.EstimateRequest(r)
		}
		for _, d := range []openai.Dialect{openai.Standard, openai.Lobstack} {
			r, err := openai.ReadChat(body, d, nil)
			check(r.Request, err)
			for _, name := range r.Dropped {
				if strings.ContainsAny(name, "\r\n, ") {
					t.Fatalf("%q does not fit a header", name)
				}
			}
		}
		r, err := openai.ReadResponse(body, nil)
		check(r.Request, err)
	})
}
