package app

import (
	"strings"

	"lobstead/api/fleet"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// LoginTokens are sign-ins of programs: signed tokens that the fleet API takes beside keys (fleet-api.md, section 1).
type LoginTokens struct{ *App }

// loginPurpose is what the keys of these tokens are derived for.
const loginPurpose = "fleet-api"

var errSecondFactor = fault.New(fault.Forbidden, "sign_in.second_factor", "This account asks for a passkey after the password: use an API key")

// Create gives a token for an address and a password, as the sign-in page asks for them. Nothing of it opens a page.
func (h *LoginTokens) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	email, _ := f.String("email")
	password, _ := f.String("password")
	organization := f.Text("organization")
	if err := f.Err(); err != nil {
		return nil, err
	}
	account, _ := models.NormalEmail(email)
	if err := c.brake(account); err != nil {
		return nil, err
	}
	u, err := (&SignIns{h.App}).checkPassword(c, email, secret.Of(password))
	if err == nil && u.SecondFactor {
		err = errSecondFactor
	}
	if err != nil {
		return nil, err
	}
	client := c.client()
	client.Way = "login token"
	s, err := h.Store.AsSystem("log in").OpenLoginToken(c, u.ID, organization, client)
	if err != nil {
		return nil, err
	}
	claims := fleet.NewLoginClaims(u, secret.JWTClaims(loginPurpose, s.ID, u.ID, s.CreatedAt, models.LoginTokenLife))
	token, err := h.Box.Signer().JWT(loginPurpose, claims)
	return data(fleet.NewLogin(u, s, token.Reveal())), err
}

// isLoginToken tells a signed token from a key: it has three parts.
func isLoginToken(bearer secret.String) bool {
	return strings.Count(bearer.Reveal(), ".") == 2 && !strings.HasPrefix(bearer.Reveal(), models.KeyPrefix)
}

// byLoginToken is who a token belongs to, now: it ends with its sign-in.
func (c *Ctx) byLoginToken(token secret.String) (*models.Principal, error) {
	claims := fleet.LoginClaims{}
	if err := c.app.Box.Signer().ReadJWT(loginPurpose, token.Reveal(), &claims, c.app.Store.Now()); err != nil {
		return nil, err
	}
	p, err := c.app.Store.AsSystem("who is calling").ByLoginToken(c, claims.ID)
	if err == nil {
		_, err = c.take("login "+claims.ID, c.app.Limits.Requests)
	}
	return p, err
}
