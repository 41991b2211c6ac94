package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// logIn gives somebody as they call by a token of theirs.
func logIn(t *testing.T, w *apptest.World, who *apptest.Person) *apptest.Person {
	t.Helper()
	w.Forgive()
	a := w.Do(apptest.Call{Method: "POST", Path: "/auth/login", JSON: map[string]string{"email": who.Email, "password": modelstest.Password}})
	require.Equal(t, 200, a.Status, a.Body)
	out := *who
	out.Key = a.Map()["token"].(string)
	return &out
}

func agents(who *apptest.Person) apptest.Call { return api("GET", "/v1/agent/list", who, nil) }

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	out := map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	ada := logIn(t, w, w.Acme.Admin)
	said := claimsOf(t, ada.Key)
	assert.Equal(t, ada.UserID, said["uuid"])
	assert.Equal(t, ada.Email, said["email"])
	assert.Equal(t, true, said["verified"])
	assert.InDelta(t, 24*3600, said["exp"].(float64)-said["iat"].(float64), 1)
	assert.Equal(t, 200, w.Do(agents(ada)).Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'sign_in.opened' AND after LIKE '%login token%' AND actor_id = ?", ada.UserID))
	has(t, w.Do(get("/settings/sign-ins", w.Acme.Admin)).Body, "Login token")

	login := func(email, password, more string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: "/auth/login", JSON: `{"email":"` + email + `","password":"` + password + `"` + more + `}`})
	}
	for name, c := range map[string]struct {
		a      apptest.Answer
		status int
		words  string
	}{
		"wrong":          {login(ada.Email, "wrong", ""), 401, "The e-mail address or the password is wrong"},
		"unknown":        {login("nobody@example.com", modelstest.Password, ""), 401, "The e-mail address or the password is wrong"},
		"elsewhere":      {login(ada.Email, modelstest.Password, `,"organization":"`+w.Rival.ID+`"`), 404, "Organization not found"},
		"without either": {w.Do(apptest.Call{Method: "POST", Path: "/auth/login", JSON: `{}`}), 400, "email"},
	} {
		assert.Equal(t, c.status, c.a.Status, name)
		has(t, c.a.Body, c.words)
		assert.Nil(t, c.a.Cookie("lobstead"), name)
	}
	assert.Equal(t, 200, login(ada.Email, modelstest.Password, `,"organization":"`+w.Acme.ID+`"`).Status)
	w.Exec("UPDATE users SET second_factor = ? WHERE id = ?", true, ada.UserID)
	a := login(ada.Email, modelstest.Password, "")
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, "passkey")
	w.Exec("INSERT INTO installation_settings (key, value, updated_at) SELECT 'password_sign_in', 'nobody', created_at FROM users WHERE id = ?", ada.UserID)
	assert.Equal(t, 403, login(w.Acme.Member.Email, modelstest.Password, "").Status)
	refused := 0
	for range 12 {
		if login(ada.Email, "wrong", "").Status == 429 {
			refused++
		}
	}
	assert.Positive(t, refused, "passwords are not guessed here either")
}

// A token is its person, by their role, on the routes of its family; everywhere else it is nobody.
func TestLoginTokenOnEveryRoute(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	roles := map[models.Role]*apptest.Person{models.Owner: logIn(t, w, w.Acme.Owner), models.Admin: logIn(t, w, w.Acme.Admin), models.Member: logIn(t, w, w.Acme.Member)}
	n := 0
	for _, c := range cases(t, w, nil) {
		if public[c.route] {
			continue
		}
		for role, who := range roles {
			call := c.call
			call.Who, call.ByKey, call.Face = who, true, apptest.JSON
			a := w.Do(call)
			can, _ := strings.CutPrefix(c.access, "may ")
			switch {
			case c.access == "staff":
				assert.Equal(t, 404, a.Status, c.name)
			case c.family != app.Fleet:
				assert.Equal(t, 401, a.Status, "%s as %s", c.name, role)
			case !role.May(models.Can(can)):
				assert.Equal(t, 403, a.Status, "%s as %s", c.name, role)
			default:
				n++
				assert.NotContains(t, []int{401, 403}, a.Status, "%s as %s", c.name, role)
			}
		}
	}
	assert.Greater(t, n, 60)
}

func TestLoginTokensOfTenantsAreApart(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	rival := logIn(t, w, w.Rival.Owner)
	before := w.Dump(w.Acme.ID)
	for _, c := range cases(t, w, w.Acme) {
		if c.family != app.Fleet || !c.foreign || public[c.route] {
			continue
		}
		call := c.call
		call.Who, call.ByKey, call.Face = rival, true, apptest.JSON
		a := w.Do(call)
		assert.Equal(t, 404, a.Status, c.name)
		tellsNothing(t, w.Acme, a, call.Path+c.sent)
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID))
}

