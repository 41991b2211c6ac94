package testservices

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the server with the test binary, also when that is killed at its timeout. The
// signal follows the thread that forked, not the process; Go keeps its threads unless a goroutine
// ends locked to one, and then the server dies early and loudly.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
