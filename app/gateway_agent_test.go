package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// The agent of an instance answers like a model, with its own tools, whole and streamed, in every door's words.
func TestAgentsAnswerLikeModels(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	archived := func() int {
		return w.Count("SELECT count(*) FROM sessions WHERE organization_id = ? AND status = 'archived'", w.Acme.ID)
	}
	before := archived()
	question := `"model":"agent:acme-canary-box"`
	body := func(path, more, text string) string { return strings.Replace(hello(path, more), "hello", text, 1) }
	texts := map[string]string{}
	for _, path := range []string{chatPath, standardPath, responsesPath, messagesPath} {
		a := ask(w, path, body(path, question+`,"temperature":0.5`, "Run `echo lobster`"))
		require.Equal(t, 200, a.Status, a.Body)
		has(t, a.Body, "lobster")
		assert.Equal(t, "offline-1", a.Header.Get("X-Lobstack-Model"))
		assert.Contains(t, a.Header.Get("X-Lobstack-Dropped-Params"), "temperature")
		texts[path] = a.Body
		h, events := streamed(t, w, path, body(path, question+`,"stream":true`, "Run `echo lobster`"))
		assert.Equal(t, "acme-canary-model", h.Get("X-Lobstack-Model"), "who is expected: the stream tells who served")
		said := ""
		for _, e := range events {
			m := map[string]any{}
			_ = json.Unmarshal([]byte(e.Data), &m)
			switch {
			case path == messagesPath:
				d, _ := m["delta"].(map[string]any)
				s, _ := d["text"].(string)
				said += s
			case path == responsesPath && e.Name == "response.output_text.delta":
				said += m["delta"].(string)
			case path == chatPath || path == standardPath:
				list, _ := m["choices"].([]any)
				for _, c := range list {
					s, _ := c.(map[string]any)["delta"].(map[string]any)["content"].(string)
					said += s
				}
			}
		}
		quoted, _ := json.Marshal(said)
		has(t, a.Body, strings.Trim(strings.ReplaceAll(strings.ReplaceAll(string(quoted), `\u003e`, ">"), `\u003c`, "<"), `"`))
	}
	assert.Equal(t, 8, archived()-before, "a session for each call, put away")
	a := ask(w, standardPath, `{"model":"agent","session_id":"mine","messages":[{"role":"user","content":"What is 2 plus 3?"},{"role":"assistant","content":"5"},{"role":"user","content":"What is 4 plus 4?"}]}`)
	require.Equal(t, 200, a.Status, a.Body)
	has(t, a.Body, "8")
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM sessions WHERE organization_id = ? AND alias = 'mine' AND status = 'active'", w.Acme.ID))
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	a = w.Do(apptest.Call{Method: "POST", Path: chatPath, JSON: body(chatPath, `"model":"agent"`, "What is 2 plus 3?"), Header: map[string]string{"Authorization": "Bearer " + token.Reveal()}})
	require.Equal(t, 200, a.Status, a.Body)
}

// A client that leaves stops the agent.
func TestLeavingStopsTheAgent(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	for _, more := range []string{`,"stream":true`, ""} {
		ctx, leave := context.WithCancel(t.Context())
		req := w.Request(apptest.Call{Method: "POST", Path: chatPath, Who: w.Acme.Owner, ByKey: true,
			JSON: `{"model":"agent","messages":[{"role":"user","content":"Run ` + "`wait here`" + `"}]` + more + `}`}).WithContext(ctx)
		got := make(chan struct{})
		go func() {
			defer close(got)
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}()
		<-w.Boxes.Waiting
		leave()
		<-got
		assert.Eventually(t, func() bool {
			return w.Count("SELECT count(*) FROM turns WHERE organization_id = ? AND state NOT IN ('done', 'interrupted', 'waiting_approval')", w.Acme.ID) == 0
		}, waitLong, waitStep, more)
	}
	assert.Equal(t, 2, w.Count("SELECT count(*) FROM turns WHERE organization_id = ? AND state = 'interrupted'", w.Acme.ID))
}

// An agent that calls itself through the gateway is told when that goes on for too long.
func TestAnAgentThatCallsItselfIsTold(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	own := w.Store.In(w.Acme.ID)
	for range models.MaxOwnTurns {
		_, _, err := w.Turns.Open(t.Context(), own, models.NewSession{InstanceID: w.Acme.Instance.ID}, models.Input{Text: "ask yourself", Source: "gateway", Own: true})
		require.NoError(t, err)
	}
	sessions := w.Count("SELECT count(*) FROM sessions WHERE organization_id = ?", w.Acme.ID)
	for _, more := range []string{`"model":"agent"`, `"model":"agent","stream":true`} {
		a := ask(w, chatPath, hello(chatPath, more), "Authorization", "Bearer "+token.Reveal())
		require.Equal(t, 429, a.Status, a.Body)
		require.Equal(t, []any{"quota", "turn.own"}, []any{a.Map()["error"].(map[string]any)["type"], a.Map()["error"].(map[string]any)["code"]})
		has(t, a.Body, "calling itself")
	}
	require.Equal(t, sessions, w.Count("SELECT count(*) FROM sessions WHERE organization_id = ?", w.Acme.ID), "nothing is left behind")
}
