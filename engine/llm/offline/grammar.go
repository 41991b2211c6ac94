package offline

import (
	"encoding/json"
	"strings"
)

// rule is one sentence shape. Build may refuse what the shape let through.
type rule struct {
	re    *regex
	build func(p *parser, m []string) (step, bool)
}

// grammar is tried in this order. The files intent_*.go hold the builders of one theme each.
var grammar []rule

// init and not a literal: the builders read the grammar themselves (a script "and run it").
func init() {
	for _, theme := range [][]rule{talkRules, memoryRules, serverRules, thinkRules, runRules, scriptRules, webRules, changeRules, searchRules, listRules, readRules, sumRules} {
		grammar = append(grammar, theme...)
	}
}

// These stand in the shapes: a thing that may be a path, and the words before one.
var shorthand = strings.NewReplacer(
	"<path>", `([\x{E000}-\x{F8FF}]|[~\w./@+*-]*[\w/*~.])`,
	"<the>", `(?:(?:the|my|our|your|this|that|a|an|all|all of|some|every)\s+)*`,
	"<file>", `(?:(?:text |new |small |short |empty |simple |markdown |log |config(?:uration)? )*(?:file|document|script|note|page)\s+)?(?:(?:named|called|at|titled)\s+)?`,
	"<rest>", `((?s:.+))`,
	" ?", `\s*`,
	" ", `\s+`,
)

// shape compiles a readable pattern: case does not matter, and it spans the whole sentence.
func shape(pattern string) *regex {
	return late(`(?i)^(?:` + shorthand.Replace(pattern) + `)$`)
}

func on(pattern string, build func(p *parser, m []string) (step, bool)) rule {
	return rule{shape(pattern), build}
}

// saying is a rule that needs no tool.
func saying(pattern string, text func(p *parser, m []string) string) rule {
	return on(pattern, func(p *parser, m []string) (step, bool) {
		t := text(p, m)
		return step{say: t, title: "Answer"}, t != ""
	})
}

// has gives the tool when the agent has it.
func (p *parser) has(tool string) bool { return p.tools[tool] }

// lacking is the honest answer when a tool is missing.
func lacking(title, tool string) (step, bool) {
	return step{title: title, say: "I understood the request, but this agent has no " + code(tool) +
		" tool, so I cannot do it here. An owner can allow the tool in the agent's settings."}, true
}

var here = map[string]bool{"here": true, "workspace": true, "directory": true, "folder": true, "current": true, "everything": true, "files": true, ".": true, "./": true}

// place reads a captured path; words for the current directory become ".", "it" the last file.
func (p *parser) place(s string) string {
	v := strings.TrimSpace(p.value(s))
	low := strings.ToLower(v)
	switch {
	case here[low]:
		return "."
	case low == "it" || low == "that" || low == "them" || low == "this":
		return p.path
	}
	if _, ok := p.span(s); !ok {
		v = strings.TrimRight(v, ",;:!?")
	}
	return v
}

// pathLike tells names of files from plain words: they have a dot, a slash, or a well-known name.
var pathLike = late(`(?i)^(?:\S*[./~]\S*|makefile|dockerfile|readme|license|licence|changelog|procfile|gemfile|todo|notes|it|that|them|this)$`)

func (p *parser) isPath(s string) bool {
	if _, ok := p.span(s); ok {
		return true
	}
	return pathLike.MatchString(strings.TrimSpace(s)) && !strings.Contains(s, "://")
}

// shell quotes one argument.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func stringArg(input json.RawMessage, key string) string {
	var m map[string]any
	if json.Unmarshal(input, &m) != nil {
		return ""
	}
	s, _ := m[key].(string)
	return s
}

func bash(command string) call {
	return call{"bash", map[string]any{"command": command}}
}
