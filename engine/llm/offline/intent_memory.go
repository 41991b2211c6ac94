package offline

import (
	"fmt"
	"strings"
)

const rememberVerb = `(?:remember|memori[sz]e|note|take note|make a note|keep in mind|don't forget|do not forget|save (?:in|to) (?:your )?memory|note down)`

var memoryRules = []rule{
	on(`(?:what|tell me what|show me what)(?: do| can| did)? you (?:remember|recall|know|have (?:remembered|memori[sz]ed))(?: about| of)?(?: <rest>)?`, recall),
	on(`do you (?:remember|recall|know)(?: anything about| what i (?:said|told you) about)? <rest>`, recall),
	on(`what (?:did|have) i (?:tell|told|say|said)(?: to)? you(?: to remember)?(?: about <rest>)?`, recall),
	on(`(?:recall|look up in (?:your )?memory|search (?:your )?memory(?: for)?)(?: (?:everything|what you know))?(?: about| on)?(?: <rest>)?`, recall),
	on(`(?:list|show|print|open|what(?:'s| is| are)(?: in)?)(?: me)?(?: all)?(?: of)? (?:your|my|the) (?:memor(?:y|ies)|notes in memory)`, func(p *parser, m []string) (step, bool) { return recall(p, []string{"", ""}) }),
	on(`what(?:'s| is| was| are) my <rest>`, func(p *parser, m []string) (step, bool) {
		if !p.has("recall") || p.isPath(m[1]) {
			return step{}, false
		}
		return recall(p, m)
	}),
	on(`this is the reminder that you were asked for\. pass it on: <rest>`, func(_ *parser, m []string) (step, bool) {
		return step{title: "Reminder", say: "You asked to be reminded: " + m[1]}, true
	}),
	on(`remind me (?:to|at|in|about|every|tomorrow) ?<rest>|(?:schedule|every (?:day|morning|hour|week|monday|weekday)) <rest>`, func(p *parser, m []string) (step, bool) {
		return step{title: "Schedule", say: "I cannot set reminders or schedules by a message. Make one under Automations: it takes a sentence like this one, shows you when it would run, and sends me the request then. " +
			"What I can do now is remember a fact: " + code("remember that the report is due on Friday") + "."}, true
	}),
	on(rememberVerb+`(?: this)?(?: that)?:? ?(?:that )?<rest>`, remember),
}

// fact cuts "K is V". The first verb counts, so that values may hold one too.
var fact = late(`(?is)^(.{1,60}?)(?:\s+(?:is|are|was|equals|means|will be)\s+|\s*(?::|=)\s*)(.+)$`)

var preference = late(`(?i)^i (?:really )?(?:like|love|prefer|hate|dislike|want|always|never)\b`)

var article = late(`(?i)^(?:that|the|my|our|your|a|an)\s+`)

var notKey = late(`[^\p{L}\p{N}]+`)

func key(s string) string {
	s = article.ReplaceAllString(strings.TrimSpace(s), "")
	k := strings.Trim(notKey.ReplaceAllString(strings.ToLower(s), "_"), "_")
	if r := []rune(k); len(r) > 48 {
		k = strings.Trim(string(r[:48]), "_")
	}
	return k
}

func remember(p *parser, m []string) (step, bool) {
	text := p.value(m[len(m)-1])
	if notFact.MatchString(text) && !fact.MatchString(text) {
		text = strings.TrimPrefix(text, "to ")
	}
	args := map[string]any{"value": text}
	if f := fact.FindStringSubmatch(text); len(f) > 2 && len(strings.Fields(f[1])) <= 7 {
		args["key"], args["value"] = key(f[1]), strings.TrimSpace(f[2])
	} else {
		words := strings.Fields(text)
		args["key"] = key(strings.Join(words[:min(len(words), 6)], " "))
	}
	if preference.MatchString(text) {
		args["category"] = "user_pref"
	}
	if args["key"] == "" {
		return step{}, false
	}
	if !p.has("remember") {
		return lacking("Remember", "remember")
	}
	return step{title: "Remember", announce: "I write that down.", calls: []call{{"remember", args}}, render: func(st step) string {
		if st.failed() {
			return failure("Remembering that", st.results[0])
		}
		return fmt.Sprintf("I will remember that **%s** is **%s**. Ask me with %s.", cell(strings.ReplaceAll(fmt.Sprint(args["key"]), "_", " ")), cell(fmt.Sprint(args["value"])),
			code("what do you remember about "+strings.ReplaceAll(fmt.Sprint(args["key"]), "_", " ")+"?"))
	}}, true
}

var nothingMeant = late(`(?i)^(?:me|us|everything|anything|all|it|this|that|so far|today|from before|)$`)

func recall(p *parser, m []string) (step, bool) {
	query := ""
	if len(m) > 1 {
		query = strings.TrimSpace(article.ReplaceAllString(p.value(m[1]), ""))
	}
	if nothingMeant.MatchString(query) {
		query = ""
	}
	if !p.has("recall") {
		return lacking("Recall", "recall")
	}
	args, about := map[string]any{}, ""
	if query != "" {
		args["query"], about = query, " about "+code(query)
	}
	return step{title: "Recall" + about, announce: "I look into my memory.", calls: []call{{"recall", args}}, render: func(st step) string {
		r := st.results[0]
		low := strings.ToLower(r.text)
		switch {
		case st.failed():
			return failure("Recalling", r)
		case r.text == "" || r.text == "[]" || strings.HasPrefix(low, "no ") || strings.HasPrefix(low, "nothing") || strings.HasPrefix(low, "(no"):
			return "I remember nothing" + about + ". Tell me with " + code("remember that my editor is vim") + "."
		}
		return "This is what I remember" + about + ":\n\n" + memories(r.text)
	}}, true
}

var memoryLine = late(`^(?:[-*] )?(?:\*\*|` + "`" + `)?([\p{L}\p{N}_ .-]{1,60}?)(?:\*\*|` + "`" + `)?(?:\s*\(([^)]{1,40})\))?\s*[:=]\s*(.+)$`)

// memories makes a table of "key: value" lines; another form is shown as it came.
func memories(text string) string {
	var rows [][]string
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, l := range lines {
		if m := memoryLine.FindStringSubmatch(l); m != nil {
			rows = append(rows, []string{strings.ReplaceAll(m[1], "_", " "), m[3]})
		}
	}
	if len(rows) == len(lines) {
		return table([]string{"What", "Value"}, rows)
	}
	return fence("", text)
}

var notFact = late(`(?i)^(?:to |me\b|when |the alamo)`)
