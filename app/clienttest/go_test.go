package clienttest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"iter"
	"sync"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
)

// script is a model whose next answers a test sets.
type script struct {
	mu sync.Mutex
	p  *llmtest.Provider
}

func (s *script) set(steps ...llmtest.Step) *llmtest.Provider {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.p = llmtest.Scripted(steps...)
	return s.p
}

func (s *script) now() *llmtest.Provider { s.mu.Lock(); defer s.mu.Unlock(); return s.p }

func (s *script) Name() string                                    { return "scripted" }
func (s *script) Models(ctx context.Context) ([]llm.Model, error) { return s.now().Models(ctx) }
func (s *script) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return s.now().Stream(ctx, r)
}

func world(t *testing.T) (*apptest.World, *script) {
	s := &script{p: llmtest.Scripted()}
	return apptest.Start(t, apptest.Options{Model: s, NoWorker: true}), s
}

// weather is a conversation with one call of a tool, twice: once whole, once streamed.
func weather() []llmtest.Step {
	ask, tell := llmtest.Say("Let me ", "look. ").And("call_1", "weather", `{"city":"Kiel"}`), llmtest.Say("It rains ", "in Kiel.")
	return []llmtest.Step{ask, tell, ask, tell}
}

var parameters = map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}

// heard checks what the model got in the second step: the call with its result, from a client that sent it back.
func heard(t *testing.T, r llm.Request) {
	t.Helper()
	var calls, results []string
	for _, m := range llm.Normalize(r.Messages) {
		for _, p := range m.Parts {
			if p.Call != nil {
				calls = append(calls, p.Call.Name+string(p.Call.Input))
			}
			if p.Result != nil {
				results = append(results, p.Result.Name+": "+p.Result.Content)
			}
		}
	}
	assert.Equal(t, []string{`weather{"city":"Kiel"}`}, calls)
	assert.Equal(t, []string{"weather: rain"}, results)
	assert.Equal(t, "Be brief.", r.System)
	require.Len(t, r.Tools, 1)
	assert.JSONEq(t, `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`, string(r.Tools[0].Schema))
}

func TestOpenAIGo(t *testing.T) {
	w, model := world(t)
	for _, base := range []string{"/v1/", "/api/gateway/v1/"} {
		client := openai.NewClient(option.WithBaseURL(w.URL+base), option.WithAPIKey(w.Acme.Member.Key), option.WithMaxRetries(0))
		model.set(weather()...)
		for _, streaming := range []bool{false, true} {
			talkOpenAI(t, client, streaming)
		}
		heard(t, model.now().Requests()[1])
		heard(t, model.now().Requests()[3])
		model.set(llmtest.Fail(llm.KindOverloaded, "full").Always())
		_, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "auto", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")}})
		var refused *openai.Error
		require.True(t, errors.As(err, &refused))
		assert.Equal(t, 503, refused.StatusCode)
		assert.NotEmpty(t, refused.Message)
	}
	client := openai.NewClient(option.WithBaseURL(w.URL+"/v1/"), option.WithAPIKey(w.Acme.Member.Key))
	list, err := client.Models.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "auto", list.Data[0].ID)
	p := model.set(llmtest.Say(`{"city":"Kiel"}`))
	_, err = client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "auto", Stop: openai.ChatCompletionNewParamsStopUnion{OfStringArray: []string{"END"}},
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Schema: parameters, Strict: openai.Bool(true)}}},
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{openai.TextContentPart("where?"),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + dot})})}})
	require.NoError(t, err)
	got := p.Requests()[0]
	assert.Equal(t, []string{"END"}, got.Stop)
	assert.Equal(t, "place", got.Output.Name)
	assert.Equal(t, "image/png", got.Messages[0].Parts[1].Image.MediaType)
}

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

func talkOpenAI(t *testing.T, client openai.Client, streaming bool) {
	t.Helper()
	p := openai.ChatCompletionNewParams{Model: "auto", Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("The weather?")},
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Parameters: parameters})}}
	if streaming {
		p.StreamOptions.IncludeUsage = openai.Bool(true)
	}
	ask := func() *openai.ChatCompletion {
		if !streaming {
			out, err := client.Chat.Completions.New(t.Context(), p)
			require.NoError(t, err)
			return out
		}
		stream := client.Chat.Completions.NewStreaming(t.Context(), p)
		acc := openai.ChatCompletionAccumulator{}
		for stream.Next() {
			require.True(t, acc.AddChunk(stream.Current()))
		}
		require.NoError(t, stream.Err())
		return &acc.ChatCompletion
	}
	first := ask()
	require.Len(t, first.Choices, 1)
	assert.Equal(t, []string{"tool_calls", "Let me look. "}, []string{first.Choices[0].FinishReason, first.Choices[0].Message.Content})
	require.Len(t, first.Choices[0].Message.ToolCalls, 1)
	call := first.Choices[0].Message.ToolCalls[0]
	assert.Equal(t, []string{"call_1", "weather", `{"city":"Kiel"}`}, []string{call.ID, call.Function.Name, call.Function.Arguments})
	p.Messages = append(p.Messages, first.Choices[0].Message.ToParam(), openai.ToolMessage("rain", call.ID))
	second := ask()
	assert.Equal(t, []string{"stop", "It rains in Kiel."}, []string{second.Choices[0].FinishReason, second.Choices[0].Message.Content})
	assert.EqualValues(t, 15, second.Usage.TotalTokens)
}

