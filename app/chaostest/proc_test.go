package chaostest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// found is one process of a sandbox.
type found struct {
	pid    int
	daemon bool // of the daemon's program; else something that it started
	name   string
}

// processes are those of this house's sandboxes: its daemons, and whatever has the workspace as its root's mount
// or its working directory. The servers themselves are not among them.
func (h *house) processes() []found {
	var out []found
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil || pid == os.Getpid() {
			continue
		}
		rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		if f := strings.Fields(rest); len(f) == 0 || f[0] == "Z" || f[0] == "X" {
			continue
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if len(args) > 2 && args[2] == "--data" {
			continue // a server
		}
		mounts, _ := os.ReadFile(dir + "/mountinfo")
		cwd, _ := os.Readlink(dir + "/cwd")
		inside := strings.Contains(string(mounts), "/sandboxes/") && strings.Contains(string(mounts), h.mark())
		if inside || strings.HasPrefix(cwd, h.dir+"/sandboxes/") {
			daemon := len(args) > 1 && args[1] == "hands"
			out = append(out, found{pid, daemon, strings.Join(args, " ")})
		}
	}
	return out
}

// mark is the part of the data directory's path that mountinfo shows whatever file system it lies on.
func (h *house) mark() string { return filepath.Base(filepath.Dir(h.dir)) + "/data/sandboxes/" }

// mounts are those of this house that this process sees: a sandbox's own must never be among them.
func (h *house) mounts() []string {
	var out []string
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, h.mark()) {
			out = append(out, line)
		}
	}
	return out
}

// cgroups are the groups of an instance.
func cgroups(instance string) []string {
	var out []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(d.Name(), instance) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

// strike is kill -9 of every process of the house's sandboxes.
func (h *house) strike() int {
	all := h.processes()
	for _, f := range all {
		_ = syscall.Kill(f.pid, syscall.SIGKILL)
	}
	return len(all)
}
