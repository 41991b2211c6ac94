package openai_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire/wiretest"
)

// sent is the body of one request.
func sent(t *testing.T, change func(r *llm.Request)) map[string]any {
	t.Helper()
	s := wiretest.Serve(t, wiretest.Answer{Body: full})
	r := wiretest.Ask("m", "hi")
	r.Tools = []llm.Tool{{Name: "look", Schema: json.RawMessage(`{"type":"object"}`)}}
	change(&r)
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
	return s.Sent()[0].Body
}

func TestWhatTheAnswerMustBe(t *testing.T) {
	half := 0.5
	b := sent(t, func(*llm.Request) {})
	for _, absent := range []string{"tool_choice", "top_p", "stop", "response_format", "parallel_tool_calls"} {
		require.NotContains(t, b, absent)
	}
	b = sent(t, func(r *llm.Request) {
		r.TopP, r.Stop, r.Choice = &half, []string{"END"}, llm.Choice{Mode: llm.ChooseOne, Name: "look", Solo: true}
		r.Output = &llm.Output{Name: "place", Schema: json.RawMessage(`{"type":"object"}`), Strict: true}
	})
	require.Equal(t, []any{0.5, []any{"END"}, false}, []any{b["top_p"], b["stop"], b["parallel_tool_calls"]})
	require.Equal(t, map[string]any{"type": "function", "function": map[string]any{"name": "look"}}, b["tool_choice"])
	require.Equal(t, map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "place", "schema": map[string]any{"type": "object"}, "strict": true}}, b["response_format"])
	b = sent(t, func(r *llm.Request) { r.Choice.Mode, r.Output = llm.ChooseAny, &llm.Output{} })
	require.Equal(t, []any{"required", map[string]any{"type": "json_object"}}, []any{b["tool_choice"], b["response_format"]})
	b = sent(t, func(r *llm.Request) { r.Choice.Mode = llm.ChooseNone })
	require.Equal(t, "none", b["tool_choice"])
	b = sent(t, func(r *llm.Request) { r.Tools, r.Choice = nil, llm.Choice{Mode: llm.ChooseAny, Solo: true} })
	require.NotContains(t, b, "tool_choice", "a choice without tools is refused")
	require.NotContains(t, b, "parallel_tool_calls")
}

// A server that refuses what it does not know is asked again without it, one by one.
func TestRefusedSettingsAreLeftOut(t *testing.T) {
	refuse := func(name string) wiretest.Answer {
		return wiretest.Answer{Status: 400, Body: `{"error":{"message":"Unsupported parameter: '` + name + `' is not supported with this model.","type":"invalid_request_error"}}`}
	}
	s := wiretest.Serve(t, refuse("top_p"), refuse("stop"), refuse("parallel_tool_calls"), wiretest.Answer{Body: full})
	half := 0.5
	r := wiretest.Ask("m", "hi")
	r.Tools, r.TopP, r.Stop, r.Choice.Solo = []llm.Tool{{Name: "look"}}, &half, []string{"END"}, true
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
	require.Len(t, s.Sent(), 4)
	last := s.Sent()[3].Body
	for _, absent := range []string{"top_p", "stop", "parallel_tool_calls"} {
		require.NotContains(t, last, absent)
	}
}
