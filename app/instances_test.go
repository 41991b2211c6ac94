package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/models"
)

func api(method, path string, who *apptest.Person, body any) apptest.Call {
	return apptest.Call{Method: method, Path: path, Who: who, ByKey: true, JSON: body}
}

func keys(t *testing.T, text string) []string {
	t.Helper()
	m := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	out := []string{}
	for k := range m {
		out = append(out, k)
	}
	return out
}

var created = []string{"id", "name", "status", "region", "tier", "memoryMb", "storageMb", "gatewayUrl", "gatewayToken", "createdAt"}
var listed = append([]string{"updatedAt", "lastActiveAt", "organizationId", "organizationName", "organizationSlug", "reason"}, created...)

// The cloud API's instances, in the contract's statuses, words and fields.
func TestInstancesAPI(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Do(api("POST", "/api/instances", w.Acme.Admin, `{"name":"my-bot","region":"us-east-1","tier":"PRO","more":1}`))
	require.Equal(t, 201, a.Status)
	assert.ElementsMatch(t, created, keys(t, a.Body))
	m := a.Map()
	assert.Equal(t, []any{"my-bot", "PROVISIONING", "us-east-1", "PRO", 2048.0, 10240.0, nil, nil},
		[]any{m["name"], m["status"], m["region"], m["tier"], m["memoryMb"], m["storageMb"], m["gatewayUrl"], m["gatewayToken"]})
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, m["createdAt"])
	one := "/api/instances/" + m["id"].(string)

	a = w.Do(api("GET", "/api/instances", w.Acme.Member, nil))
	require.True(t, strings.HasPrefix(a.Body, "["), "a bare array")
	list := []map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &list))
	require.Len(t, list, 2)
	assert.Equal(t, "my-bot", list[0]["name"], "newest first")
	item, _ := json.Marshal(list[0])
	assert.ElementsMatch(t, listed, keys(t, string(item)))

	a = w.Do(api("POST", one+"/actions", w.Acme.Member, `{"action":"stop"}`))
	if a.Status == 400 { // still on its way
		assert.Equal(t, "Cannot stop instance in PROVISIONING state", a.Map()["error"])
	}
	i := settled(t, w, m["id"].(string))
	if i.State == models.Running {
		a = w.Do(api("POST", one+"/actions", w.Acme.Member, `{"action":"stop"}`))
		assert.Equal(t, 200, a.Status)
	}
	acted(t, w, one)

	a = w.Do(api("PATCH", one, w.Acme.Member, `{"name":"renamed","tier":"BUSINESS"}`))
	assert.Equal(t, 200, a.Status)
	assert.Equal(t, []any{"renamed", "BUSINESS", 8192.0}, []any{a.Map()["name"], a.Map()["tier"], a.Map()["memoryMb"]})
	a = w.Do(api("GET", one, w.Acme.Member, nil))
	assert.ElementsMatch(t, append([]string{"logs", "metrics"}, listed...), keys(t, a.Body))
	logs := a.Map()["logs"].([]any)
	assert.NotEmpty(t, logs)
	assert.LessOrEqual(t, len(logs), 50)
	line, _ := json.Marshal(logs[0])
	assert.ElementsMatch(t, []string{"id", "instanceId", "level", "message", "createdAt", "timestamp"}, keys(t, string(line)))

	a = w.Do(api("DELETE", one, w.Acme.Member, nil))
	assert.Equal(t, 403, a.Status)
	assert.Equal(t, "Insufficient permissions", a.Map()["error"])
	a = w.Do(api("DELETE", one, w.Acme.Admin, nil))
	assert.JSONEq(t, `{"success":true}`, a.Body)
	assert.Eventually(t, func() bool { return w.Do(api("GET", one, w.Acme.Owner, nil)).Status == 404 }, waitLong, waitStep)
	assert.Equal(t, "Not found", w.Do(api("GET", one, w.Acme.Owner, nil)).Map()["error"])
}

