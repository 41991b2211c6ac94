package app_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/models"
)

// ignoresBody are routes whose request says all in its path.
var ignoresBody = map[string]bool{
	"POST /v1/agent/:id/pause": true, "POST /v1/agent/:id/resume": true, "POST /v1/agent/:id/stop": true, "POST /v1/agent/:id/discord/link": true, "POST /v1/agent/:id/slack/link": true, "POST /v1/agent/:id/telegram/link": true,
	"DELETE /v1/agent/:id/discord/unlink": true, "DELETE /v1/agent/:id/slack/unlink": true, "DELETE /v1/agent/:id/telegram/unlink": true, "DELETE /v1/agent/:id/filesystem/files/*": true, "DELETE /v1/agent/:id/filesystem/directories/*": true,
	"POST /channels/:id/try": true, "POST /channels/:id/on": true, "POST /channels/:id/off": true, "POST /channels/:id/delete": true, "POST /channels/:id/code": true,
	"POST /channels/bindings/:id/delete": true, "POST /channels/bindings/:id/collect": true, "POST /channels/bindings/:id/interrupt": true,
	"POST /instances/:id/files/uploads/:upload/delete": true, "PUT /instances/:id/files/uploads/:upload": true, // bytes, whatever they are
	// A service's bytes are verified before they are read.
	"POST /v1/webhooks/channels/:id": true, "POST /api/webhooks/telegram": true, "POST /api/webhooks/whatsapp": true,
	"POST /settings/webhooks/:id/rotate": true, "POST /settings/webhooks/:id/test": true, "POST /settings/webhooks/:id/delete": true,
	"POST /api/webhook-endpoints/:id/rotate": true, "POST /api/webhook-endpoints/:id/test": true, "DELETE /api/webhook-endpoints/:id": true,
	"POST /deliveries/:id/replay": true, "POST /deliveries/:id/drop": true, "POST /api/deliveries/:id/replay": true, "POST /api/deliveries/:id/drop": true,
	"POST /api/channels/dead-letter/:id/replay": true, "POST /notifications/read": true, "POST /api/notifications/read": true, "POST /sign-out": true, "POST /chat/:id/delete": true, "POST /turns/:id/stop": true, "POST /settings/models/:id/default": true,
	"POST /settings/models/:id/delete": true, "POST /settings/sign-ins/others/delete": true, "POST /settings/sign-ins/:id/delete": true, "DELETE /api/instances/:id": true,
	"POST /settings/security/identities/:id/delete": true, "POST /settings/security/passkeys/:id/delete": true, "POST /settings/security/passkeys/options": true,
	"POST /organizations/:id/switch": true, "POST /settings/team/leave": true, "POST /settings/team/:id/delete": true,
	"POST /settings/team/:id/transfer": true, "POST /settings/invitations/:id/delete": true, "POST /settings/keys/:id/delete": true, "POST /settings/budgets/:id/delete": true,
	"DELETE /api/team/:id": true, "DELETE /api/api-keys/:id": true, "DELETE /api/settings": true,
	"POST /turns/:id/analysis": true, "POST /chat/:id/analysis": true, "POST /recommendations": true,
	"POST /api/turns/:id/analyze": true, "POST /api/sessions/:id/analyze": true, "POST /api/recommendations/generate": true,
	"POST /instances/:id/policy/:rule/delete": true, "POST /instances/:id/grants/:grant/delete": true,
	"POST /instances/:id/cache/empty": true, "DELETE /api/agent/cache": true, "DELETE /api/providers/:provider/key": true,
	"POST /automations/:id/run": true, "POST /automations/:id/pause": true, "POST /automations/:id/resume": true, "POST /automations/:id/delete": true,
	"POST /automations/pause": true, "POST /automations/resume": true, "POST /automations/:id/calls/:call/replay": true, "POST /automations/:id/secret/old/delete": true,
	"DELETE /v1/agent/:id/schedules/:schedule": true, "DELETE /v1/agent/:id/triggers/:trigger": true, "DELETE /api/cron/jobs/:id": true, "POST /api/cron/jobs/:id/run": true,
	"POST /api/breaker/reset/:provider": true, "POST /api/breaker/open/:provider": true,
	// Their own tests say what these take: one reads nothing, the others only what is proved to be from who may call.
	"POST /settings/billing/portal": true, "POST /api/stripe/webhook": true, "POST /v1/webhooks/triggers/:id": true, "POST /instances/:id/memory/:memory/delete": true}

