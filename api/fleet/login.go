package fleet

import (
	"github.com/golang-jwt/jwt/v5"

	"lobstead/api/wire"
	"lobstead/models"
)

// LoginClaims are what a token of a login says (fleet-api.md, section 1). They are for its holder to read: who calls is read from the row
// that the token's id names.
type LoginClaims struct {
	jwt.RegisteredClaims
	UUID     string `json:"uuid"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

// Login answers a login.
type Login struct {
	Token     string    `json:"token"`
	ExpiresAt string    `json:"expires_at"`
	User      LoginUser `json:"user"`
}

// LoginUser is who logged in. verified is always true: accounts are made by a link that was sent to their address, or by whoever runs this
// server.
type LoginUser struct {
	UUID     string `json:"uuid"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

// NewLoginClaims are the claims of a person's token.
func NewLoginClaims(u *models.User, registered jwt.RegisteredClaims) LoginClaims {
	return LoginClaims{RegisteredClaims: registered, UUID: u.ID, Email: u.Email, Verified: true}
}

// NewLogin presents a login.
func NewLogin(u *models.User, s *models.SignIn, token string) Login {
	return Login{Token: token, ExpiresAt: wire.Time(s.ExpiresAt), User: LoginUser{UUID: u.ID, Email: u.Email, Verified: true}}
}
