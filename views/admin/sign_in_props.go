package admin

import (
	"lobstead/models"
	"lobstead/views/layout"
)

// SignInProps is /admin/sign-in: the services that vouch for people, and who may still use a password.
type SignInProps struct {
	Frame     layout.FrameProps
	Providers []SignInProvider
	Policy    models.PasswordPolicy
	Forced    bool // the host lets everybody use a password, whatever the policy says
	Form      SignInForm
}

// SignInProvider is one service with the address that it must know of us.
type SignInProvider struct {
	models.SignInProvider
	Callback string
}

// SignInForm is what was typed of a provider. ID is "" for a new one, which gets NewID: its callback address is told
// before it exists, because services ask for that first.
type SignInForm struct {
	ID, Kind, Name, Issuer, ClientID string
	NewID, Callback                  string
	Private                          bool
	Errors                           map[string]string
	Refused                          string // why a small form was refused
}

const signInPath = "/admin/sign-in"

// form is a provider as its form begins, or what was typed when it came back.
func (p SignInProps) form(r *SignInProvider) SignInForm {
	if p.Form.ID == r.ID {
		return p.Form
	}
	return SignInForm{ID: r.ID, Kind: r.Kind, Name: r.Name, Issuer: r.Issuer, ClientID: r.ClientID, Private: r.Private}
}

// fresh is the form of a new provider.
func (p SignInProps) fresh() SignInForm {
	if p.Form.ID != "" {
		return SignInForm{NewID: p.Form.NewID, Callback: p.Form.Callback}
	}
	return p.Form
}

func (f SignInForm) action() string {
	if f.ID == "" {
		return signInPath
	}
	return signInPath + "/" + f.ID
}

// field makes an id that no other form on the page has.
func (f SignInForm) field(name string) string {
	if f.ID == "" {
		return name
	}
	return name + "-" + f.ID
}

var policyWords = map[models.PasswordPolicy][2]string{
	models.PasswordsForAll:    {"Everybody", "Who has a password may use it."},
	models.PasswordsForOwners: {"Owners and staff", "Everybody else signs in by a service or a passkey."},
	models.PasswordsForNobody: {"Nobody", "Services and passkeys only."},
}
