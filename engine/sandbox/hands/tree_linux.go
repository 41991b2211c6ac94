package hands

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one reading of /proc/<pid>/stat.
type process struct {
	pid, parent int
	zombie      bool
	cpu         time.Duration // its own and that of the children it has collected
	rss         int64
}

const tick = time.Second / 100 // USER_HZ is 100 on every architecture that Go knows

// processes gives the daemon and all its descendants. Orphans come back to it, because it is PID 1 or a
// subreaper, so the chain of parents never leads out.
func (d *daemon) processes() []process {
	all := map[int]process{}
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(-1)
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			if p, ok := readProcess(pid); ok {
				all[pid] = p
			}
		}
	}
	self := os.Getpid()
	var list []process
	for _, p := range all {
		for q, hops := p, 0; hops < len(all); hops++ {
			if q.pid == self {
				list = append(list, p)
				break
			}
			up, ok := all[q.parent]
			if !ok {
				break
			}
			q = up
		}
	}
	return list
}

func readProcess(pid int) (process, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// The name may hold anything; the fields start after its last parenthesis.
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return process{}, false
	}
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 22 {
		return process{}, false
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(f[i], 10, 64); return n }
	ticks := num(11) + num(12) + num(13) + num(14)
	return process{pid: pid, parent: int(num(1)), zombie: f[0] == "Z" || f[0] == "X",
		cpu: time.Duration(ticks) * tick, rss: num(21) * int64(os.Getpagesize())}, true
}

// everything matches every process but the daemon.
func everything(uint64) bool { return true }

func just(tag uint64) func(uint64) bool { return func(t uint64) bool { return t == tag } }

const killWithin = 2 * time.Second

// kill ends every process whose mark matches, and those that tampered with theirs. All are stopped before
// the first is killed, so that a fork bomb cannot outrun it.
func (d *daemon) kill(match func(uint64) bool) int {
	killed := map[int]bool{}
	for until := time.Now().Add(killWithin); time.Now().Before(until); {
		held := map[int]bool{}
		for fresh := true; fresh && time.Now().Before(until); {
			fresh = false
			for _, pid := range d.victims(match) {
				if !held[pid] {
					held[pid], fresh = true, true
					_ = unix.Kill(pid, unix.SIGSTOP)
				}
			}
		}
		if len(held) == 0 {
			break
		}
		for pid := range held {
			if unix.Kill(pid, unix.SIGKILL) == nil {
				killed[pid] = true
			}
		}
		time.Sleep(time.Millisecond)
	}
	return len(killed)
}

func (d *daemon) victims(match func(uint64) bool) (pids []int) {
	self := os.Getpid()
	for _, p := range d.processes() {
		if p.pid == self || p.zombie {
			continue
		}
		if tag, ours := d.spawner.marked(p.pid); !ours || match(tag) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}
