package app_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/slack"
	"lobstead/models"
)

// fleetCall asks as a program of Acme's owner.
func fleetCall(w *apptest.World, method, path string, body any) apptest.Answer {
	return w.Do(apptest.Call{Method: method, Path: "/v1/agent" + path, Who: w.Acme.Owner, ByKey: true, JSON: body})
}

// fleetDone is fleetCall that must succeed.
func fleetDone(t *testing.T, w *apptest.World, status int, method, path string, body any) map[string]any {
	t.Helper()
	a := fleetCall(w, method, path, body)
	require.Equal(t, status, a.Status, "%s %s: %s", method, path, a.Body)
	return a.Map()
}

// fleetRefused must fail with the family's body.
func fleetRefused(t *testing.T, w *apptest.World, status int, words, method, path string, body any) {
	t.Helper()
	a := fleetCall(w, method, path, body)
	require.Equal(t, status, a.Status, "%s %s: %s", method, path, a.Body)
	require.Equal(t, map[string]any{"error": words}, a.Map(), "%s %s", method, path)
}

// newAgent deploys one and waits until it runs.
func newAgent(t *testing.T, w *apptest.World, body string) (id string, created map[string]any) {
	t.Helper()
	created = fleetDone(t, w, 201, "POST", "/create", body)
	id = created["id"].(string)
	require.Eventually(t, func() bool { return fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)["pod_status"] == "running" }, 10*time.Second, 20*time.Millisecond)
	return id, created
}

