package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
)

// hierarchy is where one controller can be used on this host, or why not.
type hierarchy struct {
	controller string // "memory", "pids", "cpu"
	layer      string
	dir        string // the group that ours are made in; empty when there is none
	v2         bool
	why        string
}

const cgroupHint = "give the service's user a delegated cgroup (systemd: Delegate=yes) or run as root"

// findCgroups looks for each controller on its own: hosts mix version 1 and 2.
func findCgroups(parent string, disable map[string]bool) []hierarchy {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	var list []hierarchy
	for _, c := range []struct{ name, layer string }{
		{"memory", confine.CgMemory}, {"pids", confine.CgPids}, {"cpu", confine.CgCPU}} {
		h := hierarchy{controller: c.name, layer: c.layer}
		if disable[c.layer] {
			h.why = switchedOff
		} else {
			h.find(string(mounts), string(own), parent)
		}
		list = append(list, h)
	}
	return list
}

func (h *hierarchy) find(mounts, own, parent string) {
	root, v2 := controllerMount(mounts, h.controller)
	if root == "" {
		h.why = "the kernel offers no " + h.controller + " controller: enable it at boot"
		return
	}
	h.v2 = v2
	base := parent
	if base == "" {
		base = ownGroup(own, h.controller, v2)
	}
	// In a container the path names the host's tree while only a part of it is mounted.
	for _, dir := range []string{filepath.Join(root, base), root} {
		if err := h.use(dir); err == nil {
			h.dir, h.why = dir, ""
			return
		} else if h.why == "" {
			h.why = err.Error() + ": " + cgroupHint
		}
	}
}

// use makes sure that groups with this controller can be made below dir.
func (h *hierarchy) use(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if h.v2 {
		f := filepath.Join(dir, "cgroup.subtree_control")
		if err := os.WriteFile(f, []byte("+"+h.controller), 0o644); err != nil {
			return err
		}
	}
	probe := filepath.Join(dir, "lobstead-probe-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(probe, 0o755); err != nil && !os.IsExist(err) {
		return err
	}
	return os.Remove(probe)
}

func controllerMount(mounts, controller string) (root string, v2 bool) {
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 5 || len(g) < 3 {
			continue
		}
		switch g[0] {
		case "cgroup":
			for o := range strings.SplitSeq(g[2], ",") {
				if o == controller {
					return f[4], false
				}
			}
		case "cgroup2":
			b, _ := os.ReadFile(filepath.Join(f[4], "cgroup.controllers"))
			for _, c := range strings.Fields(string(b)) {
				if c == controller {
					root, v2 = f[4], true
				}
			}
		}
	}
	return root, v2
}

func ownGroup(own, controller string, v2 bool) string {
	for line := range strings.Lines(own) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if v2 && f[0] == "0" && f[1] == "" {
			return f[2]
		}
		for c := range strings.SplitSeq(f[1], ",") {
			if !v2 && c == controller {
				return f[2]
			}
		}
	}
	return "/"
}

// group is one sandbox's cgroups, by controller.
type group map[string]string

// makeGroups creates the sandbox's groups and sets its limits.
func makeGroups(hs []hierarchy, name string, l sandbox.Limits) (group, []sandbox.Layer) {
	g := group{}
	var layers []sandbox.Layer
	for _, h := range hs {
		if h.dir == "" {
			layers = append(layers, sandbox.Layer{Name: h.layer, Detail: h.why})
			continue
		}
		dir := filepath.Join(h.dir, name)
		err := os.Mkdir(dir, 0o755)
		if os.IsExist(err) {
			err = nil
		}
		if err == nil {
			g[h.controller] = dir
			err = h.limit(dir, l)
		}
		layer := sandbox.Layer{Name: h.layer, Applied: err == nil, Detail: h.version()}
		if err != nil {
			layer.Detail = err.Error()
		}
		layers = append(layers, layer)
	}
	return g, layers
}

func (h *hierarchy) version() string {
	if h.v2 {
		return "v2"
	}
	return "v1"
}

func (h *hierarchy) limit(dir string, l sandbox.Limits) error {
	set := func(file, value string) error { return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644) }
	memory := strconv.FormatInt(int64(l.MemoryMB)<<20, 10)
	switch {
	case h.controller == "pids" && l.Processes > 0:
		return set("pids.max", strconv.Itoa(l.Processes+daemonThreads))
	case h.controller == "memory" && l.MemoryMB > 0 && h.v2:
		_ = set("memory.swap.max", "0") // absent without swap accounting
		return set("memory.max", memory)
	case h.controller == "memory" && l.MemoryMB > 0:
		if err := set("memory.limit_in_bytes", memory); err != nil {
			return err
		}
		_ = set("memory.memsw.limit_in_bytes", memory)
	case h.controller == "cpu" && l.CPUs > 0 && h.v2:
		return set("cpu.max", fmt.Sprintf("%d 100000", int(l.CPUs*100_000)))
	case h.controller == "cpu" && l.CPUs > 0:
		if err := set("cpu.cfs_period_us", "100000"); err != nil {
			return err
		}
		return set("cpu.cfs_quota_us", strconv.Itoa(int(l.CPUs*100_000)))
	}
	return nil
}

// join puts a process into the groups; what it has started by then does not follow.
func (g group) join(pid int) error {
	for _, dir := range g {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes the groups. The kernel lets go of ended processes a moment after their parent knows.
func (g group) remove() {
	for _, dir := range g {
		for range 200 {
			err := os.Remove(dir)
			if err == nil || !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// pids are the processes in the groups.
func (g group) pids() (list []int) {
	for _, dir := range g {
		b, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		for _, f := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(f); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}

// oomKills counts the processes that the kernel killed because the memory limit was reached.
func (g group) oomKills() int {
	for _, file := range []string{"memory.oom_control", "memory.events"} {
		b, err := os.ReadFile(filepath.Join(g["memory"], file))
		if g["memory"] == "" || err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
				n, _ := strconv.Atoi(v)
				return n
			}
		}
	}
	return 0
}

// memory is what all processes take together, without the page cache that can go at once; 0 when no group
// tells.
func (g group) memory() int64 {
	if g["memory"] == "" {
		return 0
	}
	var used int64
	for _, file := range []string{"memory.usage_in_bytes", "memory.current"} {
		if b, err := os.ReadFile(filepath.Join(g["memory"], file)); err == nil {
			used, _ = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		}
	}
	b, _ := os.ReadFile(filepath.Join(g["memory"], "memory.stat"))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "inactive_file" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			used -= n
		}
	}
	return max(used, 0)
}
