package gateway

import (
	"context"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

// Nobody is the organization of those who have none: it has no services of its own, so those of the host answer.
const Nobody = "00000000-0000-0000-0000-000000000000"

// Question asks which model would answer.
type Question struct {
	Prompt, Model string
	Ceiling       llm.Tier // "" = the organization's own
	Before        int      // messages of the conversation
	Input, Output int      // tokens
}

// Preview is the plan of an answer that is not asked for.
type Preview struct {
	Decision      door.Decision
	Model         Model
	CostNanos     *int64 // nil = nobody knows a price
	BaselineNanos *int64
}

const previewMessages = 50 // of a conversation that stand for it

// Preview plans an answer; it calls no model and changes nothing.
func (g *Gateway) Preview(ctx context.Context, sc *models.Scope, q Question) (Preview, error) {
	req := llm.Request{MaxTokens: q.Output}
	for n := range min(q.Before, previewMessages) {
		role := llm.User
		if n%2 == 1 {
			role = llm.Assistant
		}
		req.Messages = append(req.Messages, llm.Message{Role: role, Parts: []llm.Part{{Text: "…"}}})
	}
	req.Messages = append(req.Messages, llm.Message{Role: llm.User, Parts: []llm.Part{{Text: q.Prompt}}})
	plan, err := g.Door.Plan(ctx, sc, door.Ask{Model: q.Model, Ceiling: q.Ceiling, Request: req})
	if err != nil {
		return Preview{}, err
	}
	r := plan.Routes[0]
	p := Preview{Decision: plan.Decision, Model: Model{ID: r.Model, Label: r.Model, Owner: r.Name, Tier: r.Tier(), Context: r.Window, Managed: g.managed(r)}}
	if e, ok := llm.Lookup(r.Name, r.Model); ok {
		m := entry(e, p.Model.Managed)
		p.Model.Label, p.Model.Input, p.Model.Output = m.Label, m.Input, m.Output
	}
	u, now := llm.Usage{Input: q.Input, Output: q.Output}, time.Now()
	if nanos, ok := r.Price(u, now); ok {
		p.CostNanos = &nanos
	}
	if b := plan.Decision.Baseline; b != nil {
		if nanos, ok := b.Price(u, now); ok {
			p.BaselineNanos = &nanos
		}
	}
	return p, nil
}
