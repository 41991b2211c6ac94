// Lobstead is a self-hosted cloud for AI agents: one program, one subcommand per role. This package wires the
// parts together and does nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"lobstead/engine/sandbox/hands"
	"lobstead/kit/config"
	"lobstead/kit/fault"
)

// version is set by the build.
var version = "dev"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "hands" {
		// Before anything else: inside a sandbox there is no configuration, and every microsecond counts.
		os.Exit(hands.Main(os.Args[2:]))
	}
	os.Exit(run())
}

func run() int {
	cli, command, err := config.Load(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "lobstead:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := dispatch(ctx, cli, command); err != nil {
		fmt.Fprintln(os.Stderr, "lobstead:", explain(err))
		return 1
	}
	return 0
}

func dispatch(ctx context.Context, cli *config.CLI, command string) error {
	switch command {
	case "help":
		fmt.Print(cli.Help)
	case "version":
		fmt.Println("lobstead", version)
	case "routes":
		return printRoutes(os.Stdout)
	case "migrate":
		return migrate(ctx, &cli.Config)
	case "init":
		return initialize(ctx, cli)
	case "doctor":
		return doctor(ctx, cli)
	case "audit verify":
		return verifyAudit(ctx, cli)
	case "seed":
		return seed(ctx, &cli.Config)
	case "web":
		return serve(ctx, &cli.Config, roles{web: true})
	case "worker":
		return serve(ctx, &cli.Config, roles{worker: true})
	default:
		return serve(ctx, &cli.Config, roles{web: true, worker: true})
	}
	return nil
}

// explain gives a fault's sentence with its cause: whoever starts the program may see both.
func explain(err error) string {
	e := (*fault.Error)(nil)
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Detail
	for _, i := range e.Fields {
		text += fmt.Sprintf("\n  %v: %s", i.Path, i.Message)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		text += ". " + e.Hint
	}
	return text
}
