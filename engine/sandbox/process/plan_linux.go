package process

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/hands"
)

const (
	ownUser  = confine.OwnUser
	pidNS    = confine.PidNS
	insideID = 1000 // the user that a sandbox sees itself as
)

// spaces are the namespaces in the order in which they are shown.
var spaces = []struct {
	layer string
	flag  uintptr
	fix   string
}{
	{confine.UserNS, syscall.CLONE_NEWUSER, "allow it: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, or a container's --security-opt seccomp=unconfined"},
	{confine.MountNS, syscall.CLONE_NEWNS, "run the server as root or allow user namespaces; needs Linux 5.12"},
	{confine.PidNS, syscall.CLONE_NEWPID, "run the server as root or allow user namespaces; a container must not mask /proc"},
	{confine.IpcNS, syscall.CLONE_NEWIPC, "run the server as root or allow user namespaces"},
	{confine.UtsNS, syscall.CLONE_NEWUTS, "run the server as root or allow user namespaces"},
	{confine.NetNS, syscall.CLONE_NEWNET, "run the server as root or allow user namespaces"},
	{confine.CgroupNS, syscall.CLONE_NEWCGROUP, "run the server as root or allow user namespaces"},
}

// why says why a layer is off; empty when it is on.
func (d *Driver) why(layer string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off[layer]
}

func (d *Driver) giveUp(layer, detail string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off[layer] != "" {
		return false
	}
	d.off[layer] = detail
	return true
}

// draft is everything decided about one start.
type draft struct {
	flags  uintptr
	setup  hands.Setup
	layers []sandbox.Layer
	groups group
	name   string // of the cgroups
	limits sandbox.Limits
}

func (d *Driver) draft(b *box, s *spec, wsfd bool) *draft {
	f := &draft{}
	for _, sp := range spaces {
		why := d.why(sp.layer)
		if why == "" && f.flags&syscall.CLONE_NEWUSER == 0 && !d.root && sp.flag != syscall.CLONE_NEWUSER {
			why = "needs a user namespace or root"
		}
		if why == "" {
			f.flags |= sp.flag
		} else if why != switchedOff {
			why += ": " + sp.fix
		}
		f.layers = append(f.layers, sandbox.Layer{Name: sp.layer, Applied: why == "", Detail: why})
	}
	has := func(flag uintptr) bool { return f.flags&flag != 0 }
	limits := s.Limits
	if limits.Processes <= 0 {
		limits.Processes = d.cfg.Processes
	}
	f.limits = limits
	f.name = "lobstead-" + filepath.Base(b.dir) + "-" + strconv.Itoa(d.uidBase()%1_900_000_000/uidSpan)
	f.layers = append(f.layers, d.userLayer(s))
	storage := int64(limits.StorageMB) << 20
	p := confine.Plan{
		User: has(syscall.CLONE_NEWUSER), Mount: has(syscall.CLONE_NEWNS), PID: has(syscall.CLONE_NEWPID),
		IPC: has(syscall.CLONE_NEWIPC), UTS: has(syscall.CLONE_NEWUTS), Net: has(syscall.CLONE_NEWNET),
		Workspace: b.workspace(), Temp: b.temp(), HostFiles: d.why(confine.HostFiles) == "",
		TempBytes: tempBytes(limits), UID: -1, GID: -1,
		Landlock: d.why(confine.Landlock) == "", Seccomp: d.why(confine.Seccomp) == "",
		MaxFiles: 4096, MaxFileSize: storage, MaxProcs: int64(limits.Processes + daemonThreads),
	}
	if wsfd && p.Mount {
		p.WorkspaceFD = hands.WorkspaceFD
	}
	if user := &f.layers[len(f.layers)-1]; s.UID >= 0 && !p.Mount && !reachable(b.workspace()) {
		user.Detail += ", which cannot reach the workspace by its full path: chmod o+x the data directory and those above it"
	}
	if s.UID >= 0 && !p.User {
		p.UID, p.GID = s.UID, s.UID
	}
	if s.UID < 0 && !p.User {
		p.MaxProcs += int64(tasksOf(os.Getuid())) // they count against the same user
	}
	if !d.hasCgroup("memory") && limits.MemoryMB > 0 && d.why(confine.DataLimit) == "" {
		p.MaxData = int64(limits.MemoryMB) << 20
		f.layers = append(f.layers, sandbox.Layer{Name: confine.DataLimit, Applied: true, Detail: "per process, because there is no memory cgroup"})
	}
	f.setup = hands.Setup{Plan: p, Env: s.Env, Storage: storage, Args: d.cfg.Args}
	return f
}

// reachable tells whether everybody may walk to a directory.
func reachable(dir string) bool {
	for dir != "/" && dir != "." {
		dir = filepath.Dir(dir)
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}

func (d *Driver) hasCgroup(controller string) bool {
	for _, h := range d.cgroups() {
		if h.controller == controller {
			return h.dir != ""
		}
	}
	return false
}

// tempBytes bounds /tmp, which is memory: a quarter of it, or of the storage.
func tempBytes(l sandbox.Limits) int64 {
	n := int64(256)
	if l.MemoryMB > 0 {
		n = min(n, int64(l.MemoryMB)/4)
	}
	if l.StorageMB > 0 {
		n = min(n, int64(l.StorageMB))
	}
	return max(n, 1) << 20
}

func (d *Driver) userLayer(s *spec) sandbox.Layer {
	switch {
	case s.UID >= 0:
		return sandbox.Layer{Name: ownUser, Applied: true, Detail: "uid " + strconv.Itoa(s.UID)}
	case d.why(ownUser) != "":
		return sandbox.Layer{Name: ownUser, Detail: d.why(ownUser)}
	}
	return sandbox.Layer{Name: ownUser, Detail: "start the server as root to give every sandbox a user of its own"}
}

// offLayers reports what the daemon was told to leave out.
func (d *Driver) offLayers() (list []sandbox.Layer) {
	for _, l := range []string{confine.Landlock, confine.Seccomp} {
		if why := d.why(l); why != "" {
			list = append(list, sandbox.Layer{Name: l, Detail: why})
		}
	}
	return list
}

// attributes are the clone flags and ids of the daemon's process. It keeps the capabilities that it needs
// to build its root, within its own user namespace, and gives them away before it serves.
func (d *Driver) attributes(f *draft, s *spec) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: f.flags, Setsid: true}
	if f.flags&syscall.CLONE_NEWPID != 0 {
		a.Pdeathsig = syscall.SIGKILL // elsewhere the daemon must live on long enough to end its processes
	}
	if f.flags&syscall.CLONE_NEWUSER == 0 {
		return a
	}
	uid, gid := os.Getuid(), os.Getgid()
	if s.UID >= 0 {
		uid, gid = s.UID, s.UID
	}
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideID, HostID: uid, Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideID, HostID: gid, Size: 1}}
	a.GidMappingsEnableSetgroups = d.root
	a.Credential = &syscall.Credential{Uid: insideID, Gid: insideID, NoSetGroups: !d.root}
	const capSetpcap, capNetAdmin, capSysAdmin = 8, 12, 21
	a.AmbientCaps = []uintptr{capSetpcap, capNetAdmin, capSysAdmin}
	return a
}