func acted(t *testing.T, w *apptest.World, one string) {
	t.Helper()
	for _, c := range []struct {
		action string
		status int
		say    any
	}{{"stop", 400, "Cannot stop instance in STOPPED state"}, {"restart", 400, "Cannot restart instance in STOPPED state"}, {"start", 200, nil}, {"start", 400, "Cannot start instance in RUNNING state"}, {"restart", 200, nil}} {
		a := w.Do(api("POST", one+"/actions", w.Acme.Member, map[string]string{"action": c.action}))
		assert.Equal(t, c.status, a.Status, c.action)
		if c.status == 200 {
			assert.Equal(t, true, a.Map()["success"])
			assert.Equal(t, "RUNNING", a.Map()["status"])
			assert.Equal(t, w.URL+"/api/gateway/v1", a.Map()["gatewayUrl"])
			assert.NotEmpty(t, a.Map()["gatewayToken"])
			continue
		}
		assert.Equal(t, c.say, a.Map()["error"], c.action)
	}
}

func settled(t *testing.T, w *apptest.World, instance string) *models.Instance {
	t.Helper()
	var i *models.Instance
	require.Eventually(t, func() bool {
		var err error
		i, err = w.Acme.Scope.Instance(t.Context(), instance)
		require.NoError(t, err)
		return i.ObservedGeneration == i.Generation
	}, waitLong, waitStep)
	return i
}

// Everything that is wrong is said at once, in zod's shape.
func TestInstancesRefuse(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	regex := `{"code":"invalid_string","validation":"regex","message":"Invalid","path":["name"]}`
	tier := `{"code":"invalid_enum_value","received":"GOLD","options":["STARTER","PRO","BUSINESS"],"message":"Invalid enum value. Expected 'STARTER' | 'PRO' | 'BUSINESS', received 'GOLD'","path":["tier"]}`
	required := func(n, expected string) string {
		return `{"code":"invalid_type","expected":"` + expected + `","received":"undefined","message":"Required","path":["` + n + `"]}`
	}
	one := "/api/instances/" + w.Acme.Instance.ID
	for body, details := range map[string]string{
		`{}`: `[` + required("name", "string") + `,` + required("region", "string") + `,` + required("tier", "'STARTER' | 'PRO' | 'BUSINESS'") + `]`,
		`{"name":"Bad Name","region":"r","tier":"GOLD"}`:                       `[` + regex + `,` + tier + `]`,
		`{"name":"","region":"r","tier":"PRO"}`:                                `[{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"String must contain at least 1 character(s)","path":["name"]}]`,
		`{"name":5,"region":"r","tier":null}`:                                  `[{"code":"invalid_type","expected":"string","received":"number","message":"Expected string, received number","path":["name"]},{"code":"invalid_type","expected":"'STARTER' | 'PRO' | 'BUSINESS'","received":"null","message":"Expected 'STARTER' | 'PRO' | 'BUSINESS', received null","path":["tier"]}]`,
		`{"name":"` + strings.Repeat("a", 51) + `","region":"r","tier":"PRO"}`: `[{"code":"too_big","maximum":50,"type":"string","inclusive":true,"exact":false,"message":"String must contain at most 50 character(s)","path":["name"]}]`,
		`[]`: `[{"code":"invalid_type","expected":"object","received":"array","message":"Expected object, received array","path":[]}]`,
	} {
		a := w.Do(api("POST", "/api/instances", w.Acme.Owner, body))
		assert.Equal(t, 400, a.Status, body)
		got, _ := json.Marshal(a.Map()["details"])
		assert.Equal(t, "Invalid request", a.Map()["error"], body)
		assert.JSONEq(t, details, string(got), body)
	}
	for _, c := range []apptest.Call{api("PATCH", one, w.Acme.Owner, `{}`), api("PATCH", one, w.Acme.Owner, `{"name":"NO"}`), api("PATCH", one, w.Acme.Owner, `{"tier":"x"}`),
		api("POST", one+"/actions", w.Acme.Owner, `{}`), api("POST", one+"/actions", w.Acme.Owner, `{"action":"recover"}`), api("POST", one+"/actions", w.Acme.Owner, `{"action":"delete"}`),
		api("POST", one+"/actions", w.Acme.Owner, `{"action":["stop"]}`)} {
		a := w.Do(c)
		assert.Equal(t, 400, a.Status, "%s %v", c.Path, c.JSON)
		assert.NotEmpty(t, a.Map()["details"], "%s %v", c.Path, c.JSON)
	}
	for _, bad := range []string{id.New(), "x", strings.ToUpper(w.Acme.Instance.ID), w.Acme.Instance.ID + "0", "..%2f" + w.Acme.Instance.ID, strings.Repeat("c", 5000), "c%20or%201=1"} {
		assert.Equal(t, 404, w.Do(api("GET", "/api/instances/"+bad, w.Acme.Owner, nil)).Status, bad)
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused request changed something")
}

// The same things as forms, without JavaScript: 303 and a page, or the form again with what is wrong.
func TestInstancesForms(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	owner, one := w.Acme.Owner, "/instances/"+w.Acme.Instance.ID
	form := func(path string, who *apptest.Person, kv url.Values) apptest.Call {
		return apptest.Call{Method: "POST", Path: path, Who: who, Form: kv}
	}
	has(t, w.Do(get("/instances", w.Acme.Member)).Body, w.Acme.Instance.Name)
	lacks(t, w.Do(get("/instances", w.Acme.Member)).Body, `href="/instances/new"`)
	has(t, w.Do(get("/instances", owner)).Body, `href="/instances/new"`)
	has(t, w.Do(get("/instances?q=acme", owner)).Body, w.Acme.Instance.ID)
	lacks(t, w.Do(get("/instances?q=zzz", owner)).Body, w.Acme.Instance.ID)
	assert.Equal(t, 403, w.Do(get("/instances/new", w.Acme.Member)).Status)

	bad := w.Do(form("/instances", owner, url.Values{"name": {"Not good"}, "region": {strings.Repeat("r", 70)}, "tier": {"PRO"}}))
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "field-error", `value="Not good"`)
	bad = w.Do(form("/instances", owner, url.Values{"name": {"good"}, "region": {strings.Repeat("r", 70)}, "tier": {"PRO"}}))
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "field-error")
	ok := w.Do(form("/instances", owner, url.Values{"name": {"good"}, "region": {"local"}, "tier": {"STARTER"}}))
	assert.Equal(t, 303, ok.Status)
	fresh := ok.Header.Get("Location")
	assert.Equal(t, 200, w.Do(get(fresh, w.Acme.Member)).Status)
	hx := form("/instances", owner, url.Values{"name": {"good2"}, "region": {"local"}, "tier": {"STARTER"}})
	hx.Face = apptest.Partial
	a := w.Do(hx)
	assert.Equal(t, 204, a.Status)
	assert.True(t, strings.HasPrefix(a.Header.Get("HX-Location"), "/instances/"))

	assert.Equal(t, one, w.Do(form(one, w.Acme.Member, url.Values{"name": {"renamed"}})).Header.Get("Location"))
	has(t, w.Do(get(one, owner)).Body, "renamed")
	bad = w.Do(form(one, owner, url.Values{"name": {"NO"}, "tier": {"PRO"}}))
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "field-error")

	assert.Equal(t, 403, w.Do(get(one+"/delete", w.Acme.Member)).Status)
	has(t, w.Do(get(one+"/delete", owner)).Body, `name="confirm"`)
	bad = w.Do(form(one+"/delete", owner, url.Values{"confirm": {"wrong"}}))
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "Type the instance")
	assert.Equal(t, "/instances", w.Do(form(one+"/delete", owner, url.Values{"confirm": {"renamed"}})).Header.Get("Location"))
	flash := w.Do(get("/instances", owner))
	assert.Equal(t, 200, flash.Status)
}

