// Package signin shows the sign-in form and what may come between it and the first page. It knows no handler; props are
// plain data.
package signin

import (
	"lobstead/models"
	"lobstead/views/layout"
)

// NewProps is the sign-in form; it posts to /sign-in.
type NewProps struct {
	Bare  layout.BareProps
	Email string
	Next  string // where to go after; a path of ours
	Error string // of the whole form
	// Unclaimed: nobody owns this installation yet. The page then says where the setup link was printed.
	Unclaimed bool
	Providers []Provider
	Passkeys  bool                  // this address can have them
	Passwords models.PasswordPolicy // who may use one; "" is everybody
}

// Provider is a service that one can sign in with.
type Provider struct{ Kind, Name, Href string }

// RefusedProps says that the service vouched for somebody whom nobody knows here.
type RefusedProps struct {
	Bare           layout.BareProps
	Detail, Advice string
}

// SecondProps asks for a passkey after the password. Unnamed: this address can have no passkeys.
type SecondProps struct {
	Bare    layout.BareProps
	Unnamed bool
}
