package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// The rows of the contract (fleet-api.md, section 5), one by one.
func TestFleetSchedules(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	base := "/v1/agent/" + w.Acme.Instance.ID + "/schedules"
	do := func(method, path, body string, status int) map[string]any {
		t.Helper()
		a := w.Do(api(method, path, w.Acme.Member, body))
		require.Equal(t, status, a.Status, "%s %s %s: %s", method, path, body, a.Body)
		return a.Map()
	}
	made := do("POST", base, `{"name":"Report","cron_expression":"30 9 * * 1-5","message_template":"report of {{date}}","timezone":"America/Los_Angeles"}`, 201)
	id := made["id"].(string)
	wrapped := made["schedule"].(map[string]any)
	require.Equal(t, []any{id, id, w.Acme.Instance.ID, "Report", "30 9 * * 1-5", "report of {{date}}", "America/Los_Angeles", true, nil},
		[]any{made["uuid"], wrapped["uuid"], made["agent_uuid"], made["name"], made["cron_expression"], made["message_template"], made["timezone"], made["enabled"], made["last_run_at"]})
	next := made["next_run_at"].(string)
	require.Contains(t, next, "T09:30:00-0", "in its own zone")
	require.Equal(t, next, wrapped["next_execution"])

	for body, says := range map[string]string{
		`{"cron_expression":"0 9 * * *","message_template":"x"}`:                                           "name is a required field",
		`{"name":"n","message_template":"x"}`:                                                              "cron_expression is a required field",
		`{"name":"n","cron_expression":"0 9 * * *"}`:                                                       "message_template is a required field",
		`{"name":"n","cron_expression":"every day","message_template":"x"}`:                                "Invalid cron_expression",
		`{"name":"n","cron_expression":"0 9 * * * 2030","message_template":"x"}`:                           "Invalid cron_expression",
		`{"name":"n","cron_expression":"0 0 30 2 *","message_template":"x"}`:                               "never due",
		`{"name":"n","cron_expression":"0 9 * * *","message_template":"x","timezone":"Mars"}`:              "time zone",
		`{"name":"` + strings.Repeat("n", 256) + `","cron_expression":"0 9 * * *","message_template":"x"}`: "name",
	} {
		require.Contains(t, do("POST", base, body, 400)["error"], says, body)
	}
	six := do("POST", base, `{"name":"Often","cron_expression":"*/30 * * * * *","message_template":"x","enabled":false}`, 201)
	require.Equal(t, []any{false, nil}, []any{six["enabled"], six["next_run_at"]})

	list := do("GET", base+"?limit=2", "", 200)
	require.Equal(t, map[string]any{"page": 1.0, "limit": 2.0, "total": 3.0, "total_pages": 2.0}, list["pagination"])
	require.Len(t, list["schedules"], 2)
	require.Len(t, do("GET", base+"?limit=2&page=2", "", 200)["schedules"], 1)
	do("GET", base+"?limit=101", "", 400)
	require.Equal(t, "Report", do("GET", base+"/"+id, "", 200)["name"])

	changed := do("PATCH", base+"/"+id, `{"name":"Other","timezone":"Europe/Berlin"}`, 200)
	require.Equal(t, []any{"Other", "Europe/Berlin", "30 9 * * 1-5"}, []any{changed["name"], changed["timezone"], changed["cron_expression"]})
	require.NotEqual(t, next, changed["next_run_at"])
	require.Equal(t, "0 8 * * *", do("PATCH", base+"/"+id, `{"cron_expression":"0 8 * * *"}`, 200)["cron_expression"])
	do("PATCH", base+"/"+id, `{"cron_expression":"nonsense"}`, 400)
	require.Equal(t, false, do("POST", base+"/"+id+"/toggle", "", 200)["enabled"])
	require.Equal(t, true, do("POST", base+"/"+id+"/toggle", "", 200)["enabled"])
	require.Equal(t, true, do("POST", base+"/"+id+"/toggle", `{"enabled":true}`, 200)["enabled"])

	run, err := w.Automations.RunNow(t.Context(), w.Acme.Scope, id)
	require.NoError(t, err)
	runs := do("GET", base+"/"+id+"/executions", "", 200)
	first := runs["executions"].([]any)[0].(map[string]any)
	said, err := w.Acme.Scope.MessageOf(t.Context(), run.TurnID)
	require.NoError(t, err)
	require.NotEmpty(t, said)
	require.Equal(t, []any{run.ID, run.ID, id, w.Acme.Instance.ID, "success", said, nil, "running"},
		[]any{first["id"], first["uuid"], first["schedule_uuid"], first["agent_uuid"], first["status"], first["message_uuid"], first["error"], first["outcome"]})
	require.Equal(t, 1.0, runs["pagination"].(map[string]any)["total"])

	require.Equal(t, "Schedule deleted successfully", do("DELETE", base+"/"+id, "", 200)["message"])
	for _, path := range []string{base + "/" + id, base + "/" + w.Acme.Trigger, base + "/nonsense"} {
		require.Equal(t, "Schedule not found", do("GET", path, "", 404)["error"], path)
	}
	require.Equal(t, "Agent not found", do("GET", "/v1/agent/"+w.Rival.Instance.ID+"/schedules", "", 404)["error"])
}

