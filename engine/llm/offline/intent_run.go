package offline

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const runVerb = `(?:run|execute|exec|do|try|start|launch|invoke|type|use)`

var runRules = []rule{
	on(`(?:[$!] ?|bash:? |sh:? |shell:? )([^\n]+)`, func(p *parser, m []string) (step, bool) { return p.commands([]string{p.value(m[1])}, 0) }),
	on(`(?:`+runVerb+`(?: (?:the|this|these|following|shell|bash|command|commands|script|in order|in a shell|in the terminal|for me|each of|one after another))*:? ?)?((?:[\s,;&]|\band\b|\bthen\b|[\x{E000}-\x{F8FF}])*[\x{E000}-\x{F8FF}])(?: (?:with|and) (?:a )?time-?out (?:of )?(\d+) ?(?:s|sec|seconds?))?(?: (?:in (?:the|a) (?:shell|terminal|sandbox)|and (?:show|tell|give)(?: me)? (?:the |its )?(?:output|result|what it (?:prints|says))))?`, func(p *parser, m []string) (step, bool) {
		var lines []string
		for _, c := range p.codes(m[1]) {
			switch {
			case c.kind == 'c':
				lines = append(lines, c.text)
			case c.lang == "" || c.lang == "bash" || c.lang == "sh" || c.lang == "shell" || c.lang == "console":
				lines = append(lines, strings.TrimSpace(c.text))
			case c.lang == "python" || c.lang == "py":
				lines = append(lines, "python3 - <<'LOBSTEAD_END'\n"+c.text+"\nLOBSTEAD_END")
			}
		}
		limit, _ := strconv.Atoi(m[2])
		if len(lines) == 0 || utf8.RuneCountInString(m[0]) == 1 && !looksLikeCommand(lines[0]) && len(p.codes(m[1])) == 1 && p.codes(m[1])[0].kind == 'c' {
			return step{}, false
		}
		return p.commands(lines, limit)
	}),
	on(runVerb+` <the><file>(it|that|[\w./-]+\.(?:py|sh|js|go|rb|pl))(?: (?:script|program))?`, func(p *parser, m []string) (step, bool) {
		return p.program(p.place(m[1]))
	}),
	on(runVerb+` <the>(?:file|script|program|it)`, func(p *parser, m []string) (step, bool) { return p.program(p.path) }),
	on(`(?:run|execute|exec) (?:the )?(?:command )?([^\n]+)`, func(p *parser, m []string) (step, bool) {
		line := p.value(m[1])
		if !looksLikeCommand(line) {
			return step{}, false
		}
		return p.commands([]string{line}, 0)
	}),
	on(`([^\n]+)`, func(p *parser, m []string) (step, bool) { // a bare command line
		if line := p.value(m[1]); bareCommand.MatchString(line) {
			return p.commands([]string{line}, 0)
		}
		return step{}, false
	}),
	on(`(?:count|how many) <the>(lines|words)(?: are)?(?: there)? (?:in|of) <the><file><path>`, func(p *parser, m []string) (step, bool) {
		flag := "-l"
		if strings.EqualFold(m[1], "words") {
			flag = "-w"
		}
		return p.commands([]string{"wc " + flag + " -- " + shell(p.place(m[2]))}, 0)
	}),
}

// programs whose name at the beginning makes a line a command.
const programs = `ls|cat|echo|printf|pwd|whoami|id|date|uname|hostname|uptime|df|du|free|ps|top|env|which|git|go|python3?|pip3?|node|npm|npx|make|cargo|gcc|curl|wget|grep|head|tail|wc|sort|find|sed|awk|tar|zip|unzip|chmod|sleep|true|false|ss|netstat|tree|nproc|lscpu|bash|sh|test|touch|mkdir|cp|mv|rm|diff|seq|sqlite3|jq|docker`

var (
	commandLine = late(`^(?:sudo |time )?(?:` + programs + `)(?:\s|$)|^\./`)
	// Without "run" and without backticks only what cannot be an English sentence: an option, a pipe, a path, or one word.
	bareCommand = late(`^(?:ls|pwd|whoami|id|date|uname|hostname|uptime|df|free|ps|env|nproc)$|^(?:` + programs + `)\s+(?:\S+\s+)*(?:-[\w-]+|\||>|&&|\./\S*)(?:\s.*)?$|^(?:git (?:status|log|diff|branch)|go (?:version|test|build|run|vet)|npm (?:test|install|run)|make \w+|python3? \S+\.py|node \S+\.js|echo \S.*)(?:\s.*)?$`)
)

func looksLikeCommand(s string) bool {
	return commandLine.MatchString(s) || strings.ContainsAny(s, "|>&;$")
}

var interpreters = map[string]string{"py": "python3", "sh": "sh", "js": "node", "go": "go run", "rb": "ruby", "pl": "perl"}

func (p *parser) program(path string) (step, bool) {
	run, ok := interpreters[path[strings.LastIndexByte(path, '.')+1:]]
	if !ok {
		return step{}, false
	}
	st, ok := p.commands([]string{run + " " + shellWord(path)}, 0)
	st.path = path
	return st, ok
}

var plainWord = late(`^[\w./-]+$`)

func shellWord(s string) string {
	if plainWord.MatchString(s) && !strings.HasPrefix(s, "-") {
		return s
	}
	return shell(s)
}

func (p *parser) commands(lines []string, limit int) (step, bool) {
	title := "Run " + code(lines[0])
	if len(lines) > 1 {
		title = "Run " + count(len(lines), "command")
	}
	if !p.has("bash") {
		return lacking(title, "bash")
	}
	st := step{title: title, announce: "I run " + code(lines[0]) + "."}
	if len(lines) > 1 {
		st.announce = fmt.Sprintf("I run %d commands, in order.", len(lines))
	}
	for _, l := range lines {
		c := bash(l)
		if limit > 0 {
			c.args["timeout_seconds"] = limit
		}
		st.calls = append(st.calls, c)
	}
	st.render = showRuns
	return st, true
}

func showRuns(st step) string {
	var parts []string
	for i, r := range st.results {
		line := code(st.calls[i].str("command"))
		switch {
		case r.failed && r.exit == 0:
			parts = append(parts, failure(line, r))
		case r.exit != 0:
			parts = append(parts, fmt.Sprintf("%s ended with exit code **%d**:\n\n%s", line, r.exit, fence("", r.text)))
		case r.text == "":
			parts = append(parts, line+" succeeded and printed nothing.")
		default:
			parts = append(parts, line+" printed:\n\n"+fence("", r.text))
		}
	}
	return strings.Join(parts, "\n\n")
}
