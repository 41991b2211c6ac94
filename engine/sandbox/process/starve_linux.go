package process

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Programs that want more memory than there is are not always killed for it by the kernel. Before it gives up it takes
// back the pages of their own code, reads them from the disk, takes them back, and so on: a sandbox can stand still
// like this for minutes, its daemon too. What starves is relieved here, of the process that takes most.
const (
	starveLook  = 250 * time.Millisecond
	starveLooks = 6    // in a row: a second and a half
	starveShare = 0.85 // of the limit, taken by what cannot be given back
	starveFault = 5    // pages read again from the disk, per look (20 to 40 were seen); work on files reads without these faults
)

// hunger is one reading of a group's memory.
type hunger struct {
	limit, own, faults int64
}

// hunger reads; false where no group limits memory.
func (g group) hunger() (h hunger, ok bool) {
	dir := g["memory"]
	if dir == "" {
		return h, false
	}
	for _, file := range []string{"memory.limit_in_bytes", "memory.max"} {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			h.limit, _ = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		}
	}
	b, _ := os.ReadFile(filepath.Join(dir, "memory.stat"))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "rss", "anon": // version 1, version 2
			h.own = n
		case "pgmajfault":
			h.faults = n
		}
	}
	return h, h.limit > 0
}

// relieve watches until ctx ends, and kills the largest process, never the daemon, when the sandbox starves. It tells
// whether it killed any.
func (g group) relieve(ctx context.Context, daemon int) (killed bool) {
	tick := time.NewTicker(starveLook)
	defer tick.Stop()
	var last hunger // a short command ends before the first look
	for looks := 0; ; {
		select {
		case <-ctx.Done():
			return killed
		case <-tick.C:
		}
		now, ok := g.hunger()
		if !ok {
			return killed
		}
		if last.limit > 0 && float64(now.own) >= starveShare*float64(now.limit) && now.faults-last.faults >= starveFault {
			looks++
		} else {
			looks = 0
		}
		last = now
		if looks == starveLooks {
			killed, looks = g.killLargest(daemon) || killed, 0
		}
	}
}

// killLargest kills the process of the group with the most memory.
func (g group) killLargest(daemon int) bool {
	victim, most := 0, int64(-1)
	for _, pid := range g.pids() {
		if n := residentPages(pid); pid != daemon && n > most {
			victim, most = pid, n
		}
	}
	return victim > 0 && syscall.Kill(victim, syscall.SIGKILL) == nil
}

// residentPages is a process's memory; -1 when it is gone.
func residentPages(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	f := strings.Fields(string(b))
	if err != nil || len(f) < 2 {
		return -1
	}
	n, _ := strconv.ParseInt(f[1], 10, 64)
	return n
}
