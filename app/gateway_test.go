package app_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/dial"
	"lobstead/kit/limit"
	"lobstead/kit/sse"
	"lobstead/models"
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

func (s *script) Name() string { return "scripted" }
func (s *script) Models(ctx context.Context) ([]llm.Model, error) {
	return s.now().Models(ctx)
}
func (s *script) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return s.now().Stream(ctx, r)
}

// doors starts a world whose model says what the test wants.
func doors(t *testing.T, o apptest.Options) (*apptest.World, *script) {
	s := &script{p: llmtest.Scripted()}
	o.Model, o.NoWorker = s, true
	return apptest.Start(t, o), s
}

const chatPath, standardPath, responsesPath, messagesPath = "/api/gateway/v1/chat/completions", "/v1/chat/completions", "/v1/responses", "/anthropic/v1/messages"

// hello is the same question in every door's words; more is put into the body.
func hello(path, more string) string {
	if more != "" {
		more += ","
	}
	switch path {
	case responsesPath:
		return `{` + more + `"input":"hello"}`
	case messagesPath:
		return `{` + more + `"max_tokens":50,"messages":[{"role":"user","content":"hello"}]}`
	}
	return `{` + more + `"messages":[{"role":"user","content":"hello"}]}`
}

func ask(w *apptest.World, path string, body string, header ...string) apptest.Answer {
	h := map[string]string{}
	for n := 0; n < len(header); n += 2 {
		h[header[n]] = header[n+1]
	}
	return w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, ByKey: true, JSON: body, Header: h})
}

// streamed asks and reads all events.
func streamed(t *testing.T, w *apptest.World, path, body string) (http.Header, []sse.Event) {
	t.Helper()
	resp, err := http.DefaultClient.Do(w.Request(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, ByKey: true, JSON: body}))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		b, _ := io.ReadAll(resp.Body)
		require.Equal(t, 200, resp.StatusCode, string(b))
	}
	var out []sse.Event
	for r := sse.NewReader(resp.Body, sse.Limits{}); ; {
		e, err := r.Next()
		if err != nil {
			return resp.Header, out
		}
		out = append(out, e)
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(text), &out), text)
	return out
}

func TestGatewayAnswersBuffered(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	model.set(llmtest.Say("Hello ", "there"))
	a := ask(w, chatPath, hello(chatPath, `"model":"auto","top_p":0.5,"n":3,"logprobs":true,"response_format":{"type":"json_object"},"unheard-of":1,"bad name\r\nX: y":1`))
	require.Equal(t, 200, a.Status, a.Body)
	m := a.Map()
	id := a.Header.Get("X-Lobstack-Request-Id")
	assert.Equal(t, "chatcmpl-"+id, m["id"])
	assert.Equal(t, []any{"chat.completion", "acme-canary-model"}, []any{m["object"], m["model"]})
	choices := m["choices"].([]any)
	require.Len(t, choices, 1)
	choice := choices[0].(map[string]any)
	assert.Equal(t, "stop", choice["finish_reason"])
	assert.Equal(t, "Hello there", choice["message"].(map[string]any)["content"])
	usage := m["usage"].(map[string]any)
	assert.Equal(t, []any{10.0, 5.0, 15.0}, []any{usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]})
	for name, want := range map[string]string{"Model": "acme-canary-model", "Tier": "standard", "Complexity": "0", "Routed": "true", "Mode": "byok",
		"Principal": "api_key", "Priced": "false", "Metered": "true", "Cost-Usd": "", "Savings": "", "Savings-Usd": "", "Savings-Pct": "",
		"Quota-Meter": "spend", "Quota-Spent-Usd": "0.000000", "Dropped-Params": "logprobs,n,response_format,top_p,unheard-of"} {
		values, ok := a.Header["X-Lobstack-"+name]
		assert.True(t, ok, "no header %s", name)
		assert.Equal(t, []string{want}, values, name)
	}
	resets, err := time.Parse(time.RFC3339, a.Header.Get("X-Lobstack-Quota-Resets"))
	require.NoError(t, err)
	assert.True(t, resets.After(time.Now()) && resets.Day() == 1)
	assert.Empty(t, a.Header.Get("X-Lobstack-Baseline-Model"))
	req := model.now().Requests()[0]
	assert.Equal(t, 4096, req.MaxTokens)
	assert.Nil(t, req.TopP)
	assert.Nil(t, req.Output)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM ledger_entries WHERE organization_id = ? AND kind = 'settle' AND purpose = 'gateway' AND input_tokens = 10", w.Acme.ID))

	model.set(llmtest.Call("c1", "look", `{"x":1}`))
	a = ask(w, chatPath, hello(chatPath, `"tools":[{"type":"function","function":{"name":"look"}}]`))
	choice = a.Map()["choices"].([]any)[0].(map[string]any)
	assert.Equal(t, "tool_calls", choice["finish_reason"])
	assert.Equal(t, "", choice["message"].(map[string]any)["content"], "never null here")
}

