package gemini_test

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
	send := func(change func(r *llm.Request)) map[string]any {
		s := wiretest.Serve(t, wiretest.Answer{Body: full})
		r := wiretest.Ask("gemini-3.8-flash", "hi")
		r.Tools = []llm.Tool{{Name: "look", Schema: json.RawMessage(`{"type":"object"}`)}}
		change(&r)
		_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
		require.NoError(t, err)
		return s.Sent()[0].Body
	}
	b := send(func(*llm.Request) {})
	require.NotContains(t, b, "toolConfig")
	require.NotContains(t, b, "generationConfig")
	b = send(func(r *llm.Request) {
		r.TopP, r.Stop, r.Choice = &half, []string{"1", "2", "3", "4", "5", "6"}, llm.Choice{Mode: llm.ChooseOne, Name: "look"}
		r.Output = &llm.Output{Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`)}
	})
	require.Equal(t, map[string]any{"functionCallingConfig": map[string]any{"mode": "ANY", "allowedFunctionNames": []any{"look"}}}, b["toolConfig"])
	g := b["generationConfig"].(map[string]any)
	require.Equal(t, []any{0.5, 5, "application/json"}, []any{g["topP"], len(g["stopSequences"].([]any)), g["responseMimeType"]})
	require.Equal(t, map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}}, g["responseSchema"])
	b = send(func(r *llm.Request) { r.Choice.Mode, r.Output = llm.ChooseNone, &llm.Output{} })
	require.Equal(t, map[string]any{"functionCallingConfig": map[string]any{"mode": "NONE"}}, b["toolConfig"])
	require.NotContains(t, b["generationConfig"], "responseSchema")
	b = send(func(r *llm.Request) { r.Choice.Mode = llm.ChooseAny })
	require.Equal(t, map[string]any{"functionCallingConfig": map[string]any{"mode": "ANY"}}, b["toolConfig"])
}
