package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/kit/limit"
	"lobstead/models"
)

// asKey sends JSON with a person's key.
func asKey(w *apptest.World, who *apptest.Person, method, path string, body any) apptest.Answer {
	w.T.Helper()
	return w.Do(apptest.Call{Method: method, Path: path, Who: who, ByKey: true, JSON: body})
}

func list(t *testing.T, a apptest.Answer) []map[string]any {
	t.Helper()
	out := []map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &out), a.Body)
	return out
}

func TestTeamAPI(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	o := w.Acme
	rows := list(t, asKey(w, o.Member, "GET", "/api/team", nil))
	require.Len(t, rows, 3)
	assert.Equal(t, "OWNER", rows[0]["role"])
	assert.Equal(t, rows[0]["userId"], rows[0]["user"].(map[string]any)["id"])
	assert.Contains(t, rows[0], "image")

	for body, want := range map[string]string{
		`{}`:                                     `{"code":"invalid_type","expected":"string","received":"undefined","message":"Required","path":["email"]}`,
		`{"email":"no address","role":"MEMBER"}`: `{"code":"invalid_string","validation":"email","message":"Invalid email","path":["email"]}`,
		`{"email":"a@example.com","role":"OWNER"}`:   `"code":"invalid_enum_value","received":"OWNER","options":["ADMIN","MEMBER"]`,
		`{"email":7,"role":"MEMBER"}`:                `{"code":"invalid_type","expected":"string","received":"number","message":"Expected string, received number","path":["email"]}`,
		`{"email":"a@example.com","role":"MEMBER"`:   `"error":"Invalid request"`,
		`{"email":"a@exa\u0000mple","role":"ADMIN"}`: `"code":"invalid_string"`,
	} {
		a := asKey(w, o.Admin, "POST", "/api/team", body)
		assert.Equal(t, 400, a.Status, body)
		has(t, a.Body, want)
	}
	a := asKey(w, o.Admin, "POST", "/api/team", `{"email":"x","role":"OWNER"}`)
	assert.Len(t, a.Map()["details"], 2, "all issues at once")

	a = asKey(w, o.Admin, "POST", "/api/team", map[string]any{"email": "New@Example.com", "role": "MEMBER"})
	require.Equal(t, 201, a.Status, a.Body)
	assert.Equal(t, "new@example.com", a.Map()["email"])
	assert.Equal(t, "invited", a.Map()["status"])
	link := a.Map()["inviteUrl"].(string)
	lacks(t, asKey(w, o.Owner, "GET", "/api/team", nil).Body, "new@example.com", "join?token")

	// An existing account joins at once; a second time is a conflict in the contract's words.
	a = asKey(w, o.Admin, "POST", "/api/team", map[string]any{"email": w.Rival.Member.Email, "role": "ADMIN"})
	require.Equal(t, 201, a.Status, a.Body)
	member := a.Map()["id"].(string)
	a = asKey(w, o.Admin, "POST", "/api/team", map[string]any{"email": w.Rival.Member.Email, "role": "ADMIN"})
	assert.Equal(t, 409, a.Status)
	has(t, a.Body, `"error":"Already exists"`)

	a = asKey(w, o.Admin, "PATCH", "/api/team/"+member, `{"role":"MEMBER"}`)
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, "MEMBER", a.Map()["role"])
	a = asKey(w, o.Admin, "DELETE", "/api/team/"+o.Owner.MemberID, nil)
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, `"error":"Cannot remove the organization owner"`)
	a = asKey(w, o.Admin, "DELETE", "/api/team/"+o.Admin.MemberID, nil)
	assert.Equal(t, 400, a.Status)
	has(t, a.Body, `"error":"Cannot remove yourself"`)
	a = asKey(w, o.Owner, "DELETE", "/api/team/"+w.Rival.Member.UserID, nil) // the person's id does as well
	assert.Equal(t, 200, a.Status)
	assert.JSONEq(t, `{"success":true}`, a.Body)
	assert.Equal(t, 404, asKey(w, o.Owner, "DELETE", "/api/team/"+w.Rival.Member.UserID, nil).Status)

	// The link lets its address in, once.
	u, err := url.Parse(link)
	require.NoError(t, err)
	page := w.Do(apptest.Call{Method: "GET", Path: u.RequestURI()})
	assert.Equal(t, 200, page.Status)
	has(t, page.Body, "Join Acme Canary", "new@example.com")
	bad := w.Do(apptest.Call{Method: "POST", Path: u.RequestURI(), Form: url.Values{"name": {"New"}, "password": {"short"}}})
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "String must contain at least 10 character(s)")
	in := w.Do(apptest.Call{Method: "POST", Path: u.RequestURI(), Form: url.Values{"name": {"New"}, "password": {"a long enough one"}}})
	require.Equal(t, 303, in.Status, in.Body)
	cookie := in.Cookie(w.CookieName())
	require.NotNil(t, cookie)
	home := w.Do(apptest.Call{Method: "GET", Path: "/", Who: &apptest.Person{Cookie: cookie.Value}})
	has(t, home.Body, "Acme Canary")
	assert.Equal(t, 404, w.Do(apptest.Call{Method: "GET", Path: u.RequestURI()}).Status)
}

