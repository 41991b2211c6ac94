package hands

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/shell"
)

// Main is the program `lobstead hands`. Without arguments it is a driver's child and finds its descriptors
// at fixed numbers; with "stdin" it is told on standard input and reports on standard output, for drivers
// that cannot hand descriptors over; with "sh" it is the shell for hosts that have none. It returns the
// exit code.
func Main(args []string) int {
	var control, out *os.File
	switch {
	case len(args) == 0: // only here: elsewhere the number may be another file's, which the collector would close
		control = os.NewFile(ControlFD, "control")
		out = control
	case args[0] == "sh":
		return shell.Main(args[1:])
	case args[0] == "stdin":
		control, out = os.Stdin, os.Stdout
	default:
		fmt.Fprintln(os.Stderr, "hands: this program is started by a sandbox driver")
		return 2
	}
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(48 << 20)
	in := bufio.NewReaderSize(control, 4<<10)
	line, err := in.ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "hands: no set-up:", err)
		return 2
	}
	var s Setup
	if err := json.Unmarshal(line, &s); err != nil {
		fmt.Fprintln(os.Stderr, "hands: bad set-up:", err)
		return 2
	}
	d, ln, layers, err := start(&s)
	if err != nil {
		step, ok := errors.AsType[*confine.Step](err)
		if !ok {
			step = &confine.Step{Layer: "daemon", What: "start", Err: err}
		}
		report(out, Report{Failed: step.Layer, Detail: step.What + ": " + step.Err.Error()})
		return 1
	}
	report(out, Report{Layers: layers})
	warmThreads() // callers wait in the socket's queue meanwhile, and nothing of theirs runs yet
	go d.accept(ln)
	_, _ = io.Copy(io.Discard, in) // until the control plane closes its end, or dies
	d.end()
	return 0
}

func report(w io.Writer, r Report) {
	b, err := json.Marshal(r)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		os.Exit(1)
	}
}

// start confines the daemon and everything that it will run, from the outside in.
func start(s *Setup) (*daemon, net.Listener, []sandbox.Layer, error) {
	ln, err := listen(s.Socket)
	if err != nil {
		return nil, nil, nil, err
	}
	// The driver's descriptors end here, and whatever its own parent left open: nothing leaks into commands.
	if err := unix.CloseRange(ControlFD, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, nil, nil, err
	}
	if s.Socket == "" {
		_ = unix.Close(ProgramFD)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, nil, nil, err
	}
	d, err := enter(s)
	if err != nil {
		return nil, nil, nil, err
	}
	layers, err := d.confine(s)
	if err != nil {
		return nil, nil, nil, err
	}
	return d, ln, layers, nil
}

// enter builds what the daemon sees and opens the workspace.
func enter(s *Setup) (*daemon, error) {
	p := &s.Plan
	home := p.Workspace
	if p.Mount {
		if err := confine.EnterRoot(p); err != nil {
			return nil, err
		}
		home = confine.Inside
	}
	if p.UTS {
		if err := unix.Sethostname([]byte("sandbox")); err != nil {
			return nil, &confine.Step{Layer: confine.UtsNS, What: "host name", Err: err}
		}
	}
	if p.Net {
		if err := confine.Loopback(); err != nil {
			return nil, &confine.Step{Layer: confine.NetNS, What: "loopback", Err: err}
		}
	}
	if err := os.Chdir(home); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	return newDaemon(s, root, home), nil
}

func (d *daemon) confine(s *Setup) ([]sandbox.Layer, error) {
	p := &s.Plan
	rules := d.rules(p)
	defer rules.close()
	d.spawner = newSpawner(s.Tag)
	if err := confine.Limit(p); err != nil {
		return nil, err
	}
	if err := confine.Become(p); err != nil {
		return nil, err
	}
	if err := confine.Drop(); err != nil {
		return nil, err
	}
	// Commands share the daemon's user: nothing of its memory or environment may be read by them.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, err
	}
	layers := []sandbox.Layer{
		{Name: confine.Rlimits, Applied: true},
		{Name: confine.DropCaps, Applied: true, Detail: "and no new privileges"},
	}
	if p.Landlock {
		more, err := d.spawner.restrict(rules.Rules)
		if err != nil {
			return nil, &confine.Step{Layer: confine.Landlock, What: "restrict", Err: err}
		}
		layers = append(layers, more...)
	}
	if p.Seccomp {
		if err := confine.InstallFilter(p.Net); err != nil {
			return nil, &confine.Step{Layer: confine.Seccomp, What: "filter", Err: err}
		}
		layers = append(layers, sandbox.Layer{Name: confine.Seccomp, Applied: true, Detail: socketsNote(p.Net)})
	}
	return layers, d.spawner.begin(p.PID)
}

func socketsNote(own bool) string {
	if own {
		return ""
	}
	return "no sockets at all, because there is no network namespace"
}

func listen(path string) (net.Listener, error) {
	if path != "" {
		_ = os.Remove(path)
		return net.Listen("unix", path)
	}
	f := os.NewFile(ListenFD, "listener")
	defer func() { _ = f.Close() }()
	ln, err := net.FileListener(f)
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	return ln, err
}
