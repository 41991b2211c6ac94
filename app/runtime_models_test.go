package app_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

func TestRuntimeModels(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	call := func(who *apptest.Person, method, path string, status int) map[string]any {
		t.Helper()
		a := w.Do(apptest.Call{Method: method, Path: path, Header: map[string]string{"X-Api-Key": who.Key}})
		require.Equal(t, status, a.Status, a.Body)
		out := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(a.Body), &out))
		return out
	}
	owner, member := w.Acme.Owner, w.Acme.Member
	name := w.Acme.Provider.Kind
	status := call(member, "GET", "/api/breaker/status", 200)
	require.Equal(t, map[string]any{"threshold": 3.0, "cooldown_seconds": 60.0, "max_cooldown_seconds": 900.0, "window_seconds": 60.0}, status["config"])
	closed := map[string]any{"state": "closed", "blocked": false, "credit_tripped": false, "operator_forced_open": false}
	require.Equal(t, map[string]any{name: closed}, status["providers"])
	call(member, "POST", "/api/breaker/open/"+name, 403)
	require.Equal(t, map[string]any{"error": "unknown provider 'x'"}, call(owner, "POST", "/api/breaker/open/x", 404))
	require.Equal(t, map[string]any{"provider": name, "state": "open", "blocked": true, "operator_forced_open": true}, call(owner, "POST", "/api/breaker/open/"+name, 200))
	status = call(member, "GET", "/api/breaker/status", 200)
	require.Equal(t, map[string]any{"state": "open", "blocked": true, "credit_tripped": false, "operator_forced_open": true}, status["providers"].(map[string]any)[name])
	require.Equal(t, map[string]any{"provider": name, "state": "closed", "reset": true}, call(owner, "POST", "/api/breaker/reset/"+name, 200))

	available := call(member, "GET", "/api/models/available?validation_level=deep", 200)
	require.Equal(t, "deep", available["validation_level"])
	require.Contains(t, available["models"], name+"/"+w.Acme.Provider.Model, "the chosen model is always listed")
	require.Empty(t, call(member, "GET", "/api/models/available?provider=none", 200)["models"])
	capacity := call(member, "GET", "/api/stats/capacity", 200)["providers"].(map[string]any)[name].(map[string]any)
	require.InDelta(t, 1, capacity["headroom"], 0)
	require.Nil(t, capacity["tpm_limit"])

	sc := w.Store.In(w.Acme.ID)
	sc.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: w.Acme.Turn.ID, Requested: "auto", Routed: true, Complexity: 42, Provider: "openai", Model: "m",
		Chosen: "openai/m", Candidates: `[{"provider":"openai","model":"m","score":100,"usable":true,"note":"","blocked":false}]`})
	list := call(member, "GET", "/api/models/selections?limit=1", 200)
	require.InDelta(t, 1, list["count"], 0)
	event := list["events"].([]any)[0].(map[string]any)
	require.Equal(t, "openai/m", event["selected_model"])
	require.Equal(t, "routed", event["strategy"])
	require.Equal(t, "42", event["complexity"])
	require.Nil(t, event["override_model"])
	require.NotEmpty(t, event["user_excerpt"])
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, event["created_at"])
	require.Equal(t, "openai/m", event["candidates"].([]any)[0].(map[string]any)["model"])
	call(member, "GET", "/api/models/selections?limit=many", 400)
	guest := w.Do(apptest.Call{Method: "GET", Path: "/api/breaker/status"})
	require.Equal(t, 401, guest.Status)
	require.JSONEq(t, `{"error":"unauthorized","message":"Valid API key required"}`, guest.Body)
}
