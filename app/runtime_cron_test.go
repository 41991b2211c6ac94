package app_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// The rows of the contract (runtime-api.md, section 6), one by one.
func TestCronJobs(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	do := func(method, path, body string, status int) map[string]any {
		t.Helper()
		a := w.Do(api(method, path, w.Acme.Member, body))
		require.Equal(t, status, a.Status, "%s %s %s: %s", method, path, body, a.Body)
		return a.Map()
	}
	make := func(body string) map[string]any {
		id, _ := do("POST", "/api/cron/jobs", body, 200)["job_id"].(string)
		return do("GET", "/api/cron/jobs/"+id, "", 200)
	}
	for body, says := range map[string]string{
		`{"name":"n","schedule_kind":"x","schedule_expr":"1m"}`:                                                       "invalid schedule_kind 'x': must be one of cron, every, once, interval",
		`{"name":"n","schedule_kind":"cron"}`:                                                                         "schedule_expr is required for cron schedule_kind",
		`{"name":"n","schedule_kind":"cron","schedule_expr":"0 9 *"}`:                                                 "invalid cron expression: expected 5 or 6 fields, got 3",
		`{"name":"n","schedule_kind":"every","schedule_expr":"soon"}`:                                                 "invalid interval 'soon': write 30s, 5m, 1h, 1h30m or a number of seconds",
		`{"name":"n","schedule_kind":"every","schedule_expr":"1.5s"}`:                                                 "invalid interval '1.5s': write 30s, 5m, 1h, 1h30m or a number of seconds",
		`{"name":"n","schedule_kind":"every","schedule_expr":"-5m"}`:                                                  "invalid interval '-5m': write 30s, 5m, 1h, 1h30m or a number of seconds",
		`{"name":"n","schedule_kind":"every","schedule_expr":"99999999h"}`:                                            "This schedule does not work: its span must be 1 to 100000 seconds, minutes, hours, days or weeks",
		`{"name":"n","schedule_kind":"every","schedule_expr":"5m","payload_json":"{"}`:                                "payload_json must be valid JSON",
		`{"name":"n","schedule_kind":"every","schedule_expr":"5m","payload_json":"{\"action\":\"expire_sessions\"}"}`: "unsupported action 'expire_sessions' in payload_json: this server runs agent_task, log and noop",
		`{"name":" ","schedule_kind":"every","schedule_expr":"5m"}`:                                                   "name must not be empty",
	} {
		require.Equal(t, says, do("POST", "/api/cron/jobs", body, 400)["error"])
	}
	do("POST", "/api/cron/jobs", `{"schedule_kind":"cron"}`, 422)
	do("POST", "/api/cron/jobs", `{"name":5,"schedule_kind":"cron"}`, 422)
	do("POST", "/api/cron/jobs", `{"name":"n","schedule_kind":"cron","schedule_expr":"* * * * *","agent_id":"`+w.Rival.Instance.ID+`"}`, 404)

	job := make(`{"name":"Task","schedule_kind":"interval","schedule":"90s","description":"run ` + "`echo cron`" + `"}`)
	require.Equal(t, []any{"every", "90s", 90000.0, true, w.Acme.Instance.ID, 0.0, nil}, []any{job["schedule_kind"], job["schedule_expr"], job["schedule_every_ms"], job["enabled"], job["agent_id"],
		job["consecutive_errors"], job["last_status"]})
	require.JSONEq(t, `{"action":"agent_task","task":"run `+"`echo cron`"+`"}`, job["payload_json"].(string))
	id := job["id"].(string)
	for expr, ms := range map[string]float64{"1h30m": 5_400_000, "0.5s": 60_000, "0.9": 60_000, "500ms": 60_000, "0": 60_000, "2d": 172_800_000, "1m15s": 75_000, "1.5h": 5_400_000} {
		made := make(`{"name":"Span","schedule_kind":"every","schedule_expr":"` + expr + `"}`)
		require.Equal(t, ms, made["schedule_every_ms"], expr)
		do("DELETE", "/api/cron/jobs/"+made["id"].(string), "", 200)
	}
	ran := do("POST", "/api/cron/jobs/"+id+"/run", "", 200)
	require.Equal(t, []any{id, "success", nil}, []any{ran["job_id"], ran["status"], ran["error"]})
	require.Contains(t, ran["output_text"], "cron")

	runs := do("GET", "/api/cron/runs?job_id="+id, "", 200)["runs"].([]any)
	require.Len(t, runs, 1)
	one := runs[0].(map[string]any)
	require.Equal(t, []any{id, "Task", "success", time.Now().UTC().Format(time.DateOnly)}, []any{one["job_id"], one["job_name"], one["status"], one["day"]})
	require.Empty(t, do("GET", "/api/cron/runs?to=2020-01-01", "", 200)["runs"])
	do("GET", "/api/cron/runs?from=nonsense", "", 400)
	require.Equal(t, "success", do("GET", "/api/cron/jobs/"+id, "", 200)["last_status"])

	once := make(`{"name":"Once","schedule_kind":"once"}`)
	require.Equal(t, []any{false, nil}, []any{once["enabled"], once["next_run_at"]}, "it never says when")
	quick := make(`{"name":"Quick","schedule_kind":"every","schedule_expr":"0"}`)
	require.Equal(t, "60s", quick["schedule_expr"])

	log := make(`{"name":"Log","schedule_kind":"cron","schedule_expr":"0 0 9 * * *","payload_json":"{\"action\":\"log\",\"message\":\"all is well\"}"}`)
	require.Equal(t, "success", do("POST", "/api/cron/jobs/"+log["id"].(string)+"/run", "", 200)["status"])
	lines, err := w.Acme.Scope.Logs(t.Context(), w.Acme.Instance.ID, 1)
	require.NoError(t, err)
	require.Equal(t, "Log: all is well", lines[0].Message)
	list, err := w.Acme.Scope.Runs(t.Context(), log["id"].(string), 1)
	require.NoError(t, err)
	require.Equal(t, []any{models.RunProduced, ""}, []any{list[0].State, list[0].TurnID}, "without a turn")

	require.Equal(t, true, do("PUT", "/api/cron/jobs/"+id, `{"name":"Renamed","schedule_kind":"cron","schedule_expr":"*/5 * * * *","enabled":false}`, 200)["updated"])
	changed := do("GET", "/api/cron/jobs/"+id, "", 200)
	require.Equal(t, []any{"Renamed", "cron", "*/5 * * * *", false}, []any{changed["name"], changed["schedule_kind"], changed["schedule_expr"], changed["enabled"]})
	names := []string{}
	for _, j := range do("GET", "/api/cron/jobs", "", 200)["jobs"].([]any) {
		names = append(names, j.(map[string]any)["name"].(string))
	}
	require.Equal(t, []string{"Acme Canary yearly reminder", "Log", "Once", "Quick", "Renamed"}, names)
	require.Equal(t, map[string]any{"deleted": true, "id": id}, do("DELETE", "/api/cron/jobs/"+id, "", 200))
	require.Equal(t, "cron job "+id+" not found", do("GET", "/api/cron/jobs/"+id, "", 404)["error"])
	do("GET", "/api/cron/jobs/"+w.Acme.Trigger, "", 404)
}
