package anthropic_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire/wiretest"
)

func TestWhatTheAnswerMustBe(t *testing.T) {
	half := 0.5
	send := func(model string, change func(r *llm.Request)) map[string]any {
		s := wiretest.Serve(t, wiretest.Answer{Body: full})
		r := wiretest.Ask(model, "hi")
		r.Tools = []llm.Tool{{Name: "look", Schema: json.RawMessage(`{"type":"object"}`)}}
		change(&r)
		_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
		require.NoError(t, err)
		return s.Sent()[0].Body
	}
	b := send("claude-sonnet-5", func(*llm.Request) {})
	for _, absent := range []string{"tool_choice", "top_p", "stop_sequences", "output_config"} {
		require.NotContains(t, b, absent)
	}
	b = send("claude-sonnet-4-5", func(r *llm.Request) {
		r.TopP, r.Stop, r.Choice = &half, []string{"END", "\n"}, llm.Choice{Mode: llm.ChooseOne, Name: "look", Solo: true}
		r.Effort = llm.EffortHigh
	})
	require.Equal(t, []any{0.5, []any{"END"}}, []any{b["top_p"], b["stop_sequences"]})
	require.Equal(t, map[string]any{"type": "tool", "name": "look", "disable_parallel_tool_use": true}, b["tool_choice"])
	require.NotContains(t, b, "thinking", "a forced call and reasoning exclude each other")
	schema := json.RawMessage(`{"type":"object"}`)
	b = send("claude-sonnet-5", func(r *llm.Request) {
		r.Choice.Mode, r.Output, r.Effort = llm.ChooseNone, &llm.Output{Schema: schema}, llm.EffortLow
	})
	require.Equal(t, map[string]any{"type": "none"}, b["tool_choice"])
	require.Equal(t, map[string]any{"effort": "low", "format": map[string]any{"type": "json_schema", "schema": map[string]any{"type": "object"}}}, b["output_config"])
	for model, out := range map[string]*llm.Output{"claude-sonnet-5": {}, "claude-3-opus": {Schema: schema}} {
		b = send(model, func(r *llm.Request) { r.Output, r.Choice = out, llm.Choice{Mode: llm.ChooseAny} })
		require.Contains(t, b["system"].([]any)[0].(map[string]any)["text"], "one JSON object")
		require.NotContains(t, b, "output_config")
		require.Equal(t, map[string]any{"type": "any"}, b["tool_choice"])
	}
	b = send("claude-sonnet-5", func(r *llm.Request) { r.Choice.Solo = true })
	require.Equal(t, map[string]any{"type": "auto", "disable_parallel_tool_use": true}, b["tool_choice"])
}

func TestTheStopThatEndedIsTold(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: events(begin, textOn, textOne, `{"type":"content_block_stop","index":2}`,
		`{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"output_tokens":2}}`, `{"type":"message_stop"}`)})
	_, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("m", "hi")))
	require.NoError(t, err)
	require.Equal(t, []any{llm.StopEnd, "END"}, []any{d.Stop, d.Ended})
}
