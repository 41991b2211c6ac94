package llm

import (
	"context"
	"strings"
	"time"
)

// Report is what one real call showed.
type Report struct {
	Model string        // the model that served
	First time.Duration // to the first chunk
	Total time.Duration
	Text  string // the answer, at most 200 characters
	Usage Usage
}

// Test makes one small real call, so that a connection is proved and not assumed. The error is the
// provider's own, an *Error.
func Test(ctx context.Context, p Provider, model string) (Report, error) {
	msg, done, err := Collect(p.Stream(ctx, Request{
		Model:    model,
		Messages: []Message{{Role: User, Parts: []Part{{Text: "Reply with one short friendly sentence."}}}},
		// Reasoning models spend from the same allowance before the first word.
		MaxTokens: 1024,
	}))
	if err != nil {
		return Report{}, AsError(err)
	}
	text := ""
	for _, part := range msg.Parts {
		text += part.Text
	}
	if r := []rune(strings.TrimSpace(text)); len(r) > 200 {
		text = string(r[:200])
	}
	return Report{Model: done.Model, First: done.Timing.First, Total: done.Timing.Total,
		Text: strings.TrimSpace(text), Usage: done.Usage}, nil
}
