package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/api/openapi"
	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/kit/limit"
)

// The description and the route table are the same list, with the same rules.
func TestEveryJSONRouteIsDescribed(t *testing.T) {
	t.Parallel()
	a := app.New(app.Deps{})
	defer func() { _ = a.Shutdown(t.Context()) }()
	described := map[string]*openapi.Operation{}
	for n := range openapi.Operations {
		described[openapi.Operations[n].Key()] = &openapi.Operations[n]
	}
	elsewhere := map[string]bool{}
	for _, r := range a.Routes() {
		if openapi.Elsewhere[string(r.Family)] != "" {
			elsewhere[string(r.Family)] = true
		}
		if r.Family != app.Cloud && r.Family != app.Agent {
			continue
		}
		o := described[r.Method+" "+r.Path]
		if !assert.NotNil(t, o, "%s %s is not described: add it to api/openapi/operations.go", r.Method, r.Path) {
			continue
		}
		assert.Equal(t, r.Access.String(), o.Caller.String(), "%s %s", r.Method, r.Path)
		assert.Equal(t, r.Family == app.Agent, o.Family() == "agent", "%s %s", r.Method, r.Path)
		delete(described, o.Key())
	}
	for family, why := range openapi.Elsewhere {
		assert.True(t, elsewhere[family], "no route is of the family %s, which is left out because %s", family, why)
	}
	for _, r := range a.Routes() {
		known := r.Family == app.Pages || r.Family == app.Ops || r.Family == app.Cloud || r.Family == app.Agent
		assert.True(t, known || openapi.Elsewhere[string(r.Family)] != "", "%s %s is of a family that is neither described nor left out", r.Method, r.Path)
	}
	for key := range described {
		t.Errorf("%s is described, but there is no such route", key)
	}
}

// reader holds real answers against the served document. It is stricter than a client: nothing may be sent that is
// not described.
type reader struct {
	w   *apptest.World
	doc *openapi3.T
	ops map[string]*openapi.Operation
}

func newReader(t *testing.T, w *apptest.World) *reader {
	t.Helper()
	a := w.Do(apptest.Call{Method: "GET", Path: "/api/openapi.json"})
	require.Equal(t, 200, a.Status)
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.Body))
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	for _, s := range doc.Components.Schemas {
		no := false
		s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
	}
	r := &reader{w, doc, map[string]*openapi.Operation{}}
	for n := range openapi.Operations {
		o := &openapi.Operations[n]
		r.ops[o.Key()] = o
	}
	return r
}

// fits sends a call and checks that its answer is one that the document promises.
func (r *reader) fits(t *testing.T, route string, c apptest.Call, want int) apptest.Answer {
	t.Helper()
	a := r.w.Do(c)
	assert.Equal(t, want, a.Status, "%s: %s", route, a.Body)
	o := r.ops[route]
	require.NotNil(t, o, route)
	item := r.doc.Paths.Value(o.Template())
	in := &openapi3filter.ResponseValidationInput{Status: a.Status, Header: a.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r.w.Request(c),
			Route: &routers.Route{Spec: r.doc, Path: o.Template(), PathItem: item, Method: o.Method, Operation: item.GetOperation(o.Method)}}}
	in.SetBodyBytes([]byte(a.Body))
	assert.NoError(t, openapi3filter.ValidateResponse(t.Context(), in), "%s answers %d: %s", route, a.Status, a.Body)
	return a
}

// Every GET, as everybody who may call it, with every credential; and to those who may not.
func TestAnswersFitTheDocument(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	r := newReader(t, w)
	n := 0
	for _, c := range cases(t, w, w.Acme) {
		if c.call.Method != http.MethodGet || c.family != app.Cloud && c.family != app.Agent {
			continue
		}
		n++
		call := c.call
		call.Face = apptest.JSON
		for _, byKey := range []bool{false, true} {
			call.Who, call.ByKey = w.Acme.Owner, byKey
			r.fits(t, c.route, call, 200)
			if c.foreign {
				call.Who = w.Rival.Owner
				r.fits(t, c.route, call, 404)
			}
		}
		if c.access != "public" {
			call.Who, call.ByKey = nil, false
			r.fits(t, c.route, call, 401)
			call.Header = map[string]string{"Authorization": "Bearer lob_nobody"}
			r.fits(t, c.route, call, 401)
		}
	}
	assert.GreaterOrEqual(t, n, 5)
}