// notObjects are bodies that no decoder takes.
var notObjects = map[string]string{
	"cut": `{`, "words": `nonsense`, "array": `[]`, "number": `5`, "text": `"x"`, "null": `null`, "bool": `true`, "two values": `{} {}`, "comma": `{"a":1,}`, "single quotes": `{'a':1}`,
	"bad UTF-8": "{\"name\":\"\xff\"}", "NUL": "{}\x00", "deep": strings.Repeat(`{"a":`, 20_000) + strings.Repeat(`}`, 20_000), "deep arrays": strings.Repeat(`[`, 100_000), "BOM": "\xef\xbb\xbf{}",
	"lone surrogate key": `{"\ud800":`, "NaN": `{"a":NaN}`, "huge number": `{"a":1e`, "comment": `/**/{}`,
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	for _, c := range cases(t, w, w.Acme) {
		if c.call.Method == "GET" || ignoresBody[c.route] || strings.Contains(c.call.Path, "sessionId=") || strings.Contains(c.call.Path, "?id=") || c.route == "POST /setup" {
			continue
		}
		for name, body := range notObjects {
			call := c.call
			call.Who, call.Form, call.JSON, call.Body, call.Type, call.Face = w.Acme.Owner, nil, nil, strings.NewReader(body), "application/json", apptest.JSON
			a := w.Do(call)
			assert.Equal(t, 400, a.Status, "%s %s", c.name, name)
			said, _ := a.Map()["error"].(string)
			if e, ok := a.Map()["error"].(map[string]any); ok { // the gateway's families
				said, _ = e["message"].(string)
			}
			if c.family == app.Cloud {
				assert.Equal(t, "Invalid request", said, "%s %s", c.name, name)
			} else {
				assert.NotEmpty(t, said, "%s %s", c.name, name)
			}
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a malformed body changed something")
}

// A value of an address that is no text is 400 on every route, in its family's shape, and never another value: made clean, it would name
// another thing.
func TestAddressesAreText(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Exec("UPDATE users SET staff = ? WHERE id = ?", true, w.Acme.Owner.UserID)
	before := w.Dump(w.Acme.ID)
	place := regexp.MustCompile(`:[a-z_]+|\*`)
	for _, r := range w.App.Routes() {
		for _, bad := range []string{"kee%00p.txt", "dir%ff", "%00", "%C3%28", "\xff"} {
			paths := []string{place.ReplaceAllString(r.Path, "x") + "?q=" + bad}
			for _, at := range place.FindAllStringIndex(r.Path, -1) {
				paths = append(paths, place.ReplaceAllString(r.Path[:at[0]], "x")+bad+place.ReplaceAllString(r.Path[at[1]:], "x"))
			}
			for _, path := range paths {
				a := w.Do(apptest.Call{Method: r.Method, Path: path, Who: w.Acme.Owner, Face: apptest.JSON})
				assert.Equal(t, 400, a.Status, "%s %s: %s", r.Method, path, a.Body)
				if r.Family != app.Pages && r.Family != app.Ops {
					assert.NotEmpty(t, a.Map()["error"], "%s %s", r.Method, path)
				}
			}
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused address changed something")
}

// Every field of every body in every wrong type: 4xx, or taken as it is written, never 5xx.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	fields := []string{"name", "region", "tier", "action", "message", "session_id", "images", "sessionId", "title", "category", "status", "icon", "pinned", "instance", "theme", "email", "password", "next",
		"kind", "base_url", "key", "model", "confirm", "value", "id", "act", "importance"}
	for _, c := range cases(t, w, nil) { // ids that match no row: whatever is taken changes nothing
		if c.call.Method == "GET" || c.route == "POST /setup" || c.route == "POST /api/agent/sessions" || c.route == "POST /sign-in" {
			continue
		}
		for _, value := range []string{`{}`, `[]`, `[[]]`, `5`, `-0.0e99999`, `true`, `null`, `"\u0000"`, `"\ud800"`} {
			parts := []string{}
			for _, f := range fields {
				parts = append(parts, `"`+f+`":`+value)
			}
			call := c.call
			call.Who, call.Form, call.JSON, call.Face = w.Acme.Owner, nil, "{"+strings.Join(parts, ",")+"}", apptest.JSON
			a := w.Do(call)
			assert.False(t, broken(a), "%s %s: %d", c.name, value, a.Status)
			if !ignoresBody[c.route] {
				assert.GreaterOrEqual(t, a.Status, 400, "%s %s", c.name, value)
			}
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID))
}

func TestDuplicateKeys(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	a := w.Do(api("PATCH", "/api/instances/"+w.Acme.Instance.ID, w.Acme.Owner, `{"name":"NOT OK","name":"the-last-one"}`))
	assert.Equal(t, 200, a.Status)
	assert.Equal(t, "the-last-one", a.Map()["name"], "what is checked is what is kept")
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, name := range []string{"", " ", "A", "a b", "a_b", "ä", "a\n", "\na", "a\x00", "../x", "a/b", "a.b", strings.Repeat("a", 51), "٣", "ａ", "a\u200b", "<b>", "%00"} {
		for _, c := range []apptest.Call{api("POST", "/api/instances", w.Acme.Owner, map[string]string{"name": name, "region": "r", "tier": "PRO"}),
			api("PATCH", "/api/instances/"+w.Acme.Instance.ID, w.Acme.Owner, map[string]string{"name": name})} {
			assert.Equal(t, 400, w.Do(c).Status, "%s %q", c.Method, name)
		}
		assert.Equal(t, 422, w.Do(post("/instances", w.Acme.Owner, "name", name, "region", "r", "tier", "PRO")).Status, "%q", name)
	}
	for _, name := range []string{"a", "-", "0", strings.Repeat("z", 50)} {
		assert.Equal(t, 201, w.Do(api("POST", "/api/instances", w.Acme.Owner, map[string]string{"name": name, "region": "r", "tier": "STARTER"})).Status, name)
	}
}

func TestBrokenForms(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	part := "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"x\"\r\n\r\nx\r\n"
	for name, c := range map[string]struct{ kind, body string }{
		"no boundary": {"multipart/form-data", part + "--B--"}, "other boundary": {"multipart/form-data; boundary=C", part + "--B--"}, "cut": {"multipart/form-data; boundary=B", part},
		"cut in a header": {"multipart/form-data; boundary=B", "--B\r\nContent-Dispo"}, "empty": {"multipart/form-data; boundary=B", ""}, "many parts": {"multipart/form-data; boundary=B", strings.Repeat(part, 2000) + "--B--\r\n"},
		"long header": {"multipart/form-data; boundary=B", "--B\r\nX: " + strings.Repeat("x", 100_000) + "\r\n\r\n\r\n--B--"}, "bad escape": {"application/x-www-form-urlencoded", "message=%zz"}, "semicolon": {"application/x-www-form-urlencoded", "a;b=%"},
		"NUL": {"application/x-www-form-urlencoded", "message=a%00b"}, "bad UTF-8": {"application/x-www-form-urlencoded", "message=%ff"}, "no message": {"application/x-www-form-urlencoded", "x=y"},
		"huge name": {"multipart/form-data; boundary=B", strings.Replace(part, `"x"`, `"`+strings.Repeat("n", 300)+`"`, 1) + "--B--\r\n"}, "bad name": {"multipart/form-data; boundary=B", strings.Replace(part, `"x"`, "\"\xff\xfe\"", 1) + "--B--\r\n"},
		"eleven files": {"multipart/form-data; boundary=B", strings.Repeat(part, 11) + "--B--\r\n"},
	} {
		for _, path := range []string{"/chat/" + w.Acme.Session.ID + "/messages", "/chat"} {
			for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
				a := w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Body: io.MultiReader(strings.NewReader(c.body)), Type: c.kind, Face: face})
				assert.Contains(t, []int{400, 413, 422}, a.Status, "%s %s", name, face)
			}
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused form changed something")
}

// fuzzed is one server for a fuzz test, without a worker: it is asked a million times.
func fuzzed(f *testing.F) *apptest.World {
	return apptest.Start(f, apptest.Options{NoWorker: true})
}

func FuzzRequest(f *testing.F) {
	w := fuzzed(f)
	routes := w.App.Routes()
	for n := range routes {
		f.Add(n, w.Acme.Instance.ID, "?after=0", "application/json", `{"name":"x","message":"y","sessionId":"z"}`, n%2 == 0)
		f.Add(n, "..%2f%00", "?q=%ff&before=-1", "multipart/form-data; boundary=B", "--B\r\n\r\n", true)
	}
	f.Fuzz(func(t *testing.T, n int, id, query, kind, body string, key bool) {
		r := routes[max(n, -(n+1))%len(routes)]
		path := strings.NewReplacer(":id", escape(id), ":queue", escape(id), ":attachment", escape(id), "*", escape(id)).Replace(r.Path)
		if strings.HasPrefix(query, "?") {
			path += "?" + escape(query[1:])
		}
		c := apptest.Call{Method: r.Method, Path: path, Who: w.Acme.Owner, ByKey: key, Header: map[string]string{"Content-Type": strings.Map(header, kind)}}
		if r.Method != "GET" {
			c.Body = strings.NewReader(body)
		}
		if r.Path == "/sign-out" || strings.HasPrefix(r.Path, "/settings/sign-ins/") || r.Path == "/api/agent/chat" {
			return // they end our own sign-in, or wait for an answer
		}
		a, err := w.In(t).Try(c)
		require.NoError(t, err)
		require.False(t, broken(a), "%s %s: %d %s", r.Method, path, a.Status, a.Body)
		if !key || r.Access.String() != "staff" { // for keys the back office is not there
			require.Empty(t, a.Header.Get("X-Route-Missing"))
		}
		require.Equal(t, models.Owner, w.Acme.Scope.Actor.Role)
	})
}

func header(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

func FuzzAuthorization(f *testing.F) {
	w := fuzzed(f)
	for _, s := range []string{"Bearer lob_x", "Bearer ' OR '1'='1", "Basic eDp5", "bearer", "Bearer \t", "lob_", "Bearer " + strings.Repeat("a", 9000), w.Acme.Owner.Key[:20], "Bearer %"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, authorization, cookie string) {
		h := map[string]string{"Authorization": strings.TrimSpace(strings.Map(header, authorization)), "Cookie": "lobstead=" + strings.Map(header, cookie)}
		if strings.Contains(authorization, w.Acme.Owner.Key) || len(authorization)+len(cookie) > 12_000 {
			return
		}
		for _, path := range []string{"/api/instances", "/api/agent/sessions"} {
			a, err := w.In(t).Try(apptest.Call{Method: "GET", Path: path, Header: h})
			require.NoError(t, err)
			require.Equal(t, 401, a.Status)
			require.NotContains(t, a.Body, w.Acme.Name)
		}
	})
}
