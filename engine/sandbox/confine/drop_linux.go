package confine

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Limit sets the resource limits that every command inherits.
func Limit(p *Plan) error {
	for _, l := range []struct {
		what int
		max  int64
	}{{unix.RLIMIT_NPROC, p.MaxProcs}, {unix.RLIMIT_FSIZE, p.MaxFileSize}, {unix.RLIMIT_DATA, p.MaxData}} {
		if l.max <= 0 {
			continue
		}
		if err := unix.Prlimit(0, l.what, &unix.Rlimit{Cur: uint64(l.max), Max: uint64(l.max)}, nil); err != nil {
			return &Step{Rlimits, fmt.Sprintf("limit %d", l.what), err}
		}
	}
	if err := unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return &Step{Rlimits, "core", err}
	}
	// The syscall package's own call: it also stops Go from giving children the limit of before.
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		return &Step{Rlimits, "files", err}
	}
	files := min(uint64(p.MaxFiles), now.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: files, Max: files}); err != nil {
		return &Step{Rlimits, "files", err}
	}
	return nil
}

// BoundThread empties the capability bounding set of the calling thread, for all that it will start.
func BoundThread() {
	for c := uintptr(0); c < 64; c++ {
		if unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) != nil {
			return
		}
	}
}

// Become changes the ids of every thread, when the plan asks for other ones.
func Become(p *Plan) error {
	if p.UID < 0 {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return &Step{OwnUser, "groups", err}
	}
	if err := syscall.Setresgid(p.GID, p.GID, p.GID); err != nil {
		return &Step{OwnUser, "group", err}
	}
	if err := syscall.Setresuid(p.UID, p.UID, p.UID); err != nil {
		return &Step{OwnUser, "user", err}
	}
	return nil
}

// Drop gives every capability of every thread away; nothing can bring them back.
func Drop() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if _, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&none[0])), 0); errno != 0 {
		return &Step{DropCaps, "capset", errno}
	}
	return nil
}

// Loopback brings the sandbox's own network up: programs may serve and call inside it.
func Loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(s) }()
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}
