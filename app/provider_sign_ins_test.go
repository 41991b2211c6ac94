package app_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// corp is a world whose environment names a provider.
func corp(t *testing.T) (*apptest.World, *provider) {
	t.Helper()
	p := newProvider(t)
	return apptest.Start(t, apptest.Options{NoWorker: true, SignIn: []models.SignInProvider{p.row()}}), p
}

func TestSignInByProvider(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	v := newVisitor(w)
	has(t, v.get("/sign-in?next=/chat").Body, "Continue with Corp", `href="/sign-in/oidc?next=%2Fchat"`)

	start := v.get("/sign-in/oidc?next=/chat%3Fnew=1")
	to, err := url.Parse(start.Header.Get("Location"))
	require.NoError(t, err)
	q := to.Query()
	assert.Equal(t, "S256", q.Get("code_challenge_method"))
	assert.NotEmpty(t, q.Get("nonce"))
	assert.NotEmpty(t, q.Get("state"))
	assert.Equal(t, w.URL+"/sign-in/oidc/callback", q.Get("redirect_uri"))
	assert.Equal(t, "openid email profile", q.Get("scope"))
	assert.NotContains(t, start.Cookie("lobstead_provider").Value, q.Get("state"), "sealed")

	p.arrives("ada", strings.ToUpper(w.Acme.Member.Email), nil)
	a := v.back(v.visit(to.String()))
	require.Equal(t, 303, a.Status, a.Body)
	assert.Equal(t, "/chat?new=1", a.Header.Get("Location"))
	has(t, v.get("/settings").Body, w.Acme.Member.Email)
	assert.Empty(t, v.jar["lobstead_provider"], "used up")
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM identities WHERE user_id = ? AND provider = ? AND subject = 'ada'", w.Acme.Member.UserID, p.Issuer()))

	// Known by the subject: the address at the provider may change, and counts for nothing then.
	again := newVisitor(w)
	p.arrives("ada", w.Acme.Owner.Email, nil)
	assert.Equal(t, 303, again.back(again.leave("/sign-in/oidc")).Status)
	has(t, again.get("/settings").Body, w.Acme.Member.Email)

	// An invitation makes the account; nothing else does.
	stranger := newVisitor(w)
	p.arrives("eve", "eve@example.com", nil)
	a = stranger.back(stranger.leave("/sign-in/oidc"))
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, "There is no account for eve@example.com", "invitation")
	assert.Empty(t, stranger.jar["lobstead"])
	_, err = w.Acme.Scope.Invite(t.Context(), "eve@example.com", models.Member)
	require.NoError(t, err)
	p.arrives("eve", "eve@example.com", nil)
	assert.Equal(t, 303, stranger.back(stranger.leave("/sign-in/oidc")).Status)
	has(t, stranger.get("/settings").Body, "eve@example.com", w.Acme.Name)

	w.Exec("UPDATE users SET blocked_at = created_at WHERE email = 'eve@example.com'")
	p.arrives("eve", "eve@example.com", nil)
	blocked := newVisitor(w)
	a = blocked.back(blocked.leave("/sign-in/oidc"))
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, "This account is blocked")
	assert.Empty(t, blocked.jar["lobstead"])
	assert.Equal(t, 3, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'sign_in.opened' AND after LIKE '%Corp%'"))
	assert.Equal(t, 2, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'identity.linked'"))
}

// What a provider must not get away with, and what a browser must not.
func TestProviderIsNotBelieved(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	mine := w.Acme.Owner.Email
	other, err := mockoidc.RandomKeypair(2048)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		twist  func(*mockoidc.IDTokenClaims)
		hook   func(http.ResponseWriter, *http.Request) bool
		change func(v *visitor, back string) string // what the browser brings instead
		status int
		say    string
	}{
		"wrong nonce":    {twist: func(c *mockoidc.IDTokenClaims) { c.Nonce = "other" }, status: 401, say: "could not be verified"},
		"no nonce":       {twist: func(c *mockoidc.IDTokenClaims) { c.Nonce = "" }, status: 401, say: "could not be verified"},
		"wrong audience": {twist: func(c *mockoidc.IDTokenClaims) { c.Audience = jwt.ClaimStrings{"other"} }, status: 401, say: "could not be verified"},
		"two audiences":  {twist: func(c *mockoidc.IDTokenClaims) { c.Audience = jwt.ClaimStrings{p.ClientID, "other"} }, status: 401, say: "could not be verified"},
		"wrong issuer":   {twist: func(c *mockoidc.IDTokenClaims) { c.Issuer = "https://other.example" }, status: 401, say: "could not be verified"},
		"nobody":         {twist: func(c *mockoidc.IDTokenClaims) { c.Subject = "" }, status: 401, say: "could not be verified"},
		"expired":        {twist: func(c *mockoidc.IDTokenClaims) { c.ExpiresAt = jwt.NewNumericDate(c.IssuedAt.Add(-2 * 60e9)) }, status: 401, say: "could not be verified"},
		"another's key": {hook: func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != mockoidc.JWKSEndpoint {
				return false
			}
			keys, _ := other.JWKS()
			_, _ = rw.Write(keys)
			return true
		}, status: 401, say: "could not be verified"},
		"another subject in userinfo": {hook: answer(mockoidc.UserinfoEndpoint, 200, `{"sub":"somebody","email":"x@example.com"}`), status: 502, say: "did not answer as expected"},
		"no token":                    {hook: answer(mockoidc.TokenEndpoint, 500, `{"error":"server_error"}`), status: 401, say: "did not accept"},
		"no id_token":                 {hook: answer(mockoidc.TokenEndpoint, 200, `{"access_token":"a","token_type":"bearer"}`), status: 401, say: "could not be verified"},
		"endless answer":              {hook: answer(mockoidc.TokenEndpoint, 200, `{"access_token":"`+strings.Repeat("a", 2<<20)+`"}`), status: 502, say: "did not answer as expected"},
		"another discovery":           {hook: answer(mockoidc.DiscoveryEndpoint, 200, `{"issuer":"https://other.example"}`), status: 502, say: "did not answer as expected"},
		"wrong state":                 {change: func(_ *visitor, back string) string { return strings.Replace(back, "state=", "state=x", 1) }, status: 400, say: "Start again"},
		"no state":                    {change: func(_ *visitor, back string) string { return back[:strings.Index(back, "&state=")] }, status: 400, say: "Start again"},
		"another browser":             {change: func(v *visitor, back string) string { clear(v.jar); return back }, status: 400, say: "Start again"},
		"a forged cookie": {change: func(v *visitor, back string) string {
			v.jar["lobstead_provider"] = "AAAA" + v.jar["lobstead_provider"][4:]
			return back
		}, status: 400, say: "Start again"},
		"a cookie of another kind": {change: func(v *visitor, back string) string {
			v.jar["lobstead_second"] = v.jar["lobstead_provider"]
			delete(v.jar, "lobstead_provider")
			return back
		}, status: 400, say: "Start again"},
		"redirect_uri and verifier in the query": {change: func(_ *visitor, back string) string {
			return back + "&redirect_uri=https://evil.example&code_verifier=x"
		}, status: 303},
		"another issuer answers": {change: func(_ *visitor, back string) string { return back + "&iss=https://other.example" }, status: 400, say: "Start again"},
		"refused there": {change: func(_ *visitor, back string) string {
			return strings.Replace(back, "code=", "error=access_denied&error_description=%3Cb%3Eno&was=", 1)
		}, status: 401, say: "did not let you through: access_denied (&lt;b&gt;no)"},
		"an invented code": {change: func(_ *visitor, back string) string { return strings.Replace(back, "code=", "code=x", 1) }, status: 401, say: "did not accept"},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.In(t)
			w.Exec("DELETE FROM identities WHERE subject = 'me'")
			v := newVisitor(w)
			p.arrives("me", mine, c.twist)
			back := v.leave("/sign-in/oidc")
			p.hook = c.hook
			defer func() { p.hook = nil }()
			if c.change != nil {
				back = c.change(v, back)
			}
			a := v.back(back)
			assert.Equal(t, c.status, a.Status)
			has(t, a.Body, c.say)
			if c.status != 303 {
				assert.Empty(t, v.jar["lobstead"], "signed in")
				assert.Zero(t, w.Count("SELECT count(*) FROM identities WHERE subject = 'me'"))
			}
		})
		w.Forgive()
	}
}

