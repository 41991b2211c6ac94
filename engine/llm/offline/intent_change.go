package offline

import (
	"fmt"
	"strings"
)

const (
	makeVerb = `(?:write|create|make|save|generate|add|put|start|touch|new)(?: me| us)?`
	withWord = `(?:,? ?(?:with|containing|contains|that (?:contains|says|reads|has)|which (?:contains|says)|saying|reading|having)(?: <the>(?:contents?|text|words?|lines?|body|following)(?: <the>(?:contents?|text))?)?(?: (?:in it|of))?:?|:)`
)

var changeRules = []rule{
	on(`(?:create|make|add|new)(?: me)? <the>(?:new )?(?:directory|folder)(?: (?:named|called))? <path>`, shellRule("Create the directory %s", "mkdir -p -- %s")),
	on(`mkdir(?: -p)? <path>`, shellRule("Create the directory %s", "mkdir -p -- %s")),
	on(`(?:delete|remove|rm|erase) <the>(?:directory|folder) <path>`, shellRule("Delete the directory %s", "rm -r -- %s")),
	on(`(?:delete|remove|rm|erase) <the><file><path>`, func(p *parser, m []string) (step, bool) {
		if !p.isPath(m[1]) {
			return step{}, false
		}
		return shellRule("Delete %s", "rm -- %s")(p, m)
	}),
	on(`(?:copy|cp) <the><file><path> (?:to|into|as) <path>`, shellRule("Copy %s to %s", "cp -r -- %s %s")),
	on(`(?:move|rename|mv) <the><file><path> (?:to|into|as) <path>`, shellRule("Move %s to %s", "mv -- %s %s")),

	on(`(?:in )?<the><file><path>[:,]? (?:please )?(?:replace|change|substitute|swap|rename) (all |every |each |all occurrences of |every occurrence of )?<rest> (?:with|by|to|for|into|->|=>|→) <rest>`, edit(1, 2, 3, 4)),
	on(`(?:edit|change|update|modify|patch|fix)(?: in)? <the><file><path>(?:[:,]| so that| by| and| to)* ?(?:replac(?:e|ing)|chang(?:e|ing)|substitut(?:e|ing)|swap(?:ping)?) (all |every |each |all occurrences of |every occurrence of )?<rest> (?:with|by|to|for|into|->|=>|→) <rest>`, edit(1, 2, 3, 4)),
	on(`(?:replace|change|substitute|swap) (all |every |each |all occurrences of |every occurrence of )?<rest> (?:with|by|to|into|->|=>|→) <rest> (?:in|inside|within) <the><file><path>(?: everywhere)?`, edit(4, 1, 2, 3)),

	on(`append <rest> (?:to|into|at the end of) <the><file><path>`, appendTo(1, 2)),
	on(`add (?:the line |the text |a line )?([\x{E000}-\x{F8FF}]) to (?:the end of )?<the><file><path>`, appendTo(1, 2)),
	on(makeVerb+` <the><file><path>`+withWord+` ?<rest>`, write(1, 2)),
	on(`(?:write|save|put|store) (?:down )?<rest> (?:in|into|to|as|on) <the><file><path>`, func(p *parser, m []string) (step, bool) {
		if !p.isPath(m[2]) {
			return step{}, false
		}
		return write(2, 1)(p, m)
	}),
	on(makeVerb+` <the><file><path>(?: (?:file|with nothing(?: in it)?))?(?: ?:? ?([\x{E000}-\x{F8FF}]))?`, func(p *parser, m []string) (step, bool) {
		if !p.isPath(m[1]) {
			return step{}, false
		}
		if m[2] != "" {
			return write(1, 2)(p, m)
		}
		if emptyWanted.MatchString(m[0]) {
			return p.writing(p.place(m[1]), "")
		}
		path := p.place(m[1])
		return step{title: "Write " + code(path), path: path, say: fmt.Sprintf("What should %s contain? For example: %s.", code(path),
			code("write "+path+" with hello world"))}, true
	}),
}

