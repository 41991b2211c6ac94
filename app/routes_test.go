package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/models"
)

func TestEveryRouteHasARule(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	a := app.New(app.Deps{})
	defer func() { _ = a.Shutdown(t.Context()) }()
	for _, r := range a.Routes() {
		name := r.Method + " " + r.Path
		assert.NotEmpty(t, r.Access.String(), name)
		assert.NotEmpty(t, r.Family, name)
		assert.NotNil(t, r.Handler, name)
		assert.False(t, seen[name], "%s twice", name)
		seen[name] = true
	}
}

// public answers anybody; each route here was looked at.
var public = map[string]bool{"POST /auth/login": true,
	"GET /v1/webhooks/channels/:id": true, "POST /v1/webhooks/channels/:id": true, "POST /api/webhooks/telegram": true, "GET /api/webhooks/whatsapp": true, "POST /api/webhooks/whatsapp": true, "GET /healthz": true, "GET /readyz": true, "GET /static/*": true, "GET /favicon.ico": true, "GET /setup": true,
	"POST /setup": true, "GET /sign-in": true, "POST /sign-in": true, "POST /theme": true, "GET /join": true, "POST /join": true, "POST /api/stripe/webhook": true, "POST /v1/webhooks/triggers/:id": true,
	"GET /sign-in/passkey": true, "POST /sign-in/passkey": true, "POST /sign-in/passkey/options": true, "GET /sign-in/:provider": true, "GET /sign-in/:provider/callback": true,
	"GET /docs": true, "GET /api/openapi.json": true, "GET /api/gateway/v1/models": true, "POST /api/gateway/v1/route-preview": true}

// canaries are words that only Acme's pages hold.
func canaries(o *apptest.Org) []string {
	return []string{o.ID, o.Name, o.Instance.ID, o.Instance.Name, o.Session.ID, o.Session.Title, o.Turn.ID, o.Attachment, o.Provider.ID,
		o.Provider.Model, o.Owner.Email, o.Owner.UserID, o.Owner.SignInID, o.Owner.KeyID, o.Member.MemberID, o.Member.Email, o.Invitation.Invitation.ID, o.Invitation.Invitation.Email, o.Delivery.ID, o.Delivery.Destination, o.Name + " confidential", apptest.GoodKey}
}

func tellsNothing(t *testing.T, o *apptest.Org, a apptest.Answer, sent string) {
	t.Helper()
	for _, word := range canaries(o) {
		if strings.Contains(sent, word) { // what the caller said may come back
			continue
		}
		lacks(t, a.Body, word)
		for name, values := range a.Header {
			assert.NotContains(t, strings.Join(values, " "), word, name)
		}
	}
}

