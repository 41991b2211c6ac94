package offline

import (
	"fmt"
	"strings"
)

const fetchVerb = `(?:fetch|download|visit|browse|go to|navigate to|crawl|scrape|curl|wget|open|load|read|get|show|check|look at|summari[sz]e)(?: me)?`

var webRules = []rule{
	on(fetchVerb+` <the>(?:(?:web ?page|url|website|site|page|link|address|contents?)(?: (?:of|at|from))? )*(https?://\S+|[\x{E000}-\x{F8FF}])`, fetch),
	on(`(?:what(?:'s| is)(?: on| at)?|tell me about) (https?://\S+)`, fetch),
	on(`(https?://\S+)`, fetch),
	on(`(?:fetch|visit|browse|go to|navigate to|crawl) <the>(?:(?:web ?page|website|site|page) )?((?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?)`, fetch),
}

var address = late(`^(?i:https?)://[^\s]+$`)

func fetch(p *parser, m []string) (step, bool) {
	url := strings.TrimRight(p.value(m[1]), ".,;!?)")
	if !strings.Contains(url, "://") && bareHost.MatchString(url) && strings.HasPrefix(strings.ToLower(m[0]), "f") || strings.Contains(m[0], " "+url) && !strings.Contains(url, "://") {
		url = "https://" + url
	}
	if !address.MatchString(url) {
		return step{}, false
	}
	title := "Fetch " + code(url)
	if !p.has("fetch_url") {
		return lacking(title, "fetch_url")
	}
	return step{title: title, announce: "I fetch " + code(url) + ".", calls: []call{{"fetch_url", map[string]any{"url": url}}}, render: func(st step) string {
		r := st.results[0]
		if st.failed() {
			return failure("Fetching "+code(url), r)
		}
		return fmt.Sprintf("%s answered (%s). It begins:\n\n%s", code(url), count(len(strings.Fields(r.text)), "word"), fence("", clip(r.text, 4000)))
	}}, true
}

// clip shortens at a line end, where there is one.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = strings.ToValidUTF8(s[:most], "")
	if i := strings.LastIndexByte(s, '\n'); i > most/2 {
		s = s[:i]
	}
	return s + "\n…"
}

var bareHost = late(`^(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?$`)