// A paused agent takes messages and says how many wait; resumed, it answers them.
func TestPauseOnThePage(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	at := "/instances/" + w.Acme.Instance.ID
	settled(t, w, w.Acme.Instance.ID)
	power := func(action string, want int) {
		t.Helper()
		require.Equal(t, want, w.Do(apptest.Call{Method: "POST", Path: at + "/power", Who: w.Acme.Member, Form: url.Values{"action": {action}}}).Status)
	}
	has(t, w.Do(get(at, w.Acme.Member)).Body, `value="pause"`)
	power("pause", 303)
	page := w.Do(get(at, w.Acme.Member)).Body
	has(t, page, "Paused", "No message waits.", `value="resume"`)
	lacks(t, page, `value="pause"`)
	before := w.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state = 'done'", w.Acme.Instance.ID)
	for range 2 {
		require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/chat", Who: w.Acme.Member, Form: url.Values{"instance": {w.Acme.Instance.ID}, "message": {"hello"}}}).Status)
	}
	has(t, w.Do(get(at, w.Acme.Member)).Body, "2 messages wait.")
	has(t, w.Do(get("/instances", w.Acme.Member)).Body, "Paused")
	power("resume", 303)
	require.Eventually(t, func() bool {
		return w.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state = 'done'", w.Acme.Instance.ID) == before+2
	}, 20*time.Second, 20*time.Millisecond)
	lacks(t, w.Do(get(at, w.Acme.Member)).Body, "wait.", `value="resume"`)
}

