package app_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func stateOf(path string) string {
	u, _ := url.Parse(path)
	return u.Query().Get("state")
}

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	first := *w.Acme.Owner
	stream := w.Open("/live/overview", &first)
	w.SignIn(w.Acme.Owner)
	here := w.Acme.Owner
	change := func(current, next string, face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: "/settings/security/password", Who: here, Face: face, Form: url.Values{"current": {current}, "password": {next}}})
	}
	a := change("wrong", "another lobster", apptest.Page)
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "This is not your present password")
	a = change(modelstest.Password, "short", apptest.Page)
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "at least 10")
	lacks(t, a.Body, "short\"", modelstest.Password)
	assert.Equal(t, 200, w.Do(get("/settings", &first)).Status)

	a = change(modelstest.Password, "another lobster", apptest.Page)
	assert.Equal(t, "/settings/security", a.Header.Get("Location"))
	stream.Ended(waitLong)
	assert.Equal(t, 303, w.Do(get("/settings", &first)).Status, "every other browser is out")
	assert.Equal(t, 200, w.Do(get("/settings", here)).Status)
	assert.Equal(t, 200, w.Do(get("/settings", w.Acme.Member)).Status, "and nobody else")
	assert.Equal(t, 401, w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(here.Email, modelstest.Password)}).Status)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(here.Email, "another lobster")}).Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'password.changed' AND chain = 'installation'"))
	refused := 0
	for range 12 {
		if change("wrong", "another lobster", apptest.JSON).Status == 429 {
			refused++
		}
	}
	assert.Positive(t, refused, "the present password is not guessed either")
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'sign_in.locked'"), "told once")
}

func TestServicesAreLinkedAndUnlinked(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	v := newVisitor(w).as(w.Acme.Admin)
	has(t, v.get("/settings/security").Body, "Link Corp", "/sign-in/oidc?for=link")
	p.arrives("mallory", "mallory@example.com", nil)
	a := v.back(v.leave("/sign-in/oidc?for=link"))
	assert.Equal(t, "/settings/security", a.Header.Get("Location"))
	has(t, v.get("/settings/security").Body, "which is not the address of this account")
	p.arrives("adm", w.Acme.Admin.Email, nil)
	a = v.back(v.leave("/sign-in/oidc?for=link"))
	assert.Equal(t, "/settings/security", a.Header.Get("Location"))
	page := v.get("/settings/security")
	has(t, page.Body, "Linked with Corp", "/settings/security/identities/")
	lacks(t, page.Body, "Link Corp")

	// Somebody else's browser brings the answer: nothing is linked.
	thief := newVisitor(w).as(w.Acme.Member)
	p.arrives("adm2", w.Acme.Admin.Email, nil)
	back := v.leave("/sign-in/oidc?for=link")
	thief.jar["lobstead_provider"] = v.jar["lobstead_provider"]
	assert.Equal(t, 400, thief.back(back).Status)
	assert.Zero(t, w.Count("SELECT count(*) FROM identities WHERE subject IN ('adm2', 'mallory')"))

	_, id, _ := strings.Cut(page.Body, `id="identity-`)
	id, _, _ = strings.Cut(id, `"`)
	call := apptest.Call{Method: "POST", Path: "/settings/security/identities/" + id + "/delete"}
	call.Who = w.Acme.Member
	assert.Equal(t, 404, w.Do(call).Status, "a colleague's")
	call.Who = w.Acme.Admin
	assert.Equal(t, 303, w.Do(call).Status)
	assert.Zero(t, w.Count("SELECT count(*) FROM identities WHERE subject = 'adm'"))
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'identity.unlinked'"))
}

func staffOf(w *apptest.World, p *apptest.Person, yes bool) {
	w.Exec("UPDATE users SET staff = ? WHERE id = ?", yes, p.UserID)
}

