package offline

import (
	"strings"
)

const machine = `(?:server|machine|sandbox|computer|host|system|box|vm|container|environment)`

var serverRules = []rule{
	on(`(?:what|which)(?:'s| is| are| processes are| programs are| services are|processes|programs)*(?: <the>(?:processes|programs|services))?(?: currently)? running(?: (?:on|in|at) <the>`+machine+`| here| right now)*`, buildRunning),
	on(`(?:list|show)(?: me)? <the>(?:running )?(?:processes|services|programs)(?: (?:that are )?(?:running )?(?:on|in) <the>`+machine+`)?`, buildRunning),
	on(`(?:describe|inspect|examine|explore|analy[sz]e|check|profile|show(?: me)?|tell me about|look around(?: on| in)?|what can you (?:tell|say)(?: me)? about|give me (?:an overview|a description|a summary|details|info(?:rmation)?) (?:of|about|on)) <the>`+machine+`(?: (?:you(?:'re| are) (?:on|in|running on)|info(?:rmation)?|status|health))?`, buildDescribe),
	on(`(?:what|which)(?: kind of| type of| sort of)? `+machine+` (?:is (?:this|it)|are you (?:on|in|running on))`, buildDescribe),
	on(`where (?:are you running|do you run|am i)|system (?:info(?:rmation)?|status)|server (?:info(?:rmation)?|status)`, buildDescribe),
	on(`(?:how much|what(?:'s| is)|show(?: me)?|check) <the>(?:free |available |used )?(memory|ram|disk|disk space|space|storage)(?: (?:usage|space))?(?: (?:is|do (?:i|we|you) have))?(?: (?:free|available|used|left))?(?: (?:on|in) <the>`+machine+`)?`, buildOne),
	on(`(?:what(?:'s| is)|tell me|show(?: me)?|give me) <the>(time|date|day|current time|current date|time and date|date and time)(?: (?:is it|today|now))?|what (time|day|date) is it(?: today| now)?`, func(p *parser, m []string) (step, bool) {
		if !p.has("bash") {
			return lacking("The time", "bash")
		}
		return step{title: "The time", announce: "I ask the sandbox's clock.", calls: []call{bash("date")}, render: func(st step) string {
			if st.failed() {
				return failure("Asking for the time", st.results[0])
			}
			return "By the sandbox's clock it is **" + strings.TrimSpace(st.results[0].text) + "**."
		}}, true
	}),
}

// The commands say what they know and never fail: a small sandbox has neither ps nor free.
const (
	askSystem = `echo "System: $(uname -sr 2>/dev/null || echo unknown)"; echo "Machine: $(uname -m 2>/dev/null || echo unknown)"; ` +
		`echo "Distribution: $( (. /etc/os-release; echo "$PRETTY_NAME") 2>/dev/null || echo unknown)"; ` +
		`echo "Host name: $(hostname 2>/dev/null || cat /proc/sys/kernel/hostname 2>/dev/null || echo unknown)"; ` +
		`echo "Processors: $(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo 2>/dev/null || echo unknown)"; ` +
		`echo "User: $(id -un 2>/dev/null || id -u 2>/dev/null || echo unknown)"; echo "Directory: $(pwd)"; ` +
		`echo "Up since (seconds): $(cut -d. -f1 /proc/uptime 2>/dev/null || echo unknown)"; ` +
		`for t in git python3 node go gcc curl; do command -v $t >/dev/null 2>&1 && found="$found $t"; done; echo "Tools:${found:- none of git, python3, node, go, gcc, curl}"`
	askMemory = `free -m 2>/dev/null || grep -E '^(MemTotal|MemFree|MemAvailable|SwapTotal):' /proc/meminfo 2>/dev/null || echo "memory is not visible here"`
	askDisk   = `df -h . 2>/dev/null || echo "disk space is not visible here"`
	askProcs  = `ps -eo pid,user,pcpu,pmem,comm --sort=-pcpu 2>/dev/null | head -16 || true; ` +
		`command -v ps >/dev/null 2>&1 || for d in /proc/[0-9]*; do echo "${d#/proc/} $(cat $d/comm 2>/dev/null)"; done | head -30`
	askPorts = `ss -ltnH 2>/dev/null || netstat -ltn 2>/dev/null || echo "open ports are not visible here"`
)

// asks is a step that asks one question a command; each has a heading of its own in the answer.
func (p *parser) asks(title, announce string, heads []string, commands ...string) (step, bool) {
	if !p.has("bash") {
		return lacking(title, "bash")
	}
	st := step{title: title, announce: announce, optional: true}
	for _, c := range commands {
		st.calls = append(st.calls, bash(c))
	}
	st.render = func(st step) string {
		var parts []string
		for i, r := range st.results {
			parts = append(parts, "**"+heads[i]+"**\n\n"+showAsked(heads[i], r))
		}
		return "This is what the commands reported:\n\n" + strings.Join(parts, "\n\n")
	}
	return st, true
}

var pair = late(`^([A-Z][\w() ]+): ?(.*)$`)

// showAsked makes a table of "Name: value" lines and of columns, and shows the rest as it is.
func showAsked(head string, r result) string {
	if r.failed {
		return failure("The command", r)
	}
	lines := strings.Split(strings.TrimSpace(r.text), "\n")
	var rows [][]string
	for _, l := range lines {
		if m := pair.FindStringSubmatch(l); m != nil {
			rows = append(rows, []string{m[1], m[2]})
		}
	}
	if len(rows) > 1 && len(rows) == len(lines) {
		return table([]string{"What", "Value"}, rows)
	}
	if cols := strings.Fields(lines[0]); head == "Memory (MB)" && len(cols) == 6 {
		rows = nil
		for _, l := range lines[1:] {
			if f := strings.Fields(l); len(f) > 1 {
				rows = append(rows, append(f, make([]string, max(0, 7-len(f)))...)[:7])
			}
		}
		return table(append([]string{""}, cols...), rows)
	}
	if cols := strings.Fields(lines[0]); head == "Processes" && len(cols) == 5 && len(lines) > 1 {
		rows = nil
		for _, l := range lines[1:] {
			f := strings.Fields(l)
			if len(f) >= 5 {
				rows = append(rows, []string{f[0], f[1], f[2], f[3], code(strings.Join(f[4:], " "))})
			}
		}
		return table(cols, rows)
	}
	return fence("", r.text)
}

func buildDescribe(p *parser, _ []string) (step, bool) {
	return p.asks("Describe this server", "I look at the system, the memory, the disk and the processes.",
		[]string{"System", "Memory (MB)", "Disk", "Processes"}, askSystem, askMemory, askDisk, askProcs)
}

func buildRunning(p *parser, _ []string) (step, bool) {
	return p.asks("What is running", "I look at the processes and the open ports.", []string{"Processes", "Listening ports"}, askProcs, askPorts)
}

func buildOne(p *parser, m []string) (step, bool) {
	if w := strings.ToLower(m[1]); w == "memory" || w == "ram" {
		return p.asks("Memory", "I look at the memory.", []string{"Memory (MB)"}, askMemory)
	}
	return p.asks("Disk", "I look at the disk.", []string{"Disk"}, askDisk)
}
