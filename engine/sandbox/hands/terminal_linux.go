package hands

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

const (
	window     = 64 << 10              // bytes that a reader may be behind before the programs have to wait
	typeWithin = 2 * time.Second       // for programs to take what was typed; what they leave is lost
	lastWords  = 50 * time.Millisecond // for output after the shell's end, while others still hold the terminal
	longLine   = 4 << 10
	lookIdle   = 10 * time.Second
)

// terminal is a shell on a terminal of its own. What it shows goes into the scroll; each end reads from there at its
// own pace, and while one is attached the programs wait for it.
type terminal struct {
	d    *daemon
	id   string
	p    *proc
	ours *os.File

	mu     sync.Mutex
	moved  *sync.Cond // anything below changed
	scroll scroll
	end    *attached // who has it now; nil while it waits for somebody to come back
	grace  *time.Timer
	used   time.Time
	why    string        // why it was ended
	ending chan struct{} // set by who ends it, closed when all are killed
	over   bool          // all was read that it will ever show
	result sandbox.Result
	begun  time.Time
}

// attached is one end: how far it has read.
type attached struct {
	at    int64
	taken bool // by a later one
	gone  bool
}

// terminal answers a call that lasts as long as somebody stays attached. The connection serves nothing after it.
func (d *daemon) terminal(c *wire.Call, b *body, w *writer) ([]byte, error) {
	defer func() { b.open, b.err = false, os.ErrClosed }()
	if c.Path == "" || len(c.Path) > 200 {
		return nil, fault.New(fault.Invalid, "sandbox.terminal", "A terminal needs a name")
	}
	t, before, err := d.openTerminal(c)
	if err != nil {
		return nil, err
	}
	end, replay := t.attach()
	if err := w.frame(wire.Item, wire.EncodeCounts(flag(before), replay)); err != nil {
		t.leave(end)
		return nil, err
	}
	setSize(t.ours, c.Depth, c.Max)
	go t.listen(end, b)
	err = t.show(end, w)
	t.leave(end)
	if err != nil {
		return nil, err
	}
	d.drop(t)
	return wire.EncodeResult(t.result), nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// openTerminal finds the session, or starts it.
func (d *daemon) openTerminal(c *wire.Call) (t *terminal, before bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.terminals[c.Path]; t != nil {
		return t, true, nil
	}
	if len(d.terminals) >= sandbox.MaxTerminals {
		return nil, false, fault.New(fault.TooMany, "sandbox.terminals", "%d terminals are open here already: close one", sandbox.MaxTerminals)
	}
	ours, theirs, err := openPTY(c.Depth, c.Max)
	if err != nil {
		return nil, false, exhausted(err)
	}
	defer func() { _ = theirs.Close() }()
	env := override(d.env, map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor", "PS1": prompt(d.shellArgs[0], c.Pattern),
		"HISTFILE": tempDir(d.env) + "/.terminal_history"})
	fd := theirs.Fd()
	attr := &syscall.ProcAttr{Dir: d.home, Env: env, Files: []uintptr{fd, fd, fd}, Sys: &syscall.SysProcAttr{Setsid: true, Setctty: true}}
	p, err := d.spawner.start(d.shellArgs[0], d.shellArgs, attr)
	if err != nil {
		_ = ours.Close()
		return nil, false, exhausted(err)
	}
	t = &terminal{d: d, id: c.Path, p: p, ours: ours, begun: time.Now(), used: time.Now(), scroll: scroll{most: sandbox.TerminalScroll}}
	t.moved = sync.NewCond(&t.mu)
	d.terminals[t.id] = t
	d.watchDisk()
	go t.pump()
	go t.watch()
	return t, false, nil
}

// prompt names the instance. A shell expands it, so that nothing but plain letters may be in it.
func prompt(shell, name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, name)
	if name == "" {
		name = "sandbox"
	}
	name = name[:min(len(name), 40)]
	if shell == "/bin/bash" {
		return `\[\e[1;36m\]` + name + `\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ `
	}
	return name + ":$PWD$ "
}

func tempDir(env []string) string {
	for _, e := range env {
		if dir, ok := strings.CutPrefix(e, "TMPDIR="); ok {
			return dir
		}
	}
	return "/tmp"
}

// attach makes a new end, from the first byte that is still known; who had the terminal loses it.
func (t *terminal) attach() (*attached, int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end != nil {
		t.end.taken = true
	}
	if t.grace != nil {
		t.grace.Stop()
		t.grace = nil
	}
	t.end = &attached{at: t.scroll.first()}
	t.used = time.Now()
	t.moved.Broadcast()
	return t.end, t.scroll.end - t.end.at
}

// leave lets go of the terminal, which waits a while for somebody to come back.
func (t *terminal) leave(e *attached) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.gone = true
	if t.end == e {
		t.end = nil
		t.grace = time.AfterFunc(sandbox.TerminalGrace, func() { t.finish("nobody came back"); t.d.drop(t) })
	}
	t.moved.Broadcast()
}