func TestFleetTriggers(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	base := "/v1/agent/" + w.Acme.Instance.ID + "/triggers"
	do := func(method, path, body string, status int) map[string]any {
		t.Helper()
		a := w.Do(api(method, path, w.Acme.Member, body))
		require.Equal(t, status, a.Status, "%s %s %s: %s", method, path, body, a.Body)
		return a.Map()
	}
	made := do("POST", base, `{"name":"On push","message_template":"look at {{payload.repository.name}}"}`, 201)
	id, secret := made["id"].(string), made["webhook_secret"].(string)
	require.True(t, strings.HasPrefix(secret, models.TriggerSecretPrefix))
	require.Equal(t, w.App.PublicURL+"/v1/webhooks/triggers/"+id, made["webhook_url"])
	require.Equal(t, id, made["trigger"].(map[string]any)["uuid"])
	do("POST", base, `{"name":"x"}`, 400)
	list := do("GET", base, "", 200)
	require.Len(t, list["triggers"], 2)
	require.NotContains(t, fmt.Sprint(list), "webhook_secret")
	h := hook{w, id, "/v1/webhooks/triggers/" + id, secret}
	a := h.call(`{"repository":{"name":"lobster"}}`, "X-Webhook-Secret", secret)
	require.Equal(t, 200, a.Status, a.Body)
	m := messageNamed(t, w, w.Acme.Instance.ID, a.Map()["message_id"].(string))
	require.Contains(t, m["content"], "look at «lobster»")
	require.Equal(t, "Trigger not found", w.Do(apptest.Call{Method: "POST", Path: "/v1/webhooks/triggers/" + w.Acme.Automation, JSON: `{}`, Header: map[string]string{"X-Webhook-Secret": secret}}).Map()["error"])
	changed := do("PATCH", base+"/"+id, `{"name":"Other","enabled":false}`, 200)
	require.Equal(t, []any{"Other", false, nil}, []any{changed["name"], changed["enabled"], changed["webhook_secret"]})
	require.Equal(t, 403, h.call(`{}`, "X-Webhook-Secret", secret).Status)
	require.Equal(t, "Trigger deleted successfully", do("DELETE", base+"/"+id, "", 200)["message"])
	require.Equal(t, 404, h.call(`{}`, "X-Webhook-Secret", secret).Status)
	require.Equal(t, "Trigger not found", do("PATCH", base+"/"+id, `{}`, 404)["error"])
	require.Equal(t, "Trigger not found", do("DELETE", base+"/"+w.Acme.Automation, "", 404)["error"], "a schedule is none")
}
