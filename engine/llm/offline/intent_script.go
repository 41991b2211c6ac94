package offline

import (
	"fmt"
	"strconv"
	"strings"
)

const tongues = `(python|py|python3|bash|shell|sh|go|golang|javascript|js|node)`

var scriptRules = []rule{
	on(`(?:write|create|make|generate)(?: me)? <the>(?:(?:small|short|simple|little|tiny|quick) )*(?:script|program)(?: in `+tongues+`)?(?: (?:called|named) <path>)?(?: in `+tongues+`)? (?:that|which|to) <rest>`, buildScript(3, 2)),
	on(`(?:write|create|make|generate)(?: me)? <the>(?:(?:small|short|simple|little|tiny|quick) )*`+tongues+` (?:script|program)(?: (?:called|named) <path>)? (?:that|which|to) <rest>`, buildScript(0, 2)),
	on(`(?:write|create|make|generate)(?: me)? <the>(?:(?:small|short|simple|little|tiny|quick) )*(?:hello,? world)(?: (?:script|program|example))?(?: in `+tongues+`)?(?: (?:called|named) <path>)?`, func(p *parser, m []string) (step, bool) {
		return p.script(m[1], m[2], "prints Hello, world!")
	}),
}

func buildScript(second, name int) func(*parser, []string) (step, bool) {
	return func(p *parser, m []string) (step, bool) {
		lang := m[1]
		if second > 0 && lang == "" {
			lang = m[second]
		}
		return p.script(lang, m[name], m[len(m)-1])
	}
}

// tongue is how a language prints and counts.
type tongue struct {
	file  string
	print func(text string) string
	count func(from, to int) string
	date  string
}

var python = tongue{"script.py",
	func(s string) string { return "print(" + strconv.Quote(s) + ")\n" },
	func(a, b int) string { return fmt.Sprintf("for n in range(%d, %d):\n    print(n)\n", a, b+1) },
	"import datetime\n\nprint(datetime.datetime.now())\n"}

var sh = tongue{"script.sh",
	func(s string) string { return "#!/bin/sh\nprintf '%s\\n' " + shell(s) + "\n" },
	func(a, b int) string {
		return fmt.Sprintf("#!/bin/sh\nn=%d\nwhile [ \"$n\" -le %d ]; do\n\techo \"$n\"\n\tn=$((n + 1))\ndone\n", a, b)
	},
	"#!/bin/sh\ndate\n"}

var golang = tongue{"main.go",
	func(s string) string {
		return "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(" + strconv.Quote(s) + ")\n}\n"
	},
	func(a, b int) string {
		return fmt.Sprintf("package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfor n := %d; n <= %d; n++ {\n\t\tfmt.Println(n)\n\t}\n}\n", a, b)
	},
	"package main\n\nimport (\n\t\"fmt\"\n\t\"time\"\n)\n\nfunc main() {\n\tfmt.Println(time.Now())\n}\n"}

var javascript = tongue{"script.js",
	func(s string) string { return "console.log(" + strconv.Quote(s) + ");\n" },
	func(a, b int) string { return fmt.Sprintf("for (let n = %d; n <= %d; n++) console.log(n);\n", a, b) },
	"console.log(new Date().toString());\n"}

var byName = map[string]tongue{"": python, "python": python, "py": python, "python3": python, "bash": sh, "shell": sh, "sh": sh, "go": golang, "golang": golang,
	"javascript": javascript, "js": javascript, "node": javascript}

var (
	counting = late(`(?i)^(?:prints?|outputs?|shows?|lists?|counts?|writes?)(?: out)?(?: (?:all )?(?:the )?numbers?)? ?(?:from )?(-?\d{1,6}) (?:to|through|until|up to) (-?\d{1,6})$`)
	dating   = late(`(?i)^(?:prints?|outputs?|shows?|tells?(?: me)?) (?:the )?(?:current |today's )?(?:date|time|date and time)$`)
	printing = late(`(?is)^(?:prints?|outputs?|says?|echo(?:es)?|displays?|writes?)(?: out)?(?: the (?:text|words?|message|line|string))?:? (.+)$`)
	// What "prints X" means literally is honest only for a literal: a quoted text or a few plain words.
	computed = late(`(?i)^(?:the|all|each|every|a list|my|its|whether|how|what|if|numbers|primes?|fibonacci|factorials?|random)\b`)
)

// script writes a program only where its meaning is certain; for the rest it says so.
func (p *parser) script(lang, name, what string) (step, bool) {
	t := byName[strings.ToLower(lang)]
	what = strings.TrimSpace(what)
	var source string
	if m := counting.FindStringSubmatch(what); m != nil {
		a, _ := strconv.Atoi(m[1])
		b, _ := strconv.Atoi(m[2])
		source = t.count(a, b)
	} else if dating.MatchString(what) {
		source = t.date
	} else if m := printing.FindStringSubmatch(what); m != nil {
		text := p.value(m[1])
		if _, quoted := p.span(m[1]); quoted || !computed.MatchString(text) && len(strings.Fields(text)) <= 8 {
			source = t.print(text)
		}
	}
	if source == "" {
		return step{title: "Write a program", say: "I cannot program: I am the built-in offline model. I can write a script that prints a fixed text, counts from one number to another, or prints the date. " +
			"For " + code(p.value(what)) + " connect a real provider, or give me the source in a code block with a file name, and I write and run it."}, true
	}
	path := t.file
	if name != "" {
		path = p.place(name)
	}
	return p.writing(path, source)
}
