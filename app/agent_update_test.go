package app_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// A rebuild goes running → provisioning → running; conversations and memories stay.
func TestAgentUpdate(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	before := w.Count("SELECT count(*) FROM events WHERE organization_id = ?", w.Acme.ID)
	a := w.Do(api("POST", "/api/agent/update", w.Acme.Member, `{"aiModel":"auto","serverTier":"performance","serverRegion":"eu-north","messengerType":"web"}`))
	require.Equal(t, 200, a.Status, a.Body)
	m := a.Map()
	agent := m["agent"].(map[string]any)
	assert.Equal(t, []any{true, "Rebuild started", "provisioning", "performance", "eu-north", "auto", "web"},
		[]any{m["success"], m["message"], agent["status"], agent["server_tier"], agent["server_region"], agent["ai_model"], agent["messenger_type"]})
	i, err := w.App.Desk.Await(t.Context(), w.Acme.Scope, w.Acme.Instance.ID, 2)
	require.NoError(t, err)
	assert.Equal(t, []any{models.Running, models.Business, int64(2)}, []any{i.State, i.Tier, i.ObservedGeneration})
	assert.Equal(t, before, w.Count("SELECT count(*) FROM events WHERE organization_id = ?", w.Acme.ID))
	kept, err := w.Acme.Scope.Memory(t.Context(), w.Acme.Memory)
	require.NoError(t, err)
	assert.Equal(t, "Acme Canary confidential plan", kept.Value)
	a = w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"hello"}`))
	assert.Equal(t, 200, a.Status, "it answers again")

	w.Exec("UPDATE instances SET state = 'PROVISIONING', lease_owner = 'other/1', lease_until = '2099-01-01 00:00:00+00:00' WHERE id = ?", i.ID)
	a = w.Do(api("POST", "/api/agent/update", w.Acme.Member, `{"aiModel":"auto"}`))
	assert.Equal(t, 409, a.Status)
	assert.Equal(t, "This instance is being built already", a.Map()["error"])
	w.Exec("UPDATE instances SET state = 'STOPPED', desired = 'stopped' WHERE id = ?", i.ID)
	a = w.Do(api("POST", "/api/agent/update", w.Acme.Member, `{"aiModel":"some-model"}`))
	require.Equal(t, 200, a.Status, "a stopped one keeps what was set")
	assert.Equal(t, []any{"stopped", "some-model"}, []any{a.Map()["agent"].(map[string]any)["status"], a.Map()["agent"].(map[string]any)["ai_model"]})
}

func TestAgentUpdateRefuses(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	for body, say := range map[string]string{
		`{}`: "At least one field is required", `{"unknown":1}`: "At least one field is required", `{"serverTier":"huge"}`: "serverTier: Invalid enum value",
		`{"serverRegion":"mars"}`: "serverRegion: Invalid enum value", `{"messengerType":"pigeon"}`: "messengerType: Invalid enum value",
		`{"messengerType":"telegram","aiModel":"auto"}`: "no telegram channel is connected to this agent", `{"aiModel":5}`: "aiModel: Expected string, received number",
		`{"aiApiKey":null}`: "aiApiKey: Expected string, received null", `{"aiApiKey":"words without a sign"}`: "aiApiKey: It cannot be told which service this key is of", `{`: "Invalid request body",
	} {
		a := w.Do(api("POST", "/api/agent/update", w.Acme.Owner, body))
		assert.Equal(t, 400, a.Status, body)
		assert.Contains(t, a.Map()["error"], say, body)
	}
	a := w.Do(api("POST", "/api/agent/update", w.Acme.Member, `{"aiApiKey":"sk-0123456789abcdef"}`))
	assert.Equal(t, 403, a.Status, "a member connects no services")
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused update changed something")
}

// A key of its own is sealed, never shown, and its service is the only one that the instance asks.
func TestAgentUpdateOwnKey(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	const key = "sk-ant-own-canary-9876543210"
	id := w.Acme.Instance.ID
	_, err := w.Acme.Scope.UpdateInstance(t.Context(), id, models.InstanceChange{Model: new("acme-canary-model")})
	require.NoError(t, err)
	a := w.Do(api("POST", "/api/agent/update", w.Acme.Owner, `{"aiApiKey":"`+key+`"}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.NotContains(t, a.Body, key)
	assert.Equal(t, "auto", a.Map()["agent"].(map[string]any)["ai_model"], "another service's model does not stay")
	_, err = w.App.Desk.Await(t.Context(), w.Acme.Scope, id, 2)
	require.NoError(t, err)
	assert.NotContains(t, w.Dump(w.Acme.ID), key)
	for _, path := range []string{"/instances/" + id, "/api/agent/status?include=logs", "/settings/audit", "/settings/models"} {
		page := w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Owner})
		assert.NotContains(t, page.Body, key, path)
		assert.Equal(t, 200, page.Status, path)
	}
	i, err := w.Acme.Scope.Instance(t.Context(), id)
	require.NoError(t, err)
	row, err := w.Acme.Scope.ServiceOf(t.Context(), i)
	require.NoError(t, err)
	assert.Equal(t, "anthropic", row.Kind)
	opened, err := w.Acme.Scope.ProviderKey(row)
	require.NoError(t, err)
	assert.Equal(t, key, opened.Reveal())

	a = w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"hello"}`))
	assert.Equal(t, 502, a.Status, "the wrong key is refused: no other service steps in")
	services, err := w.Acme.Scope.Providers(t.Context())
	require.NoError(t, err)
	assert.Len(t, services, 1, "the organization's services stay as they were")

	token, err := w.Acme.Scope.GatewayToken(i)
	require.NoError(t, err)
	offered := w.Do(apptest.Call{Method: "GET", Path: "/v1/models", Header: map[string]string{"Authorization": "Bearer " + token.Reveal()}}).Body
	has(t, offered, "claude")
	assert.NotContains(t, offered, "acme-canary-model", "the organization's models are none of its")

	a = w.Do(api("POST", "/api/agent/update", w.Acme.Owner, `{"aiApiKey":"`+apptest.GoodKey+`"}`))
	require.Equal(t, 200, a.Status, a.Body)
	_, err = w.App.Desk.Await(t.Context(), w.Acme.Scope, id, 3)
	require.NoError(t, err)
	assert.Equal(t, 200, w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"hello"}`)).Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM instance_keys"), "the new key replaces the old one")
	a = w.Do(api("POST", "/api/agent/update", w.Acme.Owner, `{"aiApiKey":"","aiModel":""}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, 0, w.Count("SELECT count(*) FROM instance_keys"))
	assert.Equal(t, "acme-canary-model", a.Map()["agent"].(map[string]any)["ai_model"], "the organization's service answers again")
}

// The page's form says the same; the key it takes is the same verb's.
func TestInstanceSettingsForm(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	path := "/instances/" + w.Acme.Instance.ID
	form := func(kv ...string) apptest.Call {
		c := apptest.Call{Method: "POST", Path: path, Who: w.Acme.Admin, Form: map[string][]string{"name": {"renamed"}, "tier": {"STARTER"}, "region": {"us-east-1"}, "model": {"auto"}}}
		for n := 0; n < len(kv); n += 2 {
			c.Form.Set(kv[n], kv[n+1])
		}
		return c
	}
	require.Equal(t, 303, w.Do(form("api_key", "sk-page-canary-0123456789")).Status)
	i, err := w.Acme.Scope.Instance(t.Context(), w.Acme.Instance.ID)
	require.NoError(t, err)
	assert.Equal(t, []any{"renamed", "us-east-1", "auto"}, []any{i.Name, i.Region, i.Model})
	shown := w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Admin}).Body
	assert.Contains(t, shown, "…6789")
	assert.NotContains(t, shown, "sk-page-canary")
	refused := w.Do(form("api_key", "no service has such keys"))
	assert.Equal(t, 422, refused.Status)
	assert.Contains(t, refused.Body, "which service this key is of")
	require.Equal(t, 303, w.Do(form("remove_key", "true")).Status)
	assert.Equal(t, 0, w.Count("SELECT count(*) FROM instance_keys"))
	member := form("api_key", "sk-page-canary-0123456789")
	member.Who = w.Acme.Member
	assert.Equal(t, 403, w.Do(member).Status)
	assert.NotContains(t, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Member}).Body, `name="api_key"`)
}
