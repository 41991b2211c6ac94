package chat

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

// card is a tool call with what came of it, ready to be shown.
type card struct {
	id, out string // ids of the card and of its live output
	icon    ui.Icon
	verb    string
	object  string // shown as code
	more    string // after it, as words
	args    args
	tool    string
	result  *resultAt      // nil: it runs
	waits   *models.Paused // for a person; nil: it does not
	anchor  string         // id of the body: the result's entry
	since   time.Time
	inspect string // where the turn is explained
}

// args are the fields of the built-in tools' inputs; what a model left out or sent in another type is empty.
type args struct {
	Command, Path, Pattern, Query, URL, Key, Value, Content string
	Old, New                                                string
	raw                                                     json.RawMessage
}

func readArgs(raw json.RawMessage) args {
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	text := func(names ...string) string {
		for _, n := range names {
			if s, ok := m[n].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	return args{Command: text("command", "cmd"), Path: text("path", "file_path", "file"), Pattern: text("pattern", "regex"), Query: text("query", "text"),
		URL: text("url"), Key: text("key", "name"), Value: text("value"), Content: text("content"),
		Old: text("old_text", "old_string"), New: text("new_text", "new_string"), raw: raw}
}

// words are how a tool is spoken of while it runs and after.
type words struct {
	icon          ui.Icon
	running, done string
}

func toolWords(tool string) (words, bool) {
	switch tool {
	case "bash":
		return words{ui.IconTerminal, "Running", "Ran"}, true
	case "read_file":
		return words{ui.IconFileText, "Reading", "Read"}, true
	case "write_file":
		return words{ui.IconFileCode, "Writing", "Wrote"}, true
	case "edit_file":
		return words{ui.IconFilePen, "Editing", "Edited"}, true
	case "list_files":
		return words{ui.IconFolder, "Listing files", "Listed files"}, true
	case "search_files":
		return words{ui.IconSearch, "Searching for", "Searched for"}, true
	case "fetch_url":
		return words{ui.IconGlobe, "Fetching", "Fetched"}, true
	case "remember":
		return words{ui.IconBrain, "Remembering", "Remembered"}, true
	case "recall":
		return words{ui.IconHistory, "Recalling", "Recalled"}, true
	}
	return words{ui.IconWrench, "Using", "Used"}, false
}

func newCard(e models.Event, c models.ToolCall, r *resultAt, waits *models.Paused) card {
	w, builtIn := toolWords(c.Tool)
	k := card{id: cardID(turnOf(e), c.CallID), out: outputID(turnOf(e), c.CallID), icon: w.icon, verb: w.done, tool: c.Tool,
		args: readArgs(c.Input), result: r, since: e.CreatedAt}
	if t := turnOf(e); t != "" {
		k.inspect = "/turns/" + t + "#timeline"
	}
	switch {
	case r == nil && waits != nil:
		k.waits, k.verb = waits, "Waiting for approval"
	case r == nil:
		k.verb = w.running
	default:
		k.anchor = "ev-" + strconv.FormatInt(r.seq, 10)
	}
	if !builtIn {
		k.object = c.Tool
		return k
	}
	k.object, k.more = k.args.object(c.Tool)
	return k
}

// object is what a tool worked on, in one line.
func (a args) object(tool string) (object, more string) {
	switch tool {
	case "bash":
		return clip(headline(a.Command), 200), ""
	case "list_files":
		if a.Path == "" || a.Path == "." {
			return "", ""
		}
		return clip(a.Path, 200), ""
	case "search_files":
		if a.Path != "" && a.Path != "." {
			more = "in " + clip(a.Path, 80)
		}
		return clip(or(a.Pattern, a.Query), 120), more
	case "fetch_url":
		return clip(shortURL(a.URL), 200), ""
	case "remember":
		return clip(or(a.Key, a.Value), 120), ""
	case "recall":
		if a.Query == "" && a.Key == "" {
			return "", "everything"
		}
		return clip(or(a.Query, a.Key), 120), ""
	}
	return clip(a.Path, 200), ""
}

// headline is the line of a script that says most: not its preparations.
func headline(script string) string {
	lines := strings.Split(strings.TrimSpace(script), "\n")
	at := 0
	for at < len(lines)-1 && (strings.HasPrefix(lines[at], "set -") || strings.HasPrefix(lines[at], "#") || strings.TrimSpace(lines[at]) == "") {
		at++
	}
	if len(lines) > 1 {
		return lines[at] + " …"
	}
	return lines[0]
}

// shortURL is host and path: what a reader needs to know of an address.
func shortURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return s
	}
	return u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
}

func (k card) running() bool { return k.result == nil && k.waits == nil }

func (k card) failed() bool {
	return k.result != nil && !k.result.Interrupted && (k.result.Error || k.result.ExitCode != nil && *k.result.ExitCode != 0)
}

func (k card) interrupted() bool { return k.result != nil && k.result.Interrupted }

// status is what stands before the duration.
func (k card) status() string {
	switch r := k.result; {
	case r == nil:
		return ""
	case r.Interrupted:
		return "interrupted"
	case r.ExitCode != nil && *r.ExitCode != 0:
		return "exit " + strconv.Itoa(*r.ExitCode)
	case r.Error:
		return "failed"
	}
	return ""
}

func (k card) took() string {
	if k.result == nil || k.result.Millis <= 0 {
		return ""
	}
	return ui.Took(time.Duration(k.result.Millis) * time.Millisecond)
}

// script is the command when the head cannot show all of it.
func (k card) script() string {
	if k.tool == "bash" && (strings.Contains(strings.TrimSpace(k.args.Command), "\n") || len(k.args.Command) > 72) {
		return cap8K(k.args.Command)
	}
	return ""
}

// input is the call of a tool that nothing here knows, or the words that were remembered.
func (k card) input() string {
	if _, builtIn := toolWords(k.tool); builtIn {
		if k.tool == "remember" && k.args.Value != "" && k.args.Key != "" {
			return cap8K(k.args.Value)
		}
		return ""
	}
	if s := strings.TrimSpace(string(k.args.raw)); s != "" && s != "{}" && s != "null" {
		return cap8K(indent(k.args.raw))
	}
	return ""
}

func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) <= 90 || json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// output is what the tool said, where it is worth a look: a write or an edit shows its content instead.
func (k card) output() string {
	if k.result == nil || !k.failed() && (k.tool == "write_file" && k.args.Content != "" || len(k.diff()) > 0) {
		return ""
	}
	return cap8K(terminal(k.result.Output))
}

// notes are what must be known of the output.
func (k card) notes() []string {
	var out []string
	if k.result == nil {
		return nil
	}
	if k.result.Truncated {
		out = append(out, "The output was longer; this is its beginning and its end, as the model saw it.")
	}
	if n := k.result.Killed; n == 1 {
		out = append(out, "1 process was ended.")
	} else if n > 1 {
		out = append(out, strconv.Itoa(n)+" processes were ended.")
	}
	return out
}
