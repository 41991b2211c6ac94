package sandboxtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func findFile(args []string) {
	for _, root := range []string{"/", "/proc/1/root", "/proc/1/cwd", "..", "../.."} {
		seen := 0
		_ = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			if seen++; seen > 100_000 {
				return fs.SkipAll
			}
			if err == nil && e.Name() == args[0] {
				escape("found %s", p)
			}
			switch p {
			case "/proc", "/sys", "/usr", "/proc/1/root/usr", "/proc/1/root/proc":
				return fs.SkipDir
			}
			return nil
		})
	}
	fmt.Println(held)
}

func readFile(args []string) {
	if b, err := os.ReadFile(args[0]); err == nil && strings.Contains(string(b), args[1]) {
		escape("read %s", args[0])
	}
	fmt.Println(held)
}

// readProcesses looks into every process that it sees but itself: the control plane's and the daemon's.
func readProcesses(args []string) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range append(dirs, "/proc/"+args[0]) {
		if dir == "/proc/"+strconv.Itoa(os.Getpid()) {
			continue
		}
		if b, err := os.ReadFile(dir + "/environ"); err == nil && len(b) > 0 {
			escape("%s/environ", dir)
		}
		if f, err := os.Open(dir + "/mem"); err == nil {
			maps, _ := os.ReadFile(dir + "/maps")
			from, _, _ := bytes.Cut(maps, []byte("-"))
			at, _ := strconv.ParseInt(string(from), 16, 64)
			if n, _ := f.ReadAt(make([]byte, 16), at); n > 0 {
				escape("%s/mem", dir)
			}
		}
		for _, link := range []string{"root", "cwd", "exe", "fd/0", "fd/1", "ns/net"} {
			if to, err := os.Readlink(dir + "/" + link); err == nil {
				escape("%s/%s is %s", dir, link, to)
			}
		}
		if entries, err := os.ReadDir(dir + "/root/"); err == nil && len(entries) > 0 {
			escape("%s/root", dir)
		}
	}
	fmt.Println(held)
}

