package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// One object has the keys of both families that read this path; what was not asked for is absent.
func TestAgentStatus(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	union := []string{"agent", "state", "name", "agent_name", "agent_id", "primary_model", "active_model", "primary_provider_state", "cache_entries", "cache_hit_rate_pct", "diagnostics"}
	a := w.Do(api("GET", "/api/agent/status?include=nonsense", w.Acme.Member, nil))
	require.Equal(t, 200, a.Status, a.Body)
	assert.ElementsMatch(t, union, keys(t, a.Body))
	m := a.Map()
	agent, _ := json.Marshal(m["agent"])
	assert.ElementsMatch(t, []string{"id", "name", "status", "server_ip", "server_tier", "server_region", "ai_model", "plan_tier", "messenger_type", "messages_used", "messages_limit", "created_at", "updated_at"}, keys(t, string(agent)))
	of := m["agent"].(map[string]any)
	assert.Equal(t, []any{w.Acme.Instance.ID, "running", "127.0.0.1", "starter", "local", "acme-canary-model", "web", 1.0, nil},
		[]any{of["id"], of["status"], of["server_ip"], of["server_tier"], of["server_region"], of["ai_model"], of["messenger_type"], of["messages_used"], of["messages_limit"]})
	assert.Equal(t, []any{"running", "closed", 0.0}, []any{m["state"], m["primary_provider_state"], m["cache_entries"]})
	d := m["diagnostics"].(map[string]any)
	assert.Equal(t, []any{0.0, 1.0, 0.0, 0.0, false}, []any{d["breaker_open_count"], d["pending_approvals"], d["taskable_subagents_total"], d["channels_total"], d["delegation_tools_available"]})

	_, err := w.Acme.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfInstance, TargetID: w.Acme.Instance.ID, Unit: models.BudgetMessages, Period: models.BudgetMonthly, Amount: 7})
	require.NoError(t, err)
	require.NoError(t, w.Acme.Scope.OrderBreaker(t.Context(), "openai", true))
	w.Exec("UPDATE turns SET waits_for = 'budget' WHERE id = ?", w.Acme.Turn.ID)
	a = w.Do(api("GET", "/api/agent/status?include=messages,%20skills,logs,health", w.Acme.Member, nil))
	assert.ElementsMatch(t, append(union, "messages", "skills", "logs", "health"), keys(t, a.Body))
	m = a.Map()
	assert.Equal(t, []any{1.0, 7.0}, []any{m["agent"].(map[string]any)["messages_used"], m["agent"].(map[string]any)["messages_limit"]})
	assert.Equal(t, "healthy", m["health"].(map[string]any)["status"])
	assert.Equal(t, 2.0, m["diagnostics"].(map[string]any)["pending_approvals"], "one waits for a budget")
	said := m["messages"].([]any)
	require.GreaterOrEqual(t, len(said), 2)
	assert.Equal(t, []any{"user", "Acme Canary confidential"}, []any{said[0].(map[string]any)["role"], said[0].(map[string]any)["content"]})
	assert.True(t, slices.IsSortedFunc(said, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["created_at"].(string), b.(map[string]any)["created_at"].(string))
	}), "in the order of time")
	logs := m["logs"].([]any)
	require.NotEmpty(t, logs)
	first, _ := json.Marshal(logs[0])
	assert.ElementsMatch(t, []string{"timestamp", "level", "message"}, keys(t, string(first)))
	assert.Len(t, m["skills"], 4)

	require.NoError(t, w.Acme.Scope.OrderBreaker(t.Context(), "openai", true))
	w.App.Door.Forget(w.Acme.ID)
	m = w.Do(api("GET", "/api/agent/status", w.Acme.Member, nil)).Map()
	assert.Equal(t, "open", m["primary_provider_state"])
	assert.Equal(t, 1.0, m["diagnostics"].(map[string]any)["breaker_open_count"])

	_, err = w.Acme.Scope.Observe(t.Context(), w.Acme.Instance.ID, models.Observed{Saw: models.SawFailure, Generation: 1, Reason: "no room"})
	require.NoError(t, err)
	m = w.Do(api("GET", "/api/agent/status?include=health", w.Acme.Member, nil)).Map()
	assert.Equal(t, []any{"error", "error", "down"}, []any{m["state"], m["agent"].(map[string]any)["status"], m["health"].(map[string]any)["status"]})
}

// The three credentials, and a refusal that both families can read.
func TestAgentStatusCredentials(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for name, call := range map[string]apptest.Call{
		"cookie": {Method: "GET", Path: "/api/agent/status", Who: w.Acme.Member}, "bearer": {Method: "GET", Path: "/api/agent/status", Who: w.Acme.Member, ByKey: true},
		"x-api-key": {Method: "GET", Path: "/api/agent/status", Header: map[string]string{"X-Api-Key": w.Acme.Member.Key}},
	} {
		assert.Equal(t, 200, w.Do(call).Status, name)
	}
	for name, header := range map[string]map[string]string{"none": nil, "wrong": {"Authorization": "Bearer lob_nonsense"}, "revoked": {"X-Api-Key": w.Acme.Revoked}} {
		a := w.Do(apptest.Call{Method: "GET", Path: "/api/agent/status", Header: header})
		assert.Equal(t, 401, a.Status, name)
		assert.JSONEq(t, `{"error":"unauthorized","message":"Valid API key required"}`, a.Body, name)
	}
	w.Exec("UPDATE instances SET desired = 'deleted' WHERE organization_id = ?", w.Acme.ID)
	a := w.Do(api("GET", "/api/agent/status", w.Acme.Member, nil))
	assert.Equal(t, 404, a.Status)
	assert.JSONEq(t, `{"error":"No agent found"}`, a.Body)
}
