package confine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Inside is where the workspace is mounted.
const Inside = "/workspace"

const quiet = unix.MS_NOSUID | unix.MS_NODEV

// host directories that a program needs to run, and files of /etc that are the same for everybody.
var (
	hostDirs  = []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}
	hostEtc   = []string{"ld.so.cache", "ssl/certs", "pki", "alternatives", "ca-certificates"}
	devices   = []string{"null", "zero", "full", "random", "urandom", "tty"}
	etcCopies = []string{"ld.so.conf", "localtime", "mime.types", "services", "protocols", "ssl/openssl.cnf"}
)

// EnterRoot builds a root that holds nothing but programs, devices, a fresh /proc, a bounded /tmp and the
// workspace, and leaves the host's tree behind for good.
func EnterRoot(p *Plan) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return &Step{MountNS, "private mounts", err}
	}
	ws, err := workspaceMount(p)
	if err != nil {
		return &Step{MountNS, "workspace", err}
	}
	b := &builder{uid: os.Getuid(), gid: os.Getgid()}
	if p.UID >= 0 {
		b.uid, b.gid = p.UID, p.GID
	}
	defer b.close()
	b.open(p.HostFiles) // before the new root covers a host directory
	if b.err == nil {
		b.err = b.stage()
	}
	b.system()
	b.do("workspace", func() error { return attach(ws, b.at("workspace")) })
	b.proc(p.PID)
	b.temp(p.TempBytes)
	if b.err != nil {
		return b.err
	}
	return b.pivot()
}

