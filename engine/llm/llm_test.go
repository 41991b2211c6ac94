package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/fault"
)

func TestErrorsAreFaults(t *testing.T) {
	err := fmt.Errorf("turn: %w", llm.Fail("openai", llm.KindRateLimit, "slow down", nil))
	require.True(t, fault.Is(err, fault.TooMany))
	f := fault.As(err)
	require.Equal(t, "llm.rate_limit", f.Code)
	require.Contains(t, f.Detail, "slow down")
	require.True(t, llm.AsError(err).Retryable)
	require.False(t, llm.Fail("x", llm.KindAuth, "", nil).Retryable)
	require.Equal(t, llm.KindUpstream, llm.AsError(errors.New("?")).Kind)
	require.Nil(t, llm.AsError(nil))
	for _, k := range []llm.ErrorKind{llm.KindAuth, llm.KindQuota, llm.KindOverloaded, llm.KindBadRequest, llm.KindContextLength, llm.KindContentFilter, llm.KindNotFound, llm.KindTimeout, llm.KindNetwork, llm.KindUpstream, llm.KindCancelled} {
		require.NotEqual(t, fault.Internal, llm.Fail("p", k, "m", nil).Fault().Kind, k)
	}
}

func TestClassification(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   llm.ErrorKind
		says   string
	}{
		{401, `{"error":{"message":"no"}}`, llm.KindAuth, "no"}, {403, `{"error":"forbidden"}`, llm.KindAuth, "forbidden"}, {402, `{"error":{"message":"Insufficient credits","code":402}}`, llm.KindQuota, "credits"},
		{404, ``, llm.KindNotFound, "Not Found"}, {408, `{}`, llm.KindTimeout, ""}, {413, `too big`, llm.KindContextLength, "too big"}, {422, `{"detail":[{"msg":"bad"}]}`, llm.KindBadRequest, "bad"},
		{429, `{"error":{"message":"Rate limit reached: too many tokens in context length","code":"rate_limit_exceeded"}}`, llm.KindRateLimit, "Rate limit"},
		{429, `{"error":{"message":"x","code":"insufficient_quota"}}`, llm.KindQuota, "x"}, {500, `{"error":{"message":"prompt does not exist"}}`, llm.KindUpstream, "prompt"}, {503, ``, llm.KindOverloaded, ""},
		{504, `<html><title>504 Gateway Time-out</title>`, llm.KindTimeout, "504 Gateway"}, {400, `{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}`, llm.KindContextLength, "8192"},
		{400, `{"error":{"code":"content_filter","message":"The response was filtered"}}`, llm.KindContentFilter, "filtered"},
		{502, `{"error":{"message":"Provider returned error","code":502,"metadata":{"provider_name":"Acme","raw":"{\"error\":{\"message\":\"kaput\"}}"}}}`, llm.KindUpstream, "Provider returned error (Acme: kaput)"},
		{400, `{"object":"error","message":"vllm says","type":"BadRequestError","code":400}`, llm.KindBadRequest, "vllm says"},
		{400, "\x00\x1b[31m" + strings.Repeat("y", 5000), llm.KindBadRequest, "yyy"},
	} {
		e := llm.FromResponse("p", c.status, http.Header{}, []byte(c.body), "")
		require.Equal(t, c.kind, e.Kind, "%d %s", c.status, c.body)
		require.Contains(t, e.Message, c.says)
		require.LessOrEqual(t, len([]rune(e.Message)), 1000)
		require.NotContains(t, e.Message, "\x1b")
		require.Equal(t, c.status, e.Status)
	}
	for v, want := range map[string]time.Duration{"3": 3 * time.Second, "0.5": 500 * time.Millisecond, "x": 0, "-1": 0, "999999999": 24 * time.Hour} {
		require.Equal(t, want, llm.FromResponse("p", 429, http.Header{"Retry-After": {v}}, nil, "").RetryAfter, v)
	}
	require.Equal(t, 20*time.Millisecond, llm.FromResponse("p", 429, http.Header{"Retry-After-Ms": {"20"}, "Retry-After": {"9"}}, nil, "").RetryAfter)
	date := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	require.InDelta(t, 60, llm.FromResponse("p", 429, http.Header{"Retry-After": {date}}, nil, "").RetryAfter.Seconds(), 3)
}

func TestNoKeyInMessages(t *testing.T) {
	for _, s := range []string{"key my-own-secret-key is bad", "Incorrect API key provided: sk-proj-abc*****wxyz.", "https://x/?key=AIzaSyABCDEF12345 failed", "header Bearer abcdefgh12345678 refused", "gsk_abcdefgh123456"} {
		out := llm.Clean(s, "my-own-secret-key")
		require.Contains(t, out, "[redacted]", s)
		require.NotRegexp(t, `my-own-secret-key|wxyz|AIzaSyA|abcdefgh12`, out)
	}
}

func call(id string) llm.Part {
	return llm.Part{Call: &llm.ToolCall{ID: id, Name: "f", Input: json.RawMessage(`{}`)}}
}

func result(id string) llm.Part {
	return llm.Part{Result: &llm.ToolResult{CallID: id, Name: "f", Content: "r"}}
}