func TestAPIKeysAPI(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	o := w.Acme
	for body, want := range map[string]string{
		`{"name":""}`: `"code":"too_small","minimum":1,"type":"string"`, `{"name":"` + strings.Repeat("x", 101) + `"}`: `"code":"too_big","maximum":100,"type":"string"`,
		`{"name":"k","expiresInDays":0}`: `"code":"too_small","minimum":1,"type":"number"`, `{"name":"k","expiresInDays":366}`: `"code":"too_big","maximum":365,"type":"number"`,
		`{"name":"k","expiresInDays":1.5}`: `"expected":"integer","received":"float"`, `{"name":"k","expiresInDays":"9"}`: `"expected":"number","received":"string"`,
		`{"name":"k","scopes":["everything"]}`: `"code":"invalid_enum_value"`, `{"name":"k","scopes":"view"}`: `"expected":"array"`,
		`{"name":"k","scopes":["delete organization"]}`: `You cannot give what you may not do yourself`,
	} {
		a := asKey(w, o.Admin, "POST", "/api/api-keys", body)
		assert.Equal(t, 400, a.Status, body)
		has(t, a.Body, `"error":"Invalid request"`, want)
	}
	a := asKey(w, o.Admin, "POST", "/api/api-keys", `{"name":"ci","expiresInDays":30,"scopes":["view"]}`)
	require.Equal(t, 201, a.Status, a.Body)
	key, id := a.Map()["key"].(string), a.Map()["id"].(string)
	assert.Regexp(t, `^lob_[0-9A-Za-z]{43}$`, key)
	expires, err := time.Parse(time.RFC3339, a.Map()["expiresAt"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().AddDate(0, 0, 30), expires, time.Hour)

	listed := asKey(w, o.Member, "GET", "/api/api-keys", nil)
	lacks(t, listed.Body, key, "hash")
	has(t, listed.Body, id, `"prefix":"lob_`)
	// Scopes hold, in both headers.
	byKey := &apptest.Person{Key: key}
	assert.Equal(t, 200, asKey(w, byKey, "GET", "/api/instances", nil).Status)
	assert.Equal(t, 403, asKey(w, byKey, "POST", "/api/api-keys", `{"name":"more"}`).Status)
	assert.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Header: map[string]string{"X-Api-Key": key}}).Status)
	require.Equal(t, 200, asKey(w, o.Admin, "DELETE", "/api/api-keys/"+id, nil).Status)
	assert.Equal(t, 401, asKey(w, byKey, "GET", "/api/instances", nil).Status)
	assert.Equal(t, 404, asKey(w, o.Admin, "DELETE", "/api/api-keys/"+id, nil).Status)
}

