package llm

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// Interrupted answers a call that has no result in the log: the model must hear of it, and it is never run twice.
const Interrupted = "The call was interrupted: no result was recorded. It may or may not have taken effect."

// Normalize gives the messages in the strictest form that any provider asks for, so that each adapter only
// translates: user first and last, roles alternating, no empty parts, every call answered in the very next
// message and its results first there, call ids unique and of at most 40 letters, digits, - and _.
// A result without a call becomes text. The input is not changed.
func Normalize(in []Message) []Message {
	n := normalizer{ids: map[string]string{}, used: map[string]bool{}}
	for _, m := range in {
		parts := slices.DeleteFunc(slices.Clone(m.Parts), empty)
		if m.Role == Assistant {
			n.assistant(parts)
		} else {
			n.user(parts)
		}
	}
	n.answer(nil)
	if len(n.out) == 0 || n.out[len(n.out)-1].Role == Assistant {
		n.add(User, Part{Text: "Continue."})
	}
	return n.out
}

type normalizer struct {
	out  []Message
	open []ToolCall        // of the last assistant message, not yet answered
	ids  map[string]string // the id in the log → the id on the wire, as of its last use
	used map[string]bool
}

func empty(p Part) bool {
	return strings.TrimSpace(p.Text) == "" && p.Thinking == nil && p.Image == nil && p.Call == nil && p.Result == nil
}

func (n *normalizer) add(role Role, parts ...Part) {
	if len(parts) == 0 {
		return
	}
	if len(n.out) == 0 && role == Assistant {
		n.out = append(n.out, Message{Role: User, Parts: []Part{{Text: "(The beginning of the conversation was left out.)"}}})
	}
	if last := len(n.out) - 1; last >= 0 && n.out[last].Role == role {
		n.out[last].Parts = append(n.out[last].Parts, parts...)
		return
	}
	n.out = append(n.out, Message{Role: role, Parts: parts})
}

func (n *normalizer) assistant(parts []Part) {
	if len(parts) == 0 {
		return
	}
	n.answer(nil)
	var calls []ToolCall
	for i, p := range parts {
		if p.Call == nil {
			continue
		}
		c := *p.Call
		c.ID = n.fresh(c.ID)
		if !json.Valid(c.Input) || len(c.Input) == 0 || c.Input[0] != '{' {
			c.Input = json.RawMessage("{}")
		}
		parts[i].Call = &c
		calls = append(calls, c)
	}
	n.add(Assistant, parts...)
	n.open = calls
}

func (n *normalizer) user(parts []Part) {
	results := map[string]ToolResult{}
	var rest []Part
	for _, p := range parts {
		if p.Result == nil {
			rest = append(rest, p)
			continue
		}
		r := *p.Result
		r.CallID = n.ids[r.CallID]
		_, twice := results[r.CallID]
		if twice || !slices.ContainsFunc(n.open, func(c ToolCall) bool { return c.ID == r.CallID }) {
			rest = append(rest, Part{Text: fmt.Sprintf("(Late result of %s)\n%s", r.Name, r.Content)})
			continue
		}
		results[r.CallID] = r
	}
	n.answer(results)
	n.add(User, rest...)
}

// answer writes one result for each open call, in the calls' order.
func (n *normalizer) answer(results map[string]ToolResult) {
	for _, c := range n.open {
		r, ok := results[c.ID]
		if !ok {
			r = ToolResult{Content: Interrupted, Error: true}
		}
		r.CallID, r.Name = c.ID, c.Name
		if strings.TrimSpace(r.Content) == "" {
			r.Content = "(no output)"
		}
		n.add(User, Part{Result: &r})
	}
	n.open = nil
}

// fresh gives the wire id of a call.
func (n *normalizer) fresh(id string) string {
	wire := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' {
			return r
		}
		return '_'
	}, id)
	if wire == "" || len(wire) > 40 || wire != id {
		h := fnv.New64a()
		_, _ = h.Write([]byte(id))
		wire = fmt.Sprintf("call_%016x", h.Sum64())
	}
	for i, base := 2, wire[:min(len(wire), 34)]; n.used[wire]; i++ {
		wire = fmt.Sprintf("%s_%d", base, i)
	}
	n.used[wire], n.ids[id] = true, wire
	return wire
}
