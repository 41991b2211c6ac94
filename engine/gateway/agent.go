package gateway

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// agentOf finds the instance whose agent answers. An instance's token reaches its own only.
func (c Call) agentOf(ctx context.Context, sc *models.Scope, name string) (*models.Instance, error) {
	missing := fault.New(fault.NotFound, "agent.not_found", "No agent found")
	switch {
	case c.Instance != nil && (name == "" || name == c.Instance.ID || name == c.Instance.Name):
		return c.Instance, nil
	case c.Instance != nil:
		return nil, missing
	case !c.UseAgents:
		return nil, fault.New(fault.Forbidden, "forbidden", "This key may call models, but not agents")
	}
	find := func() (*models.Instance, error) { return sc.InstanceNamed(ctx, name) }
	if name == "" {
		find = func() (*models.Instance, error) { return sc.DefaultInstance(ctx) }
	}
	i, err := find()
	if fault.Is(err, fault.NotFound) {
		return nil, missing
	}
	return i, err
}

// useless names what of a request an agent has no use for: it has tools and a length of its own.
func (c Call) useless() []string {
	var out []string
	for name, set := range map[string]bool{"tools": len(c.Request.Tools) > 0, "temperature": c.Request.Temperature != nil, "top_p": c.Request.TopP != nil,
		"max_tokens": c.Request.MaxTokens > 0, "stop": len(c.Request.Stop) > 0, "response_format": c.Request.Output != nil} {
		if set {
			out = append(out, name)
		}
	}
	return out
}

// settleLimit bounds what is done for a caller who is gone.
const settleLimit = 10 * time.Second

// turn runs the agent. Its words come as they are said.
func (a *Answer) turn(ctx context.Context) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		t, err := a.startTurn(ctx)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		told := Telling{Turns: a.g.Turns, Scope: a.sc, Turn: t, Ended: func(ctx context.Context, t *models.Turn) {
			a.spent = door.Spent{Usage: llm.Usage{Input: t.InputTokens, Output: t.OutputTokens}, CostNanos: t.CostNanos}
			if t.TokensSaved > 0 {
				a.spent.Cached = models.CacheExact
			}
			a.tidy(ctx, t)
		}}
		told.Chunks(ctx)(yield)
	}
}

// startTurn accepts the message, in the session that the caller named or in one for this call.
func (a *Answer) startTurn(ctx context.Context) (*models.Turn, error) {
	text, files := message(a.Call.Request, a.Call.Session == "")
	in := models.Input{Text: text, Attachments: files, Source: "gateway", Own: a.Call.Instance != nil}
	if a.Call.Session == "" {
		_, t, err := a.g.Turns.Open(ctx, a.sc, models.NewSession{InstanceID: a.agent.ID}, in)
		return t, err
	}
	s, err := a.sc.SessionOf(ctx, a.agent.ID, a.Call.Session)
	if err != nil {
		return nil, err
	}
	t, _, err := a.g.Turns.Start(ctx, a.sc, s.ID, in)
	return t, err
}

// tidy puts the session of a single call away: it stays to be read, but not in the way.
func (a *Answer) tidy(ctx context.Context, t *models.Turn) {
	if a.Call.Session != "" {
		return
	}
	away := "archived"
	if _, err := a.sc.UpdateSession(ctx, t.SessionID, models.SessionChange{Status: &away}); err == nil {
		a.g.Turns.Changed(ctx, a.sc, t.SessionID)
	}
}

// message makes one message of a request. A session that knows the conversation hears only what is new in it; a fresh
// one hears it all.
func message(r llm.Request, fresh bool) (string, []models.Upload) {
	from := 0
	for n, m := range r.Messages {
		if m.Role == llm.Assistant {
			from = n + 1
		}
	}
	var b strings.Builder
	if r.System != "" {
		b.WriteString("Instructions:\n" + r.System + "\n\n")
	}
	if fresh && from > 0 {
		b.WriteString("The conversation so far:\n\n")
		for _, m := range r.Messages[:from] {
			who := "User"
			if m.Role == llm.Assistant {
				who = "Assistant"
			}
			if text := words(m); text != "" {
				b.WriteString(who + ": " + text + "\n\n")
			}
		}
		b.WriteString("What is asked now:\n\n")
	}
	var files []models.Upload
	asked := []string{}
	for _, m := range r.Messages[from:] {
		if text := words(m); text != "" {
			asked = append(asked, text)
		}
		for _, p := range m.Parts {
			if p.Image != nil {
				_, kind, _ := strings.Cut(p.Image.MediaType, "/")
				files = append(files, models.Upload{Name: fmt.Sprintf("image-%d.%s", len(files)+1, kind), MediaType: p.Image.MediaType, Data: p.Image.Data})
			}
		}
	}
	if len(asked) == 0 && len(files) == 0 {
		asked = []string{"Continue."}
	}
	b.WriteString(strings.Join(asked, "\n\n"))
	return b.String(), files
}

// words are what a message says in text.
func words(m llm.Message) string {
	var out []string
	for _, p := range m.Parts {
		switch {
		case p.Call != nil:
			out = append(out, "(called "+p.Call.Name+" with "+string(p.Call.Input)+")")
		case p.Result != nil:
			out = append(out, "(the result: "+p.Result.Content+")")
		case strings.TrimSpace(p.Text) != "":
			out = append(out, p.Text)
		}
	}
	return strings.Join(out, "\n")
}

// finish gives what was not said yet, and the end.
func (f *follower) finish(ctx context.Context, t *models.Turn) {
	log, err := f.Scope.TurnEvents(ctx, t.ID)
	if err != nil {
		f.yield(llm.Chunk{}, err)
		return
	}
	if t.State == models.TurnFailed {
		f.yield(llm.Chunk{}, failure(t, log))
		return
	}
	whole, last := spoken(log)
	rest, ok := strings.CutPrefix(whole, f.said.String())
	if !ok { // what went out is not what was said in the end: another worker began anew, or parts were lost
		rest = "\n\n" + last
	}
	if rest != "" && !f.yield(llm.Chunk{Text: rest}, nil) {
		return
	}
	f.yield(llm.Chunk{Done: &llm.Done{Model: t.Model, Stop: llm.StopEnd, Usage: llm.Usage{Input: t.InputTokens, Output: t.OutputTokens}}}, nil)
}

// failure is why a turn failed: who has no money left hears that, the rest is the model's fault.
func failure(t *models.Turn, log []models.Event) error {
	kind, code := fault.Upstream, "turn.failed"
	for _, e := range log {
		if end, err := models.Decode[models.TurnEnded](e); e.Kind == models.KindEnded && err == nil && strings.HasPrefix(end.Code, "budget.") {
			kind, code = fault.Payment, end.Code
		}
	}
	return fault.New(kind, code, "%s", t.Reason)
}

// spoken is all that a turn said, a paragraph for each step, and the last of it.
func spoken(log []models.Event) (whole, last string) {
	step := 0
	for _, e := range log {
		if e.Kind != models.KindAssistant {
			continue
		}
		m, err := models.Decode[models.AssistantMessage](e)
		if err != nil {
			continue
		}
		if whole != "" && m.Step != step {
			whole += "\n\n"
		}
		whole, last, step = whole+m.Text, m.Text, m.Step
	}
	return whole, last
}
