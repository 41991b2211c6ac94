package config

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
)

const prefix = "LOBSTEAD_"

// foreign variables with our prefix that are not settings: the test gate sets it for all it starts.
var foreign = map[string]bool{"LOBSTEAD_LEFT_OUT": true}

// Lookup gives a variable of the environment, as os.LookupEnv does.
type Lookup = func(name string) (string, bool)

// Load reads the settings of this process: args without the program's name, and its environment.
func Load(args []string) (*CLI, string, error) {
	var names []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		names = append(names, name)
	}
	if err := refuseUnknown(names); err != nil {
		return nil, "", err
	}
	return Parse(args, os.LookupEnv)
}

// Parse reads settings from args and an environment, and checks them. The command is "serve", "web",
// …, or "help", which asks to print CLI.Help. The errors are sentences for the person at the terminal;
// they name the flag and the variable and never repeat a secret.
func Parse(args []string, lookup Lookup) (cli *CLI, command string, err error) {
	cli = &CLI{}
	var help bytes.Buffer
	k, err := kong.New(cli, kong.Name("lobstead"),
		kong.Description("A self-hosted cloud for AI agents. Without a command: serve."),
		kong.Writers(&help, &help), kong.Exit(func(int) { panic(asked{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.ValueFormatter(describe),
		kong.Resolvers(environment(lookup)))
	if err != nil {
		return nil, "", fmt.Errorf("config: %w", err)
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(asked); !ok {
				panic(r)
			}
			cli.Help = help.String() + privateHelp(k.Model)
			command, err = "help", nil
		}
	}()
	ctx, err := k.Parse(args)
	if err != nil {
		return nil, "", err //nolint:wrapcheck // kong's sentence is for the person at the terminal as it is
	}
	command = ctx.Command()
	if err := check(cli, command, given(ctx, lookup)); err != nil {
		return nil, "", err
	}
	return cli, command, nil
}

// asked unwinds from kong's help flag, which would end the process.
type asked struct{}

// environment answers kong's question for a flag that was not given. An empty variable counts as not
// set: compose files pass them on so. A private setting may also come from a file: NAME_FILE.
func environment(lookup Lookup) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := flag.Tag.Get("var")
		if name == "" {
			return nil, nil
		}
		if v, _ := lookup(name); v != "" {
			return v, nil
		}
		path, _ := lookup(name + "_FILE")
		if path == "" || !private(flag) {
			return nil, nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		return strings.TrimSpace(string(b)), nil
	})
}

func private(flag *kong.Flag) bool { return flag.Tag.Has("private") }

// given collects the settings that somebody chose: by their variable's name.
func given(ctx *kong.Context, lookup Lookup) chosen {
	c := chosen{}
	for _, flag := range ctx.Flags() {
		if v, _ := lookup(flag.Tag.Get("var")); v != "" {
			c[flag.Tag.Get("var")] = byVariable
		}
	}
	for _, p := range ctx.Path {
		switch {
		case p.Flag == nil || p.Resolved:
		case private(p.Flag):
			c[p.Flag.Tag.Get("var")] = byPrivateFlag
		default:
			c[p.Flag.Tag.Get("var")] = byFlag
		}
	}
	return c
}

// refuseUnknown finds settings that were meant for us and would be passed over in silence.
func refuseUnknown(names []string) error {
	var unknown []string
	for _, n := range names {
		if strings.HasPrefix(n, prefix) && !foreign[n] {
			unknown = append(unknown, n)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return fmt.Errorf("unknown variable %s: settings have no prefix, %s would be %s; see lobstead --help",
		strings.Join(unknown, ", "), unknown[0], strings.TrimPrefix(unknown[0], prefix))
}

// describe adds the variable to a flag's help, and the default where a placeholder hides it.
func describe(v *kong.Value) string {
	help := v.Help
	if v.HasDefault && v.Tag.PlaceHolder != "" {
		help += " Default: " + v.Default + "."
	}
	if name := v.Tag.Get("var"); name != "" {
		help += " ($" + name + ")"
	}
	return help
}

func privateHelp(app *kong.Application) string {
	var b strings.Builder
	b.WriteString("\nEnvironment only, because command lines are visible (NAME_FILE names a file instead):\n")
	for _, f := range app.Flags {
		if private(f) {
			fmt.Fprintf(&b, "  %-20s %s\n", f.Tag.Get("var"), f.Help)
		}
	}
	return b.String()
}