func TestGuestsSeeNothing(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	before := w.Dump(w.Acme.ID)
	for _, c := range cases(t, w, w.Acme) {
		for name, call := range guests(w, c.call) {
			t.Run(c.name+" "+name, func(t *testing.T) {
				a := w.Do(call)
				tellsNothing(t, w.Acme, a, call.Path+c.sent)
				switch {
				case public[c.route]: // what it says to nobody in particular is tested with its noun
				case c.access == "staff":
					assert.Equal(t, 404, a.Status)
				case call.Face == apptest.Page && c.family == app.Pages:
					assert.Equal(t, 303, a.Status)
					assert.True(t, strings.HasPrefix(a.Header.Get("Location"), "/sign-in?next="), a.Header.Get("Location"))
				default:
					assert.Equal(t, 401, a.Status)
				}
			})
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a guest changed something")
}

// guests are the ways of being nobody.
func guests(w *apptest.World, c apptest.Call) map[string]apptest.Call {
	out := map[string]apptest.Call{}
	for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
		g := c
		g.Face = face
		out["guest "+string(face)] = g
	}
	forged := c
	forged.Face, forged.Who = apptest.JSON, &apptest.Person{Cookie: w.Acme.Owner.SignInID, Key: w.Acme.Owner.UserID}
	out["forged cookie"] = forged
	forged.ByKey = true
	out["forged key"] = forged
	for name, key := range map[string]string{"revoked key": w.Acme.Revoked, "expired key": w.Acme.Expired} {
		dead := c
		dead.Face, dead.ByKey, dead.Who = apptest.JSON, true, &apptest.Person{Key: key}
		out[name] = dead
	}
	return out
}

func TestRolesDecide(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	roles := map[models.Role]*apptest.Person{models.Owner: w.Acme.Owner, models.Admin: w.Acme.Admin, models.Member: w.Acme.Member}
	for _, c := range cases(t, w, nil) { // ids that match no row: nothing changes, the rule answers first
		can, ok := strings.CutPrefix(c.access, "may ")
		browser := false
		if !ok {
			can, browser = strings.CutPrefix(c.access, "signed-in person who may ")
			ok = browser
		}
		if !ok {
			continue
		}
		for role, who := range roles {
			if ends[c.route] && role.May(models.Can(can)) {
				continue
			}
			for _, byKey := range []bool{false, true} {
				if byKey && browser {
					continue
				}
				call := c.call
				call.Who, call.ByKey, call.Face = who, byKey, apptest.JSON
				a := w.Do(call)
				if role.May(models.Can(can)) {
					assert.NotContains(t, []int{401, 403}, a.Status, "%s as %s", c.name, role)
				} else {
					assert.Equal(t, 403, a.Status, "%s as %s", c.name, role)
					has(t, a.Body, "Insufficient permissions")
				}
			}
		}
	}
}

func TestPersonsRoutesRefuseKeys(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, c := range cases(t, w, nil) {
		if !strings.HasPrefix(c.access, "signed-in person") {
			continue
		}
		call := c.call
		call.Who, call.ByKey, call.Face = w.Acme.Owner, true, apptest.JSON
		assert.Equal(t, 401, w.Do(call).Status, c.name)
	}
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	type want struct{ method, path, body string }
	for _, c := range []want{
		{"GET", "/api/agent/nothing", `{"error":"Not found","code":"route"}`}, {"POST", "/api/gateway/v1/nothing", `"type":"validation"`},
		{"GET", "/v1/models/nothing", `"type":"invalid_request_error"`}, {"GET", "/anthropic/v1/nothing", `"type":"not_found_error"`},
		{"GET", "/api/nothing", `"error":"Not found"`}, {"PUT", "/api/instances", `"error":"Not found"`}, {"GET", "/v1/nothing", `"error":"Not found"`},
		{"GET", "/nothing", "This page does not exist"}, {"PUT", "/instances", "This page does not exist"}, {"GET", "/instances/", "This page does not exist"},
		{"GET", "/INSTANCES", "This page does not exist"}, {"OPTIONS", "/api/instances", `"error":"Not found"`}, {"GET", "//instances", "This page does not exist"},
	} {
		for _, who := range []*apptest.Person{nil, w.Acme.Owner} {
			a := w.Do(apptest.Call{Method: c.method, Path: c.path, Who: who})
			assert.Equal(t, 404, a.Status, "%s %s", c.method, c.path)
			assert.Equal(t, "1", a.Header.Get("X-Route-Missing"), "%s %s", c.method, c.path)
			has(t, a.Body, c.body)
			secured(t, a, c.method+" "+c.path)
		}
	}
	a := w.Do(apptest.Call{Method: "HEAD", Path: "/nothing"})
	assert.Equal(t, 404, a.Status)
}

// What holds for every answer, whoever asks: headers, no missing route, no 5xx; and HEAD is GET without a body.
func TestEveryAnswer(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, c := range cases(t, w, nil) {
		for _, who := range []*apptest.Person{nil, w.Acme.Owner} {
			if ends[c.route] && who != nil {
				continue
			}
			call := c.call
			call.Who = who
			if c.access == "staff" && who != nil { // an earlier case signed them out
				w.SignIn(who)
			}
			a := w.Do(call)
			secured(t, a, c.name)
			if c.access != "staff" || who == w.Acme.Owner {
				assert.Empty(t, a.Header.Get("X-Route-Missing"), c.name)
			}
			assert.False(t, broken(a), "%s: %d", c.name, a.Status)
			if kind := a.Header.Get("Content-Type"); c.family != app.Ops && (strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/json")) {
				assert.Contains(t, a.Header.Get("Cache-Control"), "no-store", c.name)
			}
			if call.Method == "GET" {
				call.Method, call.JSON = "HEAD", nil
				h := w.Do(call)
				assert.Equal(t, a.Status, h.Status, "HEAD %s", c.name)
				assert.Empty(t, h.Body, "HEAD %s", c.name)
				secured(t, h, "HEAD "+c.name)
			}
		}
	}
}

// broken holds for answers that nobody should get: 5xx, but for what says that nobody pays here.
func broken(a apptest.Answer) bool {
	return a.Status >= 500 && (a.Status != 503 || !strings.Contains(a.Body, "not configured"))
}

func secured(t *testing.T, a apptest.Answer, name string) {
	t.Helper()
	csp := a.Header.Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'", name)
	for _, bad := range []string{"unsafe", "http:", "https:", "*"} {
		assert.NotContains(t, csp, bad, name)
	}
	assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), name)
	assert.Empty(t, a.Header.Get("Server"), name)
	assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"), name)
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite, "%s %s", name, c.Name)
		assert.Equal(t, "/", c.Path, "%s %s", name, c.Name)
		assert.Empty(t, c.Domain, "%s %s", name, c.Name)
		assert.True(t, c.HttpOnly || c.Name == "theme", "%s %s", name, c.Name)
	}
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		assert.Equal(t, "DENY", a.Header.Get("X-Frame-Options"), name)
		assert.Equal(t, "same-origin", a.Header.Get("Referrer-Policy"), name)
		require.NotEmpty(t, a.Header.Get("Cross-Origin-Opener-Policy"), name)
	}
}

// has and lacks say what must and must not appear, without printing whole pages.
func has(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%q is not in the answer, which begins %.300q", w, body)
		}
	}
}

func lacks(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if at := strings.Index(body, w); at >= 0 {
			t.Errorf("%q is in the answer: …%.200q…", w, body[max(0, at-80):])
		}
	}
}
