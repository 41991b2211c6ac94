package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"lobstead/app/apptest"
	"lobstead/kit/secret"
	"lobstead/models"
)

// hub is GitHub's own interface as its documentation has it: OAuth with PKCE, no id_token, addresses at a place of
// their own.
func hub(t *testing.T, emails *string) *httptest.Server {
	challenge := ""
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", func(rw http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		challenge = q.Get("code_challenge")
		http.Redirect(rw, r, q.Get("redirect_uri")+"?code=c0de&state="+q.Get("state"), http.StatusFound)
	})
	mux.HandleFunc("POST /login/oauth/access_token", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if r.FormValue("code") != "c0de" || base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
			_ = json.NewEncoder(rw).Encode(map[string]string{"error": "bad_verification_code"}) // with 200, as GitHub does
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]string{"access_token": "gho_x", "token_type": "bearer", "scope": "user:email"})
	})
	mux.HandleFunc("GET /api/v3/user", func(rw http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer gho_x", r.Header.Get("Authorization"))
		_ = json.NewEncoder(rw).Encode(map[string]any{"id": 7, "login": "ada", "name": "Ada", "email": "shown@example.com"})
	})
	mux.HandleFunc("GET /api/v3/user/emails", func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(*emails)) })
	s := httptest.NewServer(mux)
	s.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(s.Close)
	return s
}

func TestSignInByGitHub(t *testing.T) {
	t.Parallel()
	emails := ""
	s := hub(t, &emails)
	w := apptest.Start(t, apptest.Options{NoWorker: true, SignIn: []models.SignInProvider{{ID: models.GitHub, Kind: models.GitHub, Name: "GitHub", Issuer: s.URL,
		ClientID: "c", Secret: secret.Of("s"), Private: true, Enabled: true, Environment: true}}})
	mail := func(primary, verified bool) string {
		b, _ := json.Marshal([]map[string]any{{"email": "other@example.com", "primary": false, "verified": true}, {"email": w.Acme.Member.Email, "primary": primary, "verified": verified}})
		return string(b)
	}
	for _, c := range []struct {
		emails string
		status int
	}{{mail(true, false), 403}, {mail(false, true), 403}, {`[]`, 403}, {`{}`, 502}, {mail(true, true), 303}} {
		emails = c.emails
		v := newVisitor(w)
		a := v.back(v.leave("/sign-in/github?next=/chat"))
		assert.Equal(t, c.status, a.Status, c.emails)
		if c.status == 303 {
			has(t, v.get("/settings").Body, w.Acme.Member.Email)
			assert.Equal(t, 1, w.Count("SELECT count(*) FROM identities WHERE provider = ? AND subject = '7'", s.URL))
		} else {
			assert.Empty(t, v.jar["lobstead"])
		}
		w.Forgive()
	}
	v := newVisitor(w)
	back := v.leave("/sign-in/github")
	a := v.back(back + "&code=other&code_verifier=x")
	assert.NotEqual(t, 500, a.Status)
	v = newVisitor(w)
	v.leave("/sign-in/github")
	a = v.back("/sign-in/github/callback?code=other&state=" + stateOf(back))
	assert.Equal(t, 400, a.Status, "a state of another flow")
}
