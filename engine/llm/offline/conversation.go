package offline

import (
	"strings"

	"lobstead/engine/llm"
)

// made is a call that was made for the current request, with its result.
type made struct {
	call   llm.ToolCall
	result *llm.ToolResult // nil when none came
}

// situation is what the messages say: the request, what was done for it, and the file talked of before it.
type situation struct {
	text   string
	images bool
	made   []made
	before []llm.Message
	tools  map[string]bool
}

func read(r llm.Request) situation {
	s := situation{tools: map[string]bool{}}
	for _, t := range r.Tools {
		s.tools[t.Name] = true
	}
	last := -1
	for i, m := range r.Messages {
		if m.Role != llm.User {
			continue
		}
		for _, p := range m.Parts {
			if strings.TrimSpace(p.Text) != "" && !p.Remark || p.Image != nil {
				last = i
			}
		}
	}
	if last < 0 {
		return s
	}
	s.before = r.Messages[:last]
	for _, p := range r.Messages[last].Parts {
		s.images = s.images || p.Image != nil
		if p.Text != "" && !p.Remark {
			s.text = strings.TrimSpace(s.text + "\n" + p.Text)
		}
	}
	for _, m := range r.Messages[last+1:] {
		for _, p := range m.Parts {
			switch {
			case p.Call != nil:
				s.made = append(s.made, made{call: *p.Call})
			case p.Result != nil:
				for i := range s.made {
					if s.made[i].call.ID == p.Result.CallID && s.made[i].result == nil {
						s.made[i].result = p.Result
						break
					}
				}
			}
		}
	}
	return s
}

// reply is the whole model: plan the request, make the calls of the next step, or report.
func reply(r llm.Request) answer {
	s := read(r)
	if s.text == "" {
		if s.images {
			return answer{text: "I cannot look at images: I am the built-in offline model. A connected provider with vision can."}
		}
		return answer{text: hello(s.tools)}
	}
	steps := plan(s)
	done := 0
	for i, st := range steps {
		if len(st.calls) == 0 {
			continue
		}
		if done+len(st.calls) > len(s.made) {
			return answer{thinking: st.thinking, text: st.intro(i, steps), calls: st.calls[min(len(st.calls), len(s.made)-done):]}
		}
		for j := range st.calls {
			st.results = append(st.results, outcome(s.made[done+j]))
		}
		done += len(st.calls)
		steps[i] = st
		if st.failed() && !st.optional {
			return answer{text: report(steps[:i+1], steps[i+1:])}
		}
	}
	think := ""
	if done == 0 {
		for _, st := range steps {
			think += st.thinking
		}
	}
	return answer{thinking: think, text: report(steps, nil)}
}

// outcome reads the result of a call, whatever shape the tool gave it.
func outcome(m made) result {
	if m.result == nil {
		return result{failed: true, text: llm.Interrupted}
	}
	return parseResult(m.call.Name, m.result.Content, m.result.Error)
}
