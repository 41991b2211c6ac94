package confine

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arch is what the filter must know of the processor; calls it adds to the common denials.
type arch struct {
	audit uint32
	x32   bool // refuse the x32 numbers of amd64
	deny  []uintptr
}

// denied are the calls that a sandbox never needs: they change mounts and namespaces, reach into other
// processes or the kernel, or are a wide way around other checks (io_uring, open_by_handle_at).
var denied = []uintptr{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, 467, /* open_tree_attr */
	unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	unix.SYS_PROCESS_MADVISE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE,
	unix.SYS_DELETE_MODULE, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_SYSLOG, unix.SYS_ACCT,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_VHANGUP,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_MEMFD_SECRET, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY, unix.SYS_PERSONALITY,
}

// absent are the calls that answer as on a kernel without them, because programs then fall back: io_uring
// bypasses the filter, and clone3 hides its flags in memory.
var absent = []uintptr{unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_CLONE3}

const (
	newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	x32Bit      = 0x40000000
	protoMPTCP  = 262
	retAllow    = unix.SECCOMP_RET_ALLOW
	retKill     = unix.SECCOMP_RET_KILL_PROCESS
	offNr       = 0
	offArch     = 4
	offArg0     = 16 // low halves: every argument looked at is an int
	offArg1     = 24
	offArg2     = 32
	socketTypes = 0xf // without SOCK_CLOEXEC and SOCK_NONBLOCK
)

func retErrno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// Filter gives the BPF program for this processor. Without a network of its own a sandbox gets no sockets
// but socketpairs: MPTCP and UDP pass by landlock, and so do unix sockets that have a path.
func Filter(ownNetwork bool) []unix.SockFilter {
	a := thisArch()
	var p prog
	p.load(offArch)
	p.unless(a.audit, retKill)
	p.load(offNr)
	if a.x32 {
		p.ifAtLeast(x32Bit, retErrno(unix.ENOSYS))
	}
	for _, nr := range absent {
		p.on(uint32(nr), retErrno(unix.ENOSYS))
	}
	for _, nr := range append(denied, a.deny...) {
		p.on(uint32(nr), retErrno(unix.EPERM))
	}
	p.block(unix.SYS_CLONE, func(q *prog) {
		q.load(offArg0)
		q.ifBits(newNamespaces, retErrno(unix.EPERM))
	})
	p.block(unix.SYS_IOCTL, func(q *prog) {
		q.load(offArg1)
		q.on(unix.TIOCSTI, retErrno(unix.EPERM))
		q.on(0x541c, retErrno(unix.EPERM)) // TIOCLINUX
	})
	p.block(unix.SYS_SOCKET, func(q *prog) { sockets(q, ownNetwork) })
	p.ret(retAllow)
	return p
}

func sockets(q *prog, ownNetwork bool) {
	if !ownNetwork {
		q.ret(retErrno(unix.EACCES))
		return
	}
	q.load(offArg0)
	q.block(unix.AF_NETLINK, func(n *prog) { // programs ask it for their interfaces
		n.load(offArg2)
		n.on(unix.NETLINK_ROUTE, retAllow)
		n.ret(retErrno(unix.EAFNOSUPPORT))
	})
	q.load(offArg2)
	q.on(protoMPTCP, retErrno(unix.EPROTONOSUPPORT))
	q.load(offArg1)
	q.mask(socketTypes)
	q.on(unix.SOCK_RAW, retErrno(unix.EPERM))
	q.on(unix.SOCK_PACKET, retErrno(unix.EPERM))
	q.load(offArg0)
	q.on(unix.AF_UNIX, retAllow)
	q.on(unix.AF_INET, retAllow)
	q.on(unix.AF_INET6, retAllow)
	q.ret(retErrno(unix.EAFNOSUPPORT))
}

// InstallFilter puts every thread of this process under the filter, and with it under no_new_privs.
func InstallFilter(ownNetwork bool) error {
	f := Filter(ownNetwork)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if r != 0 {
		return fmt.Errorf("seccomp: thread %d could not be put under the filter", r)
	}
	return nil
}
