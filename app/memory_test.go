package app_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

func TestAgentMemory(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	call := func(method, query string, body any) apptest.Answer {
		return w.Do(api(method, "/api/agent/memory"+query, w.Acme.Member, body))
	}
	made := call("POST", "", `{"key":"timezone","value":"Europe/Lisbon","category":"user_pref"}`)
	require.Equal(t, 200, made.Status, made.Body)
	assert.Equal(t, true, made.Map()["success"])
	text, _ := json.Marshal(made.Map()["memory"])
	assert.ElementsMatch(t, []string{"id", "key", "value", "category", "source", "created_at", "updated_at"}, keys(t, string(text)))
	again := call("POST", "", `{"key":"timezone","value":"Europe/Berlin"}`)
	m := again.Map()["memory"].(map[string]any)
	assert.Equal(t, []any{made.Map()["memory"].(map[string]any)["id"], "Europe/Berlin", "general", "manual"}, []any{m["id"], m["value"], m["category"], m["source"]}, "the same key overwrites")
	list := call("GET", "", nil).Map()["memories"].([]any)
	require.Len(t, list, 2)
	assert.Equal(t, "timezone", list[0].(map[string]any)["key"], "newest first")
	assert.Len(t, call("GET", "?category=fact", nil).Map()["memories"], 1)
	lacks(t, call("GET", "", nil).Body, "confidential page")

	changed := call("PATCH", "", `{"key":"timezone","value":"UTC","category":"fact"}`)
	assert.Equal(t, "UTC", changed.Map()["memory"].(map[string]any)["value"])
	for body, say := range map[string]string{`{}`: "key is required", `{"key":"k"}`: "value is required", `{"key":"","value":"v"}`: "key", `{"key":"k","value":"v","category":"x"}`: "category: Invalid enum value",
		`{"key":5,"value":"v"}`: "key: Expected string, received number", `{`: "Invalid request body"} {
		a := call("POST", "", body)
		assert.Equal(t, 400, a.Status, body)
		assert.Contains(t, a.Map()["error"], say, body)
	}
	for _, method := range []string{"PATCH", "DELETE"} {
		assert.Equal(t, "id is required", call(method, "", `{"value":"v"}`).Map()["error"])
		a := call(method, "", `{"key":"nobody's","value":"v"}`)
		assert.Equal(t, 404, a.Status)
		assert.Equal(t, "Memory not found", a.Map()["error"])
	}
	assert.Equal(t, 200, call("DELETE", "?key=timezone", nil).Status)
	assert.Equal(t, 404, call("DELETE", "", `{"key":"timezone"}`).Status)
	assert.JSONEq(t, `{"success":true}`, call("DELETE", "", map[string]string{"id": w.Acme.Memory}).Body)
	assert.Empty(t, call("GET", "", nil).Map()["memories"])
}

func TestRuntimeMemory(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, n := range []models.NewMemory{{Tier: models.WorkingMemory, SessionID: w.Acme.Session.ID, Category: "goal", Value: "ship it", Importance: 8},
		{Tier: models.EpisodicMemory, Category: "outage", Value: "the disk was full"}, {Tier: models.EpisodicMemory, Category: "outage", Value: "the disk was full"}} {
		n.InstanceID = w.Acme.Instance.ID
		_, err := w.Acme.Scope.Remember(t.Context(), n)
		require.NoError(t, err)
	}
	read := func(path string) apptest.Answer { return w.Do(api("GET", "/api/memory/"+path, w.Acme.Member, nil)) }
	one := func(path string) map[string]any {
		list := read(path).Map()["entries"].([]any)
		require.NotEmpty(t, list, path)
		return list[0].(map[string]any)
	}
	names := func(m map[string]any) []string {
		text, _ := json.Marshal(m)
		return keys(t, string(text))
	}
	assert.ElementsMatch(t, []string{"id", "session_id", "entry_type", "content", "importance", "created_at"}, names(one("working")))
	assert.Equal(t, "goal", one("working/" + w.Acme.Session.ID)["entry_type"])
	assert.JSONEq(t, `{"entries":[]}`, read("working/nobody").Body)
	assert.ElementsMatch(t, []string{"id", "classification", "content", "importance", "created_at"}, names(one("episodic?limit=1")))
	assert.ElementsMatch(t, []string{"id", "category", "key", "value", "confidence", "created_at", "updated_at"}, names(one("semantic")))
	assert.Equal(t, "plan", one("semantic/fact")["key"])
	assert.JSONEq(t, `{"entries":[]}`, read("semantic/anything").Body)
	assert.JSONEq(t, `{"categories":[{"category":"fact","count":1}]}`, read("semantic/categories").Body)
	assert.JSONEq(t, `{"query":"disk","results":[{"content":"the disk was full","category":"outage","source":"episodic_memory"}]}`, read("search?q=disk").Body, "each text once")
	assert.JSONEq(t, `{"error":"missing ?q= parameter"}`, read("search").Body)
	assert.Equal(t, 400, read("search?q=").Status)
	guest := w.Do(apptest.Call{Method: "GET", Path: "/api/memory/working"})
	assert.Equal(t, 401, guest.Status)
	assert.JSONEq(t, `{"error":"unauthorized","message":"Valid API key required"}`, guest.Body)
	stranger := w.Do(api("GET", "/api/memory/working/"+w.Acme.Session.ID, w.Rival.Member, nil))
	assert.JSONEq(t, `{"entries":[]}`, stranger.Body)
}