func TestSettingsAPI(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{})
	o := w.Acme
	a := asKey(w, o.Member, "GET", "/api/settings", nil)
	require.Equal(t, 200, a.Status)
	slug := a.Map()["slug"]
	assert.Equal(t, "MEMBER", a.Map()["role"])
	assert.Contains(t, a.Map(), "library_remote", "another family reads this path too")
	assert.Equal(t, 403, asKey(w, o.Member, "PATCH", "/api/settings", `{"name":"x"}`).Status)
	a = asKey(w, o.Admin, "PATCH", "/api/settings", `{"name":"Acme & Söhne"}`)
	require.Equal(t, 200, a.Status)
	assert.Equal(t, slug, a.Map()["slug"], "clients may have kept it")
	has(t, asKey(w, o.Admin, "PATCH", "/api/settings", `{"name":""}`).Body, `"too_small"`)

	for who, status := range map[*apptest.Person]int{o.Member: 403, o.Admin: 403, nil: 401} {
		assert.Equal(t, status, asKey(w, who, "DELETE", "/api/settings", `{}`).Status)
	}
	stream := w.Open("/live/overview", o.Member)
	a = asKey(w, o.Owner, "DELETE", "/api/settings", `{}`)
	require.Equal(t, 200, a.Status, a.Body)
	assert.JSONEq(t, `{"success":true}`, a.Body)
	stream.Ended(5 * time.Second)
	assert.Equal(t, 401, asKey(w, o.Owner, "GET", "/api/settings", nil).Status, "its keys are dead at once")
	page := w.Do(apptest.Call{Method: "GET", Path: "/", Who: o.Owner})
	assert.Equal(t, 303, page.Status)
	assert.Equal(t, "/organizations", page.Header.Get("Location"))
	assert.Equal(t, 403, w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Who: o.Owner}).Status)
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/organizations", Who: o.Owner}).Body, "You belong to no organization")
	// The reconciler removes the sandbox, the sweep the rest.
	require.Eventually(t, func() bool {
		_, err := w.Store.AsSystem("test").FinishDeletions(t.Context())
		require.NoError(t, err)
		return w.Count("SELECT count(*) FROM organizations WHERE id = ?", o.ID) == 0
	}, 20*time.Second, 50*time.Millisecond)
	assert.Empty(t, w.Dump(o.ID))
	assert.Equal(t, 200, asKey(w, w.Rival.Owner, "GET", "/api/settings", nil).Status)
}

func TestInstancesOfAllOrganizations(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	_, err := w.Rival.Scope.Invite(t.Context(), w.Acme.Owner.Email, models.Member)
	require.NoError(t, err)
	browser := apptest.Call{Method: "GET", Path: "/api/instances", Who: w.Acme.Owner}
	both := list(t, w.Do(browser))
	require.Len(t, both, 2)
	assert.ElementsMatch(t, []any{w.Acme.ID, w.Rival.ID}, []any{both[0]["organizationId"], both[1]["organizationId"]})
	assert.Len(t, list(t, asKey(w, w.Acme.Owner, "GET", "/api/instances", nil)), 1, "a key acts in one organization")
	// What is listed can be asked for, by the role there.
	browser.Path = "/api/instances/" + w.Rival.Instance.ID
	assert.Equal(t, 200, w.Do(browser).Status)
	assert.Equal(t, 404, asKey(w, w.Acme.Owner, "GET", browser.Path, nil).Status)
	browser.Method = "DELETE"
	assert.Equal(t, 403, w.Do(browser).Status, "a member there, though an owner here")
	_, err = w.Rival.Scope.Invite(t.Context(), w.Acme.Member.Email, models.Admin)
	require.NoError(t, err)
	browser.Who = w.Acme.Member
	assert.Equal(t, 200, w.Do(browser).Status, "an admin there, though a member here")
}

