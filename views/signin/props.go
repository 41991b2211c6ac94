// Package signin shows the sign-in form. It knows no handler; props are plain data.
package signin

import "lobstead/views/layout"

// NewProps is the sign-in form; it posts to /sign-in.
type NewProps struct {
	Bare  layout.BareProps
	Email string
	Next  string // where to go after; a path of ours
	Error string // of the whole form
	// Unclaimed: nobody owns this installation yet. The page then says where the setup link was printed.
	Unclaimed bool
}
