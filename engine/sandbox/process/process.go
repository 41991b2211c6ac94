// Package process owns the driver that keeps sandboxes as processes of this machine and needs nothing
// installed: it starts the daemon in namespaces, watches it, and removes what it leaves. It must not run
// anything of an agent itself, and what the daemon does inside is package hands' business.
//
// What it keeps lives below Config.Dir/sandboxes/<id>: workspace (the files), spec.json (what was asked
// for), run.json (the running daemon), died.json (why the last one ended by itself), hands.sock and lock.
// Everything that a second process needs to use or stop a sandbox is in there.
package process

import "lobstead/engine/sandbox"

// Config says where and how sandboxes are kept. Dir is required.
type Config struct {
	Dir string // data directory
	// Exe and Args start the daemon; by default the program that this one
	// carries, else itself, with "hands".
	Exe  string
	Args []string
	// CgroupParent is the group below which sandboxes get theirs, as a path within each hierarchy. By
	// default it is the group of this process, so that limits put on the service hold for its sandboxes.
	CgroupParent string
	// Disable switches single layers off, by their names in package confine. What is off is reported.
	Disable map[string]bool
	// Processes is the limit for a Spec that names none.
	Processes int
}

const defaultProcesses = 256

var _ sandbox.Driver = (*Driver)(nil)

// Name implements sandbox.Driver.
func (d *Driver) Name() string { return "process" }
