// Package policy says what becomes of a tool call: it runs, it waits for a person, or it is refused. It is pure: rules and
// a call go in, a verdict comes out. It asks no database and runs nothing; the turn loop and the simulator both call it.
//
// Rules are asked in order, an instance's own before those of every instance; the first that matches holds. Without one a
// call runs, unless it acts outside of the sandbox in a conversation that has read words of people outside: then it asks.
//
// A pattern is a glob over the whole text: * is any run of characters, spaces and slashes too, ? is one, \ takes the next
// one as it is. The text is what the tool is given:
//
//   - bash: the command. Ask and deny match the whole command or any one of the commands that it is made of, each with its
//     runs of spaces made one. Allow matches only when every one of them does, and nothing is redirected or substituted:
//     "git status*" does not let "git status; rm -rf ." pass.
//   - read_file, write_file, edit_file, list_files, search_files: the path, relative to the workspace, without ".." in it.
//   - fetch_url: the host, in lower case. Redirects are not looked at.
//   - every other tool: its arguments as canonical JSON (keys sorted, no spaces).
//
// A shell can say one thing in many ways, so rules for bash guide an agent; what it cannot do is the sandbox's to say.
package policy

import (
	"cmp"

	"lobstead/models"
)

// Call is a tool call as policy looks at it.
type Call struct {
	InstanceID string
	Tool       string
	Input      []byte // JSON object
	Outward    string // what it does outside of the sandbox, "" = nothing: "sends data to another host"
}

// Verdict is what becomes of a call, and why.
type Verdict struct {
	Do     models.Verdict
	RuleID string // of a stored rule, "" = one of the program's
	Rule   string // its name
	Reason string
	Brief  string // Reason without words of others, for where those may not go; "" = Reason has none
}

// The names of the program's own rules.
const (
	ruleDefault   = "default"
	ruleOutward   = "outward after untrusted content"
	ruleAmbiguous = "ambiguous arguments"
)

// Judge decides. tainted says what untrusted words the conversation has read, "" = none.
func Judge(rules []models.PolicyRule, c Call, tainted string) Verdict {
	args, err := parse(c.Input)
	if err != nil {
		return Verdict{Do: models.Deny, Rule: ruleAmbiguous, Reason: "The arguments cannot be read in one way only: " + err.Error()}
	}
	for n := range rules {
		r := &rules[n]
		if Glob(r.Tool, c.Tool) && matches(r, c.Tool, args) {
			return Verdict{Do: r.Verdict, RuleID: r.ID, Rule: r.Name(), Reason: cmp.Or(r.Reason, "A rule says so")}
		}
	}
	if c.Outward != "" && tainted != "" {
		why := "It " + c.Outward + ", and this conversation has read "
		return Verdict{Do: models.Ask, Rule: ruleOutward, Reason: why + tainted, Brief: why + "what others wrote"}
	}
	return Verdict{Do: models.Allow, Rule: ruleDefault, Reason: "No rule is about it"}
}

func matches(r *models.PolicyRule, tool string, args arguments) bool {
	text := subject(tool, args)
	if tool == "bash" {
		return matchesShell(r, text)
	}
	return Glob(r.Pattern, text)
}

// Glob tells whether a pattern matches the whole of a text.
func Glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0 // where to go back to: after the last *, one further in the text
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && one(p[i:], t[j]):
			i += width(p[i:])
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// one tells whether the first element of a pattern, which is no *, takes a character.
func one(p []rune, r rune) bool {
	if p[0] == '\\' && len(p) > 1 {
		return p[1] == r
	}
	return p[0] == '?' || p[0] == r
}

func width(p []rune) int {
	if p[0] == '\\' && len(p) > 1 {
		return 2
	}
	return 1
}
