package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models/modelstest"
)

// device is an authenticator and the browser it is in.
type device struct {
	*visitor
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

// newKey makes a device's key. The library writes a coordinate without its leading zeros, one key in 128, which no
// browser does and no server takes: such a key is thrown away.
func newKey() virtualwebauthn.Credential {
	const whole = 77 // bytes of a key with two coordinates of 32
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// newDevice opens the server as localhost: passkeys need a name.
func newDevice(w *apptest.World) *device {
	d := &device{visitor: newVisitor(w), key: newKey(), auth: virtualwebauthn.NewAuthenticator()}
	d.host = strings.Replace(w.Address, "127.0.0.1", "localhost", 1)
	d.rp = virtualwebauthn.RelyingParty{Name: "Lobstead", ID: "localhost", Origin: "http://" + d.host}
	return d
}

func (d *device) post(path string, body any) apptest.Answer {
	return d.do(apptest.Call{Method: "POST", Path: path, JSON: body, Face: apptest.JSON})
}

// add registers the device for whoever is signed in in it.
func (d *device) add(name string, p *apptest.Person) apptest.Answer {
	t := d.w.T
	t.Helper()
	a := d.post("/settings/security/passkeys/options", map[string]string{})
	require.Equal(t, 200, a.Status, a.Body)
	options, err := virtualwebauthn.ParseAttestationOptions(a.Body)
	require.NoError(t, err)
	d.auth.Options.UserHandle = []byte(p.UserID)
	return d.post("/settings/security/passkeys", map[string]any{"name": name, "credential": json.RawMessage(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *options))})
}

// answer signs a fresh challenge.
func (d *device) answer(second bool) map[string]any {
	t := d.w.T
	t.Helper()
	a := d.post("/sign-in/passkey/options", map[string]any{"second": second, "next": "/chat"})
	require.Equal(t, 200, a.Status, a.Body)
	options, err := virtualwebauthn.ParseAssertionOptions(a.Body)
	require.NoError(t, err)
	d.key.Counter++
	return map[string]any{"credential": json.RawMessage(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *options))}
}

func TestPasskeyAloneSignsIn(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	d := newDevice(w)
	d.as(w.Acme.Member)
	a := d.add("Phone", w.Acme.Member)
	require.Equal(t, 200, a.Status, a.Body)
	has(t, d.get("/settings/security").Body, "Phone")
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'passkey.added' AND actor_id = ?", w.Acme.Member.UserID))
	delete(d.jar, "lobstead")

	a = d.post("/sign-in/passkey", d.answer(false))
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, "/chat", a.Map()["to"])
	has(t, d.get("/settings").Body, w.Acme.Member.Email)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'sign_in.opened' AND after LIKE '%passkey%'"))

	for name, bad := range map[string]func(*device) map[string]any{
		"a replay": func(d *device) map[string]any {
			ok := d.answer(false)
			cookie := d.jar["lobstead_passkey"]
			require.Equal(t, 200, d.post("/sign-in/passkey", ok).Status)
			delete(d.jar, "lobstead")
			d.jar["lobstead_passkey"] = cookie
			return ok
		},
		"an old counter":  func(d *device) map[string]any { d.key.Counter = 0; return d.answer(false) },
		"another origin":  func(d *device) map[string]any { d.rp.Origin = "https://evil.example"; return d.answer(false) },
		"another party":   func(d *device) map[string]any { d.rp.ID = "evil.example"; return d.answer(false) },
		"nobody verified": func(d *device) map[string]any { d.auth.Options.UserNotVerified = true; return d.answer(false) },
		"another person": func(d *device) map[string]any {
			d.auth.Options.UserHandle = []byte(w.Acme.Owner.UserID)
			return d.answer(false)
		},
		"no person": func(d *device) map[string]any { d.auth.Options.UserHandle = nil; return d.answer(false) },
		"another key": func(d *device) map[string]any {
			id := d.key.ID
			d.key = newKey()
			d.key.ID, d.key.Counter = id, 99
			return d.answer(false)
		},
		"an unknown device": func(d *device) map[string]any {
			d.key = newKey()
			return d.answer(false)
		},
		"no challenge": func(d *device) map[string]any { ok := d.answer(false); clear(d.jar); return ok },
		"another's challenge": func(d *device) map[string]any {
			ok := d.answer(false)
			d.answer(false)
			return ok
		},
		"nothing": func(d *device) map[string]any { d.answer(false); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w.Forgive()
			thief := *d
			thief.visitor = &visitor{w: w.In(t), jar: map[string]string{}, host: d.host}
			thief.key.Counter = d.key.Counter + 10
			body := bad(&thief)
			a := thief.post("/sign-in/passkey", body)
			assert.Contains(t, []int{400, 401}, a.Status)
			assert.Empty(t, thief.jar["lobstead"])
			if name == "a replay" {
				d.key.Counter = thief.key.Counter
			}
		})
	}
	w.Forgive()
	w.Exec("UPDATE users SET blocked_at = created_at WHERE id = ?", w.Acme.Member.UserID)
	d.key.Counter += 50
	delete(d.jar, "lobstead")
	assert.Equal(t, 401, d.post("/sign-in/passkey", d.answer(false)).Status, "blocked")
}

