// Package setup shows how the first owner gets in. It knows no handler; props are plain data.
package setup

import (
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// NewProps is the form behind the printed link; it posts to Action.
type NewProps struct {
	Bare         layout.BareProps
	Action       string // "/setup?token=…"
	Email        string
	Name         string
	Organization string
	Errors       map[string]string // field → sentence; "" = the whole form
	Checks       []Check           // what this host offers
}

// Check is one line of the preflight: what was tried, the verdict, and the fix when it is not good.
type Check struct {
	Name    string
	Kind    ui.Kind // OK, Warn, Bad
	Verdict string
	Fix     string
}
