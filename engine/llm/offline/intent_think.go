package offline

import (
	"fmt"
	"strings"
)

var thinkRules = []rule{
	on(`(?:think|reason|reflect|ponder|meditate|brainstorm)(?: (?:hard|deeply|carefully|step by step|aloud|out loud))*(?: (?:about|on|of|over|through|for))?(?: <rest>)?`, func(p *parser, m []string) (step, bool) {
		topic := strings.TrimSpace(p.value(m[1]))
		if topic == "" {
			topic = "nothing in particular"
		}
		words := strings.Fields(topic)
		t := fmt.Sprintf("The topic has %s: %q.\n", count(len(words), "word"), clip(topic, 200))
		t += "I look whether my grammar knows it as a request.\n"
		advice := "It is not a request that I can carry out, so all I can offer is the honest frame of a plan: write down the goal, list what is known, take the smallest step that can be checked, and check it."
		if len(m[1]) > 0 && p.understands(m[1]) {
			advice = "It is a request that I can carry out: just say " + code(topic) + " without the *think about*."
			t += "It does.\n"
		} else {
			t += "It does not; I have no knowledge of the world to draw on.\n"
		}
		t += fmt.Sprintf("Of my tools %s available.\nThat is all that I can work out.", plural(len(p.tools)))
		return step{title: "Think", thinking: t, say: "I went through " + code(topic) + " step by step; the steps are in the reasoning above. " +
			"They are mechanical: I am the built-in offline model and have no opinion. " + advice}, true
	}),
}

func plural(n int) string {
	if n == 1 {
		return "one is"
	}
	return fmt.Sprintf("%d are", n)
}