// The rows of fleet-api.md, section 2, on a created agent.
func TestFleetAgent(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, created := newAgent(t, w, `{"name":"Research Bot!","description":"reads","system_prompt":"Be brief.","anthropic_api_key":"sk-ant-canary-1","output_token_balance":500,
		"configuration":{"model":"","custom_env":{"TOKEN":"env-canary"},"hook_messages":{"channel_message_received":"1","unread_message_reminder":"2"},"compaction":{"threshold_trigger":60000},
		"mcp_servers":{"tickets":{"url":"https://tickets.example/mcp","access_mode":"read","headers":{"Authorization":"mcp-canary"},"env":{"KEY":"mcp-canary"}}}},
		"initial_files":[{"path":"notes/a.txt","content":"hello"},{"path":"/workspace/b.bin","content":"`+base64.StdEncoding.EncodeToString([]byte{0, 1})+`","encoding":"base64"}]}`)
	require.Equal(t, id, created["uuid"])
	require.Equal(t, "Research Bot!", created["name"])
	require.Equal(t, "active", created["status"])
	require.Contains(t, created["endpoint_url"], "/v1/agent/"+id)
	require.Equal(t, id, created["container_id"])
	require.Nil(t, created["platform_api_key"])

	shown := fleetCall(w, "GET", "/"+id, nil)
	for _, canary := range []string{"sk-ant-canary-1", "env-canary", "mcp-canary"} {
		require.NotContains(t, shown.Body, canary, "secrets are not shown again")
	}
	one := shown.Map()
	require.Equal(t, "append", one["system_prompt_type"])
	require.Equal(t, "ephemeral", one["session_mode"])
	config := one["configuration"].(map[string]any)
	require.EqualValues(t, 3600, config["timeout_seconds"])
	require.Equal(t, map[string]any{"enabled": true, "threshold_trigger": 60000.0}, config["compaction"])
	require.Equal(t, map[string]any{"TOKEN": "********"}, config["custom_env"])
	require.Equal(t, "hello", string(w.Boxes.File(id, "notes/a.txt")))
	require.Equal(t, []byte{0, 1}, w.Boxes.File(id, "b.bin"))
	require.Equal(t, map[string]string{"TOKEN": "env-canary"}, w.Boxes.Spec(id).Env)

	require.Equal(t, []any{map[string]any{"id": "tickets", "name": "tickets", "access_mode": "read", "status": "disconnected"}}, one["mcp_servers"])
	require.Zero(t, w.Count("SELECT count(*) FROM agent_profiles WHERE settings LIKE '%mcp-canary%'"))
	for _, listed := range fleetDone(t, w, 200, "GET", "/list", nil)["agents"].([]any) {
		if a := listed.(map[string]any); a["id"] == id {
			require.EqualValues(t, 1, a["mcp_server_count"])
		}
	}
	summary := fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)
	require.EqualValues(t, 500, summary["output_token_balance"])
	require.EqualValues(t, 0, summary["total_output_tokens_used"])
	ready := fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)
	require.Equal(t, true, ready["ready"])
	require.NotEmpty(t, ready["last_heartbeat"])
	require.NotContains(t, ready, "reason")

	updated := fleetDone(t, w, 200, "POST", "/update/"+id, `{"name":"Second name","system_prompt":null,"system_prompt_type":"replace","session_mode":"persistent",
		"configuration":{"hook_messages":{"unread_message_reminder":"3"},"compaction":{"enabled":false},"custom_env":{"TOKEN":"********","MORE":"x"}},"output_token_balance":700}`)
	require.Equal(t, "Agent updated successfully", updated["message"])
	require.Equal(t, "Second name", updated["name"])
	require.Nil(t, updated["system_prompt"])
	require.Equal(t, "replace", updated["system_prompt_type"])
	config = updated["configuration"].(map[string]any)
	require.Equal(t, map[string]any{"channel_message_received": "1", "unread_message_reminder": "3"}, config["hook_messages"], "hooks are merged one by one")
	require.Equal(t, map[string]any{"enabled": false, "threshold_trigger": 60000.0}, config["compaction"])
	i, err := w.Acme.Scope.Instance(t.Context(), id)
	require.NoError(t, err)
	env, err := w.Acme.Scope.Env(i)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"TOKEN": "env-canary", "MORE": "x"}, env, "a hidden value sent back changes nothing")

	fleetDone(t, w, 200, "POST", "/update/"+id, `{"configuration":{"webhooks":{"message_completed":"https://example.org/hook"}},"files":{"create":[{"path":"new.txt","content":"x"}],"delete":["notes/a.txt"]}}`)
	require.Nil(t, w.Boxes.File(id, "notes/a.txt"))
	require.Eventually(t, func() bool { return string(w.Boxes.File(id, "new.txt")) == "x" }, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, 1, w.Count("SELECT count(*) FROM webhook_endpoints WHERE instance_id = ? AND managed", id))
	require.Equal(t, 400, fleetCall(w, "POST", "/update/"+id, `{"configuration":{"webhooks":{"no such":"https://example.org/hook"}}}`).Status)

	changed := fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":-200,"type":"increment"}`)
	require.Equal(t, map[string]any{"message": "Agent balance updated successfully", "new_balance": 500.0, "previous_balance": 700.0}, changed)
	require.EqualValues(t, 9, fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":9,"type":"set"}`)["new_balance"])

	gone := fleetDone(t, w, 200, "POST", "/delete/"+id, nil)
	require.Equal(t, "Agent deleted successfully", gone["message"])
	require.NotEmpty(t, gone["deleted_at"])
	fleetRefused(t, w, 404, "Agent not found", "GET", "/"+id, nil)
}

