package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/kit/id"
)

// ids fill the places of a path and a body; of no organization they match no row.
type ids struct {
	instance, session, turn, attachment, provider, signIn, member, invitation, key, organization string
	identity, passkey, nobody, user, delivery, budget, memory, held                              string
	approval, rule, grant, automation                                                            string
	channel, binding                                                                             string
	webhook, notification                                                                        string
	upload, trashed, checkpoint                                                                  string
	trigger, call                                                                                string
}

func idsOf(o *apptest.Org) ids {
	if o == nil {
		return ids{instance: id.New(), session: id.New(), turn: id.New(), attachment: id.New(), provider: id.New(), signIn: id.New(), member: id.New(), invitation: id.New(), key: id.New(), organization: id.New(),
			identity: id.New(), passkey: id.New(), nobody: id.New(), user: id.New(), delivery: id.New(), budget: id.New(), memory: id.New(), held: id.New(),
			approval: id.New(), rule: id.New(), grant: id.New(), automation: id.New(),
			webhook: id.New(), notification: id.New(),
			channel: id.New(), binding: id.New(), trigger: id.New(), call: id.New(), upload: id.New(), trashed: id.New(), checkpoint: id.New()}
	}
	return ids{instance: o.Instance.ID, session: o.Session.ID, turn: o.Turn.ID, attachment: o.Attachment, provider: o.Provider.ID, signIn: o.Owner.SignInID, member: o.Member.MemberID,
		invitation: o.Invitation.Invitation.ID, key: o.Owner.KeyID, organization: o.ID, identity: o.Identity, passkey: o.Passkey, nobody: id.New(), user: o.Member.UserID, delivery: o.Delivery.ID,
		budget: o.Budget, memory: o.Memory, held: o.Held, approval: o.Approval, rule: o.Rule, grant: o.Grant, automation: o.Automation,
		webhook: o.Webhook, notification: o.Notification,
		channel: o.Channel, binding: o.Binding, trigger: o.Trigger, call: o.Call, upload: o.Upload, trashed: o.Trashed, checkpoint: o.Checkpoint}
}

// routeCase is one route with all its ids filled in.
type routeCase struct {
	name, route, access string
	family              app.Family
	call                apptest.Call
	sent                string // of a body
	foreign             bool   // an id of an organization is in it
}

