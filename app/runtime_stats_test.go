package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/models"
)

// The rows of runtime-api.md, section 7.
func TestRuntimeStats(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	call := func(path string, status int) map[string]any {
		t.Helper()
		a := w.Do(apptest.Call{Method: "GET", Path: path, Header: map[string]string{"X-Api-Key": w.Acme.Member.Key}})
		require.Equal(t, status, a.Status, a.Body)
		out := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(a.Body), &out))
		return out
	}
	require.Equal(t, map[string]any{"costs": []any{}}, call("/api/stats/costs", 200))
	require.Equal(t, map[string]any{"transactions": []any{}}, call("/api/stats/transactions", 200))
	empty := call("/api/stats/timeseries?hours=3", 200)["series"].(map[string]any)
	require.Equal(t, []any{1.0, 1.0, 1.0}, empty["cron_success_rate"], "1 when nothing ran")
	require.Equal(t, []any{0.0, 0.0, 0.0}, empty["latency_p50_ms"])
	require.Empty(t, call("/api/stats/efficiency", 200)["models"])

	used(t, w.Acme)
	costs := call("/api/stats/costs?limit=2&offset=1", 200)["costs"].([]any)
	require.Len(t, costs, 2)
	first := costs[0].(map[string]any)
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, first["created_at"])
	delete(first, "created_at")
	delete(first, "id")
	require.Equal(t, map[string]any{"model": "gpt-5-nano", "provider": "openai", "tokens_in": 0.0, "tokens_out": 0.0, "cost": 0.0, "tier": "nano", "cached": false}, first)
	all := call("/api/stats/costs", 200)["costs"].([]any)
	require.Len(t, all, 5)
	require.Nil(t, all[0].(map[string]any)["tier"], "nobody knows its price")
	require.InDelta(t, 0.004, all[4].(map[string]any)["cost"], 1e-12)
	require.Len(t, call("/api/stats/costs?limit=0", 200)["costs"], 1, "the least")

	list := call("/api/stats/transactions?hours=1", 200)["transactions"].([]any)
	require.Len(t, list, 5)
	last := list[4].(map[string]any)
	require.Equal(t, []any{"inference", 0.004, "USD", "openai", nil}, []any{last["tx_type"], last["amount"], last["currency"], last["counterparty"], last["tx_hash"]})
	require.Contains(t, last["metadata_json"], `"model":"=gpt-6-sol"`)

	series := call("/api/stats/timeseries", 200)
	require.Len(t, series["labels"], 24)
	require.Regexp(t, `^\d\d:00$`, series["labels"].([]any)[0])
	require.Equal(t, time.Now().UTC().Format("15:00"), series["labels"].([]any)[23])
	figures := series["series"].(map[string]any)
	for _, name := range []string{"cost_per_hour", "tokens_per_hour", "sessions_per_hour", "latency_p50_ms", "cron_success_rate"} {
		require.Len(t, figures[name], 24, name)
	}
	sum := func(name string) (n float64) {
		for _, v := range figures[name].([]any) {
			n += v.(float64)
		}
		return n
	}
	require.InDelta(t, 0.0055, sum("cost_per_hour"), 1e-9)
	require.InDelta(t, 1755, sum("tokens_per_hour"), 0)
	require.InDelta(t, 2, sum("sessions_per_hour"), 0)
	require.Len(t, call("/api/stats/timeseries?hours=500", 200)["labels"], 168)
	require.Len(t, call("/api/stats/timeseries?hours=0", 200)["labels"], 1)
	for _, path := range []string{"/api/stats/timeseries?hours=x", "/api/stats/costs?limit=x", "/api/stats/costs?offset=x", "/api/stats/transactions?hours=x"} {
		call(path, 400)
	}
	guest := w.Do(apptest.Call{Method: "GET", Path: "/api/stats/costs"})
	require.Equal(t, 401, guest.Status)
}

