package app

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"lobstead/kit/fault"
	"lobstead/models"
)

var errNoName = fault.New(fault.Invalid, "passkey.address", "Passkeys need a host name and https://, and this server is reached without one of them").
	Hinting("Set PUBLIC_URL to https:// and a name, or open the server as localhost")

// relyingParty is the host name that passkeys are bound to, "" where there can be none: the public URL's, or localhost
// for who sits at the machine itself.
func (c *Ctx) relyingParty() string {
	name := hostname(c.app.PublicURL)
	if loopback(name) && hostname("//"+string(c.f.Context().Host())) == "localhost" {
		return "localhost"
	}
	if _, err := netip.ParseAddr(name); err == nil || !c.app.secure() && name != "localhost" {
		return ""
	}
	return name
}

// loopback holds for the names of this machine itself.
func loopback(name string) bool {
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}

func hostname(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// webAuthn is the relying party as the browser of this request knows it. Everything asks for user verification: a
// passkey alone signs in.
func (c *Ctx) webAuthn() (*webauthn.WebAuthn, error) {
	name := c.relyingParty()
	if name == "" {
		return nil, errNoName
	}
	origin := c.app.PublicURL
	if name != hostname(origin) {
		origin = "http://" + string(c.f.Context().Host())
	}
	w, err := webauthn.New(&webauthn.Config{RPID: name, RPDisplayName: "Lobstead", RPOrigins: []string{origin},
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Enforce: true, Timeout: flowLife, TimeoutUVD: flowLife},
			Registration: webauthn.TimeoutConfig{Enforce: true, Timeout: flowLife, TimeoutUVD: flowLife}},
		// Some browsers tell more than they were asked, which we do not read.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, errNoName.Code, "%s", errNoName.Detail).Hinting(errNoName.Hint)
	}
	return w, nil
}

// keyHolder is a person with their passkeys, as the library wants to see one.
type keyHolder struct {
	user *models.User
	keys []webauthn.Credential
	raw  map[string][]byte // as stored, by credential id
}

func (h *keyHolder) WebAuthnID() []byte                         { return []byte(h.user.ID) }
func (h *keyHolder) WebAuthnName() string                       { return h.user.Email }
func (h *keyHolder) WebAuthnDisplayName() string                { return h.user.Name }
func (h *keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func (c *Ctx) keyHolder(u *models.User) (*keyHolder, error) {
	rows, err := c.app.Store.AsSystem("a person's passkeys").Passkeys(c, u.ID)
	if err != nil {
		return nil, err
	}
	h := &keyHolder{user: u, raw: map[string][]byte{}}
	for _, row := range rows {
		var k webauthn.Credential
		if err := json.Unmarshal(row.Credential, &k); err != nil {
			return nil, err
		}
		h.keys = append(h.keys, k)
		h.raw[row.CredentialID] = row.Credential
	}
	return h, nil
}

func keyName(credentialID []byte) string { return base64.RawURLEncoding.EncodeToString(credentialID) }
