package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox/hands"
)

// birth tells when a process started and whether it still runs; a zombie does not.
func birth(pid int) (string, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return "", false
	}
	return f[19], true
}

func (r *run) alive() bool {
	born, ok := birth(r.PID)
	return ok && born == r.Birth
}

// kill ends the daemon and waits; with a PID namespace the kernel ends the rest with it.
func (r *run) kill(within time.Duration) bool {
	for until := time.Now().Add(within); r.alive(); {
		_ = unix.Kill(r.PID, unix.SIGKILL)
		if time.Now().After(until) {
			return false
		}
		time.Sleep(500 * time.Microsecond)
	}
	return true
}

// sweep ends what outlived its daemon: members of its cgroups, and processes with its mark, which they
// carry also where there is neither a PID namespace nor a cgroup.
func (r *run) sweep(pidns bool) {
	for range 100 {
		left := r.Groups.pids()
		if !pidns {
			left = append(left, r.marked()...)
		}
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (r *run) marked() (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		var l unix.Rlimit
		if pid <= 1 || unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &l) != nil {
			continue
		}
		if _, ok := birth(pid); ok && l.Max < r.Tag && l.Max >= r.Tag-hands.TagSpan {
			pids = append(pids, pid)
		}
	}
	return pids
}
