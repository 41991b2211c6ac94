package confine

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
)

// Rights of the file system, by the ABI that brought them.
const (
	fsRead  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	fsABI1  = 1<<13 - 1
	fsNodes = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	fsFile  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		fsTruncate | fsIoctl
	fsRefer    = unix.LANDLOCK_ACCESS_FS_REFER
	fsTruncate = unix.LANDLOCK_ACCESS_FS_TRUNCATE
	fsIoctl    = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// Rules say what commands may reach.
type Rules struct {
	Read    []string // programs and libraries
	Write   []string // workspace and temporary files
	Device  []string // device nodes and terminals
	Exec    []string // single files that may be run besides
	DenyTCP bool
}

// ABI asks the kernel what landlock it offers; 0 means none.
func ABI() int {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// RestrictThread puts the calling thread, and what it will start, under landlock. It never does so
// partially without telling: the layers name what this kernel's ABI lacks.
func RestrictThread(r Rules) ([]sandbox.Layer, error) {
	abi := ABI()
	if abi == 0 {
		return []sandbox.Layer{missing(Landlock, "this kernel has no landlock: use Linux 5.13 or later with lsm=landlock")}, nil
	}
	attr := rulesetAttr{fs: fsABI1}
	size := unsafe.Sizeof(attr.fs)
	lacks := lackOf(abi)
	if abi >= 2 {
		attr.fs |= fsRefer
	}
	if abi >= 3 {
		attr.fs |= fsTruncate
	}
	if abi >= 4 {
		size += unsafe.Sizeof(attr.net)
		if r.DenyTCP {
			attr.net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		}
	}
	if abi >= 5 {
		attr.fs |= fsIoctl
	}
	if abi >= 6 {
		size += unsafe.Sizeof(attr.scoped)
		attr.scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	if err := restrict(&attr, size, r); err != nil {
		return []sandbox.Layer{missing(Landlock, err.Error())}, err
	}
	detail := fmt.Sprintf("ABI %d", abi)
	if len(lacks) > 0 {
		detail += ", without " + strings.Join(lacks, ", ")
	}
	layers := []sandbox.Layer{applied(Landlock, detail)}
	switch {
	case !r.DenyTCP:
		layers = append(layers, missing(NoTCP, "not needed: the sandbox has a network of its own, and programs may serve inside it"))
	case abi < 4:
		layers = append(layers, missing(NoTCP, "needs Linux 6.7 (landlock ABI 4)"))
	default:
		layers = append(layers, applied(NoTCP, ""))
	}
	return layers, nil
}

func lackOf(abi int) (lacks []string) {
	for _, f := range []struct {
		abi  int
		what string
	}{{2, "moves between directories"}, {3, "truncation"}, {5, "device ioctls"}, {6, "signal and abstract socket scopes"}} {
		if abi < f.abi {
			lacks = append(lacks, f.what)
		}
	}
	return lacks
}

func restrict(attr *rulesetAttr, size uintptr, r Rules) error {
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock ruleset: %w", errno)
	}
	defer func() { _ = unix.Close(int(fd)) }()
	all := attr.fs
	for access, paths := range map[uint64][]string{
		fsRead:             r.Read,
		all &^ fsNodes:     r.Write,
		fsFile | fsRead:    r.Device,
		fsRead &^ (1 << 3): r.Exec,
	} {
		for _, p := range paths {
			if err := allow(int(fd), p, access&all); err != nil {
				return err
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock restrict: %w", errno)
	}
	return nil
}

func allow(ruleset int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("landlock rule for %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= fsFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock rule for %s: %w", path, errno)
	}
	return nil
}