func TestSwitchingOrganizations(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	_, err := w.Rival.Scope.Invite(t.Context(), w.Acme.Owner.Email, models.Member)
	require.NoError(t, err)
	who := w.Acme.Owner
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/organizations", Who: who}).Body, "Acme Canary", "Rival", "you are here")
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/organizations/" + w.Rival.ID + "/switch", Who: who}).Status)
	there := w.Do(apptest.Call{Method: "GET", Path: "/instances", Who: who})
	has(t, there.Body, w.Rival.Instance.Name)
	lacks(t, there.Body, w.Acme.Instance.Name)
	assert.Equal(t, 403, w.Do(apptest.Call{Method: "GET", Path: "/instances/new", Who: who}).Status)
	a := w.Do(apptest.Call{Method: "POST", Path: "/organizations", Who: who, Form: url.Values{"name": {"Third & Co"}}})
	assert.Equal(t, 303, a.Status)
	home := w.Do(apptest.Call{Method: "GET", Path: "/", Who: who})
	has(t, home.Body, "Third &amp; Co")
	has(t, w.Do(apptest.Call{Method: "POST", Path: "/organizations", Who: who, Form: url.Values{"name": {" "}}}).Body, "String must contain at least 1 character(s)")
}

func TestLimits(t *testing.T) {
	hour := func(n int) limit.Rule { return limit.Rule{N: n, Per: time.Hour} }
	w := apptest.Start(t, apptest.Options{NoWorker: true, Limits: app.Limits{Requests: hour(100), Creations: hour(3), Invitations: hour(2)}})
	for n := range 4 {
		asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"NOT VALID","region":"r","tier":"PRO"}`) // refused: does not count
		a := asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"x","region":"r","tier":"PRO"}`)
		if n < 3 {
			assert.Equal(t, 201, a.Status, a.Body)
			continue
		}
		assert.Equal(t, 429, a.Status)
		has(t, a.Body, `"error":"Too many requests"`)
		assert.Equal(t, "3", a.Header.Get("RateLimit-Limit"))
		assert.NotEmpty(t, a.Header.Get("Retry-After"))
	}
	assert.Equal(t, 201, asKey(w, w.Rival.Owner, "POST", "/api/instances", `{"name":"x","region":"r","tier":"PRO"}`).Status, "another organization's own")
	for n := range 3 {
		a := asKey(w, w.Acme.Admin, "POST", "/api/team", map[string]any{"email": "p" + string(rune('0'+n)) + "@example.com", "role": "MEMBER"})
		assert.Equal(t, map[bool]int{true: 201, false: 429}[n < 2], a.Status)
	}
	allowed, refused := 0, 0
	for range 130 {
		switch a := asKey(w, w.Acme.Member, "GET", "/api/settings", nil); a.Status {
		case 200:
			allowed++
		case 429:
			refused++
			assert.Equal(t, "0", a.Header.Get("RateLimit-Remaining"))
		}
	}
	assert.Equal(t, []int{100, 30}, []int{allowed, refused})
	for range 110 {
		require.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/api/settings", Who: w.Acme.Member}).Status, "a browser is not counted")
	}
}

