package agent

import (
	"context"
	"encoding/json"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Seen is what a model was shown in one step.
type Seen struct {
	Request llm.Request
	Memory  int  // where in Request.System the memories begin; its length when there are none
	Exact   bool // else this is what today's rules make of the same log
}

// Seen makes a step's request again: the prompt, the summary and the tools as they were kept, the messages of the log.
// NotFound when what was kept is forgotten.
func (t *Turns) Seen(ctx context.Context, sc *models.Scope, step *models.TurnStep) (*Seen, error) {
	turn, err := sc.Turn(ctx, step.TurnID)
	if err != nil {
		return nil, err
	}
	var texts [3]string
	for i, hash := range []string{step.SystemHash, step.ToolsHash, step.SummaryHash} {
		if texts[i], err = sc.ContextText(ctx, hash); err != nil {
			return nil, err
		}
	}
	out := &Seen{Request: llm.Request{Model: step.Model, System: texts[0]}, Memory: memoryAt(texts[0])}
	if texts[1] != "" {
		if err := json.Unmarshal([]byte(texts[1]), &out.Request.Tools); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "turn_step.tools", "The tools of this step cannot be read")
		}
	}
	events, err := sc.EventsAt(ctx, turn.SessionID, step.Seqs)
	if err != nil {
		return nil, err
	}
	x := &run{sc: sc, turn: turn, session: &models.Session{Summary: texts[2]}, base: door.Route{Images: step.Pictures}, book: logbook{events: events},
		shortened: shortening(step.Shortened)}
	messages, err := x.messages(ctx)
	if err != nil {
		return nil, err
	}
	out.Request.Messages = x.shortened.of(messages)
	_, sum := x.measured(out.Request.Messages)
	out.Exact = sum == step.Digest
	return out, nil
}
