package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models/modelstest"
)

func credentials(email, password string) url.Values {
	return url.Values{"email": {email}, "password": {password}}
}

func get(path string, who *apptest.Person) apptest.Call {
	return apptest.Call{Method: "GET", Path: path, Who: who}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	owner := w.Acme.Owner
	w.Exec("UPDATE users SET blocked_at = created_at WHERE id = ?", w.Acme.Admin.UserID)
	for name, c := range map[string]struct {
		form   url.Values
		status int
		say    string
	}{
		"right":           {credentials(owner.Email, modelstest.Password), 303, ""},
		"spelled freely":  {credentials(" "+strings.ToUpper(owner.Email)+" ", modelstest.Password), 303, ""},
		"wrong password":  {credentials(owner.Email, "wrong"), 401, "The e-mail address or the password is wrong"},
		"unknown address": {credentials("nobody@example.com", modelstest.Password), 401, "The e-mail address or the password is wrong"},
		"blocked":         {credentials(w.Acme.Admin.Email, modelstest.Password), 401, "The e-mail address or the password is wrong"},
		"no password":     {url.Values{"email": {owner.Email}}, 400, "Required"},
		"NUL":             {credentials(owner.Email, "a\x00b"), 400, "Invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: c.form})
			assert.Equal(t, c.status, a.Status)
			has(t, a.Body, c.say)
			lacks(t, a.Body, modelstest.Password)
			if c.status != 303 {
				assert.Nil(t, a.Cookie("lobstead"))
				return
			}
			cookie := a.Cookie("lobstead")
			require.NotNil(t, cookie)
			assert.True(t, cookie.HttpOnly)
			assert.Equal(t, 200, w.Do(get("/settings", &apptest.Person{Cookie: cookie.Value})).Status)
		})
	}
	for who, p := range map[string]apptest.Call{"cookie": get("/", w.Acme.Admin), "key": {Method: "GET", Path: "/api/instances", Who: w.Acme.Admin, ByKey: true}} {
		assert.Contains(t, []int{303, 401}, w.Do(p).Status, "blocked by %s", who)
	}
}

// A sign-in is a new token whatever cookie was sent, and the cookie that it replaces ends.
func TestSignInRotates(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, planted := range []string{"planted-by-somebody", w.Acme.Owner.Cookie, w.Rival.Owner.Cookie} {
		a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Who: &apptest.Person{Cookie: planted}, Form: credentials(w.Acme.Owner.Email, modelstest.Password)})
		require.Equal(t, 303, a.Status)
		require.NotNil(t, a.Cookie("lobstead"))
		assert.NotEqual(t, planted, a.Cookie("lobstead").Value)
		assert.Equal(t, 303, w.Do(get("/", &apptest.Person{Cookie: planted})).Status, "the old cookie works no more")
	}
	out := w.Do(apptest.Call{Method: "POST", Path: "/sign-out", Who: w.Acme.Member})
	assert.Equal(t, "/sign-in", out.Header.Get("Location"))
	assert.Negative(t, out.Cookie("lobstead").MaxAge)
	assert.Equal(t, 303, w.Do(get("/", w.Acme.Member)).Status)
}

func TestSignInIsLimited(t *testing.T) {
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	spell := []string{w.Acme.Owner.Email, " " + w.Acme.Owner.Email, strings.ToUpper(w.Acme.Owner.Email), w.Acme.Owner.Email + "  "}
	refused := 0
	for n := range 14 {
		a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(spell[n%len(spell)], "wrong"), Face: apptest.JSON})
		if a.Status == 429 {
			refused++
			assert.NotEmpty(t, a.Header.Get("Retry-After"))
			assert.Equal(t, "Too many requests", a.Map()["error"])
		}
	}
	assert.GreaterOrEqual(t, refused, 2)
	a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(w.Acme.Owner.Email, modelstest.Password)})
	assert.Equal(t, 429, a.Status, "the right password does not help who guesses")
	has(t, a.Body, "Too many")
}

var hostileTargets = []string{"//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example",
	"/\r\nSet-Cookie: a=b", "///evil.example", " //evil.example", "http:evil.example", "evil.example", "", "\x00//evil.example", "/\x00/evil.example", "data:text/html,x"}

func TestNoOpenRedirect(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, next := range hostileTargets {
		a, page := w.Do(get("/sign-in?next="+url.QueryEscape(next), w.Acme.Owner)), w.Do(get("/sign-in?next="+url.QueryEscape(next), nil))
		if strings.ContainsRune(next, 0) { // no text
			assert.Equal(t, []int{400, 400}, []int{a.Status, page.Status}, "%q", next)
			assert.Empty(t, a.Header.Get("Location"))
		} else {
			assert.Equal(t, []int{303, 200}, []int{a.Status, page.Status}, "%q", next)
			local(t, a.Header.Get("Location"), next)
		}
		assert.NotContains(t, a.Header, "Set-Cookie: a")
		lacks(t, page.Body, `value="//`, `value="https:`, `value="javascript:`)
		theme := w.Do(apptest.Call{Method: "POST", Path: "/theme", Who: w.Acme.Owner, Form: url.Values{"theme": {"dark"}}, Header: map[string]string{"Referer": "http://" + w.Address + "/" + strings.TrimLeft(strings.Map(printable, next), "/")}})
		local(t, theme.Header.Get("Location"), next)
	}
	a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: url.Values{"email": {w.Acme.Owner.Email}, "password": {modelstest.Password}, "next": {"/chat?new=1"}}})
	assert.Equal(t, "/chat?new=1", a.Header.Get("Location"))
}

