package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/models"
)

func fieldsOf(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return keys(t, string(text))
}

// The rows of runtime-api.md, section 10, of a turn that really ran: a file was listed.
func TestRuntimeTurns(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	started, _, err := w.Turns.Start(t.Context(), w.Acme.Scope, w.Acme.Session.ID, models.Input{Text: "list the files", Source: "page"})
	require.NoError(t, err)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	turn, who := "/api/turns/"+started.ID, w.Acme.Member
	read := func(path string) map[string]any {
		a := w.Do(api("GET", path, who, nil))
		require.Equal(t, 200, a.Status, path+a.Body)
		return a.Map()
	}
	list := read("/api/sessions/" + w.Acme.Session.ID + "/turns")["turns"].([]any)
	require.Len(t, list, 2)
	assert.Equal(t, w.Acme.Turn.ID, list[0].(map[string]any)["id"], "oldest first")
	assert.ElementsMatch(t, []string{"id", "session_id", "thinking", "tokens_in", "tokens_out", "cost", "model", "created_at"}, fieldsOf(t, list[0]))
	one := read(turn)
	assert.Equal(t, started.ID, one["id"])
	assert.Nil(t, one["thinking"])
	assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, one["created_at"])

	seen := read(turn + "/context")
	assert.ElementsMatch(t, []string{"turn_id", "model", "token_budget", "system_prompt_tokens", "memory_tokens", "history_tokens", "tools_tokens", "history_depth", "complexity_level",
		"tokens_in", "tokens_out", "cost", "tool_call_count", "tool_failure_count"}, fieldsOf(t, seen))
	for _, positive := range []string{"token_budget", "system_prompt_tokens", "memory_tokens", "history_tokens", "tools_tokens", "history_depth"} {
		assert.Positive(t, seen[positive], positive)
	}
	assert.Regexp(t, `^L[0-3]$`, seen["complexity_level"])
	calls := read(turn + "/tools")["tool_calls"].([]any)
	require.NotEmpty(t, calls)
	assert.EqualValues(t, len(calls), seen["tool_call_count"])
	call := calls[0].(map[string]any)
	assert.ElementsMatch(t, []string{"id", "tool_name", "skill_id", "skill_name", "skill_hash", "status", "duration_ms", "created_at"}, fieldsOf(t, call))
	assert.Equal(t, "success", call["status"])
	tips := read(turn + "/tips")
	assert.EqualValues(t, len(tips["tips"].([]any)), tips["tip_count"])
	for _, tip := range tips["tips"].([]any) {
		assert.ElementsMatch(t, []string{"severity", "category", "rule_name", "message", "suggestion"}, fieldsOf(t, tip))
	}
	assert.Equal(t, started.ID, read(turn + "/model-selection")["turn_id"])
	insights := read("/api/sessions/" + w.Acme.Session.ID + "/insights")
	assert.EqualValues(t, 2, insights["turn_count"])
	assert.EqualValues(t, len(insights["insights"].([]any)), insights["insight_count"])
	assert.Equal(t, w.Acme.Session.ID, insights["session_id"])
}

func TestRuntimeFeedback(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	path, who := "/api/turns/"+w.Acme.Turn.ID+"/feedback", w.Acme.Member
	send := func(method, path, body string, status int) apptest.Answer {
		t.Helper()
		a := w.Do(api(method, path, who, body))
		require.Equal(t, status, a.Status, a.Body)
		return a
	}
	none := `{"error":"no feedback for turn ` + w.Acme.Turn.ID + `"}`
	assert.JSONEq(t, none, send("GET", path, "", 404).Body)
	assert.JSONEq(t, none, send("PUT", path, `{"grade":3}`, 404).Body)
	for _, body := range []string{`{}`, `{"grade":0}`, `{"grade":6}`, `{"grade":-1}`} {
		assert.JSONEq(t, `{"error":"grade must be between 1 and 5"}`, send("POST", path, body, 400).Body, body)
	}
	long, _ := json.Marshal(map[string]any{"grade": 3, "comment": string(make([]byte, 4097))})
	assert.Contains(t, send("POST", path, string(long), 400).Body, "comment")
	given := send("POST", path, `{"grade":2,"comment":"too long"}`, 200).Map()
	assert.ElementsMatch(t, []string{"id", "turn_id", "grade"}, fieldsOf(t, given))
	again := send("POST", path, `{"grade":5,"comment":"better"}`, 200).Map()
	assert.Equal(t, given["id"], again["id"], "one row for a turn")
	got := send("GET", path, "", 200).Map()
	assert.ElementsMatch(t, []string{"id", "turn_id", "session_id", "grade", "source", "comment", "created_at"}, fieldsOf(t, got))
	assert.Equal(t, []any{5.0, "better", "dashboard"}, []any{got["grade"], got["comment"], got["source"]})
	assert.JSONEq(t, `{"turn_id":"`+w.Acme.Turn.ID+`","grade":1,"updated":true}`, send("PUT", path, `{"grade":1}`, 200).Body)
	assert.Empty(t, send("GET", path, "", 200).Map()["comment"], "a missing comment clears it")
	assert.Len(t, send("GET", "/api/sessions/"+w.Acme.Session.ID+"/feedback", "", 200).Map()["feedback"], 1)
	assert.Equal(t, 400, w.Do(api("POST", path, who, `{`)).Status)
}