func TestAuditLogPages(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	asKey(w, w.Acme.Admin, "PATCH", "/api/settings", `{"name":"<b>New</b> name"}`)
	rows := list(t, asKey(w, w.Acme.Owner, "GET", "/api/audit?act=organization.renamed", nil))
	require.Len(t, rows, 1)
	assert.Equal(t, "key", rows[0]["actor"].(map[string]any)["kind"])
	assert.Equal(t, "127.0.0.1", rows[0]["actor"].(map[string]any)["address"])
	page := w.Do(apptest.Call{Method: "GET", Path: "/settings/audit?q=renamed", Who: w.Acme.Owner})
	has(t, page.Body, "Organization renamed", "&lt;b&gt;New&lt;/b&gt; name")
	lacks(t, page.Body, "<b>New</b>", w.Rival.ID)
	assert.Equal(t, 400, asKey(w, w.Acme.Owner, "GET", "/api/audit?since=yesterday", nil).Status)
	export := w.Do(apptest.Call{Method: "GET", Path: "/settings/audit/export", Who: w.Acme.Owner})
	require.Equal(t, 200, export.Status)
	has(t, export.Header.Get("Content-Disposition"), "attachment")
	lines := strings.Split(strings.TrimSpace(export.Body), "\n")
	assert.Len(t, lines, w.Count("SELECT count(*) FROM audit_entries WHERE chain = ?", w.Acme.ID))
	assert.Equal(t, 403, w.Do(apptest.Call{Method: "GET", Path: "/settings/audit", Who: w.Acme.Member}).Status)
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	hands, err := w.Boxes.Hands(t.Context(), w.Acme.Instance.ID)
	require.NoError(t, err)
	require.NoError(t, hands.WriteFile(t.Context(), "src/main.txt", []byte("a file of the workspace"), 0o644))
	a := w.Do(apptest.Call{Method: "GET", Path: "/settings/export", Who: w.Acme.Owner})
	require.Equal(t, 200, a.Status)
	z, err := zip.NewReader(bytes.NewReader([]byte(a.Body)), int64(len(a.Body)))
	require.NoError(t, err)
	all, names := "", []string{}
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		all += string(text)
		names = append(names, f.Name)
	}
	has(t, strings.Join(names, " "), "organization.json", "members.json", "events.jsonl", "acme-canary-notes.txt", "workspace/src/main.txt", "workspace.json")
	has(t, all, "Acme Canary confidential", "Acme Canary file", "a file of the workspace", w.Acme.Member.Email)
	lacks(t, all, w.Rival.ID, apptest.GoodKey, w.Acme.Owner.Key, "key_hash", "argon2")
	assert.Equal(t, 403, w.Do(apptest.Call{Method: "GET", Path: "/settings/export", Who: w.Acme.Admin}).Status)
	has(t, asKey(w, w.Acme.Owner, "GET", "/api/audit", nil).Body, "organization.exported")
}

// Who is removed or demoted sees nothing more on a page that is open.
func TestStreamsEndWithAccess(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	o := w.Acme
	removed := w.Open("/live/overview", o.Member)
	require.Equal(t, 200, asKey(w, o.Admin, "DELETE", "/api/team/"+o.Member.MemberID, nil).Status)
	removed.Ended(5 * time.Second)
	assert.Equal(t, 401, asKey(w, o.Member, "GET", "/api/instances", nil).Status)
}

func TestPagesOfTheTeam(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	o := w.Acme
	form := func(who *apptest.Person, path string, kv ...string) apptest.Answer {
		v := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			v.Add(kv[n], kv[n+1])
		}
		return w.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: v})
	}
	a := w.Follow(form(o.Owner, "/settings/team", "email", "page@example.com", "role", "MEMBER"), o.Owner)
	has(t, a.Body, w.URL+"/join?token=", "It is not shown again")
	again := w.Do(apptest.Call{Method: "GET", Path: "/settings/team", Who: o.Owner})
	has(t, again.Body, "page@example.com")
	lacks(t, again.Body, "join?token")
	member := w.Do(apptest.Call{Method: "GET", Path: "/settings/team", Who: o.Member})
	lacks(t, member.Body, "page@example.com", "asked@")
	a = form(o.Owner, "/settings/team", "email", o.Member.Email, "role", "MEMBER")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "This person is a member already")
	a = w.Follow(form(o.Owner, "/settings/keys", "name", "ci", "scopes", "view", "scopes", "use instances", "expiresInDays", ""), o.Owner)
	has(t, a.Body, "Your new key", "lob_", "only: view, use instances")
	a = form(o.Owner, "/settings/keys", "name", "ci", "expiresInDays", "400")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "Number must be less than or equal to 365")
	a = form(o.Owner, "/settings/delete", "confirm", "wrong")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "1 instance with its sandbox", "Type the organization&#39;s name")
	a = form(o.Owner, "/settings", "name", "Renamed")
	assert.Equal(t, 303, a.Status)
	assert.Equal(t, 303, form(o.Owner, "/settings/team/"+o.Admin.MemberID+"/transfer").Status)
	assert.Equal(t, 403, form(o.Owner, "/settings/team/"+o.Member.MemberID+"/transfer").Status)
	assert.Equal(t, 303, form(o.Owner, "/settings/team/leave").Status)
	roles := w.Do(apptest.Call{Method: "GET", Path: "/settings/roles", Who: o.Member})
	for _, can := range models.Capabilities {
		has(t, strings.ToLower(roles.Body), string(can))
	}
}