func printable(r rune) rune {
	if r < ' ' {
		return -1
	}
	return r
}

func local(t *testing.T, location, next string) {
	t.Helper()
	u, err := url.Parse("http://here.example")
	require.NoError(t, err)
	to, err := u.Parse(strings.ReplaceAll(location, `\`, "/"))
	require.NoError(t, err, "%q", next)
	assert.Equal(t, "here.example", to.Host, "%q leads to %q", next, location)
	assert.True(t, strings.HasPrefix(location, "/"), "%q leads to %q", next, location)
}

func TestSignInsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	first := *w.Acme.Owner
	w.SignIn(w.Acme.Owner)
	second := w.Acme.Owner
	page := w.Do(get("/settings/sign-ins", second))
	has(t, page.Body, "/settings/sign-ins/"+first.SignInID+"/delete")
	lacks(t, page.Body, w.Acme.Member.SignInID, w.Rival.Owner.SignInID, first.Cookie, second.Cookie)

	a := w.Do(apptest.Call{Method: "POST", Path: "/settings/sign-ins/" + w.Acme.Member.SignInID + "/delete", Who: second})
	assert.Equal(t, 404, a.Status, "a colleague's")
	assert.Equal(t, 200, w.Do(get("/", w.Acme.Member)).Status)
	a = w.Do(apptest.Call{Method: "POST", Path: "/settings/sign-ins/" + first.SignInID + "/delete", Who: second})
	assert.Equal(t, "/settings/sign-ins", a.Header.Get("Location"))
	assert.Equal(t, 303, w.Do(get("/", &first)).Status)
	w.SignIn(&first)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/settings/sign-ins/others/delete", Who: second}).Status)
	assert.Equal(t, 303, w.Do(get("/", &first)).Status)
	assert.Equal(t, 200, w.Do(get("/", second)).Status)
	w.Exec("UPDATE sign_ins SET expires_at = created_at WHERE id = ?", second.SignInID)
	assert.Equal(t, 303, w.Do(get("/", second)).Status, "expired")
}

func TestKeysThatDoNotWork(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	past := time.Now().Add(-time.Hour)
	revoked := w.KeyOf(w.Acme, nil)
	w.Exec("UPDATE api_keys SET revoked_at = created_at WHERE name = 'further'")
	good := w.Acme.Owner.Key
	for name, header := range map[string]map[string]string{
		"expired": {"Authorization": "Bearer " + w.KeyOf(w.Acme, &past)}, "revoked": {"Authorization": "Bearer " + revoked}, "of nobody": {"Authorization": "Bearer lob_nobody"},
		"basic": {"Authorization": "Basic " + good}, "bare": {"Authorization": "lob_"}, "half": {"Authorization": "Bearer " + good[:len(good)-1]},
		"as a cookie": {"Cookie": "lobstead=" + good}, "cookie as a key": {"Authorization": "Bearer " + w.Acme.Owner.Cookie}, "injection": {"Authorization": "Bearer ' OR 1=1 --"},
		"in the wrong case": {"Authorization": "Bearer " + strings.ToUpper(good)}, "bad key beside a cookie": {"Authorization": "Bearer x", "Cookie": "lobstead=" + w.Acme.Owner.Cookie},
	} {
		a := w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Header: header})
		assert.Equal(t, 401, a.Status, name)
		assert.JSONEq(t, `{"error":"Unauthorized","code":"unauthorized"}`, a.Body, name)
		a = w.Do(apptest.Call{Method: "GET", Path: "/api/agent/sessions", Header: header})
		assert.Equal(t, 401, a.Status, name)
		assert.JSONEq(t, `{"error":"Unauthorized"}`, a.Body, name)
	}
	for _, header := range []map[string]string{{"Authorization": "bearer " + good}, {"X-Api-Key": good}, {"Authorization": "Bearer  " + good}} {
		assert.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Header: header}).Status)
	}
}

// Whose sign-in ended finds the page again that they were on, and not the address of a form, of which there is none; a part of a page and
// a stream are refused without leading anywhere, so that what was typed stays.
func TestASignInThatEndedLosesNoPage(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	page := "/automations/" + w.Acme.Automation + "/edit?from=list"
	post := func(referer string, face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: "/automations/" + w.Acme.Automation + "/run", Form: url.Values{}, Face: face, Header: map[string]string{"Referer": referer}})
	}
	next := func(a apptest.Answer) string {
		require.Equal(t, 303, a.Status)
		to, err := url.Parse(a.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, "/sign-in", to.Path)
		return to.Query().Get("next")
	}
	assert.Equal(t, page, next(post(w.URL+page, apptest.Page)))
	assert.Equal(t, "/", next(post("", apptest.Page)))
	for _, hostile := range hostileTargets {
		local(t, next(post("http://"+w.Address+"/"+strings.TrimLeft(strings.Map(printable, hostile), "/"), apptest.Page)), hostile)
	}
	assert.Equal(t, page, next(w.Do(get(page, nil))), "of a page it is itself")
	a := post(w.URL+page, apptest.Partial)
	assert.Equal(t, 401, a.Status)
	assert.Empty(t, a.Header.Get("HX-Redirect"))
	assert.NotContains(t, a.Body, "<", "nothing to swap in")
	a = w.Do(apptest.Call{Method: "GET", Path: "/live/automations", Header: map[string]string{"Accept": "text/event-stream"}})
	assert.Equal(t, 401, a.Status)
}
