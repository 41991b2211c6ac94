package app

import (
	"bytes"
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/signin"
)

// Passkeys adds and removes a person's passkeys and signs people in by them. The browser's part is passkey.js.
type Passkeys struct{ *App }

var errPasskey = fault.New(fault.Unauthenticated, "passkey.wrong", "This passkey was not accepted").Hinting("Try again, or use another way to sign in")

// passkeyAnswer is what passkey.js sends.
type passkeyAnswer struct {
	Second     bool            `json:"second"` // after the password
	Next       string          `json:"next"`
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

func (c *Ctx) passkeyAnswer() (a passkeyAnswer, err error) {
	body, err := c.body()
	if err == nil && len(bytes.TrimSpace(body)) > 0 {
		if e := json.Unmarshal(body, &a); e != nil {
			err = fault.Wrap(e, fault.Invalid, "body.json", "Invalid request")
		}
	}
	return a, err
}

// Second asks for a passkey after the password.
func (h *Passkeys) Second(c *Ctx) (Reply, error) {
	if _, err := c.flow(secondFlow); err != nil {
		return redirect("/sign-in"), nil
	}
	return page(signin.Second(signin.SecondProps{Bare: c.bare("One more step"), Unnamed: c.relyingParty() == ""})), nil
}

// Options begins a sign-in by passkey: by any, or by one of the person whose password was right.
func (h *Passkeys) Options(c *Ctx) (Reply, error) {
	in, err := c.passkeyAnswer()
	if err != nil {
		return nil, err
	}
	w, err := c.webAuthn()
	if err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	f := flow{Next: localPath(in.Next)}
	var options *protocol.CredentialAssertion
	if in.Second {
		options, err = h.second(c, w, &f)
	} else {
		options, f.Passkey, err = w.BeginDiscoverableLogin()
	}
	if err != nil {
		return nil, err
	}
	return script{options}, c.setFlow(passkeyFlow, f)
}

func (h *Passkeys) second(c *Ctx, w *webauthn.WebAuthn, f *flow) (*protocol.CredentialAssertion, error) {
	before, err := c.flow(secondFlow)
	if err != nil {
		return nil, err
	}
	u, err := h.Store.AsSystem("second factor").User(c, before.UserID)
	if err != nil {
		return nil, err
	}
	holder, err := c.keyHolder(u)
	if err != nil {
		return nil, err
	}
	f.UserID, f.Next = u.ID, before.Next
	options, session, err := w.BeginLogin(holder)
	if err != nil {
		return nil, fault.Wrap(err, errPasskey.Kind, errPasskey.Code, "%s", errPasskey.Detail)
	}
	f.Passkey = session
	return options, nil
}

// SignIn checks what the passkey signed and signs the browser in.
func (h *Passkeys) SignIn(c *Ctx) (Reply, error) {
	in, err := c.passkeyAnswer()
	if err != nil {
		return nil, err
	}
	f, err := c.flow(passkeyFlow)
	if err != nil {
		return nil, err
	}
	if err := c.spendFlow(passkeyFlow, f); err != nil {
		return nil, err
	}
	u, err := h.proved(c, f, in.Credential)
	if err != nil {
		return nil, err
	}
	way := "passkey"
	if f.UserID != "" {
		way = "password and passkey"
		c.endFlow(secondFlow)
	}
	return script{map[string]string{"to": f.Next}}, c.open(u.ID, way)
}

// proved is whose passkey signed the challenge of a flow.
func (h *Passkeys) proved(c *Ctx, f *flow, credential []byte) (*models.User, error) {
	w, err := c.webAuthn()
	if err != nil {
		return nil, err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return nil, wrongPasskey(err)
	}
	system := h.Store.AsSystem("sign in by passkey")
	u, err := system.PasskeyOwner(c, keyName(answer.RawID))
	if err := c.brake(accountOf(u)); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, wrongPasskey(err)
	}
	holder, err := c.keyHolder(u)
	if err != nil {
		return nil, err
	}
	key, err := signed(w, f, holder, answer)
	if err != nil || u.BlockedAt != nil {
		return nil, wrongPasskey(err)
	}
	now, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	id := keyName(key.ID)
	return u, system.UsePasskey(c, id, holder.raw[id], now)
}

// signed is the key that answered the challenge of a flow: after the password one of that person's, else any.
func signed(w *webauthn.WebAuthn, f *flow, holder *keyHolder, answer *protocol.ParsedCredentialAssertionData) (key *webauthn.Credential, err error) {
	if f.UserID != "" {
		key, err = w.ValidateLogin(holder, *f.Passkey, answer)
	} else {
		_, key, err = w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if string(handle) != holder.user.ID {
				return nil, errPasskey
			}
			return holder, nil
		}, *f.Passkey, answer)
	}
	if err == nil && key.Authenticator.CloneWarning {
		err = fault.New(fault.Unauthenticated, "passkey.cloned", "the counter went back: there may be a copy of it")
	}
	return key, err
}

func accountOf(u *models.User) string {
	if u == nil {
		return ""
	}
	return u.Email
}

// wrongPasskey tells the log why; the browser hears the same of everything.
func wrongPasskey(err error) error {
	return fault.Wrap(err, errPasskey.Kind, errPasskey.Code, "%s", errPasskey.Detail).Hinting(errPasskey.Hint)
}

// New begins to add one.
func (h *Passkeys) New(c *Ctx) (Reply, error) {
	w, err := c.webAuthn()
	if err != nil {
		return nil, err
	}
	holder, err := c.keyHolder(&c.Principal.User)
	if err != nil {
		return nil, err
	}
	options, session, err := w.BeginRegistration(holder, webauthn.WithExclusions(webauthn.Credentials(holder.keys).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	return script{options}, c.setFlow(registerFlow, flow{UserID: c.Principal.User.ID, Passkey: session})
}

// Create keeps a new one.
func (h *Passkeys) Create(c *Ctx) (Reply, error) {
	in, err := c.passkeyAnswer()
	if err != nil {
		return nil, err
	}
	f, err := c.registration()
	if err != nil {
		return nil, err
	}
	key, err := c.registered(f, in.Credential)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "passkey.refused", "This passkey could not be added").Hinting("Try again, or with another device")
	}
	text, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	row, err := h.Store.AsSystem("own passkeys").AddPasskey(c, c.actor(), in.Name, keyName(key.ID), text)
	if err != nil {
		return nil, err
	}
	c.setFlash(toast{"ok", "Added " + row.Name})
	return script{map[string]string{"id": row.ID, "to": "/settings/security"}}, nil
}

// registration is the flow that this person began, used up.
func (c *Ctx) registration() (*flow, error) {
	f, err := c.flow(registerFlow)
	if err != nil {
		return nil, err
	}
	if f.UserID != c.Principal.User.ID {
		return nil, errFlow
	}
	return f, c.spendFlow(registerFlow, f)
}

func (c *Ctx) registered(f *flow, credential []byte) (*webauthn.Credential, error) {
	w, err := c.webAuthn()
	if err != nil {
		return nil, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return nil, err
	}
	return w.CreateCredential(&keyHolder{user: &c.Principal.User}, *f.Passkey, answer)
}

// Destroy forgets one.
func (h *Passkeys) Destroy(c *Ctx) (Reply, error) {
	passkey, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.backTo("/settings/security", "Removed", h.Store.AsSystem("own passkeys").RemovePasskey(c, c.actor(), passkey))
}

// script is an answer to passkey.js: JSON, whatever was asked for.
type script struct{ v any }

func (s script) write(c *Ctx) error { return writeJSON(c.f, fiber.StatusOK, s.v) }
