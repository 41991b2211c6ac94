// Package shell owns the shell of sandboxes whose root holds no programs: a POSIX interpreter with a few
// common commands built in. It runs as a process inside the sandbox and confines nothing by itself; it must
// not be run in the control plane's process.
package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// Main is `hands sh -i`, `hands sh -c script [name args…]` or `hands sh file [args…]`; it gives the exit code.
func Main(args []string) int {
	if len(args) == 1 && args[0] == "-i" {
		return Interactive()
	}
	script, params, err := source(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2
	}
	prog, err := syntax.NewParser().Parse(strings.NewReader(script), "sh")
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2
	}
	r, err := interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.Params(append([]string{"--"}, params...)...),
		interp.ExecHandlers(builtins))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 2
	}
	err = r.Run(context.Background(), prog)
	if code, ok := errors.AsType[interp.ExitStatus](err); ok {
		return int(code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sh:", err)
		return 1
	}
	return 0
}

func source(args []string) (script string, params []string, err error) {
	switch {
	case len(args) >= 2 && args[0] == "-c":
		if len(args) > 3 {
			params = args[3:]
		}
		return args[1], params, nil
	case len(args) >= 1 && !strings.HasPrefix(args[0], "-"):
		b, err := os.ReadFile(args[0])
		return string(b), args[1:], err
	}
	return "", nil, errors.New("usage: sh -c script, or sh file")
}

// builtins runs a command of ours unless the sandbox has a program of that name.
func builtins(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		h := interp.HandlerCtx(ctx)
		f, ok := commands[args[0]]
		if !ok {
			return next(ctx, args)
		}
		if _, err := interp.LookPathDir(h.Dir, h.Env, args[0]); err == nil {
			return next(ctx, args)
		}
		c := &call{dir: h.Dir, in: h.Stdin, out: h.Stdout, err: h.Stderr, name: args[0], env: h.Env}
		if err := c.parse(args[1:]); err != nil {
			c.fail(err)
		} else {
			f(c)
		}
		if c.code != 0 {
			return interp.ExitStatus(c.code)
		}
		return nil
	}
}