// workspaceMount gives a detached mount of the workspace: the driver's, when it was privileged to make one
// (the ids of the sandbox may not reach the host path), else our own.
func workspaceMount(p *Plan) (int, error) {
	if p.WorkspaceFD > 0 {
		return p.WorkspaceFD, nil
	}
	return unix.OpenTree(unix.AT_FDCWD, p.Workspace, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
}

// attach makes a detached mount appear at path, without setuid programs and devices.
func attach(fd int, path string) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// builder collects the first error, so that the steps read as a list.
type builder struct {
	root  string
	uid   int
	gid   int
	err   error
	trees []tree
}

// tree is a host path that will be shown in the new root: a detached mount or a symbolic link.
type tree struct {
	path string // relative to the root
	fd   int
	dir  bool
	link string
	data []byte
	ro   bool
}

func (b *builder) do(what string, f func() error) {
	if b.err != nil {
		return
	}
	if err := f(); err != nil {
		if s, ok := errors.AsType[*Step](err); ok {
			b.err = s
			return
		}
		b.err = &Step{MountNS, what, err}
	}
}

func (b *builder) at(path string) string { return filepath.Join(b.root, path) }

func (b *builder) close() {
	for _, t := range b.trees {
		if t.fd > 0 {
			_ = unix.Close(t.fd)
		}
	}
}

func (b *builder) open(hostFiles bool) {
	for _, d := range devices {
		b.clone("dev/"+d, false)
	}
	if !hostFiles {
		return
	}
	for _, d := range hostDirs {
		b.clone(d, true)
	}
	for _, d := range hostEtc {
		b.clone("etc/"+d, true)
	}
	for _, f := range etcCopies {
		if data, err := os.ReadFile("/etc/" + f); err == nil && len(data) < 64<<10 {
			b.trees = append(b.trees, tree{path: "etc/" + f, data: data})
		}
	}
}

// clone takes a detached mount of a host path; what the host does not have is left out.
func (b *builder) clone(path string, ro bool) {
	info, err := os.Lstat("/" + path)
	if err != nil || b.err != nil {
		return
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink("/" + path)
		if err == nil {
			b.trees = append(b.trees, tree{path: path, link: target})
		}
		return
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/"+path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		b.err = &Step{MountNS, "/" + path, err}
		return
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID}
	if ro {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		b.err = &Step{MountNS, "/" + path + " read-only", err}
	}
	b.trees = append(b.trees, tree{path: path, fd: fd, dir: info.IsDir(), ro: ro})
}

// stage mounts the new root over any directory of the host's; our mount namespace is the only one to see it.
func (b *builder) stage() error {
	for _, d := range []string{"/tmp", "/mnt", "/run", "/var", "/srv", "/opt", "/sys", "/dev", "/usr", "/etc"} {
		if info, err := os.Lstat(d); err != nil || !info.IsDir() {
			continue
		}
		b.root = d
		return unix.Mount("lobstead", d, "tmpfs", quiet, "mode=0755,size=4m,nr_inodes=512")
	}
	return fmt.Errorf("no directory to build the root in: %w", unix.ENOENT)
}

// system fills the root: directories, links, host mounts, and an /etc of our own.
func (b *builder) system() {
	for _, d := range []string{"etc/ssl", "dev/pts", "dev/shm", "proc", "run", "tmp", "var", "home", "workspace"} {
		b.do(d, func() error { return os.MkdirAll(b.at(d), 0o755) })
	}
	for _, t := range b.trees {
		b.do("/"+t.path, func() error { return b.show(t) })
	}
	links := map[string]string{"dev/fd": "/proc/self/fd", "dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1",
		"dev/stderr": "/proc/self/fd/2", "dev/ptmx": "pts/ptmx", "var/tmp": "/tmp", "home/sandbox": Inside,
		"etc/mtab": "/proc/self/mounts"}
	for name, target := range links {
		b.do(name, func() error { return os.Symlink(target, b.at(name)) })
	}
	for name, text := range Etc(b.uid, b.gid) {
		b.do(name, func() error { return os.WriteFile(b.at("etc/"+name), []byte(text), 0o644) })
	}
}

func (b *builder) show(t tree) error {
	at := b.at(t.path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	switch {
	case t.link != "":
		return os.Symlink(t.link, at)
	case t.data != nil:
		return os.WriteFile(at, t.data, 0o644)
	case t.dir:
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(at, nil, 0o644); err != nil {
			return err
		}
	}
	return unix.MoveMount(t.fd, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// proc shows the sandbox's own processes. Without a PID namespace there is no such /proc: the host's is
// shown then, and landlock keeps its private parts closed.
func (b *builder) proc(own bool) {
	b.do("/proc", func() error {
		if !own {
			return unix.Mount("/proc", b.at("proc"), "", unix.MS_BIND|unix.MS_REC, "")
		}
		if err := unix.Mount("proc", b.at("proc"), "proc", quiet|unix.MS_NOEXEC, ""); err != nil {
			return &Step{PidNS, "/proc", err}
		}
		return nil
	})
	b.do("/dev/pts", func() error {
		return unix.Mount("devpts", b.at("dev/pts"), "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
	})
}

func (b *builder) temp(size int64) {
	if size <= 0 {
		size = 256 << 20
	}
	opts := fmt.Sprintf("mode=1777,size=%d,nr_inodes=65536", size)
	b.do("/tmp", func() error { return unix.Mount("tmp", b.at("tmp"), "tmpfs", quiet, opts) })
	b.do("/dev/shm", func() error {
		return unix.Mount("shm", b.at("dev/shm"), "tmpfs", quiet, fmt.Sprintf("mode=1777,size=%d,nr_inodes=4096", min(size, 64<<20)))
	})
}

// pivot makes the new root the root and drops the host's tree.
func (b *builder) pivot() error {
	b.do("read-only root", func() error {
		return unix.Mount("", b.root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|quiet, "")
	})
	b.do("chdir", func() error { return unix.Chdir(b.root) })
	b.do("pivot_root", func() error { return unix.PivotRoot(".", ".") })
	b.do("leave the host's tree", func() error { return unix.Unmount(".", unix.MNT_DETACH) })
	b.do("chdir /", func() error { return unix.Chdir("/") })
	return b.err
}
