// Package hands owns the daemon that runs inside a sandbox: it confines itself, then runs commands and
// touches workspace files for the control plane. It must not know anything of the control plane but the
// connection it serves, and must stay light: every sandbox pays for its start and its memory.
package hands

import (
	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
)

// File descriptors that a driver hands to the daemon.
const (
	ControlFD   = 3 // Setup comes in, Report goes out; its end means that the control plane is gone
	ListenFD    = 4 // listening unix socket
	ProgramFD   = 5 // the daemon's own program, when it was started through it
	WorkspaceFD = 6 // a detached mount of the workspace, when Plan says so
)

// Setup is all that the daemon is told, one line of JSON on its control descriptor.
type Setup struct {
	Plan    confine.Plan
	Token   string            // that callers must present
	Env     map[string]string // of commands, besides the fixed ones
	Tag     uint64            // upper end of the range that marks this sandbox's processes
	Storage int64             // bytes that the workspace may take; 0 is unlimited
	Args    []string          // how the program is told to be the daemon: ["hands"]
	Socket  string            // where to listen when no descriptor was handed over
}

// Report is the daemon's answer, one line of JSON: it serves, or it could not be set up.
type Report struct {
	Layers []sandbox.Layer
	Failed string // the layer that failed; empty when the daemon serves
	Detail string
}

// TagSpan is how many processes trees one sandbox can mark.
const TagSpan = 1 << 24