func TestGatewayStreams(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	model.set(llmtest.Say("Hel", "lo <b>").Think("hm").And("c1", "look", `{"x":1}`))
	h, events := streamed(t, w, chatPath, hello(chatPath, `"stream":true`))
	assert.Equal(t, []string{"text/event-stream; charset=utf-8", "no-cache,no-transform", "no", "acme-canary-model", "spend"}, []string{h.Get("Content-Type"), h.Get("Cache-Control"),
		h.Get("X-Accel-Buffering"), h.Get("X-Lobstack-Model"), h.Get("X-Lobstack-Quota-Meter")})
	assert.NotContains(t, h, "X-Lobstack-Cost-Usd")
	require.Len(t, events, 7)
	text := func(n int) map[string]any {
		m := parse(t, events[n].Data)
		assert.Equal(t, "chat.completion.chunk", m["object"])
		assert.Empty(t, events[n].Name)
		return m["choices"].([]any)[0].(map[string]any)
	}
	assert.Equal(t, map[string]any{"role": "assistant", "content": ""}, text(0)["delta"])
	assert.Equal(t, map[string]any{"content": "Hel"}, text(1)["delta"])
	assert.Equal(t, map[string]any{"content": "lo <b>"}, text(2)["delta"])
	assert.Contains(t, events[2].Data, "<b>", "no HTML escapes")
	call := text(3)["delta"].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{0.0, "c1", map[string]any{"name": "look", "arguments": `{"x":1}`}}, []any{call["index"], call["id"], call["function"]})
	assert.Equal(t, "tool_calls", text(4)["finish_reason"])
	last := parse(t, events[5].Data)
	assert.Empty(t, last["choices"])
	assert.Equal(t, 15.0, last["usage"].(map[string]any)["total_tokens"])
	extra := last["x_lobstack"].(map[string]any)
	assert.Equal(t, map[string]any{"request_id": h.Get("X-Lobstack-Request-Id"), "served_model": "acme-canary-model", "requested_model": "auto", "routed": true, "cost_usd": nil,
		"savings_usd": nil, "priced": false, "baseline_model": nil, "baseline_reason": nil, "baseline_cost_usd": nil}, extra)
	assert.Equal(t, "[DONE]", events[6].Data)

	model.set(llmtest.Say("one", "two", "three").CutAfter(1))
	_, events = streamed(t, w, chatPath, hello(chatPath, `"stream":true`))
	require.Len(t, events, 4)
	broke := parse(t, events[2].Data)["error"].(map[string]any)
	assert.Equal(t, []any{"gateway_error", "llm.network"}, []any{broke["type"], broke["code"]})
	assert.NotEmpty(t, broke["request_id"])
	assert.Equal(t, "[DONE]", events[3].Data)

	model.set(llmtest.Say("Hi"), llmtest.Say("Hi"))
	_, events = streamed(t, w, standardPath, hello(standardPath, `"stream":true`))
	assert.Len(t, events, 4, "no usage unless it is asked for")
	_, events = streamed(t, w, standardPath, hello(standardPath, `"stream":true,"stream_options":{"include_usage":true}`))
	require.Len(t, events, 5)
	assert.NotContains(t, events[3].Data, "x_lobstack")
	assert.Contains(t, events[3].Data, `"total_tokens":15`)
}

