package agent

import (
	"cmp"
	"fmt"
	"strings"

	"lobstead/engine/llm"
	"lobstead/models"
)

// transcript turns blocks of the log into messages: roles alternate, the user speaks first, and every call is
// answered in the very next message, by its result or by the remark that it was interrupted.
type transcript struct {
	out      []llm.Message
	images   func(models.AttachmentNote) *llm.Image
	thinking bool // reasoning goes back to the model, for the newest turn only

	said    []llm.Part // of the assistant, not yet in out
	calls   []models.ToolCall
	results map[string]models.ToolResult
	notes   []string // what must wait until the calls are answered
}

func (t *transcript) add(role llm.Role, parts ...llm.Part) {
	if len(parts) == 0 {
		return
	}
	if len(t.out) == 0 && role == llm.Assistant {
		t.out = append(t.out, llm.Message{Role: llm.User, Parts: []llm.Part{{Text: "(The beginning of the conversation was left out.)"}}})
	}
	if n := len(t.out); n > 0 && t.out[n-1].Role == role {
		t.out[n-1].Parts = append(t.out[n-1].Parts, parts...)
		return
	}
	t.out = append(t.out, llm.Message{Role: role, Parts: parts})
}

func (t *transcript) block(b block) error {
	if b.neverBegan() {
		return nil
	}
	for _, e := range b.events {
		if err := t.event(e); err != nil {
			return err
		}
	}
	t.flush()
	return nil
}

func (t *transcript) event(e models.Event) error {
	switch e.Kind {
	case models.KindUser:
		m, err := models.Decode[models.UserMessage](e)
		if err != nil {
			return err
		}
		t.flush()
		t.user(m)
	case models.KindAssistant:
		m, err := models.Decode[models.AssistantMessage](e)
		if err != nil {
			return err
		}
		if strings.TrimSpace(m.Text) != "" {
			t.speak(llm.Part{Text: m.Text})
		}
	case models.KindThinking:
		m, err := models.Decode[models.Thinking](e)
		if err != nil {
			return err
		}
		if t.thinking && (m.Text != "" || m.Signature != "") {
			t.speak(llm.Part{Thinking: &llm.Thinking{Text: m.Text, Signature: m.Signature, Redacted: m.Redacted}})
		}
	case models.KindCall:
		c, err := models.Decode[models.ToolCall](e)
		if err != nil {
			return err
		}
		t.speak(llm.Part{Call: &llm.ToolCall{ID: c.CallID, Name: c.Tool, Input: c.Input, Signature: c.Signature}})
		t.calls = append(t.calls, c)
	case models.KindResult, models.KindNotice, models.KindEnded:
		return t.outcome(e)
	}
	return nil
}

func (t *transcript) outcome(e models.Event) error {
	switch e.Kind {
	case models.KindResult:
		r, err := models.Decode[models.ToolResult](e)
		if err != nil {
			return err
		}
		t.result(r)
	case models.KindNotice:
		m, err := models.Decode[models.Notice](e)
		if err != nil {
			return err
		}
		t.notes = append(t.notes, "(Notice of the system: "+m.Text+")")
	case models.KindEnded:
		m, err := models.Decode[models.TurnEnded](e)
		if err != nil {
			return err
		}
		switch m.State {
		case models.TurnInterrupted:
			t.notes = append(t.notes, "(The turn was stopped here: "+cmp.Or(m.Reason, "no reason given")+")")
		case models.TurnFailed:
			t.notes = append(t.notes, "(The turn failed here: "+cmp.Or(m.Reason, "no reason given")+")")
		}
	}
	return nil
}

// speak adds to the assistant's message; after results a new one begins.
func (t *transcript) speak(p llm.Part) {
	if len(t.results) > 0 || len(t.notes) > 0 {
		t.flush()
	}
	t.said = append(t.said, p)
}

func (t *transcript) result(r models.ToolResult) {
	_, twice := t.results[r.CallID]
	for _, c := range t.calls {
		if c.CallID == r.CallID && !twice {
			if t.results == nil {
				t.results = map[string]models.ToolResult{}
			}
			t.results[r.CallID] = r
			return
		}
	}
	t.notes = append(t.notes, fmt.Sprintf("(Late result of %s)\n%s", r.Tool, r.Output))
}

// flush writes the assistant's message, the results in the order of the calls, and what waited behind them.
func (t *transcript) flush() {
	said, seen := t.said[:0:0], map[string]bool{}
	for _, p := range t.said { // an id that came twice would be answered once
		if p.Call == nil || !seen[p.Call.ID] {
			said = append(said, p)
		}
		if p.Call != nil {
			seen[p.Call.ID] = true
		}
	}
	t.add(llm.Assistant, said...)
	for _, c := range t.calls {
		if !seen[c.CallID] {
			continue
		}
		delete(seen, c.CallID)
		r, ok := t.results[c.CallID]
		if !ok {
			r = models.ToolResult{Output: llm.Interrupted, Error: true}
		}
		t.add(llm.User, llm.Part{Result: &llm.ToolResult{CallID: c.CallID, Name: c.Tool, Content: cmp.Or(r.Output, "(no output)"), Error: r.Error}})
	}
	for _, n := range t.notes {
		t.add(llm.User, llm.Part{Text: n, Remark: true})
	}
	t.said, t.calls, t.results, t.notes = nil, nil, nil, nil
}

func (t *transcript) user(m models.UserMessage) {
	var parts []llm.Part
	if strings.TrimSpace(m.Text) != "" {
		parts = append(parts, llm.Part{Text: m.Text})
	}
	for _, a := range m.Attachments {
		parts = append(parts, llm.Part{Text: fmt.Sprintf("[Attached file: %s, %s, %d bytes]", a.Path, cmp.Or(a.MediaType, "unknown type"), a.Size)})
		if t.images == nil {
			continue
		}
		if img := t.images(a); img != nil {
			parts = append(parts, llm.Part{Image: img})
		}
	}
	if len(parts) == 0 {
		parts = []llm.Part{{Text: "(an empty message)"}}
	}
	t.add(llm.User, parts...)
}
