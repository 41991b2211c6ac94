package agent

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// said is what one call to the model gave.
type said struct {
	message llm.Message
	done    llm.Done
	spent   door.Spent
	thought time.Duration // from the first to the last piece of reasoning
	shown   bool          // text went out
}

// step asks the model once and runs the tools that it calls. final means that it called none.
func (x *run) step(ctx context.Context) (final bool, err error) {
	s, err := x.ask(ctx)
	if err != nil {
		return false, err
	}
	x.Crash(CrashStreamed)
	calls := x.nameCalls(s.message)
	events := x.eventsOf(s, len(calls) == 0)
	progress := x.progress(s)
	if len(calls) == 0 {
		x.tail = events
		return true, x.append(ctx, progress)
	}
	verdicts, rows, err := x.judge(ctx, calls, 0)
	if err != nil {
		return false, err
	}
	progress.Policy = rows
	if err := x.append(ctx, progress, events...); err != nil {
		return false, err
	}
	x.Crash(CrashCalls)
	for i := range calls {
		if err := x.call(ctx, calls[i], verdicts[i]); err != nil {
			return false, err
		}
	}
	return false, nil
}

// ask gets one answer. Failures that may pass are the door's to try again; a conversation that turns out to be too long
// is compacted once; an empty answer is asked for once more.
func (x *run) ask(ctx context.Context) (said, error) {
	squeezed := false
	for try := 0; ; try++ {
		req, err := x.request(ctx, squeezed)
		if err != nil {
			return said{}, err
		}
		if err := x.choose(ctx, req); err != nil {
			return said{}, x.streamError(ctx, err)
		}
		began := x.Clock.Now()
		s, err := x.stream(ctx, req)
		x.saw(req, s, began, err)
		if err == nil {
			if !hollow(s) {
				return s, nil
			}
			x.spend(ctx, s)
			err = llm.Fail(x.servedBy(s), llm.KindUpstream, hollowReason(s), nil)
			if s.done.Stop == llm.StopRefusal || try > 0 {
				return s, err
			}
			continue
		}
		x.spend(ctx, s)
		if cause := context.Cause(ctx); cause != nil {
			// A draining worker leaves the text out: the next one asks the same step again, and it will be whole.
			if errors.Is(cause, errStop) || errors.Is(cause, errTime) {
				x.keepPartial(s)
			}
			return s, cause
		}
		if !s.shown && !squeezed && llm.KindOf(err) == llm.KindContextLength {
			squeezed, x.plan = true, nil
			continue
		}
		x.keepPartial(s)
		return s, err
	}
}

func hollow(s said) bool {
	for _, p := range s.message.Parts {
		if p.Call != nil || strings.TrimSpace(p.Text) != "" {
			return false
		}
	}
	return true
}

func hollowReason(s said) string {
	if s.done.Stop == llm.StopRefusal {
		return "the model refused to answer"
	}
	if s.done.Stop == llm.StopLength {
		return "the model used up its answer's length before the first word"
	}
	return "the model gave an empty answer"
}

// keepPartial lets the end of the turn write what was shown of an answer that broke off.
func (x *run) keepPartial(s said) {
	if !s.shown {
		return
	}
	for _, p := range s.message.Parts {
		if p.Text != "" {
			x.tail = append(x.tail, models.AssistantMessage{Text: p.Text, Step: x.steps, Provider: x.servedBy(s), Model: cmp.Or(s.spent.Model, x.route.Model), Cut: true})
		}
	}
}

// spend notes what a call cost that left nothing in the log.
func (x *run) spend(ctx context.Context, s said) {
	if p := x.progress(s); p.InputTokens+p.OutputTokens > 0 {
		if err := x.append(ctx, p); err != nil && !errors.Is(err, models.ErrLeaseLost) {
			x.Log.WarnContext(ctx, "agent: usage was not noted", "turn", x.turn.ID, "error", err)
		}
	}
}

func (x *run) progress(s said) models.TurnProgress {
	u := s.spent.Usage
	size := u.Input + u.Output
	if s.done.Stop != "" { // of the attempt that answered, not of all
		size = s.done.Usage.Input + s.done.Usage.Output
	}
	saved := 0
	if s.spent.Cached != models.CacheMiss {
		saved = max(1, size)
	}
	return models.TurnProgress{Provider: x.servedBy(s), Model: cmp.Or(s.done.Model, x.route.Model), Steps: x.steps, FirstToken: len(s.message.Parts) > 0, TokensSaved: saved,
		InputTokens: u.Input, OutputTokens: u.Output, ContextTokens: size, CostNanos: s.spent.CostNanos}
}

