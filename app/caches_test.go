package app_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// A program's question is paid once, on every door and in both manners, and each answer says where it came from.
func TestCacheOfTheGateway(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	own := []string{"Authorization", "Bearer " + token.Reveal()}
	on := func(body string) map[string]any {
		a := w.Do(api("POST", "/api/agent/cache?instance="+w.Acme.Instance.ID, w.Acme.Member, body))
		require.Equal(t, 200, a.Status, a.Body)
		return a.Map()
	}
	asked := model.set(llmtest.Say("Hello ", "there").Always())
	for range 2 {
		require.Empty(t, ask(w, chatPath, hello(chatPath, ""), own...).Header.Get("X-Lobstack-Cache"), "off until somebody wants it")
	}
	require.Len(t, asked.Requests(), 2)
	require.Equal(t, true, on(`{"enabled":true}`)["enabled"])
	for _, path := range []string{chatPath, standardPath, messagesPath} {
		asked = model.set(llmtest.Say("Hello ", "there").Always())
		first := ask(w, path, hello(path, ""), own...)
		again := ask(w, path, hello(path, ""), own...)
		require.Equal(t, []int{200, 200}, []int{first.Status, again.Status}, first.Body)
		require.Len(t, asked.Requests(), 1, path)
		require.Equal(t, "exact", again.Header.Get("X-Lobstack-Cache"), path)
		require.Equal(t, "0.000000", again.Header.Get("X-Lobstack-Cost-Usd"))
		require.Contains(t, again.Body, "Hello there")
		resp, err := http.DefaultClient.Do(w.Request(apptest.Call{Method: "POST", Path: path, JSON: hello(path, `"stream":true`), Header: map[string]string{own[0]: own[1]}}))
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, []string{"exact", "text/event-stream; charset=utf-8"}, []string{resp.Header.Get("X-Lobstack-Cache"), resp.Header.Get("Content-Type")})
		require.Contains(t, string(text), "Hello there")
		if path == chatPath {
			require.Contains(t, string(text), `"cached":true`)
			require.Contains(t, string(text), `"total_tokens":15`)
			require.True(t, strings.HasSuffix(string(text), "data: [DONE]\n\n"))
		}
	}
	require.Equal(t, "exact", ask(w, responsesPath, hello(responsesPath, ""), own...).Header.Get("X-Lobstack-Cache"), "the same request in other words")
	asked = model.set(llmtest.Say("Hello ", "there").Always())
	for _, said := range []string{"no-store", "no-cache"} {
		require.Empty(t, ask(w, chatPath, hello(chatPath, ""), append(own, "Cache-Control", said)...).Header.Get("X-Lobstack-Cache"))
	}
	require.Empty(t, ask(w, chatPath, hello(chatPath, `"temperature":0.5`), own...).Header.Get("X-Lobstack-Cache"))
	require.Len(t, asked.Requests(), 3)
	require.Empty(t, ask(w, chatPath, hello(chatPath, ""), "Authorization", "Bearer "+w.Acme.Member.Key).Header.Get("X-Lobstack-Cache"), "a key has no instance, and so no cache")

	calls, err := w.Acme.Scope.GatewayCalls(t.Context(), models.GatewayCallFilter{Limit: 100})
	require.NoError(t, err)
	cached := 0
	for _, c := range calls {
		if c.Cached {
			cached++
			require.Zero(t, c.InputTokens+c.OutputTokens, "no tokens were used")
		}
	}
	stats := w.Do(apptest.Call{Method: "GET", Path: "/api/stats/cache", Who: w.Acme.Member, ByKey: true}).Map()
	require.Equal(t, []any{float64(cached), 100 * float64(cached) / (float64(cached) + stats["misses"].(float64))}, []any{stats["hits"], stats["hit_rate"]})
	require.Equal(t, map[string]any{"hits": 0.0, "misses": 0.0, "entries": 0.0, "hit_rate": 0.0},
		w.Do(apptest.Call{Method: "GET", Path: "/api/stats/cache", Who: w.Rival.Member, ByKey: true}).Map())
	costs := w.Do(apptest.Call{Method: "GET", Path: "/api/stats/costs", Who: w.Acme.Member, ByKey: true}).Map()["costs"].([]any)
	for _, c := range costs {
		if c := c.(map[string]any); c["cached"] == true {
			cached--
			require.Equal(t, []any{0.0, 0.0, 0.0}, []any{c["cost"], c["tokens_in"], c["tokens_out"]})
		}
	}
	require.Zero(t, cached, "each is in the list of costs, and cost nothing")
	status := w.Do(api("GET", "/api/agent/status?instance="+w.Acme.Instance.ID, w.Acme.Member, nil)).Map()
	require.Equal(t, []any{stats["entries"], stats["hit_rate"]}, []any{status["cache_entries"], status["cache_hit_rate_pct"]})
	emptied := w.Do(api("DELETE", "/api/agent/cache?instance="+w.Acme.Instance.ID, w.Acme.Member, nil)).Map()
	require.Equal(t, []any{0.0, 0.0, true}, []any{emptied["entries"], emptied["hits"], emptied["enabled"]})
}

