package gemini_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/gemini"
	"lobstead/engine/llm/wire"
	"lobstead/engine/llm/wire/wiretest"
)

const secret = "AIzaSyTest0123456789"

func provider(s *wiretest.Server) *gemini.Provider {
	return gemini.New(gemini.Config{BaseURL: s.URL + "/v1beta", Key: func() string { return secret }, Client: wiretest.Client(),
		Timeouts: wire.Timeouts{First: 5 * time.Second, Idle: 5 * time.Second}})
}

func data(events ...string) string {
	s := ""
	for _, e := range events {
		s += "data: " + e + "\r\n\r\n"
	}
	return s
}

func parts(p string) string {
	return `{"candidates":[{"content":{"role":"model","parts":[` + p + `]},"index":0}],"modelVersion":"gemini-3.8-flash"}`
}

const last = `{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":30,"cachedContentTokenCount":60,"totalTokenCount":150},"modelVersion":"gemini-3.8-flash"}`

var full = data(parts(`{"text":"Let me ","thought":true}`), parts(`{"text":"see.","thought":true}`), parts(`{"text":"I look — é🦞"}`), parts(`{"text":" now."}`),
	parts(`{"functionCall":{"name":"bash","args":{"command":"ls"}},"thoughtSignature":"SIG=="},{"functionCall":{"id":"own","name":"now","args":{}}}`), last)

func TestStreamSplitAnywhere(t *testing.T) {
	s := wiretest.Serve(t)
	p := provider(s)
	for i := range len(full) {
		s.Set(wiretest.Answer{Body: full, Split: i})
		m, d, err := llm.Collect(p.Stream(context.Background(), wiretest.Ask("gemini-3.8-flash", "hi")))
		require.NoError(t, err, i)
		require.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "Let me see."}}, {Text: "I look — é🦞 now."},
			{Call: &llm.ToolCall{ID: "call_1_0", Name: "bash", Input: json.RawMessage(`{"command":"ls"}`), Signature: "gemini:SIG=="}},
			{Call: &llm.ToolCall{ID: "own", Name: "now", Input: json.RawMessage(`{}`)}}}, m.Parts)
		require.Equal(t, llm.Usage{Input: 100, Output: 50, CacheRead: 60, Reasoning: 30}, d.Usage)
		require.Equal(t, llm.StopTools, d.Stop)
		require.Equal(t, "gemini-3.8-flash", d.Model)
	}
}

func TestWire(t *testing.T) {
	s := wiretest.Serve(t, wiretest.Answer{Body: full})
	r := wiretest.Conversation("models/gemini-3.8-flash")
	r.Effort = llm.EffortMedium
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
	in := s.Sent()[0]
	require.Equal(t, "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", in.Path)
	require.Equal(t, secret, in.Header.Get("X-Goog-Api-Key"))
	require.JSONEq(t, `{"systemInstruction":{"parts":[{"text":"Be brief."}]},
		"generationConfig":{"maxOutputTokens":300,"temperature":0.5,"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"medium"}},
		"tools":[{"functionDeclarations":[{"name":"bash","description":"Run","parameters":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}},{"name":"now"}]}],
		"contents":[
			{"role":"user","parts":[{"text":"look"},{"inlineData":{"mimeType":"image/png","data":"AQID"}}]},
			{"role":"model","parts":[{"text":"I run two."},{"functionCall":{"name":"bash","args":{"command":"ls"}},"thoughtSignature":"sigG"},{"functionCall":{"name":"bash","args":{"command":"pwd"}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"bash","response":{"output":"a.txt"}}},{"functionResponse":{"name":"bash","response":{"error":"denied"}}},{"text":"and hurry"},{"text":"go on"}]}]}`, in.Raw)

	// A call that another provider's model made carries the stand-in on Gemini 3, nothing before.
	r.Messages[1].Parts[3].Call.Signature = "anthropic:x"
	_, _, err = llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
	require.Contains(t, s.Sent()[1].Raw, `"thoughtSignature":"skip_thought_signature_validator"`)
	r.Model = "gemini-2.5-flash"
	_, _, err = llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
	require.NotContains(t, s.Sent()[2].Raw, "thoughtSignature")
	require.Contains(t, s.Sent()[2].Raw, `"thinkingBudget":8192`)
}