// What is wrong is 400 with one sentence, and leaves nothing behind.
func TestFleetAgentIsChecked(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	for name, body := range map[string]string{
		"no name": `{}`, "an empty one": `{"name":""}`, "a long one": `{"name":"` + strings.Repeat("x", 101) + `"}`, "a number": `{"name":5}`,
		"description": `{"name":"x","description":"` + strings.Repeat("x", 501) + `"}`, "mode": `{"name":"x","system_prompt_type":"both"}`, "size": `{"name":"x","pvc_size":"1 gigabyte"}`,
		"too large": `{"name":"x","pvc_size":"900Ti"}`, "balance": `{"name":"x","output_token_balance":-1}`, "warmth": `{"name":"x","warmth_window_ms":1000}`,
		"file outside": `{"name":"x","initial_files":[{"path":"../../etc/passwd","content":"x"}]}`, "absolute": `{"name":"x","initial_files":[{"path":"/etc/passwd","content":"x"}]}`,
		"twice": `{"name":"x","initial_files":[{"path":"a","content":"x"},{"path":"./a","content":"y"}]}`, "no base64": `{"name":"x","initial_files":[{"path":"a","content":"?","encoding":"base64"}]}`,
		"hook": `{"name":"x","configuration":{"hook_messages":{"no_such_hook":"x"}}}`,
		"env":  `{"name":"x","configuration":{"custom_env":{"A B":"x"}}}`, "loader": `{"name":"x","configuration":{"custom_env":{"LD_PRELOAD":"x"}}}`, "trigger": `{"name":"x","configuration":{"compaction":{"threshold_trigger":5}}}`,
		"configuration": `{"name":"x","configuration":[]}`, "session": `{"name":"x","session_mode":"forever"}`, "no json": `{`,
	} {
		a := fleetCall(w, "POST", "/create", body)
		require.Equal(t, 400, a.Status, "%s: %s", name, a.Body)
		require.Len(t, a.Map(), 1, name)
		require.NotEmpty(t, a.Map()["error"], name)
	}
	require.Equal(t, before, w.Dump(w.Acme.ID))
	for path, words := range map[string]string{"/list?limit=101": "limit", "/list?page=0": "page", "/list?status=gone": "status", "/list?sort=size": "sort"} {
		a := fleetCall(w, "GET", path, nil)
		require.Equal(t, 400, a.Status, path)
		require.Contains(t, a.Map()["error"], words)
	}
	id := w.Acme.Instance.ID
	fleetRefused(t, w, 400, "status: Invalid enum value. Expected 'active' | 'paused' | 'stopped', received 'error'", "POST", "/"+id+"/status", `{"status":"error"}`)
	require.Equal(t, 400, fleetCall(w, "POST", "/"+id+"/balance", `{"amount":1.5,"type":"set"}`).Status)
	require.Equal(t, 400, fleetCall(w, "POST", "/"+id+"/balance", `{"amount":1,"type":"double"}`).Status)
}

