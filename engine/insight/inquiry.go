package insight

import (
	"context"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/kit/slots"
	"lobstead/models"
)

// Inspector asks models about turns.
type Inspector struct {
	Door  *door.Door
	Turns *agent.Turns

	slots slots.Slots
}

// atOnce is how many models are asked at the same time by one process; others wait (runtime-api.md, section 1).
const atOnce = 3

// New makes an inspector.
func New(d *door.Door, t *agent.Turns) *Inspector {
	return &Inspector{Door: d, Turns: t}
}

// How long an answer may get and take.
const (
	maxAnalysis = 1500 // tokens
	maxAnswer   = 4000
	askLimit    = 3 * time.Minute
)

// Inquiry is one question to a model, ready to be asked, with its price.
type Inquiry struct {
	route   door.Route
	request llm.Request
	call    door.Call
	opinion models.Opinion
}

// Quote is what an inquiry would cost, as far as anybody knows.
type Quote struct {
	Provider, Model string
	Input, Output   int   // tokens: of the prompt about, of the answer at most
	MostNanos       int64 // when the answer gets as long as it may
	Priced          bool  // else nobody knows a price
}

// Quote tells the price before the question is asked.
func (q *Inquiry) Quote() Quote {
	out := Quote{Provider: q.route.Name, Model: q.route.Model, Input: llm.EstimateRequest(q.request), Output: q.request.MaxTokens}
	out.MostNanos, out.Priced = q.route.Price(llm.Usage{Input: out.Input, Output: out.Output}, time.Now())
	return out
}

// Ask puts a question to its model, through the ledger, and keeps the answer. Faults: those of the ledger; Upstream
// insight.failed when the model does not answer.
func (s *Inspector) Ask(ctx context.Context, sc *models.Scope, q *Inquiry) (*models.Opinion, error) {
	ctx, done := context.WithTimeout(ctx, askLimit)
	defer done()
	free, err := s.slots.Take(ctx, atOnce)
	if err != nil {
		return nil, fault.New(fault.Timeout, "insight.busy", "Other analyses took too long")
	}
	defer free()
	out, began := q.opinion, time.Now()
	q.call.Settled = func(sp door.Spent) {
		out.CallID, out.CostNanos, out.InputTokens, out.OutputTokens = sp.CallID, sp.CostNanos, sp.Usage.Input, sp.Usage.Output
		out.Provider, out.Model = sp.Provider, sp.Model
	}
	m, _, err := llm.Collect(s.Door.Stream(ctx, sc, q.call, q.route, q.request))
	if err != nil {
		if llm.KindOf(err) != "" {
			return nil, fault.Wrap(err, fault.Upstream, "insight.failed", "%s", fault.As(err).Detail)
		}
		return nil, err
	}
	var text strings.Builder
	for _, p := range m.Parts {
		text.WriteString(p.Text)
	}
	if out.Text = strings.TrimSpace(text.String()); out.Text == "" {
		return nil, fault.New(fault.Upstream, "insight.empty", "%s gave an empty answer", q.route.Name)
	}
	out.Millis = time.Since(began).Milliseconds()
	return &out, sc.Hear(ctx, &out)
}