// pathIDs says what each path's ids are. A route with an id that is not here fails the tests.
var pathIDs = map[string]func(i ids) map[string]string{
	"/instances/": func(i ids) map[string]string {
		return map[string]string{":id": i.instance, ":memory": i.memory, ":version": i.held, ":skill": "web", ":rule": i.rule, ":grant": i.grant, ":upload": i.upload, ":checkpoint": i.checkpoint, ":kind": "telegram"}
	},
	"/automations/":      func(i ids) map[string]string { return map[string]string{":id": i.trigger, ":call": i.call} },
	"/live/automations/": func(i ids) map[string]string { return map[string]string{":id": i.automation} },
	"/api/cron/jobs/":    func(i ids) map[string]string { return map[string]string{":id": i.automation} },
	// No credential of ours is asked for; triggers_test.go knows more.
	"/v1/webhooks/triggers/": func(i ids) map[string]string { return map[string]string{":id": i.nobody} },
	"/v1/agent/": func(i ids) map[string]string {
		return map[string]string{":id": i.instance, ":schedule": i.automation, ":trigger": i.trigger}
	},
	"/v1/webhooks/channels/":         func(i ids) map[string]string { return map[string]string{":id": i.nobody} },
	"/channels/":                     func(i ids) map[string]string { return map[string]string{":id": i.channel} },
	"/channels/bindings/":            func(i ids) map[string]string { return map[string]string{":id": i.binding} },
	"/v1/agent/update/":              func(i ids) map[string]string { return map[string]string{":id": i.instance} },
	"/v1/agent/delete/":              func(i ids) map[string]string { return map[string]string{":id": i.instance} },
	"/approvals/":                    func(i ids) map[string]string { return map[string]string{":id": i.approval} },
	"/api/approvals/":                func(i ids) map[string]string { return map[string]string{":id": i.approval} },
	"/api/audit/policy/":             func(i ids) map[string]string { return map[string]string{":turn_id": i.turn} },
	"/api/audit/tools/":              func(i ids) map[string]string { return map[string]string{":turn_id": i.turn} },
	"/api/memory/working/":           func(i ids) map[string]string { return map[string]string{":session_id": i.session} },
	"/api/memory/semantic/":          func(ids) map[string]string { return map[string]string{":category": "fact"} },
	"/live/instances/":               func(i ids) map[string]string { return map[string]string{":id": i.instance, ":kind": "telegram"} },
	"/api/instances/":                func(i ids) map[string]string { return map[string]string{":id": i.instance} },
	"/chat/":                         func(i ids) map[string]string { return map[string]string{":id": i.session, ":attachment": i.attachment} },
	"/live/chat/":                    func(i ids) map[string]string { return map[string]string{":id": i.session} },
	"/turns/":                        func(i ids) map[string]string { return map[string]string{":id": i.turn, ":step": "1"} },
	"/api/turns/":                    func(i ids) map[string]string { return map[string]string{":id": i.turn} },
	"/api/sessions/":                 func(i ids) map[string]string { return map[string]string{":id": i.session} },
	"/settings/models/":              func(i ids) map[string]string { return map[string]string{":id": i.provider} },
	"/settings/security/identities/": func(i ids) map[string]string { return map[string]string{":id": i.identity} },
	"/settings/security/passkeys/":   func(i ids) map[string]string { return map[string]string{":id": i.passkey} },
	// Providers are the installation's: no organization has one.
	"/api/breaker/reset/": func(i ids) map[string]string { return map[string]string{":provider": i.nobody} },
	"/api/breaker/open/":  func(i ids) map[string]string { return map[string]string{":provider": i.nobody} },
	"/api/providers/":     func(i ids) map[string]string { return map[string]string{":provider": i.nobody} },
	"/sign-in/":           func(i ids) map[string]string { return map[string]string{":provider": i.nobody} },
	"/admin/sign-in/":     func(i ids) map[string]string { return map[string]string{":id": i.nobody} },
	"/settings/sign-ins/": func(i ids) map[string]string { return map[string]string{":id": i.signIn} },

	"/settings/team/":            func(i ids) map[string]string { return map[string]string{":id": i.member} },
	"/api/team/":                 func(i ids) map[string]string { return map[string]string{":id": i.member} },
	"/settings/invitations/":     func(i ids) map[string]string { return map[string]string{":id": i.invitation} },
	"/settings/keys/":            func(i ids) map[string]string { return map[string]string{":id": i.key} },
	"/api/api-keys/":             func(i ids) map[string]string { return map[string]string{":id": i.key} },
	"/settings/budgets/":         func(i ids) map[string]string { return map[string]string{":id": i.budget} },
	"/settings/webhooks/":        func(i ids) map[string]string { return map[string]string{":id": i.webhook} },
	"/api/webhook-endpoints/":    func(i ids) map[string]string { return map[string]string{":id": i.webhook} },
	"/deliveries/":               func(i ids) map[string]string { return map[string]string{":id": i.delivery} },
	"/api/deliveries/":           func(i ids) map[string]string { return map[string]string{":id": i.delivery} },
	"/api/channels/dead-letter/": func(i ids) map[string]string { return map[string]string{":id": i.delivery} },
	"/notifications/":            func(i ids) map[string]string { return map[string]string{":id": i.notification} },
	"/api/notifications/":        func(i ids) map[string]string { return map[string]string{":id": i.notification} },
	"/organizations/":            func(i ids) map[string]string { return map[string]string{":id": i.organization} },
	"/admin/users/":              func(i ids) map[string]string { return map[string]string{":id": i.user} },
	"/admin/organizations/":      func(i ids) map[string]string { return map[string]string{":id": i.organization} },
	"/admin/instances/":          func(i ids) map[string]string { return map[string]string{":id": i.instance} },
	"/admin/deliveries/":         func(i ids) map[string]string { return map[string]string{":id": i.delivery} },
	"/admin/jobs/":               func(ids) map[string]string { return map[string]string{":queue": "critical"} },
	"/admin/plans/":              func(ids) map[string]string { return map[string]string{":tier": "PRO"} },
	"/admin/backups/":            func(ids) map[string]string { return map[string]string{":id": id.New()} },
}

