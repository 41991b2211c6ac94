package app_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

func post(path string, who *apptest.Person, kv ...string) apptest.Call {
	v := url.Values{}
	for n := 0; n < len(kv); n += 2 {
		v.Set(kv[n], kv[n+1])
	}
	return apptest.Call{Method: "POST", Path: path, Who: who, Form: v}
}

// A conversation by plain forms: open, answer, rename, pin, archive, search, delete.
func TestChatForms(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	me := w.Acme.Member
	a := w.Do(post("/chat", me, "message", "run `echo first words`"))
	require.Equal(t, 303, a.Status)
	chat := a.Header.Get("Location")
	w.Answered(w.Acme.Scope, chat[len("/chat/"):])
	page := w.Do(get(chat, me))
	has(t, page.Body, "first words", `action="`+chat+`/messages"`, `data-live="/live`+chat+`?after=`)
	assert.Equal(t, chat, w.Do(get("/chat", me)).Header.Get("Location"), "the newest one")
	assert.Equal(t, 200, w.Do(get("/chat?new=1", me)).Status)

	assert.Equal(t, chat, w.Do(post(chat+"/messages", me, "message", "hello again")).Header.Get("Location"))
	hx := post(chat+"/messages", me, "message", "and again")
	hx.Face = apptest.Partial
	assert.Equal(t, 204, w.Do(hx).Status)
	empty := w.Do(post(chat+"/messages", me, "message", " "))
	assert.Equal(t, 422, empty.Status)
	hx = post(chat+"/messages", me, "message", " ")
	hx.Face = apptest.Partial
	a = w.Do(hx)
	assert.Equal(t, 400, a.Status)
	assert.NotEmpty(t, a.Header.Get("HX-Trigger"))
	w.Answered(w.Acme.Scope, chat[len("/chat/"):])

	assert.Equal(t, chat, w.Do(post(chat, me, "title", "Renamed & <kept>", "category", "research")).Header.Get("Location"))
	has(t, w.Do(get(chat, me)).Body, "Renamed &amp; &lt;kept&gt;")
	assert.Equal(t, 303, w.Do(post(chat, me, "pinned", "true")).Status)
	assert.Equal(t, 400, w.Do(post(chat, me, "category", "nonsense")).Status)
	has(t, w.Do(get("/chat?q=renamed", me)).Body, chat[len("/chat/"):])
	lacks(t, w.Do(get("/chat?q=no-such-words", me)).Body, `href="`+chat+`"`)
	assert.Equal(t, "/chat", w.Do(post(chat, me, "status", "archived")).Header.Get("Location"))
	assert.Equal(t, 200, w.Do(get(chat+"/delete", me)).Status)
	assert.Equal(t, "/chat", w.Do(post(chat+"/delete", me)).Header.Get("Location"))
	assert.Equal(t, 404, w.Do(get(chat, me)).Status)
	assert.Equal(t, 404, w.Do(get("/live"+chat+"?after=0", me)).Status)
}

func TestChatEarlier(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	chat := "/chat/" + w.Acme.Session.ID
	has(t, w.Do(get(chat+"/events?before=2", w.Acme.Member)).Body, `id="ev-1"`)
	lacks(t, w.Do(get(chat+"/events?before=2", w.Acme.Member)).Body, `id="ev-2"`)
	for _, before := range []string{"", "0", "-1", "x", "1e3", "99999999999999999999"} {
		assert.Equal(t, 400, w.Do(get(chat+"/events?before="+before, w.Acme.Member)).Status, before)
	}
	for _, after := range []string{"", "-1", "x", "99999999999999999999"} {
		assert.Equal(t, 400, w.Do(get("/live"+chat+"?after="+after, w.Acme.Member)).Status, after)
	}
	assert.Equal(t, 200, w.Do(get(chat+"?before=x", w.Acme.Member)).Status)
}

