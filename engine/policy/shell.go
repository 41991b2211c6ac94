package policy

import (
	"path"
	"slices"
	"strings"

	"lobstead/models"
)

// matchesShell holds a rule against a command; the package's comment says how.
func matchesShell(r *models.PolicyRule, command string) bool {
	switch {
	case r.Pattern == "*", r.Pattern == command:
		return true
	case Glob(r.Pattern, command) && (r.Verdict != models.Allow || single(command)):
		return true
	}
	one := func(c string) bool { return Glob(r.Pattern, c) }
	parts := commands(command)
	if r.Verdict == models.Allow {
		return !redirects(command) && len(parts) > 0 && !slices.ContainsFunc(parts, func(c string) bool { return !one(c) })
	}
	return slices.ContainsFunc(parts, one)
}

// separators end a command. They are looked for inside of quotes too: taking too many parts apart only makes allow match
// less, and ask and deny match more.
const separators = ";&|\n\r`(){}"

// commands gives what a command line is made of, each with single spaces.
func commands(line string) []string {
	out := []string{}
	for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if c := strings.Join(strings.Fields(part), " "); c != "" && c != "$" {
			out = append(out, c)
		}
	}
	return out
}

func redirects(line string) bool {
	return strings.ContainsAny(line, "<>`") || strings.Contains(line, "$(")
}

// single tells whether a line is one plain command.
func single(line string) bool { return !strings.ContainsAny(line, separators+"<>") }

// senders are programs that talk to other hosts, or act later, whatever they are told.
var senders = []string{"ssh", "scp", "sftp", "rsync", "nc", "ncat", "netcat", "socat", "telnet", "ftp", "sendmail", "mail", "mailx", "mutt", "gh", "glab", "crontab"}

// sends are the words that make a program send: by program.
var sends = map[string][]string{
	"git": {"push", "send-email"}, "npm": {"publish"}, "pnpm": {"publish"}, "yarn": {"publish"}, "cargo": {"publish"}, "gem": {"push"}, "twine": {"upload"},
	"docker": {"push"}, "podman": {"push"}, "helm": {"push"},
	"curl": {"-d", "-F", "-T", "-X", "--data", "--form", "--json", "--request", "--upload-file", "--url-query"},
	"wget": {"--post", "--method", "--body"},
	"http": {"POST", "PUT", "PATCH", "DELETE"}, "https": {"POST", "PUT", "PATCH", "DELETE"},
}

// OutwardCommand says what a shell command does outside of the sandbox, "" when nothing shows. It reads words, so it
// notices what is said plainly, and leaves what is hidden to the sandbox's network.
func OutwardCommand(command string) string {
	for _, c := range commands(strings.NewReplacer(`"`, " ", "'", " ", `\`, "").Replace(command)) {
		words := strings.Fields(c)
		for n, w := range words {
			program := path.Base(w)
			if slices.Contains(senders, program) {
				return "uses " + program + ", which acts outside of the sandbox"
			}
			if sending(sends[program], words[n+1:]) {
				return "sends data to another host with " + program
			}
		}
	}
	return ""
}

// sending tells whether arguments make a program send: its verb, or an option. "--data" stands for "--data-raw=x" too, "-d"
// for "-dx" and "-sd".
func sending(marks, args []string) bool {
	verb := ""
	for n := 0; n < len(args) && verb == ""; n++ {
		switch {
		case args[n] == "-C", args[n] == "-c": // of git: a value follows
			n++
		case !strings.HasPrefix(args[n], "-"):
			verb = args[n]
		}
	}
	return slices.ContainsFunc(marks, func(mark string) bool {
		switch {
		case strings.HasPrefix(mark, "--"):
			return slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, mark) })
		case strings.HasPrefix(mark, "-"):
			return slices.ContainsFunc(args, func(arg string) bool {
				return strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, mark[1:])
			})
		}
		return mark == verb
	})
}