// body is one way to fill a route's body or query; ids in it are id positions like those of a path.
type body struct {
	form    url.Values
	json    any
	query   string
	header  map[string]string
	foreign bool
}

// bodies gives what each route with a body is sent. A route that changes things and is not here fails.
func bodies(i ids) map[string][]body {
	form := func(kv ...string) url.Values {
		v := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			v.Set(kv[n], kv[n+1])
		}
		return v
	}
	none := []body{{form: form()}}
	session := func(more string) string { return `{"sessionId":"` + i.session + `"` + more + `}` }
	act := func(name string, kv ...string) []body { // of the back office
		return []body{{form: form(append(kv, "act", name, "reason", "a ticket asks for it")...)}}
	}
	ways := func(json any) []body { // the places that choose an instance
		return []body{{json: json, query: "?instance=" + i.instance, foreign: true}, {json: json, header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}}
	}
	asks := func(json string) []body { // of a model, and of an instance's agent
		return []body{{json: fmt.Sprintf(json, "auto")}, {json: fmt.Sprintf(json, "agent:"+i.instance), foreign: true}}
	}
	return map[string][]body{
		"POST /setup": {{form: form("name", "A", "email", "a@example.com", "organization", "O", "password", "long enough pw")}}, "POST /theme": {{form: form("theme", "dark")}},
		"POST /settings/letters": {{form: form("letters", "true")}},
		"POST /sign-in":          {{form: form("email", "no@example.com", "password", "wrong")}}, "POST /sign-out": none,
		"POST /instances": {{form: form("name", "x", "region", "local", "tier", "STARTER")}}, "POST /instances/:id": {{form: form("name", "renamed")}},
		"POST /instances/:id/profile": {{form: form("description", "What it is for", "system_prompt", "Be brief", "system_prompt_type", "append")}},
		"POST /instances/:id/power":   {{form: form("action", "stop")}}, "POST /instances/:id/delete": {{form: form("confirm", "acme-canary-box")}},
		"POST /settings/billing/checkout": {{form: form("plan", "nonsense")}}, "POST /settings/billing/portal": none,
		"POST /api/stripe/checkout": {{json: `{"plan":"nonsense"}`}}, "POST /api/stripe/webhook": {{json: `{"object":"event"}`}},
		"POST /chat":     {{form: form("message", "hello", "instance", i.instance), foreign: true}},
		"POST /chat/:id": {{form: form("title", "renamed")}}, "POST /chat/:id/delete": none, "POST /chat/:id/messages": {{form: form("message", "hello")}},
		"POST /turns/:id/stop": none, "POST /turns/:id/continue": none,
		"POST /settings/budgets":      {{form: form("of", "instance:"+i.instance, "unit", "tokens", "period", "day", "amount", "1000000"), foreign: true}},
		"POST /settings/budgets/zone": {{form: form("time_zone", "nonsense")}}, "POST /settings/budgets/:id": {{form: form("amount", "12")}}, "POST /settings/budgets/:id/delete": none,
		"GET /api/agent/token-budget": ways(nil), "POST /api/agent/token-budget": ways(`{"message":"hello"}`),
		"POST /settings/models":             {{form: form("kind", "nonsense", "key", "k")}},
		"POST /settings/models/:id/default": none, "POST /settings/models/:id/delete": none,
		"POST /sign-in/passkey": {{json: `{"credential":{}}`}}, "POST /sign-in/passkey/options": {{json: `{}`}},
		"GET /sign-in/:provider": {{query: "?next=/chat"}}, "GET /sign-in/:provider/callback": {{query: "?state=s&code=c"}},
		"POST /settings/security/password":      {{form: form("current", "wrong", "password", "long enough pw")}},
		"POST /settings/security/second-factor": {{form: form("on", "false")}}, "POST /settings/security/identities/:id/delete": none,
		"POST /settings/security/passkeys": {{json: `{"name":"Phone","credential":{}}`}}, "POST /settings/security/passkeys/options": none,
		"POST /settings/security/passkeys/:id/delete": none, "POST /admin/sign-in": {{form: form("kind", "nonsense", "name", "x", "client_id", "x", "secret", "s")}},
		"POST /admin/sign-in/:id": {{form: form("name", "x", "client_id", "x")}}, "POST /admin/sign-in/:id/enabled": {{form: form("on", "true")}},
		"POST /admin/sign-in/:id/delete": none, "POST /admin/sign-in/passwords": {{form: form("passwords", "nonsense")}},
		"POST /settings/sign-ins/others/delete": none, "POST /settings/sign-ins/:id/delete": none,
		"POST /join": {{form: form("name", "A", "password", "long enough pw")}}, "POST /organizations": {{form: form("name", "")}}, "POST /organizations/:id/switch": none,
		"POST /settings": {{form: form("name", "")}}, "POST /settings/delete": {{form: form("confirm", "another name")}},
		"POST /settings/team": {{form: form("email", "nobody", "role", "MEMBER")}}, "POST /settings/team/leave": none, "POST /settings/team/:id/role": {{form: form("role", "ADMIN")}},
		"POST /settings/team/:id/delete": none, "POST /settings/team/:id/transfer": none, "POST /settings/invitations/:id/delete": none,
		"POST /settings/keys": {{form: form("name", "")}}, "POST /settings/keys/:id/delete": none,
		"POST /api/team": {{json: `{"email":"nobody","role":"OWNER"}`}}, "PATCH /api/team/:id": {{json: `{"role":"ADMIN"}`}}, "DELETE /api/team/:id": {{json: `{}`}},
		"POST /api/api-keys": {{json: `{"name":""}`}}, "DELETE /api/api-keys/:id": {{json: `{}`}}, "PATCH /api/settings": {{json: `{"name":""}`}},
		"DELETE /api/settings":  {{json: `{}`}},
		"POST /admin/users/:id": act("block"), "POST /admin/organizations/:id": act("plan", "plan", "PRO"),
		"POST /admin/organizations/:id/flags": act("off", "flag", "agents"), "POST /admin/organizations/:id/delete": act("delete", "confirm", "Acme Canary"),
		"POST /admin/instances/:id": act("reconcile"), "POST /admin/jobs/:queue": act("pause"), "POST /admin/jobs/:queue/task": act("run", "id", "reconcile:"+i.instance),
		"POST /admin/deliveries": act("test", "address", "nobody"), "POST /admin/deliveries/:id": act("drop"),
		"GET /admin/deliveries":       {{query: "?state=pending&kind=mail&q=x&organization=" + i.organization}},
		"GET /admin/jobs/:queue/task": {{query: "?id=reconcile:" + i.instance}}, "POST /admin/flags": act("off", "flag", "no such flag"),
		"POST /admin/backups": act("make"), "POST /admin/plans/:tier": act("save", "instances", "many"), "POST /admin/backups/:id": act("rehearse"), "POST /admin/backups/:id/download": act("download"),
		"POST /api/instances": {{json: `{"name":"x","region":"local","tier":"nonsense"}`}}, "PATCH /api/instances/:id": {{json: `{"name":"renamed"}`}},
		"DELETE /api/instances/:id": {{json: `{}`}}, "POST /api/instances/:id/actions": {{json: `{"action":"stop"}`}},
		"POST /api/agent/chat": append(ways(`{"message":"hello"}`), body{json: `{"message":"hello","session_id":"` + i.session + `"}`,
			header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}),
		"POST /api/gateway/v1/chat/completions": asks(`{"model":"%s","messages":[{"role":"user","content":"hello"}]}`),
		"POST /v1/chat/completions":             asks(`{"model":"%s","messages":[{"role":"user","content":"hello"}]}`),
		"POST /v1/responses":                    asks(`{"model":"%s","input":"hello"}`),
		"POST /anthropic/v1/messages":           asks(`{"model":"%s","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`),
		"POST /api/gateway/v1/route-preview":    {{json: `{"prompt":"hello"}`}},
		"GET /api/agent/sessions":               ways(nil), "POST /api/agent/sessions": ways(`{"title":"t"}`),
		"PATCH /api/agent/sessions":         {{json: session(`,"title":"renamed"`), foreign: true}},
		"DELETE /api/agent/sessions":        {{json: session(""), foreign: true}, {json: `{}`, query: "?sessionId=" + i.session, foreign: true}},
		"POST /api/breaker/reset/:provider": {{json: `{}`}}, "POST /api/breaker/open/:provider": {{json: `{}`}},
		"PUT /api/providers/:provider/key": {{json: `{"api_key":"sk-canary"}`}}, "DELETE /api/providers/:provider/key": none,
		"GET /api/agent/status": append(ways(nil), body{query: "?include=messages,skills,logs,health"}), "POST /api/agent/update": ways(`{"serverRegion":"eu-north"}`),
		"GET /automations/new": {{query: "?text=every+day+at+9+look&instance=" + i.instance}},
		"POST /automations":    {{form: form("text", "every day at 9 look", "instance", i.instance), foreign: true}}, "POST /automations/:id/run": none,
		"POST /automations/:id/pause": none, "POST /automations/:id/resume": none, "POST /automations/:id/delete": none,
		"POST /v1/agent/:id/discord/link": {{json: `{}`}}, "POST /v1/agent/:id/slack/link": {{json: `{}`}}, "POST /v1/agent/:id/telegram/link": {{json: `{}`}},
		"POST /v1/webhooks/channels/:id": {{json: `{}`}}, "POST /api/webhooks/telegram": {{json: `{}`}}, "POST /api/webhooks/whatsapp": {{json: `{}`}},
		"POST /instances/:id/channels/:kind": {{form: form("bot_token", "nonsense")}}, "POST /channels/:id/try": none, "POST /channels/:id/on": none, "POST /channels/:id/off": none, "POST /channels/:id/delete": none,
		"POST /channels/:id/code": none, "POST /channels/bindings/:id/delete": none, "POST /channels/bindings/:id/collect": none, "POST /channels/bindings/:id/interrupt": none,
		"POST /auth/login":      {{json: `{"email":"no@example.com","password":"wrong"}`}},
		"POST /v1/agent/create": {{json: `{"name":""}`}}, "POST /v1/agent/update/:id": {{json: `{"description":"changed"}`}}, "POST /v1/agent/delete/:id": {{json: `{"force":true}`}},
		"POST /v1/agent/:id/pause": {{json: `{}`}}, "POST /v1/agent/:id/resume": {{json: `{}`}}, "POST /v1/agent/:id/stop": {{json: `{}`}}, "POST /v1/agent/:id/status": {{json: `{"status":"paused"}`}},
		"POST /v1/agent/:id/balance": {{json: `{"amount":5,"type":"increment"}`}}, "POST /v1/agent/:id/messages": {{json: `{"content":"hello"}`}},
		"POST /automations/pause": {{query: "?instance=" + i.instance, foreign: true}}, "POST /automations/resume": {{query: "?instance=" + i.instance, foreign: true}},
		"POST /automations/:id": {{form: form("name", "changed", "prompt", "look", "overlap", "queue")}}, "POST /automations/:id/calls/:call/replay": none,
		"POST /automations/:id/test": {{form: form("body", "{}")}}, "POST /automations/:id/secret": {{form: form("keep", "true")}}, "POST /automations/:id/secret/old/delete": none,
		"POST /v1/agent/:id/schedules":                  {{json: `{"name":"n","cron_expression":"0 9 * * *","message_template":"look"}`}},
		"PATCH /v1/agent/:id/schedules/:schedule":       {{json: `{"name":"changed"}`}},
		"POST /v1/agent/:id/schedules/:schedule/toggle": {{json: `{"enabled":false}`}},
		"DELETE /v1/agent/:id/schedules/:schedule":      none,
		"POST /v1/agent/:id/triggers":                   {{json: `{"name":"n","message_template":"look"}`}},
		"PATCH /v1/agent/:id/triggers/:trigger":         {{json: `{"name":"changed"}`}},
		"DELETE /v1/agent/:id/triggers/:trigger":        none,
		"POST /api/cron/jobs":                           {{json: `{"name":"n","schedule_kind":"cron","schedule_expr":"0 9 * * *","agent_id":"` + i.instance + `"}`, foreign: true}},
		"PUT /api/cron/jobs/:id":                        {{json: `{"name":"changed"}`}},
		"DELETE /api/cron/jobs/:id":                     none,
		"POST /api/cron/jobs/:id/run":                   none,
		"POST /v1/webhooks/triggers/:id":                {{json: `{"action":"opened"}`}},
		"POST /api/agent/chat-automate":                 append(ways(`{"command":"remind","text":"in 3 hours to stretch"}`), ways(`{"command":"status"}`)...),
		"GET /api/agent/skills":                         ways(nil), "POST /api/agent/skills": ways(`{"skill":"web","enabled":false}`), "PUT /api/agent/skills": ways(`{"skill":"web","config":{"allowed_hosts":"example.com"}}`),
		"GET /api/agent/cache": ways(nil), "POST /api/agent/cache": ways(`{"enabled":true}`), "DELETE /api/agent/cache": ways(nil),
		"POST /instances/:id/cache": {{form: form("enabled", "true")}}, "POST /instances/:id/cache/empty": none,
		"POST /instances/:id/skills": {{form: form("skill", "web", "enabled", "true")}}, "POST /instances/:id/skills/:skill": {{form: form("allowed_hosts", "example.com")}},
		"POST /api/agent/message": append(ways(`{"content":"hello"}`), body{json: `{"content":"hello","session_id":"` + i.session + `"}`,
			header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}),
		"POST /api/agent/message/stream": ways(`{"content":"hello"}`),
		"GET /api/agent/memory":          append(ways(nil), body{query: "?category=fact"}), "POST /api/agent/memory": ways(`{"key":"k","value":"v"}`),
		"PATCH /api/agent/memory": {{json: `{"id":"` + i.memory + `","value":"changed"}`, foreign: true}, {json: `{"key":"k","value":"v"}`, header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}},
		"DELETE /api/agent/memory": {{json: `{"id":"` + i.memory + `"}`, foreign: true}, {json: `{}`, query: "?id=" + i.memory, foreign: true},
			{json: `{"key":"k"}`, header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}},
		"GET /api/memory/working": ways(nil), "GET /api/memory/episodic": ways(nil), "GET /api/memory/semantic": ways(nil), "GET /api/memory/semantic/categories": ways(nil),
		"GET /api/memory/search":     {{query: "?q=word&instance=" + i.instance, foreign: true}, {query: "?q=word", header: map[string]string{"X-Instance-Id": i.instance}, foreign: true}},
		"POST /instances/:id/memory": {{form: form("key", "k")}}, "POST /instances/:id/memory/:memory": {{form: form("value", "changed")}},
		"POST /instances/:id/memory/:memory/delete": none, "POST /instances/:id/memory/versions/:version": {{form: form("act", "reject")}},
		"POST /instances/:id/files": {{form: form("name", "x", "kind", "file")}}, "POST /instances/:id/files/save": {{form: form("path", "x", "content", "y")}},
		"POST /instances/:id/files/carry": {{form: form("paths", "x", "to", "y", "act", "move")}}, "POST /instances/:id/files/delete": {{form: form("paths", "x")}},
		"POST /instances/:id/files/archive": {{form: form("paths", "x", "format", "zip")}}, "POST /instances/:id/files/unpack": {{form: form("path", "x")}},
		"POST /instances/:id/files/upload": {{form: form("path", ".")}}, "POST /instances/:id/files/uploads": {{json: `{"path":"x","size":1}`}},
		"PUT /instances/:id/files/uploads/:upload": {{json: `x`, query: "?offset=0"}}, "POST /instances/:id/files/uploads/:upload/delete": none,
		"GET /instances/:id/files": {{}, {query: "?path=a/b&edit=true"}, {query: "?q=x&in=both"}, {query: "?turn=" + i.turn}}, "POST /instances/:id/files/changes/:checkpoint/restore": none, "GET /instances/:id/files/raw": {{query: "?path=x"}},
		"POST /instances/:id/files/trash/restore": {{form: form("id", i.trashed)}}, "POST /instances/:id/files/trash/empty": {{form: form("id", i.trashed)}},
		"POST /v1/agent/:id/filesystem/files/*": {{json: `{"content":"x"}`}}, "PUT /v1/agent/:id/filesystem/files/*": {{json: `{"content":"x"}`}},
		"PATCH /v1/agent/:id/filesystem/files/*": {{json: `{"operation":"append","content":"x"}`}}, "POST /v1/agent/:id/filesystem/directories/*": {{json: `{}`}},
		"GET /v1/agent/:id/filesystem/files/*":          {{}, {query: "?download=true"}},
		"POST /v1/agent/:id/filesystem/operations/copy": {{json: `{"source":"a","destination":"b"}`}}, "POST /v1/agent/:id/filesystem/operations/move": {{json: `{"operations":[{"source":"a","destination":"b"}]}`}},
		"POST /v1/agent/:id/filesystem/operations/search": {{json: `{"query":"x"}`}}, "POST /v1/agent/:id/filesystem/archives": {{json: `{"paths":["a"],"outputPath":"b.zip"}`}},
		"POST /v1/agent/:id/filesystem/archives/extract": {{json: `{"archivePath":"b.zip"}`}},
		"POST /api/sessions/:id/analyze":                 {{json: `{}`}}, "POST /api/turns/:id/analyze": {{json: `{}`}}, "POST /api/recommendations/generate": {{json: `{}`, query: "?period=7d"}},
		"POST /turns/:id/grade": {{form: form("grade", "4", "comment", "good")}}, "POST /turns/:id/analysis": none, "POST /turns/:id/answers": {{form: form("model", "nonsense")}},
		"POST /chat/:id/analysis": none, "POST /recommendations": {{form: form(), query: "?period=7d"}},
		"POST /api/turns/:id/feedback": {{json: `{"grade":4,"comment":"good"}`}}, "PUT /api/turns/:id/feedback": {{json: `{"grade":2}`}},
		"POST /settings/models/routing": {{form: form("hedge_ms", "nonsense")}}, "POST /admin/catalogue": act("restore", "kind", "openai", "model", "no-such-model"),
		"GET /settings/models/catalogue": {{query: "?q=gpt&edit=openai/gpt-6-sol"}},
		"GET /usage":                     {{query: "?span=90d&by=session&instance=" + i.instance}}, "GET /usage/export": {{query: "?by=member&session=" + i.session}},
		"GET /usage/entries":          {{query: "?from=0&until=7200000000&key=" + i.key + "&session=" + i.session}},
		"POST /approvals/:id/approve": {{form: form("lasts", "once")}}, "POST /approvals/:id/deny": {{form: form("note", "no")}},
		"POST /api/approvals/:id/approve": {{json: `{}`}}, "POST /api/approvals/:id/deny": {{json: `{"decided_by":"somebody else"}`}},
		"POST /instances/:id/policy": {{form: form("verdict", "nonsense")}}, "POST /instances/:id/policy/try": {{form: form("tool", "bash", "input", "{}")}},
		"POST /instances/:id/policy/:rule": {{form: form("verdict", "nonsense")}}, "POST /instances/:id/policy/:rule/move": {{form: form("to", "up")}},
		"POST /instances/:id/policy/:rule/delete": none, "POST /instances/:id/grants/:grant/delete": none,
		"POST /settings/webhooks": {{form: form("name", "x", "url", "https://example.com/x", "events", "nonsense", "instance", i.instance)}}, "POST /settings/webhooks/:id": {{form: form("name", "x")}},
		"POST /settings/webhooks/:id/rotate": none, "POST /settings/webhooks/:id/test": none, "POST /settings/webhooks/:id/delete": none,
		"POST /api/webhook-endpoints":      {{json: `{"name":"x","url":"https://example.com/x","events":["agent.error"],"instanceId":"` + i.instance + `"}`, foreign: true}},
		"PATCH /api/webhook-endpoints/:id": {{json: `{"name":"changed"}`}}, "POST /api/webhook-endpoints/:id/rotate": {{json: `{}`}}, "POST /api/webhook-endpoints/:id/test": {{json: `{}`}},
		"POST /deliveries/:id/replay": none, "POST /deliveries/:id/drop": none, "POST /api/deliveries/:id/replay": {{json: `{}`}}, "POST /api/deliveries/:id/drop": {{json: `{}`}},
		"GET /automations": {{query: "?kind=channel&state=active&outcome=none&q=x&page=2&owner=" + i.user + "&instance=" + i.instance}}, "GET /api/automations": {{query: "?instance=" + i.instance}},
		"GET /live/automations": {{query: "?instance=" + i.instance}},
		"GET /deliveries":       {{query: "?state=pending&kind=mail&q=x&webhook=" + i.webhook}}, "GET /api/deliveries": {{query: "?webhook=" + i.webhook}},
		"POST /api/channels/dead-letter/:id/replay": {{json: `{}`}},
		"POST /notifications/read":                  none, "POST /notifications/:id/read": {{form: form("read", "false")}}, "POST /notifications/preferences": {{form: form("digest_run_failed", "hourly")}},
		"POST /api/notifications/read": {{json: `{}`}}, "POST /api/notifications/:id/read": {{json: `{"read":true}`}},
		"GET /live/notifications": {{query: "?unread=true"}},
		"GET /chat":               {{query: "?new=1&instance=" + i.instance, foreign: true}, {query: "?instance=" + i.instance, foreign: true}},
		"GET /live/chat/:id":      {{query: "?after=0"}}, "GET /chat/:id/events": {{query: "?before=2"}},
		"GET /live/overview": {{query: "?after=0"}}, "GET /live/instances": {{query: "?after=0"}}, "GET /live/instances/:id": {{query: "?after=0"}},
	}
}