// What an agent is told is changed on its page, written down, and can be put back.
func TestProfileOnThePage(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	at := "/instances/" + w.Acme.Instance.ID
	save := func(want int, kv url.Values) apptest.Answer {
		t.Helper()
		a := w.Do(apptest.Call{Method: "POST", Path: at + "/profile", Who: w.Acme.Member, Form: kv})
		require.Equal(t, want, a.Status, a.Body)
		return a
	}
	lacks(t, w.Do(get(at, w.Acme.Member)).Body, "What it was told before")
	save(303, url.Values{"description": {"Answers the harbour office"}, "system_prompt": {"Be brief.\r\nName sources."}, "system_prompt_type": {"replace"}})
	p, err := w.Acme.Scope.AgentProfile(t.Context(), w.Acme.Instance.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"Answers the harbour office", "Be brief.\nName sources.", "replace", ""}, []string{p.Description, p.Instructions, string(p.InstructionsMode), p.InstructionsBefore})
	save(303, url.Values{"description": {"Answers everybody"}}) // what is left out stays
	save(303, url.Values{"system_prompt": {"Talk like a pirate."}})
	has(t, w.Do(get(at, w.Acme.Member)).Body, "What it was told before", "Name sources.", "Talk like a pirate.", "Answers everybody")
	detail := w.Do(api("GET", "/v1/agent/"+w.Acme.Instance.ID, w.Acme.Member, nil)).Map()
	require.Equal(t, "Talk like a pirate.", detail["system_prompt"])
	save(303, url.Values{"system_prompt": {p.Instructions}})
	p, err = w.Acme.Scope.AgentProfile(t.Context(), w.Acme.Instance.ID)
	require.NoError(t, err)
	require.Equal(t, "Talk like a pirate.", p.InstructionsBefore, "and back again")

	typed := strings.Repeat("é", 501)
	a := save(422, url.Values{"description": {typed}, "system_prompt": {"typed and kept"}})
	has(t, a.Body, typed, "typed and kept", `id="description-error"`)
	has(t, save(422, url.Values{"system_prompt_type": {"sideways"}}).Body, `id="system_prompt_type-error"`)
	save(422, url.Values{"system_prompt": {strings.Repeat("x", models.MaxInstructions+1)}})
	require.Equal(t, 404, w.Do(apptest.Call{Method: "POST", Path: "/instances/" + w.Rival.Instance.ID + "/profile", Who: w.Acme.Owner, Form: url.Values{"description": {"x"}}}).Status)

	log := w.Do(get("/settings/audit", w.Acme.Owner)).Body
	has(t, log, "Instance described", "Talk like a pirate.")
}

func TestPowerForms(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	i := w.Do(api("POST", "/api/instances", w.Acme.Owner, `{"name":"power","region":"local","tier":"PRO"}`)).Map()["id"].(string)
	require.Equal(t, models.Running, settled(t, w, i).State)
	power := func(action string, face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: "/instances/" + i + "/power", Who: w.Acme.Member, Face: face, Form: url.Values{"action": {action}}})
	}
	assert.Equal(t, 303, power("stop", apptest.Page).Status)
	a := power("start", apptest.Partial)
	assert.Equal(t, 200, a.Status)
	has(t, a.Body, `id="instance-head"`)
	lacks(t, a.Body, "<html")
	a = power("start", apptest.Partial)
	assert.Equal(t, 400, a.Status)
	assert.Contains(t, a.Header.Get("HX-Trigger"), "Cannot start instance in RUNNING state")
	assert.Equal(t, "none", a.Header.Get("HX-Reswap"))
	a = power("start", apptest.Page)
	assert.Equal(t, 400, a.Status)
	has(t, a.Body, "Cannot start instance in RUNNING state")
	a = power("dönër😀", apptest.Partial)
	assert.Equal(t, 400, a.Status)
	for _, r := range a.Header.Get("HX-Trigger") {
		require.Less(t, r, rune(0x80), "headers are ASCII")
	}
}
