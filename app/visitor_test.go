package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/secret"
	"lobstead/models"
)

// visitor is a browser that keeps its cookies.
type visitor struct {
	w    *apptest.World
	jar  map[string]string
	host string // "" = where the server listens
}

func newVisitor(w *apptest.World) *visitor { return &visitor{w: w, jar: map[string]string{}} }

// as is a browser in which somebody is signed in already.
func (v *visitor) as(p *apptest.Person) *visitor {
	v.jar[v.w.CookieName()] = p.Cookie
	return v
}

func (v *visitor) do(c apptest.Call) apptest.Answer {
	v.w.T.Helper()
	cookies := []string{}
	for k, value := range v.jar {
		cookies = append(cookies, k+"="+value)
	}
	header := map[string]string{"Cookie": strings.Join(cookies, "; ")}
	for k, value := range c.Header {
		header[k] = value
	}
	c.Header, c.Host = header, v.host
	a := v.w.Do(c)
	for _, cookie := range (&http.Response{Header: a.Header}).Cookies() {
		if cookie.MaxAge < 0 {
			delete(v.jar, cookie.Name)
		} else {
			v.jar[cookie.Name] = cookie.Value
		}
	}
	return a
}

func (v *visitor) get(path string) apptest.Answer {
	return v.do(apptest.Call{Method: "GET", Path: path})
}

// back follows a link that another site redirected to.
func (v *visitor) back(path string) apptest.Answer {
	return v.do(apptest.Call{Method: "GET", Path: path, Header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
}

// leave starts at a provider and gives the address that the provider sends the browser back to.
func (v *visitor) leave(path string) string {
	t := v.w.T
	t.Helper()
	a := v.get(path)
	require.Equal(t, 303, a.Status, a.Body)
	return v.visit(a.Header.Get("Location"))
}

// visit asks a foreign server, as the browser would, and gives the path and query of ours that it leads to.
func (v *visitor) visit(address string) string {
	t := v.w.T
	t.Helper()
	res, err := foreign.Get(address)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 302, res.StatusCode)
	back, err := url.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, v.w.URL, back.Scheme+"://"+back.Host)
	return back.RequestURI()
}

var foreign = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// provider is a real OpenID provider in this process, with a hook for what a bad one would do.
type provider struct {
	*mockoidc.MockOIDC
	hook func(http.ResponseWriter, *http.Request) bool // true: answered
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	m, err := mockoidc.NewServer(nil)
	require.NoError(t, err)
	p := &provider{MockOIDC: m}
	require.NoError(t, m.AddMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Connection", "close")
			if p.hook == nil || !p.hook(rw, r) {
				next.ServeHTTP(rw, r)
			}
		})
	}))
	require.NoError(t, m.Start(listen(t), nil))
	t.Cleanup(func() { _ = m.Shutdown() })
	return p
}

// row is the provider as the environment would name it.
func (p *provider) row() models.SignInProvider {
	return models.SignInProvider{ID: models.OIDC, Kind: models.OIDC, Name: "Corp", Issuer: p.Issuer(), ClientID: p.ClientID, Secret: secret.Of(p.ClientSecret),
		Private: true, Enabled: true, Environment: true}
}

// person is somebody at the provider; twist changes what the provider says of them.
type person struct {
	mockoidc.MockUser
	twist func(*mockoidc.IDTokenClaims)
}

func (p *person) Claims(scopes []string, claims *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	if p.twist != nil {
		p.twist(claims)
	}
	return p.MockUser.Claims(scopes, claims)
}

// Userinfo holds the subject, as the standard has it and mockoidc's own people have not.
func (p *person) Userinfo([]string) ([]byte, error) {
	return json.Marshal(map[string]string{"sub": p.Subject, "email": p.Email})
}

// arrives queues who comes next.
func (p *provider) arrives(subject, email string, twist func(*mockoidc.IDTokenClaims)) {
	p.QueueUser(&person{mockoidc.MockUser{Subject: subject, Email: email, EmailVerified: true}, twist})
}