// reset lets the provider be asked again, whatever it did before.
func reset(t *testing.T, w *apptest.World) {
	t.Helper()
	a := w.Do(apptest.Call{Method: "POST", Path: "/api/breaker/reset/" + w.Acme.Provider.Kind, Who: w.Acme.Owner, ByKey: true, JSON: `{}`})
	require.Equal(t, 200, a.Status, a.Body)
}

// Every refusal, in the words of each door.
func TestGatewayRefusals(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	type words map[string]string // path → type
	all := func(gateway, openai, anthropic string) words {
		return words{chatPath: gateway, standardPath: openai, responsesPath: openai, messagesPath: anthropic}
	}
	long := strings.Repeat("x", 21<<20)
	for _, c := range []struct {
		name   string
		step   *llmtest.Step
		body   func(path string) string
		status int
		types  words
		code   string
	}{
		{"no JSON", nil, func(string) string { return `{` }, 400, all("validation", "invalid_request_error", "invalid_request_error"), "body.json"},
		{"no messages", nil, func(string) string { return `{"max_tokens":5}` }, 400, all("validation", "invalid_request_error", "invalid_request_error"), "invalid_value"},
		{"wrong type", nil, func(p string) string { return hello(p, `"model":7`) }, 400, all("validation", "invalid_request_error", "invalid_request_error"), "invalid_value"},
		{"temperature", nil, func(p string) string { return hello(p, `"temperature":9`) }, 400, all("validation", "invalid_request_error", "invalid_request_error"), "invalid_value"},
		{"no agent", nil, func(p string) string { return hello(p, `"model":"agent:nobody"`) }, 404, all("validation", "invalid_request_error", "not_found_error"), "agent.not_found"},
		{"too large", nil, func(p string) string { return hello(p, `"user":"`+long+`"`) }, 413, all("validation", "invalid_request_error", "request_too_large"), "body.too_large"},
		{"provider's key", step(llmtest.Fail(llm.KindAuth, "bad key").Always()), nil, 502, all("provider", "server_error", "api_error"), "llm.auth"},
		{"provider's money", step(llmtest.Fail(llm.KindQuota, "no credit").Always()), nil, 502, all("provider", "server_error", "api_error"), "llm.quota"},
		{"provider's rate", step(llmtest.RateLimited(time.Second).Always()), nil, 429, all("quota", "rate_limit_error", "rate_limit_error"), ""},
		{"provider's end", step(llmtest.Fail(llm.KindUpstream, "boom").Always()), nil, 502, all("provider", "server_error", "api_error"), "llm.upstream"},
		{"overloaded", step(llmtest.Fail(llm.KindOverloaded, "full").Always()), nil, 503, all("provider", "server_error", "overloaded_error"), "llm.overloaded"},
		{"too slow", step(llmtest.Fail(llm.KindTimeout, "slow").Always()), nil, 504, all("timeout", "server_error", "timeout_error"), "llm.timeout"},
		{"too long", step(llmtest.Fail(llm.KindContextLength, "long").Always()), nil, 400, all("validation", "invalid_request_error", "invalid_request_error"), ""},
	} {
		for path, kind := range c.types {
			for _, stream := range []string{"", `"stream":true`} {
				if c.step != nil {
					model.set(*c.step)
					reset(t, w)
				}
				body := hello(path, stream)
				if c.body != nil {
					body = c.body(path)
				}
				a := ask(w, path, body)
				assert.Equal(t, c.status, a.Status, "%s %s: %.300s", c.name, path, a.Body)
				e, _ := a.Map()["error"].(map[string]any)
				assert.Equal(t, kind, e["type"], "%s %s: %.300s", c.name, path, a.Body)
				assert.NotEmpty(t, e["message"], c.name)
				assert.NotEmpty(t, a.Header.Get("X-Lobstack-Request-Id"), c.name)
				if path == chatPath {
					assert.Equal(t, a.Header.Get("X-Lobstack-Request-Id"), e["request_id"], c.name)
				}
				if c.code != "" && path == chatPath {
					assert.Equal(t, c.code, e["code"], c.name)
				}
				if path == messagesPath {
					assert.Equal(t, "error", a.Map()["type"], c.name)
				}
				if c.status == 429 {
					assert.NotEmpty(t, a.Header.Get("Retry-After"), c.name)
				}
			}
		}
	}
	assert.Equal(t, w.Count("SELECT count(*) FROM ledger_entries WHERE organization_id = ? AND purpose = 'gateway' AND kind = 'reserve'", w.Acme.ID),
		w.Count("SELECT count(*) FROM ledger_entries WHERE organization_id = ? AND purpose = 'gateway' AND kind = 'settle'", w.Acme.ID))
}

