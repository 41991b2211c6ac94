package app_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

func TestAgentSkills(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	list := func() (on, all []any) {
		m := w.Do(api("GET", "/api/agent/skills", w.Acme.Member, nil)).Map()
		return m["skills"].([]any), m["available"].([]any)
	}
	on, all := list()
	assert.Len(t, on, 4)
	assert.Len(t, all, 4)
	a := w.Do(api("POST", "/api/agent/skills", w.Acme.Member, `{"skill":"shell","enabled":false}`))
	require.Equal(t, 200, a.Status, a.Body)
	shell := a.Map()["skill"].(map[string]any)
	assert.Equal(t, []any{true, "shell", "shell", false, false, []any{}}, []any{a.Map()["success"], shell["id"], shell["skill"], shell["enabled"], shell["configured"], shell["config_keys"]})
	assert.NotNil(t, shell["updated_at"])
	on, all = list()
	assert.Len(t, on, 3, "only those that are on")
	assert.Len(t, all, 4)
	assert.Len(t, w.Do(api("GET", "/api/agent/status?include=skills", w.Acme.Member, nil)).Map()["skills"], 3)

	a = w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"run `+"`echo forty-two`"+`"}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.NotContains(t, a.Map()["response"], "forty-two\n")
	for _, use := range a.Map()["tools_used"].([]any) {
		assert.Equal(t, "error", use.(map[string]any)["status"], "what is off is not run")
	}
	assert.Equal(t, 200, w.Do(api("POST", "/api/agent/skills", w.Acme.Member, `{"skill":"shell","enabled":true}`)).Status)
	a = w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"run `+"`echo forty-two`"+`"}`))
	has(t, a.Map()["response"].(string), "forty-two")

	a = w.Do(api("PUT", "/api/agent/skills", w.Acme.Member, `{"skill":"web","config":{"allowed_hosts":"Sealed-Host.example, *.example.org"}}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.NotContains(t, a.Body, "sealed-host.example")
	assert.Equal(t, []any{"allowed_hosts"}, a.Map()["skill"].(map[string]any)["config_keys"])
	assert.NotContains(t, w.Dump(w.Acme.ID), "sealed-host.example", "sealed, and not in the audit log")
	page := w.Do(apptest.Call{Method: "GET", Path: "/instances/" + w.Acme.Instance.ID + "/skills", Who: w.Acme.Member})
	assert.Equal(t, 200, page.Status)
	assert.NotContains(t, page.Body, "sealed-host.example")
	a = w.Do(api("PUT", "/api/agent/skills", w.Acme.Member, `{"skill":"web","config":{"allowed_hosts":""}}`))
	assert.Equal(t, false, a.Map()["skill"].(map[string]any)["configured"])
}

func TestAgentSkillsRefuse(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	for _, c := range []struct {
		method, body string
		status       int
		say          string
	}{
		{"POST", `{}`, 400, "skill is required"}, {"POST", `{"skill":"web"}`, 400, "enabled is required"}, {"POST", `{"skill":"web","enabled":"yes"}`, 400, "enabled: Expected boolean, received string"},
		{"POST", `{"skill":"flying","enabled":true}`, 404, `There is no skill "flying"`}, {"PUT", `{"skill":"web"}`, 400, "config is required"},
		{"PUT", `{"skill":"web","config":"x"}`, 400, "config: Expected object, received string"}, {"PUT", `{"skill":"web","config":{"allowed_hosts":5}}`, 400, "allowed_hosts: Expected string, received number"},
		{"PUT", `{"skill":"shell","config":{"a":"b"}}`, 400, "The skill shell takes no configuration"}, {"PUT", `{"skill":"web","config":{"colour":"red"}}`, 400, `The skill web has no setting "colour"`},
		{"PUT", `{"skill":"web","config":{"allowed_hosts":"https://example.com/x"}}`, 400, "is no host name"}, {"PUT", `{"skill":"flying","config":{}}`, 404, "There is no skill"},
	} {
		a := w.Do(api(c.method, "/api/agent/skills", w.Acme.Member, c.body))
		assert.Equal(t, c.status, a.Status, c.body)
		assert.Contains(t, a.Map()["error"], c.say, c.body)
	}
	form := w.Do(apptest.Call{Method: "POST", Path: "/instances/" + w.Acme.Instance.ID + "/skills/web", Who: w.Acme.Member, Form: map[string][]string{"allowed_hosts": {"not a host!"}}})
	assert.Equal(t, 422, form.Status)
	has(t, form.Body, "is no host name", `value="not a host!"`)
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused change changed something")
}