func TestOpenAIGoResponses(t *testing.T) {
	w, model := world(t)
	client := openai.NewClient(option.WithBaseURL(w.URL+"/v1/"), option.WithAPIKey(w.Acme.Member.Key), option.WithMaxRetries(0))
	model.set(weather()...)
	for _, streaming := range []bool{false, true} {
		input := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage("The weather?", responses.EasyInputMessageRoleUser)}
		ask := func() responses.Response {
			p := responses.ResponseNewParams{Model: "auto", Instructions: openai.String("Be brief."), Input: responses.ResponseNewParamsInputUnion{OfInputItemList: input},
				Tools: []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{Name: "weather", Parameters: parameters, Strict: openai.Bool(true)}}}}
			if !streaming {
				r, err := client.Responses.New(t.Context(), p)
				require.NoError(t, err)
				return *r
			}
			stream := client.Responses.NewStreaming(t.Context(), p)
			text, out := "", responses.Response{}
			for stream.Next() {
				e := stream.Current()
				if e.Type == "response.output_text.delta" {
					text += e.Delta
				}
				if e.Type == "response.completed" {
					out = e.Response
				}
			}
			require.NoError(t, stream.Err())
			assert.Equal(t, text, out.OutputText())
			return out
		}
		first := ask()
		require.Len(t, first.Output, 2)
		call := first.Output[1].AsFunctionCall()
		assert.Equal(t, []string{"call_1", "weather", `{"city":"Kiel"}`}, []string{call.CallID, call.Name, call.Arguments})
		input = append(input, responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name),
			responses.ResponseInputItemUnionParam{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{CallID: openai.String(call.CallID),
				Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: openai.String("rain")}}})
		second := ask()
		assert.Equal(t, "It rains in Kiel.", second.OutputText())
		assert.EqualValues(t, "completed", second.Status)
		assert.EqualValues(t, 15, second.Usage.TotalTokens)
	}
	heard(t, model.now().Requests()[1])
	heard(t, model.now().Requests()[3])
}

func TestAnthropicGo(t *testing.T) {
	w, model := world(t)
	client := anthropic.NewClient(anthropicoption.WithBaseURL(w.URL+"/anthropic/"), anthropicoption.WithAPIKey(w.Acme.Member.Key), anthropicoption.WithMaxRetries(0))
	model.set(weather()...)
	for _, streaming := range []bool{false, true} {
		p := anthropic.MessageNewParams{Model: "auto", MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: "Be brief."}},
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("The weather?"))},
			Tools: []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: parameters["properties"],
				Required: []string{"city"}}, "weather")}}
		ask := func() anthropic.Message {
			if !streaming {
				m, err := client.Messages.New(t.Context(), p)
				require.NoError(t, err)
				return *m
			}
			stream := client.Messages.NewStreaming(t.Context(), p)
			m := anthropic.Message{}
			for stream.Next() {
				require.NoError(t, m.Accumulate(stream.Current()))
			}
			require.NoError(t, stream.Err())
			return m
		}
		first := ask()
		require.Len(t, first.Content, 2)
		assert.Equal(t, "Let me look. ", first.Content[0].AsText().Text)
		call := first.Content[1].AsToolUse()
		assert.Equal(t, []string{"call_1", "weather", `{"city":"Kiel"}`, "tool_use"}, []string{call.ID, call.Name, string(call.Input), string(first.StopReason)})
		p.Messages = append(p.Messages, first.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(call.ID, "rain", false)))
		second := ask()
		assert.Equal(t, "It rains in Kiel.", second.Content[0].AsText().Text)
		assert.EqualValues(t, "end_turn", second.StopReason)
		assert.EqualValues(t, 5, second.Usage.OutputTokens)
		assert.EqualValues(t, 10, second.Usage.InputTokens)
	}
	heard(t, model.now().Requests()[1])
	heard(t, model.now().Requests()[3])
	list, err := client.Models.List(t.Context(), anthropic.ModelListParams{})
	require.NoError(t, err)
	assert.Equal(t, "auto", list.Data[0].ID)
	model.set(llmtest.Fail(llm.KindRateLimit, "slow down").Always())
	_, err = client.Messages.New(t.Context(), anthropic.MessageNewParams{Model: "auto", MaxTokens: 9, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}})
	var refused *anthropic.Error
	require.True(t, errors.As(err, &refused))
	assert.Equal(t, 429, refused.StatusCode)
	p := model.set(llmtest.Say("a dot"))
	_, err = client.Messages.New(t.Context(), anthropic.MessageNewParams{Model: "auto", MaxTokens: 9,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewImageBlockBase64("image/png", dot), anthropic.NewTextBlock("?"))}})
	require.NoError(t, err)
	want, _ := base64.StdEncoding.DecodeString(dot)
	assert.Equal(t, want, p.Requests()[0].Messages[0].Parts[0].Image.Data)
}