func step(s llmtest.Step) *llmtest.Step { return &s }

// Who may call: keys with the scope, an instance's own token in its three places, a signed-in browser; nobody else.
func TestGatewayCredentials(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	o := w.Acme
	scoped := func(scopes ...models.Can) string {
		_, key, err := o.Scope.As(models.Actor{UserID: o.Owner.UserID, Role: models.Owner}).CreateAPIKey(t.Context(), models.NewAPIKey{Name: "scoped", Scopes: scopes})
		require.NoError(t, err)
		return key.Reveal()
	}
	token, err := o.Scope.GatewayToken(o.Instance)
	require.NoError(t, err)
	gw := token.Reveal()
	rival, err := w.Rival.Scope.GatewayToken(w.Rival.Instance)
	require.NoError(t, err)
	for _, c := range []struct {
		name      string
		header    map[string]string
		status    int
		principal string
	}{
		{"inference", map[string]string{"Authorization": "Bearer " + scoped(models.CanInfer)}, 200, "api_key"},
		{"view only", map[string]string{"Authorization": "Bearer " + scoped(models.CanView)}, 403, ""},
		{"x-api-key", map[string]string{"X-Api-Key": o.Member.Key}, 200, "api_key"},
		{"token", map[string]string{"Authorization": "Bearer " + gw}, 200, "gateway_token"},
		{"token as x-api-key", map[string]string{"X-Api-Key": gw}, 200, "gateway_token"},
		{"header pair", map[string]string{"X-Agent-Secret": gw, "X-Agent-Id": o.Instance.ID}, 200, "agent_secret"},
		{"header pair of another", map[string]string{"X-Agent-Secret": gw, "X-Agent-Id": w.Rival.Instance.ID}, 401, ""},
		{"header pair without id", map[string]string{"X-Agent-Secret": gw}, 401, ""},
		{"a wrong token", map[string]string{"Authorization": "Bearer gw_nobody"}, 401, ""},
		{"nothing", nil, 401, ""},
		{"another scheme", map[string]string{"Authorization": "Basic " + gw}, 401, ""},
	} {
		for _, path := range []string{chatPath, standardPath, responsesPath, messagesPath} {
			model.set(llmtest.Say("yes"))
			a := w.Do(apptest.Call{Method: "POST", Path: path, JSON: hello(path, ""), Header: c.header})
			assert.Equal(t, c.status, a.Status, "%s %s: %s", c.name, path, a.Body)
			assert.Equal(t, c.principal, a.Header.Get("X-Lobstack-Principal"), c.name)
			assert.NotEmpty(t, a.Header.Get("X-Lobstack-Request-Id"), c.name)
			if path == chatPath && c.status != 200 {
				assert.Equal(t, "auth", a.Map()["error"].(map[string]any)["type"], c.name)
			}
		}
	}
	// An instance's token opens the gateway, and nothing else.
	for _, path := range []string{"/api/instances", "/api/agent/sessions", "/api/team", "/", "/settings"} {
		a := w.Do(apptest.Call{Method: "GET", Path: path, Face: apptest.JSON, Header: map[string]string{"Authorization": "Bearer " + gw}})
		assert.Equal(t, 401, a.Status, path)
	}
	for name, header := range map[string]string{"its own": gw, "another's": rival.Reveal()} {
		a := w.Do(apptest.Call{Method: "GET", Path: "/v1/models", Header: map[string]string{"Authorization": "Bearer " + header}})
		assert.Equal(t, 200, a.Status)
		assert.Equal(t, name == "its own", strings.Contains(a.Body, "agent:"+o.Instance.Name), name)
		assert.Equal(t, name == "its own", strings.Contains(a.Body, "acme-canary-model"), name)
	}
	a := w.Do(apptest.Call{Method: "POST", Path: chatPath, JSON: hello(chatPath, `"model":"agent:`+o.Instance.Name+`"`), Header: map[string]string{"Authorization": "Bearer " + rival.Reveal()}})
	assert.Equal(t, 404, a.Status)
	a = w.Do(apptest.Call{Method: "POST", Path: chatPath, JSON: hello(chatPath, `"model":"agent"`), Header: map[string]string{"Authorization": "Bearer " + scoped(models.CanInfer)}})
	assert.Equal(t, 403, a.Status, "a key for models reaches no agent")
	a = w.Do(apptest.Call{Method: "POST", Path: chatPath, Who: o.Owner, JSON: hello(chatPath, ""), Header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	assert.Equal(t, 403, a.Status)
	w.Exec("UPDATE instances SET desired = 'deleted' WHERE id = ?", o.Instance.ID)
	a = w.Do(apptest.Call{Method: "POST", Path: chatPath, JSON: hello(chatPath, ""), Header: map[string]string{"Authorization": "Bearer " + gw}})
	assert.Equal(t, 409, a.Status)
	w.Exec("UPDATE organizations SET suspended_at = created_at, suspended_by = 'billing' WHERE id = ?", o.ID)
	for path, kind := range map[string]string{chatPath: "quota", standardPath: "insufficient_quota", messagesPath: "billing_error"} {
		a = ask(w, path, hello(path, ""))
		assert.Equal(t, []any{402, kind}, []any{a.Status, a.Map()["error"].(map[string]any)["type"]}, path)
		assert.Regexp(t, `^[1-9]\d*$`, a.Header.Get("Retry-After"))
	}
}

func TestGatewayLimits(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{Limits: app.Limits{Requests: limit.Rule{N: 1, Per: time.Minute}}})
	for path, kind := range map[string]string{chatPath: "quota", messagesPath: "rate_limit_error"} {
		who := map[string]*apptest.Person{chatPath: w.Acme.Admin, messagesPath: w.Acme.Member}[path]
		model.set(llmtest.Say("yes"))
		call := apptest.Call{Method: "POST", Path: path, Who: who, ByKey: true, JSON: hello(path, "")}
		assert.Equal(t, 200, w.Do(call).Status)
		a := w.Do(call)
		assert.Equal(t, 429, a.Status)
		assert.Equal(t, kind, a.Map()["error"].(map[string]any)["type"])
		assert.NotEmpty(t, a.Header.Get("Retry-After"))
	}
}

func TestModelLists(t *testing.T) {
	t.Parallel()
	w, _ := doors(t, apptest.Options{})
	a := w.Do(apptest.Call{Method: "GET", Path: "/api/gateway/v1/models", Header: map[string]string{"Authorization": "Bearer lob_nobody"}})
	require.Equal(t, 200, a.Status)
	list := a.Map()["data"].([]any)
	require.Greater(t, len(list), 30)
	for _, x := range list[1:] {
		m := x.(map[string]any)
		assert.Equal(t, "model", m["object"])
		assert.NotEmpty(t, m["id"])
		assert.NotEmpty(t, m["label"])
		assert.Contains(t, []any{"nano", "small", "standard", "premium", "flagship"}, m["tier"])
		assert.Equal(t, false, m["managed"])
		assert.IsType(t, 0.0, m["context_window"])
	}
	lacks(t, a.Body, "acme")
	a = w.Do(apptest.Call{Method: "GET", Path: "/v1/models", Who: w.Acme.Member, ByKey: true})
	require.Equal(t, 200, a.Status)
	has(t, a.Body, `"object":"list"`, `"id":"auto"`, `"id":"agent:acme-canary-box"`, `"id":"acme-canary-model"`)
	for _, x := range a.Map()["data"].([]any) {
		assert.Len(t, x, 4)
	}
	a = w.Do(apptest.Call{Method: "GET", Path: "/anthropic/v1/models", Header: map[string]string{"X-Api-Key": w.Acme.Member.Key}})
	require.Equal(t, 200, a.Status)
	m := a.Map()
	list = m["data"].([]any)
	assert.Equal(t, []any{false, list[0].(map[string]any)["id"], list[len(list)-1].(map[string]any)["id"]}, []any{m["has_more"], m["first_id"], m["last_id"]})
	assert.Equal(t, "model", list[0].(map[string]any)["type"])
}

func TestRoutePreview(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	post := func(who *apptest.Person, body string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: "/api/gateway/v1/route-preview", Who: who, ByKey: true, JSON: body})
	}
	a := post(w.Acme.Owner, `{"prompt":"12345678","conversation_length":7,"plan_tier":"nonsense","expected_output_tokens":100}`)
	require.Equal(t, 200, a.Status, a.Body)
	m := a.Map()
	assert.Equal(t, []any{"routing_preview", "auto", "pro", true}, []any{m["object"], m["requested_model"], m["plan_tier"], m["routed"]})
	assert.Equal(t, map[string]any{"input": 2.0, "output": 100.0, "method": "characters / 4", "estimated": true}, m["token_estimate"])
	assert.Equal(t, "acme-canary-model", m["model"].(map[string]any)["key"])
	a = post(nil, `{"prompt":"hello"}`)
	require.Equal(t, 200, a.Status, a.Body)
	tellsNothing(t, w.Acme, a, "")
	assert.Equal(t, "offline-1", a.Map()["model"].(map[string]any)["key"])
	w.Exec("UPDATE organizations SET plan = 'BUSINESS' WHERE id = ?", w.Acme.ID)
	for plan, want := range map[string]string{"": "performance", "starter": "starter", "performance": "performance", "nonsense": "pro"} {
		said := `{"prompt":"hello"}`
		if plan != "" {
			said = `{"prompt":"hello","plan_tier":"` + plan + `"}`
		}
		assert.Equal(t, want, post(w.Acme.Owner, said).Map()["plan_tier"], "without one it is the organization's own")
	}
	for _, bad := range []string{`{}`, `{"prompt":""}`, `{"prompt":7}`, `{"prompt":"` + strings.Repeat("x", 8001) + `"}`, `{"prompt":"x","expected_output_tokens":0}`, `{"prompt":"x","conversation_length":-1}`} {
		a = post(w.Acme.Owner, bad)
		assert.Equal(t, []any{400, "validation"}, []any{a.Status, a.Map()["error"].(map[string]any)["type"]}, bad)
	}
	assert.Empty(t, model.now().Requests(), "a preview calls nothing")
}

