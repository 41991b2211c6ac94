// Package confine owns the measures that lock a sandbox's processes in: the file system they see, landlock,
// seccomp, capabilities, ids and resource limits. It is used by the daemon on itself, before it runs
// anything, and must not start processes or speak the protocol.
//
// The daemon itself carries everything but landlock. Landlock goes on the one thread that starts commands:
// every command inherits it, and because its scope is a child of the daemon's, commands can neither signal
// nor trace the daemon while the daemon can still kill them. (Restricting all threads would give each its
// own domain before landlock ABI 8, and they could no longer signal each other's children.)
package confine

import "lobstead/engine/sandbox"

// Names of the layers, in the order in which they are applied. They are shown to people and are the keys by
// which a driver's configuration switches one off.
const (
	UserNS    = "user namespace"
	MountNS   = "mount namespace"
	PidNS     = "pid namespace"
	IpcNS     = "ipc namespace"
	UtsNS     = "uts namespace"
	NetNS     = "network namespace"
	CgroupNS  = "cgroup namespace"
	OwnUser   = "own user id"
	CgMemory  = "cgroup memory"
	CgPids    = "cgroup pids"
	CgCPU     = "cgroup cpu"
	Rlimits   = "resource limits"
	DropCaps  = "no capabilities"
	Landlock  = "landlock"
	NoTCP     = "landlock tcp"
	Seccomp   = "seccomp"
	HostFiles = "host programs" // read-only /usr and friends; off leaves an empty root (an advantage, not a loss)
	DataLimit = "data limit"    // RLIMIT_DATA where no memory cgroup can be had
)

// Plan is what a driver decided for one sandbox; it travels to the daemon as JSON before anything else.
type Plan struct {
	User, Mount, PID, IPC, UTS, Net bool // namespaces that the daemon was started in

	Workspace   string // path on the host
	WorkspaceFD int    // a detached mount of it, 0 when the driver could not make one
	Temp        string // directory that stands in for /tmp without a mount namespace
	HostFiles   bool
	TempBytes   int64

	UID, GID int // to become after the set-up; -1 keeps the ids

	Landlock, Seccomp bool

	MaxProcs, MaxFiles, MaxFileSize, MaxData int64 // rlimits; 0 leaves one alone
}

// Step is a failed part of the set-up: the layer that the driver may give up before it tries again.
type Step struct {
	Layer string
	What  string
	Err   error
}

func (s *Step) Error() string { return s.Layer + ": " + s.What + ": " + s.Err.Error() }

// Unwrap gives the system's error.
func (s *Step) Unwrap() error { return s.Err }

func applied(name, detail string) sandbox.Layer {
	return sandbox.Layer{Name: name, Applied: true, Detail: detail}
}

func missing(name, detail string) sandbox.Layer { return sandbox.Layer{Name: name, Detail: detail} }
