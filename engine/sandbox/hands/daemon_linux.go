package hands

import (
	"os"
	"strings"
	"sync"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
	"lobstead/engine/sandbox/wire"
)

// daemon is the state of one running sandbox.
type daemon struct {
	root     *os.Root   // the workspace
	tree     *tree.Tree // what callers do with it
	temp     *os.Root   // what stands in for /tmp on the same disk; nil where /tmp is memory
	home     string     // its path as commands see it
	token    string
	env      []string
	shell    []string // argv of the shell, before the script
	storage  int64
	pidns    bool
	spawner  *spawner
	files    chan struct{} // bounds threads that block in file calls
	archives chan struct{} // bounds archives at once
	disk     diskMeter

	shellArgs []string // argv of the shell of a terminal

	mu        sync.Mutex
	execs     map[*running]bool
	terminals map[string]*terminal
}

func newDaemon(s *Setup, root *os.Root, home string) *daemon {
	d := &daemon{root: root, home: home, token: s.Token, storage: s.Storage, pidns: s.Plan.PID,
		files: make(chan struct{}, 4), archives: make(chan struct{}, 1), execs: map[*running]bool{}, terminals: map[string]*terminal{}}
	d.tree = tree.New(root, home)
	d.tree.Reserve = func(n int64) error { return d.disk.reserve(d, n) }
	go d.tree.Tidy()() // named now, removed beside the first calls
	if !s.Plan.Mount {
		d.temp, _ = os.OpenRoot(s.Plan.Temp) // absent for drivers whose /tmp is their own
	}
	d.env = environment(s, home)
	own := append(append([]string{"/proc/self/exe"}, s.Args...), "sh")
	d.shell, d.shellArgs = append(own[:len(own):len(own)], "-c"), append(own[:len(own):len(own)], "-i")
	for _, sh := range []string{"/bin/bash", "/bin/sh"} {
		if info, err := os.Stat(sh); err == nil && info.Mode()&0o111 != 0 {
			d.shell, d.shellArgs = []string{sh, "-c"}, []string{sh, "-i"}
			if sh == "/bin/bash" && !s.Plan.Mount { // the host's own settings are not within reach
				d.shellArgs = []string{sh, "--norc", "-i"}
			}
			break
		}
	}
	return d
}

// environment is what every command starts from: nothing of the control plane's.
func environment(s *Setup, home string) []string {
	tmp := "/tmp"
	if !s.Plan.Mount {
		tmp = s.Plan.Temp
	}
	env := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "USER": "sandbox",
		"LOGNAME": "sandbox", "LANG": "C.UTF-8", "TERM": "xterm-256color", "TMPDIR": tmp, "SHELL": "/bin/sh",
	}
	for k, v := range s.Env {
		env[k] = v
	}
	return pairs(env)
}

// override gives an environment in which the command's own values replace those of before.
func override(env []string, more map[string]string) []string {
	list := pairs(more)
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if _, ok := more[name]; !ok {
			list = append(list, e)
		}
	}
	return list
}

func pairs(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	return list
}

// end kills all that the sandbox started. As PID 1 of its namespace the daemon need only exit.
func (d *daemon) end() {
	if !d.pidns {
		d.kill(everything)
	}
}

// slot holds one of the few places for calls that block on files.
func (d *daemon) slot(f func() error) error {
	d.files <- struct{}{}
	defer func() { <-d.files }()
	return f()
}

func (d *daemon) usage() (u sandbox.Usage, err error) {
	err = d.slot(func() error {
		ps := d.processes()
		for _, p := range ps {
			u.CPUSeconds += p.cpu.Seconds()
			u.MemoryBytes += p.rss
		}
		u.Processes = len(ps)
		u.DiskBytes = d.disk.measure(d, time.Second)
		return nil
	})
	return u, err
}

// serveCall answers one call; the answer's frames go to w.
func (d *daemon) serveCall(c *wire.Call, b *body, w *writer) ([]byte, error) {
	switch c.Op {
	case wire.OpPing:
		return nil, nil
	case wire.OpExec:
		return d.exec(c, b, w)
	case wire.OpTerminal:
		return d.terminal(c, b, w)
	case wire.OpUsage:
		u, err := d.usage()
		return wire.EncodeUsage(u), err
	}
	if c.Op == wire.OpPack || c.Op == wire.OpUnpack {
		return d.archiveCall(c)
	}
	var payload []byte
	err := d.slot(func() (err error) {
		payload, err = d.fileCall(c, b, w)
		return err
	})
	return payload, err
}
