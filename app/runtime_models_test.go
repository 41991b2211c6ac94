package app_test

import (
	"encoding/json"
	"strings"
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

// Keys of connected services: stored without a try, never given back, each change in the audit log.
func TestRuntimeProviderKeys(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ask := func(who *apptest.Person, method, name, body string, status int, answer string) {
		t.Helper()
		c := apptest.Call{Method: method, Path: "/api/providers/" + name + "/key", Header: map[string]string{"X-Api-Key": who.Key}}
		if body != "" {
			c.JSON = json.RawMessage(body)
		}
		a := w.Do(c)
		require.Equal(t, status, a.Status, a.Body)
		if answer != "" {
			require.JSONEq(t, answer, a.Body)
		}
	}
	const canary = "sk-runtime-canary-0123456789"
	name, sc := w.Acme.Provider.Kind, w.Store.In(w.Acme.ID)
	ask(w.Acme.Owner, "PUT", name, `{"api_key":"`+canary+`"}`, 200, `{"stored":true,"provider":"`+name+`","keystore_entry":"`+name+`_api_key"}`)
	row, err := sc.Provider(t.Context(), w.Acme.Provider.ID)
	require.NoError(t, err)
	require.Equal(t, "…6789", row.KeyHint)
	key, err := sc.ProviderKey(row)
	require.NoError(t, err)
	require.Equal(t, canary, key.Reveal())
	ask(w.Acme.Owner, "PUT", name, `{"api_key":" "}`, 400, `{"error":"api_key cannot be empty"}`)
	ask(w.Acme.Owner, "PUT", name, `{"api_key":"`+strings.Repeat("k", 1001)+`"}`, 400, "")
	ask(w.Acme.Owner, "PUT", "x", `{"api_key":"k"}`, 404, `{"error":"provider 'x' not found in config"}`)
	ask(w.Acme.Owner, "DELETE", "x", "", 404, `{"error":"provider 'x' not found in config"}`)
	ask(w.Acme.Member, "PUT", name, `{"api_key":"k"}`, 403, "")
	ask(w.Acme.Member, "DELETE", name, "", 403, "")
	ask(w.Acme.Owner, "DELETE", name, "", 200, `{"removed":true,"provider":"`+name+`","keystore_entry":"`+name+`_api_key"}`)
	ask(w.Acme.Owner, "DELETE", name, "", 200, `{"removed":false,"provider":"`+name+`","keystore_entry":"`+name+`_api_key"}`)
	row, err = sc.Provider(t.Context(), w.Acme.Provider.ID)
	require.NoError(t, err)
	require.Empty(t, row.KeySealed)
	ask(w.Acme.Owner, "PUT", name, `{"api_key":"`+canary+`"}`, 200, "") // it is still known by its name without a key

	log := w.Do(apptest.Call{Method: "GET", Path: "/api/audit", Who: w.Acme.Owner, Face: apptest.JSON}).Body
	require.NotContains(t, log, canary)
	entries, err := sc.AuditEntries(t.Context(), models.AuditFilter{})
	require.NoError(t, err)
	acts := []string{}
	for _, e := range entries[:3] {
		acts = append(acts, e.Act)
	}
	require.Equal(t, []string{"provider.key_changed", "provider.key_removed", "provider.key_changed"}, acts, "removing nothing is no act")
}