var png, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")

// Pictures come with the request or from an address outside; an address inside the network is refused.
func TestPictures(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/text" {
			_, _ = rw.Write([]byte("secret of the network"))
			return
		}
		_, _ = rw.Write(png)
	}))
	defer host.Close()
	openai := func(url string) string {
		return `{"messages":[{"role":"user","content":[{"type":"text","text":"what is this?"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
	}
	data := "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
	bodies := func(url string) map[string]string {
		source := `{"type":"url","url":"` + url + `"}`
		if strings.HasPrefix(url, "data:") {
			source = `{"type":"base64","media_type":"image/png","data":"` + base64.StdEncoding.EncodeToString(png) + `"}`
		}
		return map[string]string{chatPath: openai(url), standardPath: openai(url),
			responsesPath: `{"input":[{"role":"user","content":[{"type":"input_image","image_url":"` + url + `"},{"type":"input_text","text":"?"}]}]}`,
			messagesPath:  `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":` + source + `},{"type":"text","text":"?"}]}]}`}
	}
	guarded := dial.New(dial.Policy{})
	open := dial.New(dial.Policy{AllowPrivate: true})
	for _, c := range []struct {
		name, url string
		client    *http.Client
		status    int
	}{{"with the request", data, nil, 200}, {"no client", host.URL, nil, 400}, {"inside the network", host.URL, guarded, 400}, {"outside", host.URL, open, 200},
		{"no picture", host.URL + "/text", open, 400}, {"another scheme", "file:///etc/passwd", open, 400}, {"not base64", "data:image/png;base64,!!", nil, 400}} {
		w, model := doors(t, apptest.Options{Images: c.client})
		for path, body := range bodies(c.url) {
			if path == messagesPath && c.name == "not base64" {
				continue
			}
			model.set(llmtest.Say("a dot"))
			a := ask(w, path, body)
			assert.Equal(t, c.status, a.Status, "%s %s: %s", c.name, path, a.Body)
			lacks(t, a.Body, "secret of the network", "connection refused")
			if c.status == 200 {
				found := 0
				for _, p := range model.now().Requests()[0].Messages[0].Parts {
					if p.Image != nil && p.Image.MediaType == "image/png" && string(p.Image.Data) == string(png) {
						found++
					}
				}
				assert.Equal(t, 1, found, "%s %s", c.name, path)
			}
		}
	}
}

