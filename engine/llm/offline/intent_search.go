package offline

import (
	"fmt"
	"regexp"
	"strings"
)

var searchRules = []rule{
	on(`(?:search|look|google|browse) (?:the )?(?:web|internet|online)(?: for)? <rest>`, func(p *parser, m []string) (step, bool) {
		return step{title: "Search the web", say: "I have no web search. I can fetch a page when you give me its address: " + code("fetch https://example.com") + "."}, true
	}),
	on(`(?:find|locate|search for|look for|list) <the>files? (?:named|called|matching|ending (?:in|with)|like) <path>(?: (?:in|inside|under) <the>(?:(?:directory|folder) )?<path>)?`, buildFind),
	on(`where is <the><file><path>`, func(p *parser, m []string) (step, bool) {
		if !p.isPath(m[1]) {
			return step{}, false
		}
		return buildFind(p, append(m, ""))
	}),
	on(`(?:search|grep|find|look|scan)(?: through)? (?:in |inside )?<the>(?:files?|workspace|code|directory|folder|project)(?: in <path>)? for (?:<the>(?:word|text|string|pattern|phrase|term) )?<rest>`, func(p *parser, m []string) (step, bool) {
		return p.search(m[2], m[1])
	}),
	on(`(?:search|grep|find|look|scan) (?:in |inside |through )?<path> for (?:<the>(?:word|text|string|pattern|phrase|term) )?<rest>`, func(p *parser, m []string) (step, bool) {
		return p.search(m[2], m[1])
	}),
	on(`(?:search|grep|find|look|scan)(?: for| up)? (?:all |every )?(?:(?:occurrences?|mentions?|uses|usages?|references?) of )?(?:<the>(?:word|text|string|pattern|phrase|term) )?<rest> (?:in|inside|under|within|across|through) <the>(?:(?:directory|folder|file) )?<path>(?: (?:directory|folder|files?))?`, func(p *parser, m []string) (step, bool) {
		return p.search(m[1], m[2])
	}),
	on(`(?:search for|grep(?: for)?|search|look for|find)(?: all| every)? ?(?:(?:occurrences?|mentions?|uses|usages?|references?) of )?(?:<the>(?:word|text|string|pattern|phrase|term) )?<rest>`, func(p *parser, m []string) (step, bool) {
		return p.search(m[1], "")
	}),
	on(`where is <rest> (?:used|mentioned|defined|found|written)`, func(p *parser, m []string) (step, bool) { return p.search(m[1], "") }),
	on(`which files? (?:contain|mention|use|have) <rest>`, func(p *parser, m []string) (step, bool) { return p.search(m[1], "") }),
}

func buildFind(p *parser, m []string) (step, bool) {
	name, dir := p.value(m[1]), "."
	if len(m) > 2 && m[2] != "" {
		dir = p.place(m[2])
	}
	title := "Find files named " + code(name)
	if !p.has("bash") {
		return lacking(title, "bash")
	}
	glob := name
	if strings.HasPrefix(glob, ".") {
		glob = "*" + glob
	}
	return step{title: title, announce: "I look for " + code(name) + ".",
		calls: []call{bash("find " + shell(dir) + " -name " + shell(glob) + " -not -path '*/.git/*' | head -100")},
		render: func(st step) string {
			r := st.results[0]
			switch {
			case st.failed():
				return failure(title, r)
			case r.text == "":
				return "There is no file named " + code(name) + " here."
			}
			return fmt.Sprintf("I found %s:\n\n%s", count(strings.Count(r.text, "\n")+1, "match"), fence("", r.text))
		}}, true
}

func (p *parser) search(what, where string) (step, bool) {
	pattern := p.value(what)
	low := strings.ToLower(pattern)
	if pattern == "" || len(pattern) > 300 || strings.HasPrefix(low, "out ") || strings.Contains(pattern, "\n") {
		return step{}, false
	}
	title := "Search for " + code(pattern)
	// The tool takes a regular expression; people mean the text, unless they write /…/.
	args := map[string]any{"pattern": regexp.QuoteMeta(pattern)}
	if len(pattern) > 2 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/") {
		args["pattern"] = pattern[1 : len(pattern)-1]
	}
	dir := p.place(where)
	if where != "" && dir != "." && dir != "" {
		title += " in " + code(dir)
		if strings.Contains(dir, "*") {
			args["glob"] = dir
		} else {
			args["path"] = dir
		}
	} else {
		dir = "."
	}
	st := step{title: title, announce: title + "."}
	switch {
	case p.has("search_files"):
		st.calls = []call{{"search_files", args}}
	case p.has("bash"):
		st.calls = []call{bash("grep -rnIF -- " + shell(pattern) + " " + shell(dir) + " | head -100")}
	default:
		return lacking(title, "search_files")
	}
	st.render = func(st step) string {
		r := st.results[0]
		low := strings.ToLower(r.text)
		none := r.text == "" || strings.HasPrefix(low, "no match") || strings.HasPrefix(low, "no results") || strings.HasPrefix(low, "(no ")
		switch {
		case r.exit > 1 || r.failed && r.exit == 0:
			return failure(title, r)
		case none || r.exit == 1:
			return "Nothing matches " + code(pattern) + "."
		}
		return fmt.Sprintf("%s of the result for %s:\n\n%s", count(strings.Count(r.text, "\n")+1, "line"), code(pattern), fence("", r.text))
	}
	st.optional = true
	return st, true
}
