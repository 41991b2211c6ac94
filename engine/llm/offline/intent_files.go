package offline

import (
	"fmt"
	"strings"
)

const showVerb = `(?:show|display|print|view|see|get|give)(?: me)?`

var listRules = []rule{
	on(`(?:list|ls|dir|enumerate)(?: me)?(?: out)?(?: <the>(?:files?|contents?|folders?|director(?:y|ies)|documents|everything|workspace|stuff)(?: and <the>(?:folders|directories|files))?)?(?: (?:(?:that|which) (?:are|is|exist) )?(?:in|inside|under|of|from|at|within) <the>(?:(?:directory|folder|path) )?<path>(?: (?:directory|folder))?| (here))?`, buildList),
	on(`(?:ls|dir|list) <the><path>(?: (?:directory|folder|files))?`, buildList),
	on(showVerb+` <the>(?:files|contents?|directory listing|file list|file tree|tree|workspace|folders?)(?: (?:in|inside|under|of|from|at) <the>(?:(?:directory|folder) )?<path>(?: (?:directory|folder))?| (here))?`, buildList),
	on(`(?:what|which)(?:'s| is| are)?(?: <the>)? ?(?:files?|contents?)?(?: do (?:i|you|we) have| are there| exist)?(?: is| are)? ?(?:in|inside|under|at) <the>(directory|folder|workspace|here|[\w./-]*/)(?: (?:directory|folder))?`, buildList),
	on(`(?:what|which) files (?:do (?:i|you|we) have|are (?:there|here)|exist)(?: (here))?`, buildList),
}

// fileName tells a file from a directory as well as a name can.
var fileName = late(`(?i)(?:^|/)(?:[^/]+\.\w+|makefile|dockerfile|readme|licen[sc]e|procfile)$`)

func buildList(p *parser, m []string) (step, bool) {
	path := "."
	for _, g := range m[1:] {
		if g != "" {
			path = p.place(g)
		}
	}
	if path == "" || strings.HasPrefix(path, "http") || strings.Contains(strings.ToLower(m[0]), "content") && fileName.MatchString(path) {
		return step{}, false
	}
	st := step{title: "Files in " + code(path), announce: "I list the files in " + code(path) + "."}
	if path == "." {
		st.title, st.announce = "Files", "I list the files in the workspace."
	}
	switch {
	case p.has("list_files"):
		args := map[string]any{}
		if path != "." {
			args["path"] = path
		}
		st.calls = []call{{"list_files", args}}
	case p.has("bash"):
		st.calls = []call{bash("ls -la -- " + shell(path))}
	default:
		return lacking(st.title, "list_files")
	}
	st.render = func(st step) string { return showListing(path, st.results[0]) }
	return st, true
}

var readRules = []rule{
	on(`(?:show|print|read|display|give)(?: me)? <the>(first|top|last) (\d+) lines? (?:of|from|in) <the><file><path>`, buildLines),
	on(`(?:summari[sz]e|outline|tell me about|give me (?:a summary|an outline) of) <the><file><path>`, buildOutline),
	on(`(?:read|cat|type|dump)(?: me)? <the>(?:contents? (?:of|from) <the>|text (?:of|from) <the>)?<file><path>(?: (?:file|aloud|out|back(?: to me)?))?`, buildRead),
	on(`(?:`+showVerb+`|open|look at|check|what(?:'s| is| does)(?: in| inside)?|output) <the>(?:contents? (?:of|from) <the>|text (?:of|from) <the>)?<file><path>(?: (?:file|contents?|say|contain))?`, func(p *parser, m []string) (step, bool) {
		if !p.isPath(m[len(m)-1]) || sumOf(p.value(m[len(m)-1])) != "" {
			return step{}, false
		}
		return buildRead(p, m)
	}),
}

func (p *parser) reading(path string, args map[string]any) (call, bool) {
	if p.has("read_file") {
		a := map[string]any{"path": path}
		for k, v := range args {
			a[k] = v
		}
		return call{"read_file", a}, true
	}
	if p.has("bash") {
		return bash("cat -- " + shell(path)), true
	}
	return call{}, false
}

func buildRead(p *parser, m []string) (step, bool) {
	path := p.place(m[len(m)-1])
	if path == "" || path == "." {
		return step{}, false
	}
	c, ok := p.reading(path, nil)
	if !ok {
		return lacking("Read "+code(path), "read_file")
	}
	return step{title: "Read " + code(path), announce: "I read " + code(path) + ".", calls: []call{c}, path: path,
		render: func(st step) string {
			r := st.results[0]
			if r.failed || r.exit != 0 {
				return failure("Reading "+code(path), r)
			}
			if r.text == "" {
				return code(path) + " is empty."
			}
			return fmt.Sprintf("This is %s (%s):\n\n%s", code(path), count(strings.Count(r.text, "\n")+1, "line"), fence(language(path), r.text))
		}}, true
}

func buildLines(p *parser, m []string) (step, bool) {
	path, n := p.place(m[3]), m[2]
	if len(n) > 6 || path == "" {
		return step{}, false
	}
	st := step{title: "Read " + code(path), announce: "I read that part of " + code(path) + ".", path: path}
	switch {
	case !strings.EqualFold(m[1], "last") && p.has("read_file"):
		limit := 0
		_, _ = fmt.Sscan(n, &limit)
		st.calls = []call{{"read_file", map[string]any{"path": path, "limit": limit}}}
	case p.has("bash"):
		tool := "head"
		if strings.EqualFold(m[1], "last") {
			tool = "tail"
		}
		st.calls = []call{bash(tool + " -n " + n + " -- " + shell(path))}
	default:
		return lacking(st.title, "bash")
	}
	st.render = func(st step) string {
		if st.failed() {
			return failure("Reading "+code(path), st.results[0])
		}
		return "The " + strings.ToLower(m[1]) + " " + n + " lines of " + code(path) + ":\n\n" + fence(language(path), st.results[0].text)
	}
	return st, true
}

// buildOutline is what can be said of a text without understanding it: its size, its headings, its beginning.
func buildOutline(p *parser, m []string) (step, bool) {
	if !p.isPath(m[1]) {
		return step{}, false
	}
	st, ok := buildRead(p, m)
	if len(st.calls) == 0 {
		return st, ok
	}
	path := st.path
	st.title = "Outline of " + code(path)
	st.render = func(st step) string {
		r := st.results[0]
		if r.failed || r.exit != 0 {
			return failure("Reading "+code(path), r)
		}
		lines := strings.Split(r.text, "\n")
		var heads []string
		for _, l := range lines {
			if strings.HasPrefix(l, "#") && len(heads) < 30 {
				heads = append(heads, "- "+strings.TrimSpace(strings.TrimLeft(l, "#")))
			}
		}
		out := fmt.Sprintf("I cannot summarise meaning, but this is the outline of %s: %s, %s, %d characters.\n\n",
			code(path), count(len(lines), "line"), count(len(strings.Fields(r.text)), "word"), len([]rune(r.text)))
		if len(heads) > 0 {
			out += "Headings:\n\n" + strings.Join(heads, "\n") + "\n\n"
		}
		return out + "It begins:\n\n" + fence(language(path), strings.Join(lines[:min(len(lines), 8)], "\n"))
	}
	return st, ok
}
