//go:build !linux

package testservices

import "os/exec"

// dieWithParent has no means here; the cleanup of the test ends the server.
func dieWithParent(*exec.Cmd) {}