func TestPasskeyAfterThePassword(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	d := newDevice(w)
	d.as(w.Acme.Admin)
	w.Exec("DELETE FROM passkeys")
	require.Equal(t, 200, d.add("Key", w.Acme.Admin).Status)
	a := d.do(apptest.Call{Method: "POST", Path: "/settings/security/second-factor", Form: url.Values{"on": {"true"}}})
	require.Equal(t, 303, a.Status)
	has(t, d.get("/settings/security").Body, "A passkey is asked for after your password")
	delete(d.jar, "lobstead")
	password := func() apptest.Answer {
		return d.do(apptest.Call{Method: "POST", Path: "/sign-in", Form: url.Values{"email": {w.Acme.Admin.Email}, "password": {modelstest.Password}, "next": {"/instances"}}})
	}
	assert.Equal(t, "/sign-in", d.get("/sign-in/passkey").Header.Get("Location"), "nothing without the password")
	assert.Equal(t, 400, d.post("/sign-in/passkey/options", map[string]any{"second": true}).Status)
	a = password()
	assert.Equal(t, "/sign-in/passkey", a.Header.Get("Location"))
	assert.Empty(t, d.jar["lobstead"], "the password alone signs nobody in")
	has(t, d.get("/sign-in/passkey").Body, "One more step")

	// Another person's passkey does not do.
	other := newDevice(w)
	other.as(w.Rival.Owner)
	require.Equal(t, 200, other.add("Theirs", w.Rival.Owner).Status)
	other.jar = map[string]string{"lobstead_second": d.jar["lobstead_second"]}
	assert.Equal(t, 401, other.post("/sign-in/passkey", other.answer(true)).Status)
	assert.Empty(t, other.jar["lobstead"])

	a = d.post("/sign-in/passkey", d.answer(true))
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, "/instances", a.Map()["to"])
	has(t, d.get("/settings").Body, w.Acme.Admin.Email)
	assert.Empty(t, d.jar["lobstead_second"])
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'sign_in.opened' AND after LIKE '%password and passkey%'"))
}

func TestPasskeysAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	d := newDevice(w)
	d.as(w.Acme.Member)
	require.Equal(t, 200, d.add("Phone", w.Acme.Member).Status)
	assert.Equal(t, 409, d.add("Phone again", w.Acme.Member).Status, "a device is known once")
	assert.Equal(t, 400, d.post("/settings/security/passkeys", map[string]any{"name": "x", "credential": json.RawMessage(`{}`)}).Status)
	d.key = newKey()
	assert.Equal(t, 400, d.add(" ", w.Acme.Member).Status, "it needs a name")

	// A challenge that another person asked for is not answered.
	options := d.post("/settings/security/passkeys/options", nil)
	assert.Equal(t, 200, options.Status)
	parsed, err := virtualwebauthn.ParseAttestationOptions(options.Body)
	require.NoError(t, err)
	d.as(w.Acme.Admin)
	a := d.post("/settings/security/passkeys", map[string]any{"name": "x", "credential": json.RawMessage(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *parsed))})
	assert.Equal(t, 400, a.Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM passkeys WHERE user_id = ?", w.Acme.Member.UserID))

	page := newVisitor(w).as(w.Acme.Owner).get("/settings/security").Body
	has(t, page, "bound to a host name")
	lacks(t, page, `data-passkey="add"`)
	a = newVisitor(w).as(w.Acme.Owner).do(apptest.Call{Method: "POST", Path: "/settings/security/passkeys/options", JSON: "{}", Face: apptest.JSON})
	assert.Equal(t, 400, a.Status)
	has(t, a.Body, "passkey.address")
	lacks(t, w.Do(get("/sign-in", nil)).Body, `data-passkey="sign-in"`)
	a = w.Do(apptest.Call{Method: "POST", Path: "/settings/security/passkeys/" + w.Acme.Passkey + "/delete", Who: w.Acme.Owner})
	assert.Equal(t, 303, a.Status)
	assert.Zero(t, w.Count("SELECT count(*) FROM passkeys WHERE id = ?", w.Acme.Passkey))
}