func TestMemoryPage(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	base, who := "/instances/"+w.Acme.Instance.ID+"/memory", w.Acme.Member
	open := func(more string) apptest.Answer {
		return w.Do(apptest.Call{Method: "GET", Path: base + more, Who: who})
	}
	a := open("")
	require.Equal(t, 200, a.Status)
	has(t, a.Body, "Acme Canary confidential plan", "Waiting for your review", "Acme Canary confidential page", "/chat/"+w.Acme.Session.ID+"#turn-")
	rows := w.Do(apptest.Call{Method: "GET", Path: base + "?q=plan", Who: who, Face: apptest.Partial})
	has(t, rows.Body, `id="memory-rows"`, "confidential plan")
	lacks(t, rows.Body, "<html", "Waiting for your review")
	has(t, open("?q=nowhere").Body, "No memory fits")
	has(t, open("?tier=episodic").Body, "No memory fits")

	assert.Equal(t, 422, w.Do(post(base, who, "tier", "semantic", "key", "", "value", "x")).Status)
	assert.Equal(t, 422, w.Do(post(base, who, "tier", "working", "value", "x")).Status)
	assert.Equal(t, 303, w.Do(post(base, who, "tier", "semantic", "key", "tea", "value", "green", "category", "", "importance", "0", "session_id", "")).Status)
	has(t, open("?q=tea").Body, "green", "from a person")
	m, err := w.Acme.Scope.MemoryNamed(t.Context(), w.Acme.Instance.ID, "tea")
	require.NoError(t, err)
	assert.Equal(t, 303, w.Do(post(base+"/"+m.ID, who, "value", "black", "category", "fact", "importance", "7")).Status)
	assert.Equal(t, 422, w.Do(post(base+"/"+m.ID, who, "value", "", "category", "fact", "importance", "7")).Status)
	has(t, open("/"+m.ID).Body, "black", "green", "Restore")

	gone := w.Do(post(base+"/"+m.ID+"/delete", who))
	require.Equal(t, 303, gone.Status)
	after := w.Do(apptest.Call{Method: "GET", Path: gone.Header.Get("Location"), Who: who})
	has(t, after.Body, "Undo")
	log, err := w.Acme.Scope.MemoryVersions(t.Context(), w.Acme.Instance.ID, "tea", 1)
	require.NoError(t, err)
	assert.Equal(t, 303, w.Do(post(base+"/versions/"+log[0].ID, who, "act", "restore")).Status)
	has(t, open("?q=tea").Body, "black")

	assert.Equal(t, 303, w.Do(post(base+"/versions/"+w.Acme.Held, who, "act", "accept")).Status)
	page := open("")
	lacks(t, page.Body, "Waiting for your review")
	has(t, page.Body, "confidential page", "a web page")
	has(t, open("/history").Body, "Accepted by")
	foreign, err := w.Rival.Scope.MemoryTray(t.Context(), w.Rival.Instance.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, 404, w.Do(post(base+"/versions/"+foreign[0].ID, who, "act", "accept")).Status)
}