// From an empty page to people who may only come by the provider: nothing is enforced that was not tested.
func TestStaffSetUpAProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	staff := w.Acme.Owner
	v := newVisitor(w).as(staff)
	post := func(path string, form url.Values) apptest.Answer {
		form.Del("reason")
		a := v.do(apptest.Call{Method: "POST", Path: path, Form: form})
		assert.Equal(t, 422, a.Status, "%s without a reason", path)
		has(t, a.Body, "Say why, in at least 3 characters")
		form.Set("reason", "ticket 12")
		return v.do(apptest.Call{Method: "POST", Path: path, Form: form})
	}
	form := url.Values{"kind": {"oidc"}, "name": {"Corp"}, "issuer": {p.Issuer()}, "client_id": {p.ClientID}, "secret": {p.ClientSecret}}
	a := post("/admin/sign-in", form)
	assert.Equal(t, 422, a.Status, "http:// inside the network was not allowed")
	has(t, a.Body, "Needs https://")
	lacks(t, a.Body, p.ClientSecret)
	form.Set("private", "true")
	require.Equal(t, 303, post("/admin/sign-in", form).Status)
	rows, err := w.Store.AsSystem("test").SignInProviders(t.Context(), nil)
	require.NoError(t, err)
	id := rows[0].ID
	page := v.get("/admin/sign-in")
	has(t, page.Body, w.URL+"/sign-in/"+id+"/callback", "Not tested yet")
	lacks(t, page.Body, p.ClientSecret)
	lacks(t, w.Do(get("/sign-in", nil)).Body, "Continue with Corp")
	assert.Equal(t, 404, w.Do(get("/sign-in/"+id, nil)).Status, "it is not there for others")

	post("/admin/sign-in/"+id+"/enabled", url.Values{"on": {"true"}})
	has(t, v.get("/admin/sign-in").Body, "Test this provider before you enable it")
	post("/admin/sign-in/passwords", url.Values{"passwords": {"owners"}})
	has(t, v.get("/admin/sign-in").Body, "Passwords are the only way in")

	p.QueueUser(&person{})
	a = v.back(v.leave("/sign-in/" + id + "?for=test"))
	assert.Equal(t, "/admin/sign-in", a.Header.Get("Location"))
	has(t, v.get("/admin/sign-in").Body, "The test failed", "token names nobody")
	p.arrives("ada", w.Acme.Member.Email, nil)
	a = v.back(v.leave("/sign-in/" + id + "?for=test"))
	assert.Equal(t, "/admin/sign-in", a.Header.Get("Location"))
	has(t, v.get("/admin/sign-in").Body, w.Acme.Member.Email+" came back, verified. That is the account of member")
	assert.Zero(t, w.Count("SELECT count(*) FROM identities WHERE subject = 'ada'"), "a test links nobody")
	has(t, v.get("/settings").Body, staff.Email)

	post("/admin/sign-in/"+id+"/enabled", url.Values{"on": {"true"}})
	has(t, w.Do(get("/sign-in", nil)).Body, "Continue with Corp")
	post("/admin/sign-in/passwords", url.Values{"passwords": {"owners"}})
	staffOf(w, w.Rival.Owner, false)
	for who, status := range map[*apptest.Person]int{w.Acme.Member: 403, w.Acme.Owner: 303, w.Rival.Owner: 303} {
		a = w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(who.Email, modelstest.Password)})
		assert.Equal(t, status, a.Status, who.Name)
	}
	w.Forgive()
	a = w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(w.Acme.Member.Email, "wrong")})
	assert.Equal(t, 401, a.Status, "who may is told to those who know the password")
	invited, err := w.Acme.Scope.Invite(t.Context(), "new@example.com", models.Member)
	require.NoError(t, err)
	join := "/join?token=" + url.QueryEscape(invited.Token.Reveal())
	page = w.Do(get(join, nil))
	has(t, page.Body, "Continue with Corp")
	lacks(t, page.Body, `name="password"`)
	a = w.Do(apptest.Call{Method: "POST", Path: join, Form: url.Values{"name": {"N"}, "password": {"long enough pw"}}})
	assert.Equal(t, 403, a.Status, "an invitation makes no password where there are none")
	newcomer := newVisitor(w)
	p.arrives("new", "new@example.com", nil)
	assert.Equal(t, 303, newcomer.back(newcomer.leave("/sign-in/"+id)).Status, "but the service lets them in")
	post("/admin/sign-in/passwords", url.Values{"passwords": {"nobody"}})
	a = w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(staff.Email, modelstest.Password)})
	assert.Equal(t, 403, a.Status)
	lacks(t, w.Do(get("/sign-in", nil)).Body, `name="password"`)
	post("/admin/sign-in/"+id+"/delete", url.Values{})
	has(t, v.get("/admin/sign-in").Body, "This is the last way in besides passwords")
	visitor := newVisitor(w)
	p.arrives("ada", w.Acme.Member.Email, nil)
	assert.Equal(t, 303, visitor.back(visitor.leave("/sign-in/"+id)).Status)

	for act, n := range map[string]int{"sign_in_provider.added": 1, "sign_in_provider.tested": 2, "sign_in_provider.enabled": 1, "password_policy.changed": 2} {
		assert.Equal(t, n, w.Count("SELECT count(*) FROM audit_entries WHERE chain = 'installation' AND act = ? AND actor_id = ?", act, staff.UserID), act)
	}
	staffOf(w, staff, false)
	for _, path := range []string{"/admin/sign-in", "/sign-in/" + id + "?for=test"} {
		assert.Equal(t, 404, v.get(path).Status, path)
	}
}

// Who started the server with PASSWORD_SIGN_IN=everybody gets in, whatever the page says.
func TestPasswordsAreTheWayBackIn(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, Passwords: true})
	w.Exec("INSERT INTO installation_settings (key, value, updated_at) SELECT 'password_sign_in', 'nobody', created_at FROM users WHERE id = ?", w.Acme.Owner.UserID)
	policy, err := w.Store.AsSystem("test").PasswordPolicy(t.Context())
	require.NoError(t, err)
	require.Equal(t, models.PasswordsForNobody, policy)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(w.Acme.Member.Email, modelstest.Password)}).Status)
	has(t, w.Do(get("/admin/sign-in", w.Acme.Owner)).Body, "PASSWORD_SIGN_IN=everybody")
}

// A line of IPv6 has 2^64 addresses: they are one.
func TestSignInLimitCountsLines(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, Proxies: true})
	try := func(from, account string) int {
		return w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Form: credentials(account, "wrong"), Header: map[string]string{"X-Forwarded-For": from}}).Status
	}
	hex := "0123456789abcdef"
	refused := 0
	for n := range 14 {
		if try("2001:db8:1:2::"+string(hex[n]), string(hex[n])+"@example.com") == 429 {
			refused++
		}
	}
	assert.GreaterOrEqual(t, refused, 2)
	assert.Equal(t, 401, try("2001:db8:1:3::1", "z@example.com"), "the line beside it")
	assert.Equal(t, 401, try("192.0.2.7", "y@example.com"))
	assert.Equal(t, 429, try("2001:db8:1:2:ffff::1", "x@example.com"))
}
