package app

import (
	"encoding/json"
	"strconv"
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/views/turns"
)

// Step is what one call to a model was shown. Steps are counted from one.
func (h *Inspector) Step(c *Ctx) (Reply, error) {
	t, err := h.turn(c)
	if err != nil {
		return nil, err
	}
	steps, err := c.Scope.TurnSteps(c, t.ID)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(c.Param("step"))
	if err != nil || n < 1 || n > len(steps) {
		return nil, fault.NotFoundf("turn_step")
	}
	p := turns.StepProps{Turn: t, Step: &steps[n-1], Number: n, Count: len(steps)}
	if p.Session, err = c.Scope.Session(c, t.SessionID); err != nil {
		return nil, err
	}
	p.Frame = c.frame("Context of step "+strconv.Itoa(n), "/chat", "")
	if err := h.saw(c, &p); err != nil {
		return nil, err
	}
	return page(turns.Step(p)), nil
}

// saw adds the words that were sent.
func (h *Inspector) saw(c *Ctx, p *turns.StepProps) error {
	seen, err := h.Turns.Seen(c, c.Scope, p.Step)
	if fault.Is(err, fault.NotFound) {
		p.Gone = true
		return nil
	}
	if err != nil {
		return err
	}
	p.System, p.Memory, p.Exact = seen.Request.System[:seen.Memory], seen.Request.System[seen.Memory:], seen.Exact
	for _, t := range seen.Request.Tools {
		schema, err := json.MarshalIndent(t.Schema, "", "  ")
		if err != nil {
			return err
		}
		p.Tools = append(p.Tools, turns.Tool{Name: t.Name, Description: t.Description, Schema: string(schema)})
	}
	for _, m := range seen.Request.Messages {
		shown := turns.Message{Role: string(m.Role)}
		for _, part := range m.Parts {
			shown.Parts = append(shown.Parts, shownPart(part))
		}
		p.Messages = append(p.Messages, shown)
	}
	return nil
}

// shownPart says what a piece of a message is.
func shownPart(p llm.Part) turns.Part {
	switch {
	case p.Thinking != nil:
		return turns.Part{Kind: "thinking", Name: "Thinking", Text: p.Thinking.Text}
	case p.Image != nil:
		return turns.Part{Kind: "picture", Name: "Picture", Text: p.Image.MediaType + ", " + strconv.Itoa(len(p.Image.Data)) + " bytes"}
	case p.Call != nil:
		return turns.Part{Kind: "call", Name: "Call of " + p.Call.Name, Text: string(p.Call.Input)}
	case p.Result != nil && p.Result.Error:
		return turns.Part{Kind: "error", Name: "Error of " + p.Result.Name, Text: p.Result.Content}
	case p.Result != nil:
		return turns.Part{Kind: "result", Name: "Result of " + p.Result.Name, Text: p.Result.Content}
	case p.Remark:
		return turns.Part{Kind: "remark", Name: "Remark of the system", Text: p.Text}
	}
	return turns.Part{Text: strings.TrimSpace(p.Text)}
}