// A change that is refused changes nothing, whatever of it could have been done; an agent that is refused was never there.
func TestFleetAgentWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{Services: map[models.ChannelKind]service.Service{models.SlackChannel: &slack.Service{}}})
	id, _ := newAgent(t, w, `{"name":"whole","initial_files":[{"path":"keep.txt","content":"x"}]}`)
	before := w.Dump(w.Acme.ID)
	for name, body := range map[string]string{
		"no proof": `{"name":"half","slack_bot_token":{"bot_token":"x"}}`, "inside": `{"name":"half","configuration":{"webhooks":{"message_completed":"http://169.254.169.254/"}}}`,
		"no address": `{"name":"half","configuration":{"webhooks":{"message_completed":"javascript:alert(1)"}}}`, "key": `{"name":"half","anthropic_api_key":"` + strings.Repeat("k", 3000) + `"}`,
		"model": `{"name":"half","configuration":{"model":"` + strings.Repeat("m", 300) + `"}}`, "prompt": `{"name":"half","output_token_balance":5,"system_prompt":"` + strings.Repeat("p", models.MaxInstructions+1) + `"}`,
		"size": `{"name":"half","pvc_size":"900Ti"}`,
	} {
		require.Equal(t, 400, fleetCall(w, "POST", "/update/"+id, body).Status, name)
		require.Equal(t, 400, fleetCall(w, "POST", "/create", body).Status, name)
	}
	require.Equal(t, 404, fleetCall(w, "POST", "/update/"+id, `{"name":"half","files":{"delete":["keep.txt","none.txt"]}}`).Status)
	require.Equal(t, before, w.Dump(w.Acme.ID), "half of it was written")
	require.Equal(t, "x", string(w.Boxes.File(id, "keep.txt")))

	set := func(body string) map[string]any {
		t.Helper()
		return fleetDone(t, w, 200, "POST", "/update/"+id, body)["configuration"].(map[string]any)
	}
	told := func() int {
		return w.Count("SELECT count(*) FROM webhook_endpoints WHERE instance_id = ? AND managed", id)
	}
	set(`{"configuration":{"webhooks":{"message_completed":"https://example.org/a","failed":"https://example.org/b"},"hook_messages":{"channel_message_received":"1"},"mcp_servers":{"x":{"url":"https://x.example"}}}}`)
	require.Equal(t, 2, told())
	config := set(`{"configuration":{"webhooks":{"message_completed":null},"hook_messages":{"channel_message_received":null,"unread_message_reminder":""},"mcp_servers":null}}`)
	require.Equal(t, map[string]any{"failed": "https://example.org/b"}, config["webhooks"], "null takes one away, and what is not named stays")
	require.Empty(t, config["hook_messages"])
	require.Equal(t, map[string]any{}, config["mcp_servers"])
	require.Equal(t, 1, told())
	config = set(`{"configuration":{"webhooks":{"message_failed":"https://example.org/c"}}}`)
	require.Equal(t, map[string]any{"message_failed": "https://example.org/c"}, config["webhooks"], "an event has one address, by whatever word")
	require.Equal(t, 1, told())
	require.NotContains(t, set(`{"configuration":{"webhooks":null}}`), "webhooks")
	require.Zero(t, told())

	require.EqualValues(t, 999784, fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":999784,"type":"set"}`)["new_balance"])
	most := fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":1e15,"type":"increment"}`)["new_balance"]
	require.Equal(t, most, fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":0,"type":"increment"}`)["previous_balance"], "what is told is what is kept")

	fleetDone(t, w, 200, "POST", "/delete/"+id, nil)
	require.Eventually(t, func() bool { return w.Count("SELECT count(*) FROM instances WHERE id = ?", id) == 0 }, 20*time.Second, 20*time.Millisecond)
	require.Zero(t, w.Count("SELECT count(*) FROM budgets WHERE target_id = ?", id))
}

// What is refused names the field that was sent.
func TestFleetNamesFields(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	id, many := w.Acme.Instance.ID, []string{}
	for n := range 21 {
		many = append(many, `"V`+strconv.Itoa(n)+`":"x"`)
	}
	long := strings.Repeat("x", models.MaxPrompt+1)
	for _, c := range [][3]string{
		{"/update/" + id, `{"configuration":{"timeout_seconds":-1}}`, "configuration.timeout_seconds: Number must be greater than or equal to 1"},
		{"/update/" + id, `{"configuration":{"custom_env":{` + strings.Join(many, ",") + `}}}`, "configuration.custom_env: At most 20 variables can be set"},
		{"/update/" + id, `{"configuration":{"custom_env":{"A":5}}}`, "configuration.custom_env.A: Expected string, received number"},
		{"/update/" + id, `{"configuration":{"compaction":{"threshold_trigger":1}}}`, "configuration.compaction.threshold_trigger: Number must be greater than or equal to 50000"},
		{"/update/" + id, `{"configuration":{"webhooks":{"failed":"ftp://x"}}}`, "configuration.webhooks: Write the whole address: https://example.com/hook"},
		{"/update/" + id, `{"files":{"delete":["a",5]}}`, "files.delete[1]: Expected string, received number"},
		{"/" + id + "/schedules", `{"name":"n","cron_expression":"0 9 * * *","message_template":" "}`, "message_template: Required"},
		{"/" + id + "/triggers", `{"name":"n","message_template":"` + long + `"}`, "message_template: String must contain at most " + strconv.Itoa(models.MaxPrompt) + " character(s)"},
		{"/" + id + "/messages", `{"content":"x","metadata":{"automation_id":"` + w.Acme.Automation + `"}}`, "metadata.automation_id is said by the server alone"},
	} {
		fleetRefused(t, w, 400, c[2], "POST", c[0], c[1])
	}
	a := fleetCall(w, "POST", "/"+id+"/messages", `{"content":"`+strings.Repeat("x", models.MaxMessage+1)+`"}`)
	require.Equal(t, 400, a.Status)
	require.Contains(t, a.Map()["error"], "content: ")
}

// Of many who pause, resume or stop an agent at once one does, and the others are told what it is.
func TestFleetPowerAtOnce(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"at-once"}`)
	for _, c := range [][2]string{{"pause", "Agent is already paused"}, {"resume", "Agent is not paused"}, {"stop", "Agent is already stopped"}} {
		answers := make(chan apptest.Answer, 8)
		for range cap(answers) {
			go func() { answers <- fleetCall(w, "POST", "/"+id+"/"+c[0], nil) }()
		}
		done := 0
		for range cap(answers) {
			if a := <-answers; a.Status == 200 {
				done++
			} else {
				assert.Equal(t, map[string]any{"error": c[1]}, a.Map(), "%s", c[0])
			}
		}
		assert.Equal(t, 1, done, c[0])
	}
}

// Credentials and switches, in the family's words.
func TestFleetWords(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	path := "/v1/agent/list"
	a := w.Do(apptest.Call{Method: "GET", Path: path})
	require.Equal(t, 401, a.Status)
	require.Equal(t, map[string]any{"error": "Missing authorization header"}, a.Map())
	a = w.Do(apptest.Call{Method: "GET", Path: path, Header: map[string]string{"Authorization": "Bearer lob_wrong"}})
	require.Equal(t, 401, a.Status)
	require.Equal(t, map[string]any{"error": "Invalid or expired token"}, a.Map())
	for _, header := range []string{"X-Shinzo-Api-Key", "X-Api-Key"} {
		require.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: path, Header: map[string]string{header: w.Acme.Member.Key}}).Status, header)
	}
	require.Equal(t, 401, w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Header: map[string]string{"X-Shinzo-Api-Key": w.Acme.Member.Key}}).Status, "the header is this family's")
	member := w.Do(apptest.Call{Method: "POST", Path: "/v1/agent/create", Who: w.Acme.Member, ByKey: true, JSON: `{"name":"x"}`})
	require.Equal(t, 403, member.Status)

	off := false
	require.NoError(t, w.Acme.Scope.SetFlag(t.Context(), models.FlagAgents, &off))
	fleetRefused(t, w, 403, "AI Agents feature is not enabled", "GET", "/list", nil)
	fleetRefused(t, w, 403, "AI Agents feature is not enabled", "POST", "/create", `{"name":"x"}`)
}

// A page of a list, narrowed and sorted.
func TestFleetList(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, name := range []string{"Beta", "alpha", "Gamma"} {
		fleetDone(t, w, 201, "POST", "/create", `{"name":"`+name+`"}`)
	}
	names := func(query string) (out []string, pages map[string]any) {
		list := fleetDone(t, w, 200, "GET", "/list"+query, nil)
		for _, a := range list["agents"].([]any) {
			out = append(out, a.(map[string]any)["name"].(string))
		}
		return out, list["pagination"].(map[string]any)
	}
	got, pages := names("?sort=name&order=asc&limit=2")
	require.Equal(t, []string{"acme-canary-box", "alpha"}, got)
	require.Equal(t, map[string]any{"page": 1.0, "limit": 2.0, "total": 4.0, "total_pages": 2.0}, pages)
	got, _ = names("?sort=name&order=asc&limit=2&page=2")
	require.Equal(t, []string{"Beta", "Gamma"}, got)
	got, _ = names("")
	require.Equal(t, "Gamma", got[0], "the newest comes first")
	got, _ = names("?status=stopped")
	require.Empty(t, got)
	got, _ = names("?page=7")
	require.Empty(t, got)
}

// The states and what leads from one to another: pause, resume, stop and the direct way.
func TestFleetStates(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"stands"}`)
	at := func(want string) {
		t.Helper()
		require.Equal(t, want, fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)["status"])
	}
	fleetRefused(t, w, 400, "Agent is not paused", "POST", "/"+id+"/resume", nil)
	require.Equal(t, "Agent paused successfully", fleetDone(t, w, 200, "POST", "/"+id+"/pause", nil)["message"])
	at("paused")
	fleetRefused(t, w, 400, "Agent is already paused", "POST", "/"+id+"/pause", nil)
	ready := fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)
	require.Equal(t, false, ready["ready"])
	require.Equal(t, "running", ready["pod_status"], "files can be reached")
	require.NotEmpty(t, ready["reason"])
	require.Equal(t, "Agent resumed successfully", fleetDone(t, w, 200, "POST", "/"+id+"/resume", nil)["message"])
	at("active")
	require.Equal(t, "Agent stopped successfully", fleetDone(t, w, 200, "POST", "/"+id+"/stop", nil)["message"])
	at("stopped")
	fleetRefused(t, w, 400, "Agent is already stopped", "POST", "/"+id+"/stop", nil)
	fleetRefused(t, w, 400, "Agent is not paused", "POST", "/"+id+"/resume", nil)
	fleetRefused(t, w, 400, "Agent is stopped", "POST", "/"+id+"/pause", nil)
	fleetRefused(t, w, 503, "Agent is stopped", "POST", "/"+id+"/messages", `{"content":"hello"}`)
	set := fleetDone(t, w, 200, "POST", "/"+id+"/status", `{"status":"paused"}`)
	require.Equal(t, "Agent status updated successfully", set["message"])
	require.Equal(t, "paused", set["status"], "a stopped agent can be started without its loop")
	require.Eventually(t, func() bool { return fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)["pod_status"] == "running" }, 10*time.Second, 20*time.Millisecond)
	at("paused")
	fleetDone(t, w, 200, "POST", "/"+id+"/status", `{"status":"active"}`)
	at("active")
}