func TestNormalize(t *testing.T) {
	u := func(p ...llm.Part) llm.Message { return llm.Message{Role: llm.User, Parts: p} }
	a := func(p ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: p} }
	txt := func(s string) llm.Part { return llm.Part{Text: s} }
	out := llm.Normalize([]llm.Message{a(txt("hi"), txt(" ")), u(txt("q")), u(txt("q2")), a(call("1"), call("1"), call("x y/"+strings.Repeat("z", 60))), u(txt("late")), u(result("1")), a(call("9"))})
	require.Len(t, out, 7)
	require.Equal(t, llm.User, out[0].Role)
	require.Len(t, out[2].Parts, 2)
	ids := map[string]bool{}
	for _, p := range out[3].Parts {
		require.Regexp(t, `^[\w-]{1,40}$`, p.Call.ID)
		ids[p.Call.ID] = true
	}
	require.Len(t, ids, 3)
	require.Equal(t, llm.Interrupted, out[4].Parts[0].Result.Content)
	require.Contains(t, out[4].Parts[4].Text, "Late result")
	require.Equal(t, "Continue.", llm.Normalize(nil)[0].Parts[0].Text)
}

// Whatever the log holds, every provider's rules hold for what is sent.
func TestNormalizeRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in []llm.Message
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			m := llm.Message{Role: rapid.SampledFrom([]llm.Role{llm.User, llm.Assistant}).Draw(t, "role")}
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				id := rapid.SampledFrom([]string{"a", "b", "c", "", "ü"}).Draw(t, "id")
				switch k := rapid.IntRange(0, 3).Draw(t, "kind"); {
				case k == 0 && m.Role == llm.Assistant:
					m.Parts = append(m.Parts, call(id))
				case k == 0:
					m.Parts = append(m.Parts, result(id))
				case k == 1:
					m.Parts = append(m.Parts, llm.Part{Text: " "})
				default:
					m.Parts = append(m.Parts, llm.Part{Text: "t"})
				}
			}
			in = append(in, m)
		}
		before, _ := json.Marshal(in)
		out := llm.Normalize(in)
		after, _ := json.Marshal(in)
		require.Equal(t, string(before), string(after), "the input is not changed")
		seen := map[string]bool{}
		var open []string
		for i, m := range out {
			require.Equal(t, i%2 == 0, m.Role == llm.User)
			require.NotEmpty(t, m.Parts)
			var answered []string
			for j, p := range m.Parts {
				if p.Result != nil {
					require.Equal(t, len(answered), j, "results come first")
					answered = append(answered, p.Result.CallID)
				}
			}
			require.Equal(t, open, answered)
			open = nil
			for _, p := range m.Parts {
				if p.Call != nil {
					require.False(t, seen[p.Call.ID])
					seen[p.Call.ID] = true
					open = append(open, p.Call.ID)
				}
			}
		}
		require.Empty(t, open)
		require.Equal(t, llm.User, out[len(out)-1].Role)
	})
}

func TestBuilderAndScript(t *testing.T) {
	p := llmtest.Scripted(llmtest.Say("a", "b").Think("hm").And("1", "f", `{}`), llmtest.Say("x", "y").CutAfter(1), llmtest.RateLimited(3*time.Second), llmtest.Say("q").Hangs())
	m, d, err := llm.Collect(p.Stream(context.Background(), llm.Request{Model: "scripted-1"}))
	require.NoError(t, err)
	require.Equal(t, llm.StopTools, d.Stop)
	require.Len(t, m.Parts, 3)
	m, _, err = llm.Collect(p.Stream(context.Background(), llm.Request{}))
	require.Equal(t, llm.KindNetwork, llm.KindOf(err))
	require.Equal(t, "x", m.Parts[0].Text)
	_, _, err = llm.Collect(p.Stream(context.Background(), llm.Request{}))
	require.Equal(t, 3*time.Second, llm.AsError(err).RetryAfter)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, _, err = llm.Collect(p.Stream(ctx, llm.Request{}))
	require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	require.Len(t, p.Requests(), 4)
	require.Zero(t, p.Running())
	require.Equal(t, 1, p.Stopped())
	_, err = llm.Test(context.Background(), p, "scripted-1")
	require.Equal(t, llm.KindBadRequest, llm.KindOf(err))

	var b llm.Builder
	for _, c := range []llm.Chunk{{Thinking: "a"}, {Thinking: "b"}, {Signature: "s"}, {Thinking: "c"}, {Text: "t"}, {Text: "u"}, {Redacted: true, Signature: "o"}, {Text: "v"}, {Signature: "z"}} {
		b.Add(c)
	}
	require.Equal(t, []llm.Part{{Thinking: &llm.Thinking{Text: "ab", Signature: "s"}}, {Thinking: &llm.Thinking{Text: "c"}}, {Text: "tu"}, {Thinking: &llm.Thinking{Redacted: true, Signature: "o"}}, {Text: "v"}, {Thinking: &llm.Thinking{Signature: "z"}}}, b.Message().Parts)
	require.Equal(t, "tuv", b.Text())
}

func TestEstimateTokens(t *testing.T) {
	for text, want := range map[string][2]int{
		"": {0, 0}, "The quick brown fox jumps over the lazy dog.": {9, 12}, "func main() { fmt.Println(42) }": {8, 13},
		"我喜欢吃龙虾": {5, 8}, "Привет, как дела сегодня?": {7, 14}, "🦞🦞": {3, 5}, "Größe ändern": {3, 6},
	} {
		n := llm.EstimateTokens(text)
		require.GreaterOrEqual(t, n, want[0], text)
		require.LessOrEqual(t, n, want[1], text)
	}
	r := llm.Request{System: "be", Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: "hi"}, {Image: &llm.Image{}}}}}, Tools: []llm.Tool{{Name: "f"}}}
	require.Greater(t, llm.EstimateRequest(r), 1500)
}