// What changes things, and the shapes of its refusals.
func TestChangesFitTheDocument(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	r := newReader(t, w)
	key := func(who *apptest.Person, method, path string, body any) apptest.Call {
		return apptest.Call{Method: method, Path: path, Who: who, ByKey: true, JSON: body}
	}
	o := w.Acme.Owner
	made := r.fits(t, "POST /api/instances", key(o, "POST", "/api/instances", map[string]string{"name": "described", "region": "local", "tier": "STARTER"}), 201)
	assert.NotEmpty(t, made.Map()["id"])
	r.fits(t, "POST /api/instances", key(o, "POST", "/api/instances", `{"name":"No!","region":"","tier":"HUGE"}`), 400)
	r.fits(t, "POST /api/instances", key(o, "POST", "/api/instances", `{"name":7}`), 400)
	r.fits(t, "POST /api/instances", key(o, "POST", "/api/instances", `[`), 400)
	r.fits(t, "POST /api/instances", key(w.Acme.Member, "POST", "/api/instances", `{}`), 403)
	r.fits(t, "POST /api/instances", apptest.Call{Method: "POST", Path: "/api/instances", Who: o, JSON: `{}`, Header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403)

	box := "/api/instances/" + w.Acme.Instance.ID
	r.fits(t, "PATCH /api/instances/:id", key(o, "PATCH", box, `{"name":"renamed"}`), 200)
	r.fits(t, "PATCH /api/instances/:id", key(o, "PATCH", box, `{}`), 400)
	r.fits(t, "PATCH /api/instances/:id", key(w.Rival.Owner, "PATCH", box, `{"name":"x"}`), 404)
	r.fits(t, "POST /api/instances/:id/actions", key(o, "POST", box+"/actions", `{"action":"start"}`), 400)

	one := r.fits(t, "POST /api/agent/sessions", key(o, "POST", "/api/agent/sessions", `{"title":"t","category":"task"}`), 200)
	session := one.Map()["session"].(map[string]any)["id"].(string)
	r.fits(t, "POST /api/agent/sessions", key(o, "POST", "/api/agent/sessions", `{"category":"nonsense"}`), 400)
	r.fits(t, "PATCH /api/agent/sessions", key(o, "PATCH", "/api/agent/sessions", `{"sessionId":"`+session+`","icon":"📈","pinned":true}`), 200)
	r.fits(t, "PATCH /api/agent/sessions", key(w.Rival.Owner, "PATCH", "/api/agent/sessions", `{"sessionId":"`+session+`","pinned":true}`), 404)
	r.fits(t, "DELETE /api/agent/sessions", key(o, "DELETE", "/api/agent/sessions", `{"sessionId":"`+session+`"}`), 200)
	r.fits(t, "POST /api/agent/chat", key(o, "POST", "/api/agent/chat", `{"message":"What is 2 plus 3?","session_id":"sums"}`), 200)
	r.fits(t, "POST /api/agent/chat", key(o, "POST", "/api/agent/chat", `{"message":"`+strings.Repeat(" ", 3)+`"}`), 400)
	r.fits(t, "POST /api/agent/chat", apptest.Call{Method: "POST", Path: "/api/agent/chat", JSON: `{}`}, 401)
	r.fits(t, "DELETE /api/instances/:id", key(o, "DELETE", box, nil), 200)
}

// The organization's people, keys and settings.
func TestTeamFitsTheDocument(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	r := newReader(t, w)
	o := w.Acme.Owner
	call := func(who *apptest.Person, method, path string, body any) apptest.Call {
		return apptest.Call{Method: method, Path: path, Who: who, ByKey: true, JSON: body}
	}
	asked := r.fits(t, "POST /api/team", call(o, "POST", "/api/team", `{"email":"new@example.org","role":"MEMBER"}`), 201)
	assert.NotEmpty(t, asked.Map()["inviteUrl"])
	r.fits(t, "POST /api/team", call(o, "POST", "/api/team", map[string]string{"email": w.Rival.Owner.Email, "role": "ADMIN"}), 201)
	r.fits(t, "POST /api/team", call(o, "POST", "/api/team", map[string]string{"email": w.Rival.Owner.Email, "role": "ADMIN"}), 409)
	r.fits(t, "POST /api/team", call(o, "POST", "/api/team", `{"email":"x","role":"OWNER"}`), 400)
	member := "/api/team/" + w.Acme.Member.MemberID
	r.fits(t, "PATCH /api/team/:id", call(o, "PATCH", member, `{"role":"ADMIN"}`), 200)
	r.fits(t, "PATCH /api/team/:id", call(w.Rival.Owner, "PATCH", member, `{"role":"ADMIN"}`), 404)
	r.fits(t, "DELETE /api/team/:id", call(o, "DELETE", "/api/team/"+o.UserID, nil), 400)
	r.fits(t, "DELETE /api/team/:id", call(w.Acme.Admin, "DELETE", "/api/team/"+o.UserID, nil), 403)
	r.fits(t, "DELETE /api/team/:id", call(o, "DELETE", member, nil), 200)

	made := r.fits(t, "POST /api/api-keys", call(o, "POST", "/api/api-keys", `{"name":"ci","expiresInDays":30,"scopes":["view"]}`), 201)
	r.fits(t, "POST /api/api-keys", call(o, "POST", "/api/api-keys", `{"name":"","expiresInDays":0,"scopes":["fly"]}`), 400)
	r.fits(t, "DELETE /api/api-keys/:id", call(o, "DELETE", "/api/api-keys/"+made.Map()["id"].(string), nil), 200)
	r.fits(t, "PATCH /api/settings", call(o, "PATCH", "/api/settings", `{"name":"Renamed"}`), 200)
	r.fits(t, "PATCH /api/settings", call(o, "PATCH", "/api/settings", `{}`), 400)
	r.fits(t, "GET /api/team", call(o, "GET", "/api/team", nil), 200)
	r.fits(t, "GET /api/audit", call(o, "GET", "/api/audit?act=organization.renamed", nil), 200)
	r.fits(t, "GET /api/audit", call(o, "GET", "/api/audit?since=yesterday", nil), 400)
	r.fits(t, "POST /api/stripe/checkout", call(o, "POST", "/api/stripe/checkout", `{"plan":"HUGE","annual":"yes"}`), 400)
	r.fits(t, "POST /api/stripe/checkout", call(w.Acme.Admin, "POST", "/api/stripe/checkout", `{"plan":"PRO"}`), 403)
	r.fits(t, "POST /api/stripe/checkout", call(o, "POST", "/api/stripe/checkout", `{"plan":"PRO"}`), 503)
	r.fits(t, "POST /api/stripe/webhook", apptest.Call{Method: "POST", Path: "/api/stripe/webhook", JSON: `{"object":"event"}`}, 503)
	r.fits(t, "DELETE /api/settings", call(w.Acme.Admin, "DELETE", "/api/settings", nil), 403)
	r.fits(t, "DELETE /api/settings", call(o, "DELETE", "/api/settings", nil), 200)
}

// A refusal by the rate limit has the described body and headers.
func TestLimitsFitTheDocument(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, Limits: app.Limits{Requests: limit.Rule{N: 1, Per: time.Minute}}})
	r := newReader(t, w)
	for route, path := range map[string]string{"GET /api/instances": "/api/instances", "GET /api/agent/sessions": "/api/agent/sessions"} {
		who := w.Acme.Owner
		if path != "/api/instances" {
			who = w.Acme.Admin
		}
		r.fits(t, route, apptest.Call{Method: "GET", Path: path, Who: who, ByKey: true}, 200)
		a := r.fits(t, route, apptest.Call{Method: "GET", Path: path, Who: who, ByKey: true}, 429)
		for name := range r.doc.Components.Headers {
			if name != "X-Request-Id" {
				assert.Regexp(t, `^\d+$`, a.Header.Get(name), name)
			}
		}
		assert.NotEmpty(t, a.Header.Get("X-Request-Id"))
	}
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, who := range []*apptest.Person{nil, w.Acme.Member} {
		a := w.Do(apptest.Call{Method: "GET", Path: "/docs", Who: who})
		require.Equal(t, 200, a.Status)
		for n := range openapi.Operations {
			o := &openapi.Operations[n]
			has(t, a.Body, `id="`+o.Anchor()+`"`, o.Template(), templ.EscapeString(o.Summary))
		}
		has(t, a.Body, "curl -X POST "+w.URL+"/api/instances ", "-H &#34;Authorization: Bearer $LOBSTEAD_KEY&#34;", "PROVISIONING", `href="/api/openapi.json"`)
		lacks(t, a.Body, "<style", "style=", "javascript:", "onclick", "cdn")
		tellsNothing(t, w.Acme, a, "")
	}
	a := w.Do(apptest.Call{Method: "GET", Path: "/docs?q=rename+instance"})
	has(t, a.Body, `id="instances-update"`)
	lacks(t, a.Body, `id="instances-delete"`, `id="chat-send"`)
	a = w.Do(apptest.Call{Method: "GET", Path: "/docs?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E"})
	has(t, a.Body, "Nothing here has these words")
	lacks(t, a.Body, "<script>alert")
}
