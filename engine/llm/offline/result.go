package offline

import (
	"encoding/json"
	"strconv"
	"strings"
)

// result is what came back from a tool.
type result struct {
	text   string
	exit   int // of a command, 0 when unknown
	failed bool
}

// exitLine finds the line in which a shell tool tells the exit code, in the usual spellings.
var exitLine = late(`(?im)^[\[(]?(?:process )?exit(?:ed)?(?: with)?(?: code| status)?[:= ]+(-?\d+)[\])]?\.?[ \t]*(?:\n|\z)`)

// silent is how shell tools say that a command succeeded and printed nothing.
var silent = late(`(?i)^[\[(]no output(?:, exit code 0)?[\])]$`)

func parseResult(tool, content string, failed bool) result {
	r := result{text: strings.TrimRight(content, " \n\t"), failed: failed}
	if tool == "bash" && silent.MatchString(r.text) {
		r.text = ""
	}
	var shell struct {
		Stdout string `json:"stdout"`
		Stderr string `json:"stderr"`
		Output string `json:"output"`
		Exit   *int   `json:"exit_code"`
	}
	if strings.HasPrefix(strings.TrimSpace(content), "{") && json.Unmarshal([]byte(content), &shell) == nil &&
		(shell.Exit != nil || shell.Stdout+shell.Stderr+shell.Output != "") {
		r.text = strings.TrimRight(join(shell.Output, shell.Stdout, shell.Stderr), " \n\t")
		if shell.Exit != nil {
			r.exit = *shell.Exit
		}
		return r
	}
	if tool == "bash" {
		if all := exitLine.FindAllStringSubmatchIndex(r.text, -1); len(all) > 0 {
			m := all[len(all)-1] // the tool's own line is the first or the last one
			if m[1] != len(r.text) && all[0][0] == 0 {
				m = all[0]
			}
			if m[0] == 0 || m[1] == len(r.text) {
				r.exit, _ = strconv.Atoi(r.text[m[2]:m[3]])
				r.text = strings.TrimSpace(r.text[:m[0]] + r.text[m[1]:])
			}
		}
	}
	return r
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if strings.TrimSpace(p) != "" {
			out = append(out, strings.TrimRight(p, "\n"))
		}
	}
	return strings.Join(out, "\n")
}