// What ends a person's sign-ins, their account or their membership ends their tokens at the next request.
func TestLoginTokensEnd(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	staff := models.Actor{UserID: w.Acme.Owner.UserID, Name: "staff", Reason: "a ticket asks for it"}
	for name, c := range map[string]struct {
		end    func(p *apptest.Person)
		status int
	}{
		"password": {func(p *apptest.Person) {
			a := w.Do(apptest.Call{Method: "POST", Path: "/settings/security/password", Who: p, Form: url.Values{"current": {modelstest.Password}, "password": {"another lobster"}}})
			require.Equal(t, 303, a.Status)
		}, 401},
		"signed out elsewhere": {func(p *apptest.Person) {
			require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/settings/sign-ins/others/delete", Who: p}).Status)
		}, 401},
		"its row": {func(p *apptest.Person) {
			id := claimsOf(t, p.Key)["jti"].(string)
			require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/settings/sign-ins/" + id + "/delete", Who: p}).Status)
		}, 401},
		"signed out by staff": {func(p *apptest.Person) {
			_, err := w.Store.AsSystem("test").SignOutEverywhere(t.Context(), staff, p.UserID)
			require.NoError(t, err)
		}, 401},
		"blocked": {func(p *apptest.Person) {
			_, err := w.Store.AsSystem("test").Block(t.Context(), staff, p.UserID)
			require.NoError(t, err)
		}, 401},
		"blocked by hand": {func(p *apptest.Person) {
			w.Exec("UPDATE users SET blocked_at = created_at WHERE id = ?", p.UserID)
		}, 401},
		"removed": {func(p *apptest.Person) {
			_, err := w.Acme.Scope.RemoveMember(t.Context(), p.MemberID)
			require.NoError(t, err)
		}, 403},
		"over": {func(p *apptest.Person) {
			w.Exec("UPDATE sign_ins SET expires_at = created_at WHERE id = ?", claimsOf(t, p.Key)["jti"])
		}, 401},
	} {
		p := logIn(t, w, w.NewPerson(w.Acme, strings.ReplaceAll(name, " ", "-"), models.Admin))
		require.Equal(t, 200, w.Do(agents(p)).Status, name)
		c.end(p)
		a := w.Do(agents(p))
		assert.Equal(t, c.status, a.Status, name)
		if c.status == 401 {
			assert.JSONEq(t, `{"error":"Invalid or expired token"}`, a.Body, name)
		}
	}
	p := logIn(t, w, w.NewPerson(w.Acme, "demoted", models.Admin))
	w.Exec("UPDATE memberships SET role = ? WHERE id = ?", string(models.Member), p.MemberID)
	assert.Equal(t, 403, w.Do(api("POST", "/v1/agent/"+w.Acme.Instance.ID+"/balance", p, `{"amount":1,"type":"set"}`)).Status, "the role counts as it is now")
}

// Neither the token nor what it says opens a page, and what others signed is nothing.
func TestLoginTokensAreNotForged(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	p := logIn(t, w, w.Acme.Owner)
	parts := strings.Split(p.Key, ".")
	jti := claimsOf(t, p.Key)["jti"].(string)
	for name, cookie := range map[string]string{"token": p.Key, "its id": jti, "its payload": parts[1]} {
		assert.Equal(t, 303, w.Do(get("/settings", &apptest.Person{Cookie: cookie})).Status, name)
	}
	other := apptest.Start(t, apptest.Options{NoWorker: true})
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	browser := strings.Replace(string(unbase(t, parts[1])), jti, w.Acme.Owner.SignInID, 1)
	for name, token := range map[string]string{"of another installation": logIn(t, other, other.Acme.Owner).Key, "unsigned": none + "." + parts[1] + ".", "cut": p.Key[:len(p.Key)-1],
		"of a browser's sign-in": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(browser)) + "." + parts[2], "nothing but dots": ".."} {
		for _, header := range []map[string]string{{"Authorization": "Bearer " + token}, {"X-Api-Key": token}, {"X-Shinzo-Api-Key": token}} {
			a := w.Do(apptest.Call{Method: "GET", Path: "/v1/agent/list", Header: header})
			assert.Equal(t, 401, a.Status, name)
			assert.JSONEq(t, `{"error":"Invalid or expired token"}`, a.Body, name)
		}
	}
	before := time.Now()
	assert.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/v1/agent/list", Header: map[string]string{"X-Shinzo-Api-Key": p.Key}}).Status)
	a := w.Do(apptest.Call{Method: "POST", Path: "/v1/agent/" + w.Acme.Instance.ID + "/pause", Who: p, ByKey: true, Header: map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}})
	assert.Equal(t, 200, a.Status, "a bearer request carries no cookie")
	assert.Zero(t, w.Count("SELECT count(*) FROM sign_ins WHERE id = ? AND expires_at > ?", jti, before.Add(models.LoginTokenLife+time.Minute)), "use does not prolong it")
}

func unbase(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return raw
}
