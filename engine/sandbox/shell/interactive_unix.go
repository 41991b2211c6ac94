//go:build unix

package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

const lookPer = 100 // milliseconds between two looks whether a command was cancelled while it waits for input

// session is the shell of a terminal: it reads a line at a time, which the kernel lets people edit, and runs it. Ctrl+C
// ends what runs, or forgets what was begun. It keeps no jobs: `&` works, `fg` does not exist.
type session struct {
	run    *interp.Runner
	stops  chan os.Signal
	begun  strings.Builder // lines of a command that is not complete
	lines  chan string     // what was read; closed at the end of input
	wanted chan struct{}   // asks for a line: what runs reads for itself
}

// Interactive is `hands sh -i`; it gives the exit code.
func Interactive() int {
	s := &session{stops: make(chan os.Signal, 4), lines: make(chan string), wanted: make(chan struct{}, 1)}
	signal.Notify(s.stops, syscall.SIGINT)
	others := make(chan os.Signal, 1) // caught and not ignored: programs would inherit that
	signal.Notify(others, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
	var err error
	s.run, err = interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.Interactive(true), interp.ExecHandlers(abandon, builtins))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2
	}
	go s.read()
	for code := 0; ; {
		text, ok := s.command()
		if !ok {
			fmt.Println()
			return code
		}
		cancelled := false
		if code, cancelled = s.execute(text); s.run.Exited() && !cancelled { // a command that was cancelled looks like an exit
			return code
		}
	}
}

// read gives a line for each that is wanted. One read gives one line: what comes after it is left for the command.
func (s *session) read() {
	defer close(s.lines)
	buf := make([]byte, 64<<10)
	for range s.wanted {
		n, err := os.Stdin.Read(buf)
		if n <= 0 || err != nil {
			return
		}
		s.lines <- string(buf[:n])
	}
}

// command reads until a command is complete; false at the end of input.
func (s *session) command() (string, bool) {
	asked := false
	for {
		s.prompt()
		if !asked {
			s.wanted <- struct{}{}
			asked = true
		}
		select {
		case <-s.stops:
			s.begun.Reset()
			fmt.Println()
			continue
		case line, ok := <-s.lines:
			if !ok {
				return "", false
			}
			asked = false
			s.begun.WriteString(line)
		}
		text := s.begun.String()
		_, err := syntax.NewParser().Parse(strings.NewReader(text), "sh")
		if err != nil && syntax.IsIncomplete(err) {
			continue
		}
		s.begun.Reset()
		return text, true
	}
}

func (s *session) prompt() {
	if s.begun.Len() > 0 {
		fmt.Print("> ")
		return
	}
	prompt := os.Getenv("PS1")
	if prompt == "" {
		prompt = "$ "
	}
	fmt.Print(strings.ReplaceAll(prompt, "$PWD", s.run.Dir))
}

func (s *session) execute(text string) (code int, cancelled bool) {
	prog, err := syntax.NewParser().Parse(strings.NewReader(text), "sh")
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		select {
		case <-s.stops:
			cancel()
			fmt.Println()
		case <-done:
		}
	}()
	for _, stmt := range prog.Stmts { // not the whole: that would be the end of a script
		if err = s.run.Run(ctx, stmt); s.run.Exited() || ctx.Err() != nil {
			break
		}
	}
	close(done)
	cancelled = ctx.Err() != nil
	cancel()
	status, ok := errors.AsType[interp.ExitStatus](err)
	switch {
	case cancelled:
		return 130, true
	case ok:
		return int(status), false
	case err != nil:
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 1, false
	}
	return 0, false
}

// abandon lets Ctrl+C end commands of our own, which know no signals: their input ends, and nobody waits for them.
func abandon(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		h := interp.HandlerCtx(ctx)
		if _, err := interp.LookPathDir(h.Dir, h.Env, args[0]); err == nil || commands[args[0]] == nil {
			return next(ctx, args)
		}
		done := make(chan error, 1)
		go func() { done <- next(ctx, args) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return interp.ExitStatus(130)
		}
	}
}

// cancellable is input that ends when the command that reads it is cancelled, so that it takes nothing of the next one's.
type cancellable struct {
	ctx context.Context
	f   *os.File
}

func (c cancellable) Read(p []byte) (int, error) {
	for {
		if c.ctx.Err() != nil {
			return 0, io.EOF
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.f.Fd()), Events: unix.POLLIN}}, lookPer)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		if n > 0 {
			return c.f.Read(p)
		}
	}
}