// A plain question in a conversation is answered from the cache, with its tokens saved; one that needs a tool is not.
func TestCacheOfConversations(t *testing.T) {
	t.Parallel()
	model := &script{p: llmtest.Scripted()}
	w := apptest.Start(t, apptest.Options{Model: model})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Answered(w.Rival.Scope, w.Rival.Session.ID) // the same model answers both
	require.Equal(t, 200, w.Do(api("POST", "/api/agent/cache?instance="+w.Acme.Instance.ID, w.Acme.Member, `{"enabled":true}`)).Status)
	say := func(name, text string) map[string]any {
		a := w.Do(api("POST", "/api/agent/message?instance="+w.Acme.Instance.ID, w.Acme.Member, `{"content":"`+text+`","session_id":"`+name+`"}`))
		require.Equal(t, 200, a.Status, a.Body)
		return a.Map()
	}
	session := func() string {
		s, err := w.Acme.Scope.CreateSession(t.Context(), models.NewSession{InstanceID: w.Acme.Instance.ID})
		require.NoError(t, err)
		return s.ID
	}
	asked := model.set(llmtest.Step{Chunks: []llm.Chunk{{Text: "A crustacean."}}}.Always())
	first, again := say(session(), "what is a lobster"), say(session(), "what is a lobster")
	require.Len(t, asked.Requests(), 1)
	assert.Equal(t, []any{false, 0.0, 10.0}, []any{first["cached"], first["tokens_saved"], first["tokens_in"]})
	assert.Equal(t, []any{"A crustacean.", true, 15.0, 0.0, 0.0, 0.0}, []any{again["content"], again["cached"], again["tokens_saved"], again["tokens_in"], again["tokens_out"], again["cost"]})

	steps := []llmtest.Step{llmtest.Call("1", "list_files", `{}`), llmtest.Say("Three files.")}
	asked = model.set(append(steps, steps...)...)
	for range 2 {
		require.Equal(t, false, say(session(), "which files are there")["cached"])
	}
	require.Len(t, asked.Requests(), 4, "the world moves on")
}

// The page of usage tells what caches saved, and links to exactly those entries.
func TestUsageTellsOfTheCache(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	saved := int64(2_500_000_000)
	for _, c := range []string{"c1", "c2"} {
		require.NoError(t, w.Acme.Scope.Settle(t.Context(), models.Charge{CallID: c, Purpose: models.CachedCall, Model: "m", InstanceID: w.Acme.Instance.ID, BaselineNanos: &saved}))
	}
	body := w.Do(apptest.Call{Method: "GET", Path: "/usage", Who: w.Acme.Member}).Body
	has(t, body, "2 calls", "came from caches: nobody was asked, and $5.00 not spent.", "only=cached")
	entries := w.Do(apptest.Call{Method: "GET", Path: "/usage/entries?only=cached", Who: w.Acme.Member}).Body
	has(t, entries, "2 calls answered from a cache, which had cost $5.00", "From the cache", "else $2.50")
	require.NotContains(t, w.Do(apptest.Call{Method: "GET", Path: "/usage", Who: w.Rival.Member}).Body, "came from")
}

// The page of an instance's cache says who compares messages, and what is wrong beside its field.
func TestCachePage(t *testing.T) {
	t.Parallel()
	w, _ := doors(t, apptest.Options{})
	path := "/instances/" + w.Acme.Instance.ID + "/cache"
	page := func(who *apptest.Person) apptest.Answer {
		return w.Do(apptest.Call{Method: "GET", Path: path, Who: who})
	}
	has(t, page(w.Acme.Member).Body, "No connected service has embeddings", "Switch on the cache")
	require.Equal(t, 404, page(w.Rival.Owner).Status)
	a := w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Form: url.Values{"threshold": {"7"}, "embedding_model": {"mine"}}})
	require.Equal(t, 422, a.Status)
	has(t, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Form: url.Values{"life_hours": {"999"}, "max_entries": {"12"}}}).Body, `value="999"`, `value="12"`, "life_hours-error")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Form: url.Values{"semantic": {"true"}}}).Status)
	has(t, page(w.Acme.Member).Body, "It waits for the cache", `name="threshold"`)
}