func TestMessagesStreamInOrder(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	model.set(llmtest.Say("Hel", "lo").Think("hm").And("toolu_1", "look", `{"x":1}`))
	_, events := streamed(t, w, messagesPath, hello(messagesPath, `"stream":true,"thinking":{"type":"enabled","budget_tokens":5000}`))
	names := []string{}
	for _, e := range events {
		assert.Equal(t, e.Name, parse(t, e.Data)["type"])
		names = append(names, e.Name)
	}
	const start, delta, stop = "content_block_start", "content_block_delta", "content_block_stop"
	assert.Equal(t, []string{"message_start", "ping", start, delta, stop, start, delta, delta, stop, start, delta, stop, "message_delta", "message_stop"}, names)
	end := parse(t, events[12].Data)
	assert.Equal(t, "tool_use", end["delta"].(map[string]any)["stop_reason"])
	assert.Equal(t, 5.0, end["usage"].(map[string]any)["output_tokens"])
	model.set(llmtest.Say("one", "two").CutAfter(1))
	_, events = streamed(t, w, messagesPath, hello(messagesPath, `"stream":true`))
	last := events[len(events)-1]
	assert.Equal(t, "error", last.Name)
	assert.Equal(t, "api_error", parse(t, last.Data)["error"].(map[string]any)["type"])
}