func TestSchemaSubset(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"object","properties":{}}`: `null`,
		`{"type":"object","properties":{"n":{"type":["integer","null"],"exclusiveMinimum":0,"minimum":1,"multipleOf":2,"default":3,"format":"uint8"}},"required":["n","gone"],"additionalProperties":false}`:                 `{"type":"object","properties":{"n":{"type":"integer","nullable":true,"minimum":1}},"required":["n"]}`,
		`{"properties":{"s":{"const":"x"},"e":{"enum":[1,2,null]},"d":{"type":"string","format":"date-time"},"u":{"type":"string","format":"uri","pattern":"^h"}}}`:                                                          `{"type":"object","properties":{"s":{"type":"string","enum":["x"]},"e":{"type":"string","enum":["1","2"],"nullable":true},"d":{"type":"string","format":"date-time"},"u":{"type":"string","pattern":"^h"}}}`,
		`{"properties":{"a":{"type":"array"},"m":{"type":"object","additionalProperties":{"type":"string"},"description":"env"},"any":true}}`:                                                                                `{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}},"m":{"type":"string","description":"env (a JSON object)"},"any":{"type":"string"}}}`,
		`{"properties":{"o":{"oneOf":[{"type":"string"},{"type":"integer"}]},"opt":{"anyOf":[{"type":"boolean"},{"type":"null"}]}}}`:                                                                                         `{"type":"object","properties":{"o":{"anyOf":[{"type":"string"},{"type":"integer"}]},"opt":{"type":"boolean","nullable":true}}}`,
		`{"$defs":{"P":{"type":"object","properties":{"x":{"type":"number"}}}},"properties":{"p":{"$ref":"#/$defs/P","description":"point"},"all":{"allOf":[{"$ref":"#/$defs/P"},{"properties":{"y":{"type":"number"}}}]}}}`: `{"type":"object","properties":{"p":{"type":"object","description":"point","properties":{"x":{"type":"number"}}},"all":{"type":"object","properties":{"x":{"type":"number"},"y":{"type":"number"}}}}}`,
		// a property may be called like a keyword
		`{"properties":{"default":{"type":"string"},"$schema":{"type":"string"}}}`: `{"type":"object","properties":{"default":{"type":"string"},"$schema":{"type":"string"}}}`,
		`"nonsense"`: `null`,
	} {
		s := wiretest.Serve(t, wiretest.Answer{Body: full})
		r := wiretest.Ask("gemini-3.8-flash", "x")
		r.Tools = []llm.Tool{{Name: "f", Schema: json.RawMessage(in)}}
		_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
		require.NoError(t, err)
		set := s.Sent()[0].Body["tools"].([]any)[0].(map[string]any)["functionDeclarations"].([]any)[0].(map[string]any)
		got, _ := json.Marshal(set["parameters"])
		require.JSONEq(t, want, string(got), in)
	}
	s := wiretest.Serve(t, wiretest.Answer{Body: full}) // a recursive schema ends
	r := wiretest.Ask("gemini-3.8-flash", "x")
	r.Tools = []llm.Tool{{Name: "f", Schema: json.RawMessage(`{"properties":{"c":{"$ref":"#"}}}`)}}
	_, _, err := llm.Collect(provider(s).Stream(context.Background(), r))
	require.NoError(t, err)
}

func TestFailuresAndStops(t *testing.T) {
	for name, c := range map[string]struct {
		answer wiretest.Answer
		kind   llm.ErrorKind
		says   string
	}{
		"key":       {wiretest.Answer{Status: 400, Body: `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}]`}, llm.KindAuth, "API key not valid"},
		"rate":      {wiretest.Answer{Status: 429, Body: `{"error":{"code":429,"message":"You exceeded your current quota, please check your plan","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"31s"}]}}`}, llm.KindRateLimit, "quota"},
		"full":      {wiretest.Answer{Status: 503, Body: `{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}`}, llm.KindOverloaded, "overloaded"},
		"long":      {wiretest.Answer{Status: 400, Body: `{"error":{"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}`}, llm.KindContextLength, "input token count"},
		"blocked":   {wiretest.Answer{Body: data(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}`)}, llm.KindContentFilter, "PROHIBITED"},
		"malformed": {wiretest.Answer{Body: data(`{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"call:x"}]}`)}, llm.KindUpstream, "broken tool call"},
		"in stream": {wiretest.Answer{Body: data(parts(`{"text":"x"}`), `{"error":{"code":500,"message":"Internal","status":"INTERNAL"}}`)}, llm.KindUpstream, "Internal"},
		"cut":       {wiretest.Answer{Body: data(parts(`{"text":"x"}`))}, llm.KindNetwork, "before the answer"},
		"garbage":   {wiretest.Answer{Body: data(`{]`)}, llm.KindUpstream, "not the expected JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wiretest.Serve(t, c.answer)
			_, _, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("gemini-3.8-flash", "hi")))
			require.Equal(t, c.kind, llm.KindOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			if name == "rate" {
				require.Equal(t, 31*time.Second, llm.AsError(err).RetryAfter)
			}
		})
	}
	s := wiretest.Serve(t)
	for reason, want := range map[string]llm.StopReason{"STOP": llm.StopEnd, "MAX_TOKENS": llm.StopLength, "SAFETY": llm.StopRefusal} {
		s.Set(wiretest.Answer{Body: data(`{"candidates":[{"content":{"parts":[{"text":"x","thoughtSignature":"T"}]},"finishReason":"` + reason + `"}]}`)})
		m, d, err := llm.Collect(provider(s).Stream(context.Background(), wiretest.Ask("gemini-3.8-flash", "hi")))
		require.NoError(t, err)
		require.Equal(t, want, d.Stop)
		require.Equal(t, []llm.Part{{Text: "x"}, {Thinking: &llm.Thinking{Signature: "gemini:T"}}}, m.Parts)
	}
	s.Set(wiretest.Answer{Body: `{"models":[{"name":"models/gemini-9","displayName":"Nine","inputTokenLimit":7,"supportedGenerationMethods":["generateContent"]},{"name":"models/embed","supportedGenerationMethods":["embedContent"]}]}`})
	list, err := provider(s).Models(context.Background())
	require.NoError(t, err)
	require.Equal(t, []llm.Model{{ID: "gemini-9", Name: "Nine", ContextWindow: 7}}, list)
}
