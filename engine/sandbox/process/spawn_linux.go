package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/hands"
	"lobstead/kit/fault"
)

// starter starts every daemon from one thread that lives as long as the driver: the death signal of a
// child comes when the thread that started it ends, not the process.
type starter struct{ jobs chan func() }

func newStarter() *starter {
	s := &starter{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the driver
		for f := range s.jobs {
			f()
		}
	}()
	return s
}

func (s *starter) on(f func()) {
	done := make(chan struct{})
	s.jobs <- func() { f(); close(done) }
	<-done
}

func (s *starter) close() { close(s.jobs) }

// child is a daemon that has been started and not yet handed to its watcher.
type child struct {
	proc    *os.Process
	control *os.File
}

// abandon ends a daemon that could not be used.
func (c *child) abandon() {
	_ = c.proc.Kill()
	_, _ = c.proc.Wait()
	_ = c.control.Close()
}

// spawn starts the daemon's process. It waits for its set-up, so nothing of it has happened yet.
func (d *Driver) spawn(b *box, f *draft, s *spec, ln, tree *os.File) (*child, error) {
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, storeFault(err)
	}
	defer closeFile(theirs)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		closeFile(ours)
		return nil, storeFault(err)
	}
	defer closeFile(null)
	log, err := os.OpenFile(b.path("hands.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		closeFile(ours)
		return nil, storeFault(err)
	}
	defer closeFile(log)
	files := []*os.File{null, null, log, theirs, ln, d.exe}
	if f.setup.Plan.WorkspaceFD > 0 {
		files = append(files, tree)
	}
	proc, err := d.exec(files, d.attributes(f, s))
	if err != nil {
		closeFile(ours)
		return nil, d.refused(f, s, err)
	}
	return &child{proc: proc, control: ours}, nil
}

// exec runs the program through a descriptor: the sandbox's user may not reach its path.
func (d *Driver) exec(files []*os.File, attr *syscall.SysProcAttr) (proc *os.Process, err error) {
	argv := append([]string{"lobstead"}, d.cfg.Args...)
	d.starter.on(func() {
		proc, err = os.StartProcess(fmt.Sprintf("/proc/self/fd/%d", hands.ProgramFD), argv,
			&os.ProcAttr{Dir: "/", Env: []string{"GOMAXPROCS=2"}, Files: files, Sys: attr})
	})
	return proc, err
}

func controlPair() (ours, theirs *os.File, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		_ = unix.Close(p[0])
		_ = unix.Close(p[1])
		return nil, nil, err
	}
	return os.NewFile(uintptr(p[0]), "control"), os.NewFile(uintptr(p[1]), "control"), nil
}

// refused finds the namespace that the kernel did not grant by asking for each alone.
func (d *Driver) refused(f *draft, s *spec, err error) error {
	known := []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.EINVAL, syscall.ENOSYS}
	is := false
	for _, k := range known {
		is = is || errors.Is(err, k)
	}
	if !is || f.flags == 0 {
		return fault.Wrap(err, fault.Unavailable, "sandbox.start", "The sandbox could not be started")
	}
	user := f.flags & syscall.CLONE_NEWUSER
	for _, sp := range spaces {
		if f.flags&sp.flag == 0 || (sp.flag != syscall.CLONE_NEWUSER && user == 0 && !d.root) {
			continue
		}
		one := *f
		one.flags = sp.flag | user
		if terr := d.try(&one, s); terr != nil {
			return &confine.Step{Layer: sp.layer, What: "clone", Err: errors.Unwrap(terr)}
		}
	}
	return &confine.Step{Layer: confine.UserNS, What: "clone", Err: err}
}

func (d *Driver) try(f *draft, s *spec) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer closeFile(null)
	// Descriptor 3 gives no set-up, and the daemon leaves.
	proc, err := d.exec([]*os.File{null, null, null, null, null, d.exe}, d.attributes(f, s))
	if err == nil {
		_, _ = proc.Wait()
	}
	return err
}

// tasksOf counts a user's processes and threads.
func tasksOf(uid int) (n int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		var st unix.Stat_t
		if unix.Stat(dir, &st) == nil && int(st.Uid) == uid {
			tasks, _ := os.ReadDir(dir + "/task")
			n += len(tasks)
		}
	}
	return n
}