func TestResponsesStreamInOrder(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	model.set(llmtest.Say("Hel", "lo").And("call_1", "look", `{"x":1}`))
	_, events := streamed(t, w, responsesPath, hello(responsesPath, `"stream":true`))
	names := []string{}
	for n, e := range events {
		m := parse(t, e.Data)
		assert.Equal(t, []any{e.Name, float64(n)}, []any{m["type"], m["sequence_number"]})
		names = append(names, strings.TrimPrefix(e.Name, "response."))
	}
	assert.Equal(t, []string{"created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done",
		"content_part.done", "output_item.done", "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done", "completed"}, names)
	r := parse(t, events[len(events)-1].Data)["response"].(map[string]any)
	assert.Equal(t, []any{"completed", "acme-canary-model", 2}, []any{r["status"], r["model"], len(r["output"].([]any))})
	model.set(llmtest.Say("one", "two").CutAfter(1))
	_, events = streamed(t, w, responsesPath, hello(responsesPath, `"stream":true`))
	assert.Equal(t, "response.failed", events[len(events)-1].Name)
	model.set(llmtest.Step{Chunks: []llm.Chunk{{Text: "cut"}}, Stop: llm.StopLength})
	a := ask(w, responsesPath, hello(responsesPath, `"max_output_tokens":3`))
	assert.Equal(t, []any{"incomplete", fmt.Sprint(map[string]any{"reason": "max_output_tokens"})}, []any{a.Map()["status"], fmt.Sprint(a.Map()["incomplete_details"])})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	read := func(who *apptest.Person, query string) map[string]any {
		a := w.Do(apptest.Call{Method: "GET", Path: "/api/v1/usage" + query, Who: who, ByKey: true})
		require.Equal(t, 200, a.Status, a.Body)
		return a.Map()
	}
	empty := read(w.Acme.Owner, "")
	assert.Equal(t, []any{true, w.Acme.ID, "api_key", "7d", "day", []any{}, false}, []any{empty["enabled"], empty["org_id"], empty["authenticated_via"], empty["range"],
		empty["group_by"], empty["groups"], empty["truncated"]})
	assert.Equal(t, map[string]any{"requests": 0.0, "errors": 0.0, "error_rate": 0.0, "errors_by_class": map[string]any{}, "prompt_tokens": 0.0, "completion_tokens": 0.0, "total_tokens": 0.0,
		"cost_usd": 0.0, "unpriced_requests": 0.0, "p50_latency_ms": nil, "p95_latency_ms": nil, "p99_latency_ms": nil, "streamed": 0.0}, empty["summary"])
	model.set(llmtest.Say("one"), llmtest.Say("two"), llmtest.Fail(llm.KindUpstream, "boom").Always())
	ask(w, chatPath, hello(chatPath, ""))
	streamed(t, w, messagesPath, hello(messagesPath, `"stream":true`))
	ask(w, standardPath, hello(standardPath, ""))
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	w.Do(apptest.Call{Method: "POST", Path: chatPath, JSON: hello(chatPath, ""), Header: map[string]string{"Authorization": "Bearer " + token.Reveal()}})
	var u map[string]any
	require.Eventually(t, func() bool {
		u = read(w.Acme.Owner, "?range=30d&group_by=model")
		return u["summary"].(map[string]any)["requests"] == 4.0
	}, waitLong, waitStep)
	s := u["summary"].(map[string]any)
	assert.Equal(t, []any{2.0, 0.5, map[string]any{"provider": 2.0}, 20.0, 10.0, 30.0, 4.0, 1.0, "30d"}, []any{s["errors"], s["error_rate"], s["errors_by_class"], s["prompt_tokens"],
		s["completion_tokens"], s["total_tokens"], s["unpriced_requests"], s["streamed"], u["range"]})
	assert.IsType(t, 0.0, s["p50_latency_ms"])
	group := u["groups"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{"acme-canary-model", 4.0}, []any{group["key"], group["requests"]})
	for query, want := range map[string]float64{"?agent_id=" + w.Acme.Instance.ID: 1, "?key_id=" + w.Acme.Owner.KeyID: 3, "?key_id=" + w.Acme.Member.KeyID: 0} {
		assert.Equal(t, want, read(w.Acme.Owner, query)["summary"].(map[string]any)["requests"], query)
	}
	assert.Equal(t, 0.0, read(w.Rival.Owner, "?agent_id="+w.Acme.Instance.ID)["summary"].(map[string]any)["requests"])
	a := w.Do(apptest.Call{Method: "GET", Path: "/api/v1/usage", Who: w.Acme.Member})
	assert.Equal(t, "session", a.Map()["authenticated_via"])
	_, key, err := w.Acme.Scope.As(models.Actor{UserID: w.Acme.Owner.UserID, Role: models.Owner}).CreateAPIKey(t.Context(), models.NewAPIKey{Name: "n", Scopes: models.Scopes{models.CanInfer}})
	require.NoError(t, err)
	a = w.Do(apptest.Call{Method: "GET", Path: "/api/v1/usage", Header: map[string]string{"Authorization": "Bearer " + key.Reveal()}})
	assert.Equal(t, 403, a.Status)
}
