package hands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

const (
	defaultTimeout = 2 * time.Minute
	maxStdin       = 16 << 20
	// drainFor is how long output is awaited after a command ended while something it left in the
	// background still holds its pipes.
	drainFor = 10 * time.Millisecond
)

// running is one command in flight.
type running struct {
	p    *proc
	once sync.Once
	kill chan struct{} // closed when it must end
	why  func(*sandbox.Result)
}

// end asks for the command's end; the first reason counts.
func (r *running) end(why func(*sandbox.Result)) {
	r.once.Do(func() { r.why = why; close(r.kill) })
}

func (d *daemon) exec(c *wire.Call, b *body, w *writer) ([]byte, error) {
	stdin, err := io.ReadAll(io.LimitReader(b, maxStdin+1))
	if err != nil {
		return nil, err
	}
	if len(stdin) > maxStdin {
		return nil, fault.New(fault.TooLarge, "sandbox.too_large", "Standard input may have at most %d MB", maxStdin>>20)
	}
	begun := time.Now()
	pr, pw, err := newPipes(stdin)
	if err != nil {
		return nil, exhausted(err)
	}
	defer pr.close()
	r, err := d.launch(&c.Command, pw)
	pw.close()
	if err != nil {
		if code, text := notRunnable(err); code > 0 {
			_ = w.frame(wire.Stderr, []byte(text))
			return wire.EncodeResult(sandbox.Result{ExitCode: code, Duration: time.Since(begun)}), nil
		}
		return nil, err
	}
	defer d.forget(r)
	res := d.attend(r, c, b, pr, w, stdin)
	res.Duration = time.Since(begun)
	return wire.EncodeResult(res), nil
}

// attend moves output until the command ends or has to be ended.
func (d *daemon) attend(r *running, c *wire.Call, b *body, pr *pipes, w *writer, stdin []byte) (res sandbox.Result) {
	limit := c.Command.Timeout
	if limit <= 0 {
		limit = defaultTimeout
	}
	timer := time.AfterFunc(limit, func() {
		r.end(func(res *sandbox.Result) {
			res.TimedOut, res.Reason = true, fmt.Sprintf("deadline of %s passed", limit)
		})
	})
	defer timer.Stop()
	gone := func() { r.end(func(res *sandbox.Result) { res.Cancelled, res.Reason = true, "cancelled" }) }
	stop := b.watch(gone)
	var out sync.WaitGroup
	out.Go(func() { pump(pr.stdout, wire.Stdout, w, gone) })
	out.Go(func() { pump(pr.stderr, wire.Stderr, w, gone) })
	if pr.stdin != nil {
		go func() { _, _ = pr.stdin.Write(stdin); _ = pr.stdin.Close() }()
	}
	select {
	case <-r.p.done:
	case <-r.kill:
		res.Killed = d.kill(just(r.p.tag))
		<-r.p.done
	}
	pr.drain()
	out.Wait()
	stop()
	res.ExitCode = r.p.status.ExitStatus()
	select {
	case <-r.kill:
		res.ExitCode = -1
		r.why(&res)
	default:
		if r.p.status.Signaled() {
			res.ExitCode, res.Reason = -1, "signal: "+r.p.status.Signal().String()
		}
	}
	return res
}

// launch starts the command with its pipes and enters it among the running.
func (d *daemon) launch(c *sandbox.Command, pw *pipes) (*running, error) {
	argv := c.Argv
	if c.Shell != "" {
		argv = append(append([]string{}, d.shell...), c.Shell)
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, fault.New(fault.Invalid, "sandbox.command", "No command was given")
	}
	for _, a := range argv {
		if strings.ContainsRune(a, 0) {
			return nil, fault.New(fault.Invalid, "sandbox.command", "A command may not hold NUL characters")
		}
	}
	dir, err := d.tree.Dir(c.Dir)
	if err != nil {
		return nil, err
	}
	env := override(d.env, c.Env)
	path := argv[0]
	if !strings.Contains(path, "/") {
		if path = lookPath(path, env); path == "" {
			return nil, &os.PathError{Op: "exec", Path: argv[0], Err: errNoCommand}
		}
	}
	attr := &syscall.ProcAttr{Dir: dir, Env: env, Files: pw.child(), Sys: &syscall.SysProcAttr{Setsid: true}}
	p, err := d.spawner.start(path, argv, attr)
	if err != nil {
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) {
			return nil, exhausted(err)
		}
		return nil, &os.PathError{Op: "exec", Path: argv[0], Err: err}
	}
	r := &running{p: p, kill: make(chan struct{})}
	d.mu.Lock()
	d.execs[r] = true
	d.mu.Unlock()
	d.watchDisk()
	return r, nil
}

func (d *daemon) forget(r *running) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.execs, r)
}

func exhausted(err error) error {
	return fault.Wrap(err, fault.TooMany, "sandbox.processes", "The sandbox has no room for another process")
}

var errNoCommand = errors.New("command not found")

// notRunnable answers as a shell does when a program is not there or cannot be run.
func notRunnable(err error) (int, string) {
	p, ok := errors.AsType[*os.PathError](err)
	switch {
	case !ok || p.Op != "exec":
		return 0, ""
	case errors.Is(err, errNoCommand), errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return 127, p.Path + ": command not found\n"
	default:
		return 126, p.Path + ": " + p.Err.Error() + "\n"
	}
}

func lookPath(name string, env []string) string {
	var path string
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	for dir := range strings.SplitSeq(path, ":") {
		p := dir + "/" + name
		if strings.HasPrefix(dir, "/") && unix.Access(p, unix.X_OK) == nil {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				return p
			}
		}
	}
	return ""
}