func TestRuntimeEfficiency(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	used(t, w.Acme)
	require.NoError(t, w.Rival.Scope.Settle(t.Context(), models.Charge{CallID: id.New(), Provider: "openai", Model: "rival-model", CostNanos: 1}))
	get := func(query string) map[string]any {
		a := w.Do(apptest.Call{Method: "GET", Path: "/api/stats/efficiency" + query, Who: w.Acme.Member, ByKey: true})
		require.Equal(t, 200, a.Status, a.Body)
		return a.Map()
	}
	e := get("")
	require.Equal(t, "7d", e["period"])
	all := e["models"].(map[string]any)
	require.Len(t, all, 3)
	nano := all["gpt-5-nano"].(map[string]any)
	require.Equal(t, []any{"gpt-5-nano", 3.0, 0.2, 0.0, 0.0, nil}, []any{nano["model"], nano["total_turns"], nano["avg_output_density"], nano["cache_hit_rate"], nano["avg_memory_roi"], nano["quality"]})
	require.Positive(t, nano["avg_budget_utilization"])
	cost := nano["cost"].(map[string]any)
	require.InDelta(t, 0.0015, cost["total"], 1e-12)
	require.InDelta(t, 0.0005, cost["effective_per_turn"], 1e-12)
	require.InDelta(t, 0.0015/40, cost["per_output_token"], 1e-12)
	require.Equal(t, "rising", cost["cumulative_trend"])
	require.Len(t, cost["attribution"], 3)
	require.Len(t, nano["trend"], 3)
	require.Len(t, e["time_series"], 3)
	require.Equal(t, map[string]any{"total_cost": 0.0055, "total_cache_savings": 0.0, "total_turns": 5.0, "most_expensive_model": "=gpt-6-sol", "most_efficient_model": "=gpt-6-sol",
		"biggest_cost_driver": "=gpt-6-sol"}, e["totals"])
	require.Equal(t, []any{"7d", map[string]any{}, map[string]any{}}, []any{e["subagent_assignment"].(map[string]any)["period"], e["subagent_assignment"].(map[string]any)["by_subagent"],
		e["subagent_assignment"].(map[string]any)["assignments"]})
	for _, period := range []string{"1h", "24h", "30d", "all"} {
		one := get("?model=gpt-5-nano&period=" + period)
		require.Equal(t, period, one["period"])
		require.Len(t, one["models"], 1)
	}
	require.Equal(t, "7d", get("?period=nonsense")["period"])
}

// What prompts were made of and what people thought of the answers comes from the turns themselves.
func TestRuntimeEfficiencyOfTurns(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	model, saved := "priced-for-tests", int64(2_000_000)
	w.Exec("UPDATE turns SET model = ? WHERE organization_id = ?", model, w.Acme.ID)
	w.Exec("UPDATE turn_steps SET model = ?, system_tokens = 500, memory_tokens = 100, history_tokens = 300, tools_tokens = 100, room = 1200, output_tokens = 50 WHERE organization_id = ?", model, w.Acme.ID)
	require.Eventually(t, func() bool { // they are written beside the answer
		return w.Count("SELECT count(*) FROM decisions WHERE organization_id = ?", w.Acme.ID) == w.Count("SELECT count(*) FROM turn_steps WHERE organization_id = ?", w.Acme.ID)
	}, 10*time.Second, 10*time.Millisecond)
	w.Exec("UPDATE decisions SET complexity = 40 WHERE organization_id = ?", w.Acme.ID)
	for _, c := range []models.Charge{{Purpose: "chat", InputTokens: 1000, OutputTokens: 50, CostNanos: 3_000_000}, {Purpose: models.CachedCall, BaselineNanos: &saved}} {
		c.CallID, c.Model = id.New(), model
		require.NoError(t, w.Acme.Scope.Settle(t.Context(), c))
	}
	_, err := w.Acme.Scope.GradeTurn(t.Context(), w.Acme.Turn.ID, 4, "", false)
	require.NoError(t, err)
	e := w.Do(apptest.Call{Method: "GET", Path: "/api/stats/efficiency?model=" + model, Who: w.Acme.Member, ByKey: true}).Map()
	m := e["models"].(map[string]any)[model].(map[string]any)
	require.Equal(t, []any{2.0, .5, .5, 1., .5}, []any{m["total_turns"], m["cache_hit_rate"], m["avg_system_prompt_weight"], m["context_pressure_rate"], m["avg_memory_roi"]})
	require.InDelta(t, 1000./1200, m["avg_budget_utilization"], 1e-9)
	cost := m["cost"].(map[string]any)
	require.Equal(t, 0.002, cost["cache_savings"])
	parts := cost["attribution"].(map[string]any)
	steps := float64(w.Count("SELECT count(*) FROM turn_steps WHERE organization_id = ? AND room > 0", w.Acme.ID))
	for name, pct := range map[string]float64{"system_prompt": 50, "memories": 10, "history": 30} {
		p := parts[name].(map[string]any)
		require.Equal(t, []any{steps * pct * 10, pct}, []any{p["tokens"], p["pct"]}, name)
	}
	q := m["quality"].(map[string]any)
	require.Equal(t, []any{4.0, 1.0, .5, map[string]any{"L2": 4.0}, map[string]any{"with_memory": 4.0, "without_memory": nil}, "stable"},
		[]any{q["avg_grade"], q["grade_count"], q["grade_coverage"], q["by_complexity"], q["memory_impact"], q["trend"]})
	require.InDelta(t, 0.0015/4, q["cost_per_quality_point"], 1e-9)
	require.Equal(t, 0.002, e["totals"].(map[string]any)["total_cache_savings"])
	require.Equal(t, 1.0, e["time_series"].([]any)[0].(map[string]any)["cached_count"])
}