// answer is a hook that says something else at one address.
func answer(path string, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(body))
		return true
	}
}

func TestCallbackWorksOnce(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	v := newVisitor(w)
	p.arrives("me", w.Acme.Owner.Email, nil)
	back := v.leave("/sign-in/oidc")
	copied := *v
	copied.jar = map[string]string{"lobstead_provider": v.jar["lobstead_provider"]}
	require.Equal(t, 303, v.back(back).Status)
	a := v.back(back)
	assert.Equal(t, 400, a.Status, "the cookie is gone")
	assert.NotEmpty(t, v.jar["lobstead"], "and the sign-in stays")
	a = copied.back(back)
	assert.Equal(t, 400, a.Status, "a copy of the cookie is worth nothing")
	assert.Empty(t, copied.jar["lobstead"])

	// The code of an answer that was used, in a flow of its own.
	p.arrives("me", w.Acme.Owner.Email, nil)
	fresh := copied.leave("/sign-in/oidc")
	used, _ := url.Parse(back)
	now, _ := url.Parse(fresh)
	q := now.Query()
	q.Set("code", used.Query().Get("code"))
	a = copied.back(now.Path + "?" + q.Encode())
	assert.Equal(t, 401, a.Status)
	has(t, a.Body, "did not accept")
}

func TestUnverifiedAddressesNeverLink(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	v := newVisitor(w)
	p.QueueUser(&person{mockoidc.MockUser{Subject: "me", Email: w.Acme.Owner.Email}, nil})
	a := v.back(v.leave("/sign-in/oidc"))
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, "does not say that your e-mail address is verified")
	assert.Empty(t, v.jar["lobstead"])
	assert.Zero(t, w.Count("SELECT count(*) FROM identities WHERE subject = 'me'"))
}