func signalOne(args []string) {
	pid, err := strconv.Atoi(args[0])
	must(err)
	if err := unix.Kill(pid, 0); err == nil {
		escape("signal to %d", pid)
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil && unix.PidfdSendSignal(fd, 0, nil, 0) == nil {
		escape("pidfd signal to %d", pid)
	}
	fmt.Println(held)
}

func killAll([]string) {
	for _, pid := range []int{-1, 1, os.Getppid()} {
		if pid != 0 {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	fmt.Println(held)
}

// kernelFiles opens what configures or shows the kernel, and devices.
func kernelFiles([]string) {
	for _, p := range []string{"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory",
		"/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/proc/1/mem", "/sys/kernel/uevent_helper",
		"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs", "/dev/mem", "/dev/kmsg",
		"/dev/vda", "/dev/sda", "/dev/kvm", "/dev/net/tun", "/dev/fuse"} {
		if f, err := os.OpenFile(p, os.O_WRONLY, 0); err == nil {
			_ = f.Close()
			escape("opened %s for writing", p)
		}
	}
	for _, p := range []string{"/proc/kcore", "/dev/vda", "/dev/mem", "/proc/1/environ"} {
		if b := make([]byte, 1); true {
			if f, err := os.Open(p); err == nil {
				if n, _ := f.Read(b); n > 0 {
					escape("read %s", p)
				}
			}
		}
	}
	for _, dev := range []uint64{unix.Mkdev(1, 1), unix.Mkdev(254, 0), unix.Mkdev(8, 0)} {
		for _, kind := range []uint32{unix.S_IFCHR, unix.S_IFBLK} {
			if err := unix.Mknod("node", kind|0o600, int(dev)); err == nil {
				escape("device node %x", dev)
				_ = os.Remove("node")
			}
		}
	}
	fmt.Println(held)
}

func writeOutside([]string) {
	dirs, _ := filepath.Glob("/*")
	for _, d := range append(dirs, "/", "/usr/bin", "/usr/local/bin", "/etc/ssl", "/dev/pts", "/var/lib", "/root/.ssh", "..", "../..", "/proc/self") {
		real, err := filepath.EvalSymlinks(d)
		if err != nil || real == "/workspace" || real == "/tmp" {
			continue
		}
		if err := os.WriteFile(filepath.Join(d, "intruder"), nil, 0o644); err == nil {
			escape("wrote into %s", d)
		}
	}
	for _, f := range []string{"/etc/passwd", "/etc/hosts", "/usr/bin/env", "/bin/sh", "/proc/self/exe", "/proc/1/exe"} {
		if w, err := os.OpenFile(f, os.O_WRONLY, 0); err == nil {
			_ = w.Close()
			escape("opened %s for writing", f)
		}
		if os.Chmod(f, 0o777) == nil && f != "/proc/self/exe" {
			escape("chmod %s", f)
		}
	}
	fmt.Println(held)
}

func hardLinks([]string) {
	for _, f := range []string{"/etc/passwd", "/usr/bin/env", "/bin/sh", "/etc/ld.so.cache", "/proc/1/exe", "/proc/sys/kernel/core_pattern"} {
		if err := unix.Linkat(unix.AT_FDCWD, f, unix.AT_FDCWD, "hard", unix.AT_SYMLINK_FOLLOW); err == nil {
			escape("hard link to %s", f)
			_ = os.Remove("hard")
		}
	}
	fmt.Println(held)
}

type attempt struct {
	name string
	nr   uintptr
	args [6]uintptr
}

func text(s string) uintptr {
	p, _ := syscall.BytePtrFromString(s)
	kept = append(kept, p)
	return uintptr(unsafe.Pointer(p))
}

var (
	kept []*byte // the collector must not take what only a number points to
	room [4096]byte
)

// callAll makes every system call that a sandbox has no business with; each must fail.
func callAll([]string) {
	mem := uintptr(unsafe.Pointer(&room))
	ppid := uintptr(os.Getppid())
	for _, a := range []attempt{
		{"mount", unix.SYS_MOUNT, [6]uintptr{text("none"), text("/tmp"), text("tmpfs"), 0, 0}},
		{"mount bind", unix.SYS_MOUNT, [6]uintptr{text("/"), text("/tmp"), text(""), unix.MS_BIND, 0}},
		{"remount", unix.SYS_MOUNT, [6]uintptr{text(""), text("/"), text(""), unix.MS_REMOUNT | unix.MS_BIND, 0}},
		{"umount", unix.SYS_UMOUNT2, [6]uintptr{text("/proc"), unix.MNT_DETACH}},
		{"fsopen", unix.SYS_FSOPEN, [6]uintptr{text("tmpfs"), 0}},
		{"open_tree", unix.SYS_OPEN_TREE, [6]uintptr{^uintptr(99), text("/"), unix.OPEN_TREE_CLONE}},
		{"pivot_root", unix.SYS_PIVOT_ROOT, [6]uintptr{text("."), text(".")}},
		{"chroot", unix.SYS_CHROOT, [6]uintptr{text(".")}},
		{"unshare user", unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWUSER}},
		{"unshare mount", unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWNS}},
		{"unshare network", unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWNET}},
		{"setns", unix.SYS_SETNS, [6]uintptr{0, 0}},
		{"clone3", unix.SYS_CLONE3, [6]uintptr{mem, 64}},
		{"ptrace", unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_ATTACH, ppid}},
		{"ptrace traceme", unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_TRACEME}},
		{"process_vm_readv", unix.SYS_PROCESS_VM_READV, [6]uintptr{ppid, mem, 1, mem, 1}},
		{"bpf", unix.SYS_BPF, [6]uintptr{0, mem, 64}},
		{"keyctl", unix.SYS_KEYCTL, [6]uintptr{0, ^uintptr(2)}},
		{"add_key", unix.SYS_ADD_KEY, [6]uintptr{text("user"), text("k"), text("v"), 1, ^uintptr(2)}},
		{"userfaultfd", unix.SYS_USERFAULTFD, [6]uintptr{1}},
		{"io_uring", unix.SYS_IO_URING_SETUP, [6]uintptr{4, mem}},
		{"perf", unix.SYS_PERF_EVENT_OPEN, [6]uintptr{mem, 0, ^uintptr(0), ^uintptr(0), 0}},
		{"kexec", unix.SYS_KEXEC_LOAD, [6]uintptr{0, 0, 0, 0}},
		{"module", unix.SYS_INIT_MODULE, [6]uintptr{mem, 8, text("")}},
		{"reboot", unix.SYS_REBOOT, [6]uintptr{unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2, unix.LINUX_REBOOT_CMD_CAD_OFF}},
		{"sethostname", unix.SYS_SETHOSTNAME, [6]uintptr{text("x"), 1}},
		{"syslog", unix.SYS_SYSLOG, [6]uintptr{3, mem, 100}},
		{"handles", unix.SYS_OPEN_BY_HANDLE_AT, [6]uintptr{^uintptr(99), mem, 0}},
		{"setuid", unix.SYS_SETUID, [6]uintptr{0}},
		{"setgid", unix.SYS_SETGID, [6]uintptr{0}},
		{"setgroups", unix.SYS_SETGROUPS, [6]uintptr{0, 0}},
		{"privileges", unix.SYS_PRCTL, [6]uintptr{unix.PR_SET_NO_NEW_PRIVS, 0}},
		{"packet socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_PACKET, unix.SOCK_RAW, 0}},
		{"raw socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_RAW, 1}},
		{"mptcp socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM, 262}},
		{"vsock", unix.SYS_SOCKET, [6]uintptr{unix.AF_VSOCK, unix.SOCK_STREAM, 0}},
		{"crypto socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_ALG, unix.SOCK_SEQPACKET, 0}},
		{"audit socket", unix.SYS_SOCKET, [6]uintptr{unix.AF_NETLINK, unix.SOCK_RAW, 9}},
		{"terminal input", unix.SYS_IOCTL, [6]uintptr{0, unix.TIOCSTI, mem}},
	} {
		r, _, errno := unix.Syscall6(a.nr, a.args[0], a.args[1], a.args[2], a.args[3], a.args[4], a.args[5])
		if errno == 0 {
			escape("%s (%d)", a.name, r)
		}
	}
	for _, flag := range []uintptr{unix.CLONE_NEWUSER, unix.CLONE_NEWNS, unix.CLONE_NEWNET} {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flag|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno == 0 && pid == 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		if errno == 0 {
			escape("clone with %x", flag)
		}
	}
	var cpu unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &cpu) == nil {
		cpu.Max++
		if cpu.Max != 0 && unix.Setrlimit(unix.RLIMIT_NPROC, &cpu) == nil {
			escape("raised the process limit")
		}
	}
	fmt.Println(held)
}