// shellRule does with bash what no tool of its own does.
func shellRule(what, command string) func(*parser, []string) (step, bool) {
	return func(p *parser, m []string) (step, bool) {
		var paths, names []any
		for _, g := range m[1:] {
			path := p.place(g)
			if path == "" || path == "." || path == "/" || path == "~" || strings.ContainsAny(path, "*?") {
				return step{}, false
			}
			paths, names = append(paths, shell(path)), append(names, code(path))
		}
		title := fmt.Sprintf(what, names...)
		if !p.has("bash") {
			return lacking(title, "bash")
		}
		return step{title: title, announce: title + ".", calls: []call{bash(fmt.Sprintf(command, paths...))}, path: p.place(m[len(m)-1]),
			render: func(st step) string {
				if st.failed() {
					return failure(title, st.results[0])
				}
				return "Done: " + strings.ToLower(title[:1]) + title[1:] + "."
			}}, true
	}
}

func write(pathAt, contentAt int) func(*parser, []string) (step, bool) {
	return func(p *parser, m []string) (step, bool) {
		path := p.place(m[pathAt])
		if path == "" || path == "." {
			return step{}, false
		}
		content := m[contentAt]
		if codes := p.codes(content); len(codes) == 1 && codes[0].kind == 'f' {
			return p.writing(path, codes[0].text+"\n") // words around a block introduce it
		}
		text := strings.TrimSpace(p.value(content))
		if _, masked := p.span(content); !masked && contentAt == len(m)-1 && strings.Contains(text, " ") {
			text += p.tail // a sentence keeps its full stop
		}
		return p.writing(path, text+"\n")
	}
}

func (p *parser) writing(path, content string) (step, bool) {
	st := step{title: "Write " + code(path), announce: "I write " + code(path) + ".", path: path}
	switch {
	case p.has("write_file"):
		st.calls = []call{{"write_file", map[string]any{"path": path, "content": content}}}
	case p.has("bash"):
		st.calls = []call{bash("printf %s " + shell(content) + " > " + shell(path))}
	default:
		return lacking(st.title, "write_file")
	}
	st.render = func(st step) string {
		if st.failed() {
			return failure("Writing "+code(path), st.results[0])
		}
		if content == "" {
			return "I created the empty file " + code(path) + "."
		}
		return fmt.Sprintf("I wrote %s (%s, %s):\n\n%s", code(path), count(strings.Count(content, "\n"), "line"), count(len(content), "byte"), fence(language(path), content))
	}
	return st, true
}

func appendTo(contentAt, pathAt int) func(*parser, []string) (step, bool) {
	return func(p *parser, m []string) (step, bool) {
		path, content := p.place(m[pathAt]), strings.TrimSpace(p.value(m[contentAt]))
		if path == "" || !p.isPath(m[pathAt]) {
			return step{}, false
		}
		st := step{title: "Append to " + code(path), announce: "I append to " + code(path) + ".", path: path}
		if !p.has("bash") {
			return lacking(st.title, "bash")
		}
		st.calls = []call{bash("printf '%s\\n' " + shell(content) + " >> " + shell(path))}
		st.render = func(st step) string {
			if st.failed() {
				return failure("Appending to "+code(path), st.results[0])
			}
			return "I appended this to " + code(path) + ":\n\n" + fence("", content)
		}
		return st, true
	}
}

func edit(pathAt, allAt, oldAt, newAt int) func(*parser, []string) (step, bool) {
	return func(p *parser, m []string) (step, bool) {
		path := p.place(m[pathAt])
		if path == "" || !p.isPath(m[pathAt]) {
			return step{}, false
		}
		before, after := strings.TrimSpace(p.value(m[oldAt])), strings.TrimSpace(p.value(m[newAt]))
		all := m[allAt] != "" || everywhere.MatchString(m[0])
		if !p.has("edit_file") {
			return lacking("Edit "+code(path), "edit_file")
		}
		args := map[string]any{"path": path, "old_text": before, "new_text": after}
		if all {
			args["replace_all"] = true
		}
		return step{title: "Edit " + code(path), announce: "I edit " + code(path) + ".", calls: []call{{"edit_file", args}}, path: path,
			render: func(st step) string {
				if st.failed() {
					return failure("Editing "+code(path), st.results[0])
				}
				out := fmt.Sprintf("I replaced %s with %s in %s.", code(before), code(after), code(path))
				if r := st.results[0].text; r != "" {
					out += "\n\n" + fence("", r)
				}
				return out
			}}, true
	}
}

var (
	emptyWanted = late(`(?i)^touch|empty|nothing`)
	everywhere  = late(`(?i) everywhere$`)
)