func TestProviderLeadsHomeOnly(t *testing.T) {
	t.Parallel()
	w, p := corp(t)
	for _, next := range hostileTargets[:6] {
		v := newVisitor(w)
		p.arrives("me", w.Acme.Owner.Email, nil)
		a := v.back(v.leave("/sign-in/oidc?next=" + url.QueryEscape(next)))
		require.Equal(t, 303, a.Status, a.Body)
		local(t, a.Header.Get("Location"), next)
		w.Forgive()
	}
}

func TestStartsAreLimitedAndProvidersHidden(t *testing.T) {
	t.Parallel()
	w, _ := corp(t)
	refused := 0
	for range 40 {
		if newVisitor(w).get("/sign-in/oidc").Status == 429 {
			refused++
		}
	}
	assert.GreaterOrEqual(t, refused, 5)
	local := newVisitor(w)
	local.host = strings.Replace(w.Address, "127.0.0.1", "localhost", 1)
	assert.Equal(t, w.URL+"/sign-in/oidc?next=/chat", local.get("/sign-in/oidc?next=/chat").Header.Get("Location"), "where the cookie will be read")
	for _, path := range []string{"/sign-in/google", "/sign-in/oidc/x", "/sign-in/oidc?for=nonsense", "/sign-in/github/callback?code=x"} {
		assert.Equal(t, 404, w.Do(get(path, nil)).Status, path)
	}
	assert.Equal(t, 303, w.Do(get("/sign-in/oidc?for=link", nil)).Status, "only who is signed in links")
	assert.Equal(t, 404, w.Do(get("/sign-in/oidc?for=test", w.Acme.Member)).Status)
	for _, site := range []string{"cross-site", "same-site"} {
		for _, act := range []string{"link", "test"} {
			a := w.Do(apptest.Call{Method: "GET", Path: "/sign-in/oidc?for=" + act, Who: w.Acme.Owner, Header: map[string]string{"Sec-Fetch-Site": site}})
			assert.Equal(t, 403, a.Status, "a foreign page begins nothing: %s %s", site, act)
		}
	}
}

// A provider on a private address that nobody allowed is not asked.
func TestProvidersInsideNeedPermission(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	asked := false
	p.hook = func(http.ResponseWriter, *http.Request) bool { asked = true; return false }
	row := p.row()
	row.Private = false
	w := apptest.Start(t, apptest.Options{NoWorker: true, SignIn: []models.SignInProvider{row}})
	a := w.Do(get("/sign-in/oidc", nil))
	assert.Equal(t, 502, a.Status)
	has(t, a.Body, "did not answer as expected")
	assert.False(t, asked)
}