func TestStopATurn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	say := func(words string) string {
		c := post("/chat/"+w.Acme.Session.ID+"/messages", w.Acme.Member, "message", words)
		c.Face = apptest.JSON
		return w.Do(c).Map()["turn_id"].(string)
	}
	running := say("run `wait a`")
	<-w.Boxes.Waiting
	queued := say("and then?")
	page := w.Do(get("/chat/"+w.Acme.Session.ID, w.Acme.Member))
	has(t, page.Body, "/turns/"+running+"/stop", "/turns/"+queued+"/stop", "and then?")
	assert.Equal(t, 409, w.Do(post("/chat/"+w.Acme.Session.ID+"/delete", w.Acme.Member)).Status)
	assert.Equal(t, 303, w.Do(post("/turns/"+queued+"/stop", w.Acme.Member)).Status)
	hx := post("/turns/"+running+"/stop", w.Acme.Member)
	hx.Face = apptest.Partial
	assert.Equal(t, 204, w.Do(hx).Status)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	for _, turn := range []string{running, queued} {
		row, err := w.Acme.Scope.Turn(t.Context(), turn)
		require.NoError(t, err)
		assert.EqualValues(t, "interrupted", row.State)
		assert.Equal(t, 303, w.Do(post("/turns/"+turn+"/stop", w.Acme.Member)).Status, "again changes nothing")
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	has(t, w.Do(get("/settings/models", w.Acme.Admin)).Body, w.Acme.Provider.Model, "0123456789"[6:])
	lacks(t, w.Do(get("/settings/models", w.Acme.Member)).Body, `name="key"`)
	bad := w.Do(post("/settings/models", w.Acme.Admin, "kind", "anthropic", "key", "sk-wrong-canary-key"))
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "The service refused the key")
	lacks(t, bad.Body, "sk-wrong-canary-key")
	ok := w.Do(post("/settings/models", w.Acme.Admin, "kind", "anthropic", "key", apptest.GoodKey, "model", "claude-x"))
	assert.Equal(t, "/settings/models", ok.Header.Get("Location"))
	page := w.Do(get("/settings/models", w.Acme.Admin))
	has(t, page.Body, "claude-x")
	lacks(t, page.Body, apptest.GoodKey)
	one := "/settings/models/" + w.Acme.Provider.ID
	assert.Equal(t, 303, w.Do(post(one+"/default", w.Acme.Admin)).Status)
	assert.Equal(t, 303, w.Do(post(one+"/delete", w.Acme.Admin)).Status)
	assert.Equal(t, 404, w.Do(post(one+"/delete", w.Acme.Admin)).Status)
	lacks(t, w.Do(get("/settings/models", w.Acme.Admin)).Body, w.Acme.Provider.ID)
}

func TestSettingsAndTheme(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	has(t, w.Do(get("/settings", w.Acme.Member)).Body, w.Acme.Name, "test", w.Acme.Member.Email)
	a := w.Do(post("/theme", w.Acme.Member, "theme", "dark"))
	assert.Equal(t, "dark", a.Cookie("theme").Value)
	has(t, w.Do(get("/", w.Acme.Member)).Body, `data-theme="dark"`)
	has(t, w.Do(get("/", w.Acme.Admin)).Body, `data-theme="system"`)
	for _, bad := range []string{"", "pink", `"><script>`} {
		assert.Equal(t, 400, w.Do(post("/theme", w.Acme.Member, "theme", bad)).Status, bad)
	}
	assert.Equal(t, 303, w.Do(post("/theme", nil, "theme", "light")).Status, "a guest has a look too")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, path := range []string{"/healthz", "/readyz"} {
		assert.Equal(t, "ok\n", w.Do(get(path, nil)).Body)
	}
	for _, path := range []string{"/static/", "/static/../app.go", "/static/%2e%2e/go.mod", "/static//etc/passwd"} {
		assert.Equal(t, 404, w.Do(get(path, nil)).Status, path)
	}
	assert.Equal(t, 200, w.Do(get("/favicon.ico", nil)).Status)
	require.NoError(t, w.Store.Close())
	a := w.Do(get("/readyz", nil))
	assert.Equal(t, 503, a.Status)
	assert.Equal(t, 200, w.Do(get("/healthz", nil)).Status)
	a = w.Do(get("/", w.Acme.Member))
	assert.GreaterOrEqual(t, a.Status, 500)
	lacks(t, a.Body, "sql:", "database is closed")
}
