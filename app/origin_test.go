package app_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models/modelstest"
)

// Unsafe requests with a cookie come from our own pages or are refused, on every route.
func TestCrossSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	origins := map[string]map[string]string{
		"cross-site": {"Sec-Fetch-Site": "cross-site"}, "same-site": {"Sec-Fetch-Site": "same-site"}, "nonsense": {"Sec-Fetch-Site": "Same-Origin "},
		"cross-site with our origin": {"Sec-Fetch-Site": "cross-site", "Origin": w.URL},
		"foreign origin":             {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, "null origin": {"Sec-Fetch-Site": "", "Origin": "null"},
		"other port": {"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:1"}, "neither": {"Sec-Fetch-Site": ""}, "user info": {"Sec-Fetch-Site": "", "Origin": w.URL + ".evil.example"},
	}
	for _, c := range cases(t, w, w.Acme) {
		if c.call.Method == "GET" {
			continue
		}
		for name, headers := range origins {
			call := c.call
			call.Who, call.Header = w.Acme.Owner, headers
			a := w.Do(call)
			want := 403
			if c.access == "staff" {
				want = 404 // another site hears nothing of the back office either
			}
			assert.Equal(t, want, a.Status, "%s %s", c.name, name)
			assert.Nil(t, a.Cookie("lobstead"), "%s %s", c.name, name)
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "another site changed something")
	for name, headers := range origins { // signing somebody in from elsewhere is refused too
		a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Header: headers, Form: credentials(w.Acme.Owner.Email, modelstest.Password)})
		assert.Equal(t, 403, a.Status, name)
	}
}

func TestOwnOriginIsTaken(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for name, headers := range map[string]map[string]string{"same-origin": {"Sec-Fetch-Site": "same-origin"}, "typed": {"Sec-Fetch-Site": "none"},
		"old browser": {"Sec-Fetch-Site": "", "Origin": w.URL}} {
		a := w.Do(apptest.Call{Method: "POST", Path: "/theme", Who: w.Acme.Owner, Header: headers, Form: url.Values{"theme": {"light"}}})
		assert.Equal(t, 303, a.Status, name)
	}
	a := w.Do(apptest.Call{Method: "PATCH", Path: "/api/instances/" + w.Acme.Instance.ID, Who: w.Acme.Owner, ByKey: true, JSON: `{"name":"by-key"}`,
		Header: map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}})
	assert.Equal(t, 200, a.Status, "a bearer request carries no cookie")
}

func TestForeignHostsAreRefused(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "169.254.169.254", "[fe80::1]", "0x7f.1", "localhost.", "127.0.0.1@evil.example"} {
		for _, c := range []apptest.Call{get("/", w.Acme.Owner), get("/api/instances", w.Acme.Owner), {Method: "GET", Path: "/api/instances", Who: w.Acme.Owner, ByKey: true},
			get("/sign-in", nil), get("/live/overview?after=0", w.Acme.Owner), {Method: "POST", Path: "/setup?token=x"}} {
			c.Host = host
			a, err := w.Try(c)
			if err != nil {
				continue // not a host at all
			}
			assert.Contains(t, []int{400, 403}, a.Status, "%s %s", host, c.Path)
			tellsNothing(t, w.Acme, a, "")
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "127.8.9.1"} {
		c := get("/", w.Acme.Owner)
		c.Host = host
		assert.Equal(t, 200, w.Do(c).Status, host)
	}
	c := get("/healthz", nil)
	c.Host = "probe.internal"
	assert.Equal(t, 200, w.Do(c).Status, "probes name the host as they like")
}

// Over https the cookie has the prefix that binds it to this host, and the unbound one counts for nothing.
func TestCookiesOverTLS(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, PublicURL: "https://lob.example"})
	a := w.Do(apptest.Call{Method: "POST", Path: "/sign-in", Host: "lob.example", Form: credentials(w.Acme.Owner.Email, modelstest.Password)})
	cookie := a.Cookie("__Host-lobstead")
	require.NotNil(t, cookie)
	assert.True(t, cookie.Secure && cookie.HttpOnly)
	assert.Empty(t, cookie.Domain)
	assert.NotEmpty(t, a.Header.Get("Strict-Transport-Security"))
	secured(t, a, "sign-in")
	assert.Equal(t, 200, w.Do(get("/", &apptest.Person{Cookie: cookie.Value})).Status)
	tossed := w.Do(apptest.Call{Method: "GET", Path: "/", Header: map[string]string{"Cookie": "lobstead=" + cookie.Value}})
	assert.Equal(t, 303, tossed.Status, "a neighbouring host can set that one")
}

func TestSetup(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{Empty: true})
	has(t, w.Do(get("/sign-in", nil)).Body, "no owner yet")
	for _, path := range []string{"/setup", "/setup?token=wrong"} {
		assert.Equal(t, 404, w.Do(get(path, nil)).Status, path)
		assert.Equal(t, 404, w.Do(apptest.Call{Method: "POST", Path: path, Form: founding("x@example.com")}).Status, path)
	}
	token, err := w.Store.AsSystem("test").NewSetupLink(t.Context())
	require.NoError(t, err)
	path := "/setup?token=" + url.QueryEscape(token.Reveal())
	assert.Equal(t, 200, w.Do(get(path, nil)).Status)
	bad := w.Do(apptest.Call{Method: "POST", Path: path, Form: url.Values{"name": {`<b>"`}, "email": {"no"}, "organization": {" "}, "password": {"pw-nine-9"}}})
	assert.Equal(t, 422, bad.Status)
	has(t, bad.Body, "Invalid email", "at least 10 character", "at least 1 character", "&lt;b&gt;&#34;")
	lacks(t, bad.Body, "<b>", "pw-nine-9")
	a := w.Do(apptest.Call{Method: "POST", Path: path, Form: founding("first@example.com")})
	require.Equal(t, 303, a.Status)
	assert.Equal(t, "/chat", a.Header.Get("Location"))
	me := &apptest.Person{Cookie: a.Cookie("lobstead").Value}
	assert.Equal(t, 200, w.Do(get("/", me)).Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM instances"))
	for range 2 {
		assert.Equal(t, 404, w.Do(apptest.Call{Method: "POST", Path: path, Form: founding("second@example.com")}).Status, "a link works once")
	}
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM users"))
}

func founding(email string) url.Values {
	return url.Values{"name": {"First"}, "email": {email}, "organization": {"Org"}, "password": {"long enough password"}}
}