// ends are the routes that would end the organization they are called in: who may is tested by a test of its own.
var ends = map[string]bool{"DELETE /api/settings": true}

// empty are the lists whose contract answers an id that matches nothing with no entries, and not with 404.
var empty = map[string]bool{"GET /api/memory/working/:session_id": true, "GET /api/memory/semantic/:category": true,
	"GET /api/sessions/:id/turns": true, "GET /api/sessions/:id/insights": true, "POST /api/sessions/:id/analyze": true, "GET /api/sessions/:id/feedback": true, "GET /api/turns/:id/tools": true,
	"GET /api/audit/policy/:turn_id": true, "GET /api/audit/tools/:turn_id": true}

// cases gives every route of the table with every id position filled from o, and fails on one that is unknown.
func cases(t *testing.T, w *apptest.World, o *apptest.Org) []routeCase {
	t.Helper()
	i, out := idsOf(o), []routeCase{}
	known := bodies(i)
	for _, r := range w.App.Routes() {
		route := r.Method + " " + r.Path
		path, foreign := fill(t, r.Path, i)
		list, ok := known[route]
		require.True(t, ok || r.Method == "GET" || r.Method == "DELETE" && strings.Contains(r.Path, ":"), "%s is not in the table of bodies", route)
		if !ok {
			list = []body{{}}
		}
		delete(known, route)
		for _, b := range list {
			c := routeCase{name: route + b.query, route: route, access: r.Access.String(), family: r.Family, foreign: foreign && !empty[route] || b.foreign,
				call: apptest.Call{Method: r.Method, Path: path + b.query, Form: b.form, JSON: b.json, Header: b.header}}
			c.sent, _ = b.json.(string)
			c.sent += b.form.Encode() + b.header["X-Instance-Id"]
			out = append(out, c)
		}
	}
	require.Empty(t, known, "bodies of routes that do not exist")
	return out
}

func fill(t *testing.T, path string, i ids) (string, bool) {
	t.Helper()
	path = strings.Replace(path, "*", "css/no-such-file.css", 1)
	if !strings.Contains(path, ":") {
		return path, false
	}
	prefix := path[:strings.Index(path, ":")]
	places, ok := pathIDs[prefix]
	require.True(t, ok, "%s: nobody said what %s is", path, prefix)
	for place, v := range places(i) {
		path = strings.ReplaceAll(path, place, v)
	}
	require.NotContains(t, path, ":", "an id of %s is not filled", path)
	return path, true
}