// What is unknown and what another organization has are told in the same words.
func TestForeignTurnsAreUnknown(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	before := w.Dump(w.Acme.ID)
	unknown, said := id.New(), map[string]string{
		"GET /api/turns/T":                 `{"error":"turn T not found"}`,
		"GET /api/turns/T/context":         `{"error":"turn T not found"}`,
		"GET /api/turns/T/tools":           `{"tool_calls":[]}`,
		"GET /api/turns/T/tips":            `{"error":"turn T not found"}`,
		"GET /api/turns/T/model-selection": `{"error":"no model selection trace for turn T"}`,
		"POST /api/turns/T/analyze":        `{"error":"turn T not found"}`,
		"GET /api/turns/T/feedback":        `{"error":"no feedback for turn T"}`,
		"POST /api/turns/T/feedback":       `{"error":"turn T not found"}`,
		"PUT /api/turns/T/feedback":        `{"error":"no feedback for turn T"}`,
		"GET /api/sessions/S/turns":        `{"turns":[]}`,
		"GET /api/sessions/S/insights":     `{"session_id":"S","insights":[],"insight_count":0,"turn_count":0}`,
		"GET /api/sessions/S/feedback":     `{"feedback":[]}`,
		"POST /api/sessions/S/analyze":     `{"session_id":"S","status":"complete","heuristic_insights":[],"analysis":"This session has no turns.","analysis_model":"","tokens_in":0,"tokens_out":0,"cost":0}`,
	}
	for route, body := range said {
		method, path, _ := strings.Cut(route, " ")
		for turn, session := range map[string]string{w.Acme.Turn.ID: w.Acme.Session.ID, unknown: unknown, "no-id-of-ours": "no-id-of-ours"} {
			put := strings.NewReplacer("turns/T", "turns/"+turn, "turn T", "turn "+turn, "sessions/S", "sessions/"+session, `"S"`, `"`+session+`"`).Replace
			a := w.Do(api(method, put(path), w.Rival.Owner, `{"grade":3}`))
			assert.JSONEq(t, put(body), a.Body, route)
			status := 404
			if body[2] != 'e' {
				status = 200
			}
			assert.Equal(t, status, a.Status, route)
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID))
}

func TestRuntimeAnalysis(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	who := w.Acme.Member
	ask := func(path string, status int) map[string]any {
		t.Helper()
		a := w.Do(api("POST", path, who, `{}`))
		require.Equal(t, status, a.Status, a.Body)
		return a.Map()
	}
	turn, session := "/api/turns/"+w.Acme.Turn.ID+"/analyze", "/api/sessions/"+w.Acme.Session.ID+"/analyze"
	common := []string{"status", "analysis", "analysis_model", "tokens_in", "tokens_out", "cost"}
	got := ask(turn, 200)
	assert.ElementsMatch(t, append([]string{"turn_id", "heuristic_tips"}, common...), fieldsOf(t, got))
	assert.Equal(t, "complete", got["status"])
	assert.NotEmpty(t, got["analysis"])
	assert.ElementsMatch(t, append([]string{"session_id", "heuristic_insights"}, common...), fieldsOf(t, ask(session, 200)))
	deep := ask("/api/recommendations/generate?period=7d", 200)
	assert.ElementsMatch(t, []string{"status", "heuristic_recommendations", "deep_analysis", "analysis_model", "tokens_in", "tokens_out", "cost", "profile"}, fieldsOf(t, deep))
	require.Equal(t, 3, w.Count("SELECT count(*) FROM ledger_entries WHERE organization_id = ? AND purpose = 'analysis' AND kind = 'settle' AND member_id = ?", w.Acme.ID, who.UserID), "each went through the ledger")
	require.Equal(t, 3, w.Count("SELECT count(*) FROM opinions WHERE organization_id = ? AND kind = 'analysis'", w.Acme.ID))

	list := w.Do(api("GET", "/api/recommendations?period=nonsense", who, nil)).Map()
	assert.ElementsMatch(t, []string{"period", "profile", "recommendations", "count"}, fieldsOf(t, list))
	assert.Equal(t, "30d", list["period"])
	profile := list["profile"].(map[string]any)
	assert.ElementsMatch(t, []string{"total_sessions", "total_turns", "total_cost", "avg_quality", "grade_coverage", "models_used", "model_stats", "avg_session_length",
		"avg_tokens_per_turn", "tool_success_rate", "cache_hit_rate", "memory_retrieval_rate"}, fieldsOf(t, profile))
	assert.EqualValues(t, 2, profile["total_turns"], "one was answered, one waits for a person")
	assert.Nil(t, profile["avg_quality"])
	require.Len(t, profile["model_stats"], 1)

	// At the end of a budget nothing is asked; without a service there is nobody to ask.
	_, err := w.Acme.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 1})
	require.NoError(t, err)
	assert.NotEmpty(t, ask(turn, 402)["error"])
	require.NoError(t, w.Acme.Scope.DisconnectProvider(t.Context(), w.Acme.Provider.ID))
	for _, path := range []string{turn, session, "/api/recommendations/generate"} {
		assert.Equal(t, map[string]any{"error": "No model service is connected"}, ask(path, 503), path)
	}
}