// servedBy names the provider that answered, or was asked last.
func (x *run) servedBy(s said) string { return cmp.Or(s.spent.Provider, x.route.Name) }

// nameCalls gives the calls of a message, each with an id that no other call of the turn has: results are
// matched by it for as long as the log lives.
func (x *run) nameCalls(m llm.Message) []llm.ToolCall {
	taken := map[string]bool{}
	for _, e := range x.book.turnEvents(x.turn.ID) {
		if e.Kind == models.KindCall {
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				taken[c.CallID] = true
			}
		}
	}
	var out []llm.ToolCall
	for _, p := range m.Parts {
		if p.Call == nil {
			continue
		}
		if p.Call.ID == "" || taken[p.Call.ID] {
			p.Call.ID = "call_" + id.New()
		}
		taken[p.Call.ID] = true
		out = append(out, *p.Call)
	}
	return out
}

// eventsOf writes a message down in the order in which it came.
func (x *run) eventsOf(s said, final bool) []models.EventData {
	var out []models.EventData
	last := -1 // of the texts
	for _, p := range s.message.Parts {
		switch {
		case p.Thinking != nil:
			out = append(out, models.Thinking{Text: p.Thinking.Text, Signature: p.Thinking.Signature, Redacted: p.Thinking.Redacted,
				Step: x.steps, Millis: s.thought.Milliseconds()})
		case p.Call != nil:
			out = append(out, models.ToolCall{CallID: p.Call.ID, Tool: p.Call.Name, Input: p.Call.Input, Step: x.steps, Signature: p.Call.Signature})
		case strings.TrimSpace(p.Text) != "":
			last = len(out)
			out = append(out, models.AssistantMessage{Text: p.Text, Step: x.steps, Provider: x.servedBy(s), Model: cmp.Or(s.done.Model, x.route.Model)})
		}
	}
	if final && last >= 0 {
		m := out[last].(models.AssistantMessage)
		m.Final, m.Cut = true, s.done.Stop == llm.StopLength
		m.Quiet = x.turn.AutomationID != "" && !m.Cut && saysNothing(m.Text)
		out[last] = m
	}
	return out
}

// stream sends one request and shows what comes.
func (x *run) stream(ctx context.Context, req llm.Request) (said, error) {
	var (
		s      said
		b      llm.Builder
		began  time.Time
		failed error
	)
	x.Crash(CrashReserved)
	ask := x.wish(req)
	ask.Call.Settled = func(sp door.Spent) { s.spent = sp }
	ask.Restart = func() {
		s, b, began = said{spent: s.spent}, llm.Builder{}, time.Time{}
		x.parts.add(kindOf(PartReset, x.steps), "")
	}
	for c, err := range x.Door.Answer(ctx, x.sc, *x.plan, ask) {
		if err != nil {
			failed = err // the loop must end before s is complete: only then the call is settled
			break
		}
		b.Add(c)
		if c.Done != nil {
			s.done = *c.Done
			continue
		}
		if c.Text != "" {
			x.parts.add(kindOf(PartText, x.steps), c.Text)
			s.shown = true
		}
		if c.Thinking != "" {
			if began.IsZero() {
				began = time.Now()
			}
			s.thought = time.Since(began)
			x.parts.add(kindOf(PartThinking, x.steps), c.Thinking)
		}
		if !x.begun {
			x.begun = true
			nudge(x.first)
		}
		x.Crash(CrashStream)
	}
	s.message = b.Message()
	if failed == nil && s.done.Stop == "" {
		failed = llm.Fail(x.route.Name, llm.KindNetwork, "the stream ended before the answer was complete", nil)
	}
	if failed != nil {
		return s, x.streamError(ctx, failed)
	}
	return s, nil
}

// streamError says why a stream broke off: our own stop comes before what the provider makes of it.
func (x *run) streamError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ok := errors.AsType[*llm.Error](err); ok {
		return err
	}
	return fault.As(err)
}
