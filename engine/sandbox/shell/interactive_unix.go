//go:build unix

package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

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
	s.run, err = interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.Interactive(true),
		interp.ExecHandlers(apart), interp.CallHandler(awaited))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2
	}
	go s.read()
	for code, exited := 0, false; ; {
		text, ok := s.command()
		if !ok {
			fmt.Println()
			return code
		}
		if code, exited = s.execute(text); exited {
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

// execute runs a command; exited tells that it was the last one.
func (s *session) execute(text string) (code int, exited bool) {
	prog, err := syntax.NewParser().Parse(strings.NewReader(text), "sh")
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-s.stops:
				cancel()
			case <-done: // and not cancelled: what it left in the background runs on
				return
			}
		}
	}()
	for _, stmt := range prog.Stmts { // not the whole: that would be the end of a script
		if err = s.run.Run(ctx, stmt); s.run.Exited() || ctx.Err() != nil {
			break
		}
	}
	close(done)
	status, plain := errors.AsType[interp.ExitStatus](err)
	switch {
	case ctx.Err() != nil: // this and the next look like an exit to the interpreter
		fmt.Println()
		return 130, false
	case err != nil && !plain:
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 1, false
	}
	return int(status), len(prog.Stmts) > 0 && s.run.Exited() // which tells of the last that ran
}

// apart runs each command of ours as a process, so that Ctrl+C ends it like any program.
func apart(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		h := interp.HandlerCtx(ctx)
		if _, err := interp.LookPathDir(h.Dir, h.Env, args[0]); err != nil && commands[args[0]] != nil {
			self := os.Args[:len(os.Args)-1] // ours without -i
			args = slices.Concat(self, []string{"-c", `"$@"`, "sh"}, args)
		}
		return next(ctx, args)
	}
}

// awaited lets Ctrl+C end `read`, which would wait for a line of the terminal for ever: it begins when there is one.
func awaited(ctx context.Context, args []string) ([]string, error) {
	if h := interp.HandlerCtx(ctx); args[0] != "read" || h.Stdin != os.Stdin {
		return args, nil
	}
	if i := slices.Index(args, "-p"); i > 0 && i+1 < len(args) {
		fmt.Fprint(os.Stderr, args[i+1])
		args = slices.Delete(slices.Clone(args), i, i+2)
	}
	return args, wait(ctx, syscall.Stdin)
}

// wait returns when there is something to read, or the context's error.
func wait(ctx context.Context, fd int) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = w.Close() }) // which r sees
	defer func() {
		if stop() {
			_ = w.Close()
		}
	}()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(r.Fd())}}, -1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
