package offline

import (
	"encoding/json"
	"fmt"
	"strings"
)

// call is one wished tool call.
type call struct {
	tool string
	args map[string]any
}

// input writes the arguments; encoding/json sorts the keys, so the same call is the same bytes.
func (c call) input() json.RawMessage {
	args := c.args
	if args == nil {
		args = map[string]any{}
	}
	b, err := json.Marshal(args)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

func (c call) str(key string) string {
	s, _ := c.args[key].(string)
	return s
}

// step is one sentence of a request: calls and how to report them, or just something to say.
type step struct {
	say      string // the answer of a step without calls
	thinking string
	announce string // said before the calls, one sentence
	title    string // of the section when there are several steps
	calls    []call
	render   func(st step) string // of the results
	optional bool                 // a failure does not stop the steps behind it
	path     string               // the file that "it" means afterwards
	results  []result
}

func (st step) failed() bool {
	for _, r := range st.results {
		if r.failed || r.exit != 0 {
			return true
		}
	}
	return false
}

func (st step) intro(i int, all []step) string {
	if len(all) > 1 {
		return fmt.Sprintf("Step %d of %d: %s\n\n", i+1, len(all), st.announce)
	}
	return st.announce + "\n\n"
}

// report writes the final answer: one section a step, and what was not done.
func report(done, left []step) string {
	var b strings.Builder
	for i, st := range done {
		text := st.say
		if len(st.calls) > 0 {
			text = st.render(st)
		}
		if len(done)+len(left) > 1 {
			title := st.title
			if title == "" {
				title = "Answer"
			}
			fmt.Fprintf(&b, "### %d. %s\n\n", i+1, title)
		}
		b.WriteString(strings.TrimSpace(text) + "\n\n")
	}
	if len(left) > 0 {
		b.WriteString("I stopped there, because that step failed. Not done:\n\n")
		for i, st := range left {
			title := st.title
			if title == "" {
				title = "Answer"
			}
			fmt.Fprintf(&b, "%d. %s\n", len(done)+i+1, title)
		}
	}
	return strings.TrimSpace(b.String())
}