// An agent that sleeps is active without a pod; it takes messages, and what needs its sandbox wakes it.
func TestFleetAgentSleeps(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, created := newAgent(t, w, `{"name":"sleeper","warmth_window_ms":300000,"configuration":{"warmth_window_ms":1}}`)
	require.EqualValues(t, 300000, created["configuration"].(map[string]any)["warmth_window_ms"])
	fall := func() {
		t.Helper()
		w.Exec("UPDATE instances SET state_since = ?, last_active_at = NULL WHERE id = ?", time.Now().Add(-time.Hour), id)
		slept, err := w.Store.AsSystem("test").SleepIdle(t.Context())
		require.NoError(t, err)
		require.Len(t, slept, 1)
		w.Boxes.Kill(id, "")
	}
	fall()
	ready := fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)
	require.Equal(t, false, ready["ready"])
	require.Equal(t, "active", ready["status"])
	require.Equal(t, "not_running", ready["pod_status"])
	require.Contains(t, ready["reason"], "sleeps")
	has(t, w.Do(get("/instances/"+id, w.Acme.Owner)).Body, "Asleep")
	fleetDone(t, w, 201, "POST", "/"+id+"/filesystem/files/a.txt", `{"content":"hello"}`)
	require.Equal(t, true, fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)["ready"])
	fall()
	fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"read the file a.txt"}`)
	require.Eventually(t, func() bool { return fleetDone(t, w, 200, "GET", "/"+id+"/ready", nil)["ready"] == true }, waitLong, waitStep)
	fleetDone(t, w, 200, "POST", "/update/"+id, `{"warmth_window_ms":null}`)
	w.Exec("UPDATE instances SET state_since = ?, last_active_at = NULL WHERE id = ?", time.Now().Add(-time.Hour), id)
	slept, err := w.Store.AsSystem("test").SleepIdle(t.Context())
	require.NoError(t, err)
	require.Empty(t, slept, "null is never")
}
