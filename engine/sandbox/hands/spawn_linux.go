package hands

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
)

// spawner starts every command from one thread, the one under landlock, and collects every process that
// ends: its own children and those that lost their parent.
//
// Each command's processes are marked by a limit that means nothing to them: RLIMIT_RTTIME counts only for
// real-time scheduling, children inherit it, and an unprivileged process can lower but never raise it. A
// process that left its session, was orphaned and cleared its environment still carries the mark.
type spawner struct {
	jobs    chan func()
	started chan struct{} // wakes the collector

	mu    sync.Mutex
	procs map[int]*proc
	top   uint64 // the first mark
	next  uint64 // the mark given last; marks go down
}

type proc struct {
	pid    int
	tag    uint64
	done   chan struct{}
	status syscall.WaitStatus // valid after done
}

func newSpawner(top uint64) *spawner {
	s := &spawner{jobs: make(chan func()), started: make(chan struct{}, 1), procs: map[int]*proc{}, top: top, next: top}
	go s.work()
	s.on(func() {}) // the bounding set needs the capabilities that the daemon gives away next
	return s
}

// work owns its thread for ever: the thread's confinement must not reach other goroutines. It never takes
// the first thread, which stands for the whole process: commands under the landlock domain of that one
// could signal the daemon.
func (s *spawner) work() {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		go s.work()
		select {}
	}
	confine.BoundThread()
	for f := range s.jobs {
		f()
	}
}

// on runs f on the spawning thread.
func (s *spawner) on(f func()) {
	done := make(chan struct{})
	s.jobs <- func() { f(); close(done) }
	<-done
}

func (s *spawner) restrict(r confine.Rules) (layers []sandbox.Layer, err error) {
	s.on(func() { layers, err = confine.RestrictThread(r) })
	return layers, err
}

// begin starts collecting. As PID 1 the daemon dies with its parent at once, because the kernel then ends
// all the rest; the signal is asked for here because a change of ids clears it. Without a PID namespace the
// end of the control connection tells it, and it ends its processes first.
func (s *spawner) begin(pidns bool) (err error) {
	s.on(func() {
		if pidns {
			err = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		}
		if err == nil {
			err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		}
	})
	go s.collect()
	return err
}

// start runs a program; its processes carry a mark of their own.
func (s *spawner) start(path string, argv []string, attr *syscall.ProcAttr) (p *proc, err error) {
	s.on(func() {
		s.mu.Lock() // the collector must not meet a child that is not in the table yet
		defer s.mu.Unlock()
		mark := s.next - 1
		if err = unix.Prlimit(0, unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: mark, Max: mark}, nil); err != nil {
			return
		}
		s.next = mark
		pid, ferr := syscall.ForkExec(path, argv, attr)
		if err = ferr; err != nil {
			return
		}
		p = &proc{pid: pid, tag: mark, done: make(chan struct{})}
		s.procs[pid] = p
	})
	if err == nil {
		select {
		case s.started <- struct{}{}:
		default:
		}
		// When memory runs out a command goes, not the daemon.
		_ = os.WriteFile("/proc/"+strconv.Itoa(p.pid)+"/oom_score_adj", []byte("500"), 0)
	}
	return p, err
}

func (s *spawner) collect() {
	for range s.started {
		for {
			var st syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &st, 0, nil)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				break // no children: the next start wakes us
			}
			s.mu.Lock()
			p := s.procs[pid]
			delete(s.procs, pid)
			s.mu.Unlock()
			if p != nil {
				p.status = st
				close(p.done)
			}
		}
	}
}

// marked tells which command a process belongs to: ours is false for a mark that was never given, which
// only a process that tampered with its limits has.
func (s *spawner) marked(pid int) (tag uint64, ours bool) {
	var l unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &l); err != nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.Max, l.Max >= s.next && l.Max < s.top
}