// listen does what comes from an end until it leaves.
func (t *terminal) listen(e *attached, b *body) {
	defer t.leave(e)
	for {
		kind, p, err := b.r.Read()
		if err != nil || !t.holds(e) {
			return
		}
		switch kind {
		case wire.Data:
			_ = t.ours.SetWriteDeadline(time.Now().Add(typeWithin))
			_, _ = t.ours.Write(p)
		case wire.Resize:
			var rows, columns int64
			if wire.DecodeCounts(p, &rows, &columns) == nil {
				setSize(t.ours, int(rows), int(columns))
			}
		case wire.Cancel:
			t.finish("closed")
		default:
			return
		}
	}
}

func (t *terminal) holds(e *attached) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used = time.Now()
	return t.end == e
}

// show sends what the terminal shows until it is over, or the end is not there any more.
func (t *terminal) show(e *attached, w *writer) error {
	buf := make([]byte, frameHead+32<<10)
	for {
		t.mu.Lock()
		for e.at == t.scroll.end && !t.over && !e.taken && !e.gone {
			t.moved.Wait()
		}
		n := t.scroll.read(e.at, buf[frameHead:])
		e.at += int64(n)
		taken, gone := e.taken, e.gone
		t.moved.Broadcast()
		t.mu.Unlock()
		switch {
		case taken:
			return fault.New(fault.Conflict, "sandbox.terminal_taken", "The terminal was opened somewhere else")
		case gone:
			return os.ErrClosed
		case n == 0:
			return nil
		}
		if err := w.framed(wire.Stdout, buf[:frameHead+n]); err != nil {
			return err
		}
	}
}

// pump moves output into the scroll; a reader that is far behind holds it up, and with it the programs.
func (t *terminal) pump() {
	buf, read := make([]byte, 16<<10), t.ours.Read
	for {
		t.mu.Lock()
		for t.end != nil && t.scroll.end-t.end.at > window && t.why == "" {
			t.moved.Wait()
		}
		t.mu.Unlock()
		n, err := read(buf)
		t.mu.Lock()
		if n > 0 {
			t.scroll.add(buf[:n])
			t.used = time.Now()
			t.moved.Broadcast()
		}
		t.mu.Unlock()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			read = leftover(t.ours)
			continue
		}
		if err != nil {
			break
		}
	}
	<-t.p.done // the terminal is closed by all: they end by themselves, or are ended
	t.mu.Lock()
	ending := t.ending
	t.mu.Unlock()
	if ending != nil {
		<-ending
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.ExitCode, t.result.Reason, t.result.Duration = t.p.status.ExitStatus(), t.why, time.Since(t.begun)
	if t.p.status.Signaled() {
		t.result.ExitCode = -1
		if t.why == "" {
			t.result.Reason = "signal: " + t.p.status.Signal().String()
		}
	}
	t.over = true
	t.moved.Broadcast()
}

// watch ends the terminal after its shell, and one that nobody uses.
func (t *terminal) watch() {
	look := time.NewTicker(lookIdle)
	defer look.Stop()
	for {
		select {
		case <-t.p.done:
			_ = t.ours.SetReadDeadline(time.Now().Add(lastWords))
			return
		case <-look.C:
			t.mu.Lock()
			idle := time.Since(t.used) > sandbox.TerminalIdle
			t.mu.Unlock()
			if idle {
				t.finish("it was idle for " + sandbox.TerminalIdle.String())
				return
			}
		}
	}
}

// finish ends the shell and everything that was started from it.
func (t *terminal) finish(why string) {
	t.because(why)
	t.mu.Lock()
	first := t.ending == nil
	if first {
		t.ending = make(chan struct{})
	}
	t.mu.Unlock()
	if !first {
		return
	}
	killed := t.d.kill(just(t.p.tag))
	t.mu.Lock()
	t.result.Killed = killed
	t.mu.Unlock()
	close(t.ending)
	_ = t.ours.SetReadDeadline(time.Now().Add(lastWords))
}

// because notes why it ends; the first reason counts.
func (t *terminal) because(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.why == "" {
		t.why = why
	}
	t.moved.Broadcast()
}

// drop forgets a terminal whose end nobody needs to be told any more.
func (d *daemon) drop(t *terminal) {
	d.mu.Lock()
	if d.terminals[t.id] == t {
		delete(d.terminals, t.id)
	}
	d.mu.Unlock()
	t.mu.Lock()
	if t.grace != nil {
		t.grace.Stop()
	}
	t.mu.Unlock()
	if err := t.ours.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		_, _ = os.Stderr.WriteString("hands: terminal: " + err.Error() + "\n")
	}
}

// scroll is the last output, by its place in all of it.
type scroll struct {
	most int
	b    []byte
	end  int64 // place after the last byte
}

func (s *scroll) add(p []byte) {
	s.b = append(s.b, p...)
	s.end += int64(len(p))
	if len(s.b) > 2*s.most { // moved seldom, not with each piece
		s.b = append(s.b[:0], s.b[len(s.b)-s.most:]...)
	}
}

// first is where a new reader begins: after the first line's end when something was dropped, not within its colours.
func (s *scroll) first() int64 {
	kept := s.b[max(0, len(s.b)-s.most):]
	at := s.end - int64(len(kept))
	if at > 0 {
		for i, c := range kept[:min(len(kept), longLine)] {
			if c == '\n' {
				return at + int64(i) + 1
			}
		}
	}
	return at
}

func (s *scroll) read(at int64, p []byte) int {
	from := len(s.b) - int(s.end-at)
	if from < 0 {
		from = 0
	}
	return copy(p, s.b[from:])
}
