package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// sight is what the calls of a turn are shown, on its way into the database: it is written with the events that follow a
// call, so that it costs no transaction of its own. The messages are not kept: the log has them.
type sight struct {
	calls []models.TurnStep // ended, and not written yet
	texts map[string]string // of prompts, by hash, and not written yet
	named map[string]bool   // that this run has written, or is about to

	system, memory, tools  int // tokens
	systemHash, toolsHash  string
	summaryOf, summaryHash string
	earlier                *pile // the messages of the earlier turns; nil = not measured yet
}

// text notes a text that steps name.
func (s *sight) text(at time.Time, text string) string {
	if text == "" {
		return ""
	}
	key := models.ContextHash(at, text)
	if !s.named[key] {
		if s.named == nil {
			s.named = map[string]bool{}
		}
		if s.texts == nil {
			s.texts = map[string]string{}
		}
		s.named[key], s.texts[key] = true, text
	}
	return key
}

// prompt notes a system prompt whose first plain bytes are our own and whose rest are memories.
func (s *sight) prompt(at time.Time, system string, plain int) {
	s.systemHash = s.text(at, system)
	s.system, s.memory = llm.EstimateTokens(system[:plain]), llm.EstimateTokens(system[plain:])
}

// summary notes what stands for the compacted part of the log.
func (s *sight) summary(at time.Time, text string) string {
	if text != s.summaryOf {
		s.summaryOf, s.summaryHash = text, s.text(at, text)
	}
	return s.summaryHash
}

// told notes the tools; they stay the same through a run.
func (s *sight) told(at time.Time, tools []llm.Tool) {
	if s.toolsHash != "" || len(tools) == 0 {
		return
	}
	text, err := json.MarshalIndent(tools, "", "  ")
	if err != nil { // a registry takes no schema that is no JSON
		return
	}
	s.toolsHash, s.tools = s.text(at, string(text)), llm.EstimateRequest(llm.Request{Tools: tools})
}

// saw notes a call to the model: what it was shown, and what came of it.
func (x *run) saw(req llm.Request, s said, began time.Time, err error) {
	seen := &x.seen
	seen.told(began, req.Tools)
	tokens, sum := x.measured(req.Messages)
	step := models.TurnStep{Step: x.steps, Provider: x.servedBy(s), Model: cmp.Or(s.spent.Model, x.route.Model), CallID: s.spent.CallID, Room: x.route.Room(),
		SystemTokens: seen.system, MemoryTokens: seen.memory, ToolsTokens: seen.tools, HistoryTokens: tokens, Messages: len(req.Messages),
		SystemHash: seen.systemHash, ToolsHash: seen.toolsHash, SummaryHash: seen.summary(began, x.session.Summary),
		Seqs: x.book.seqs(), Shortened: int(x.shortened), Pictures: x.base.Images, Digest: sum,
		InputTokens: s.spent.Usage.Input, OutputTokens: s.spent.Usage.Output, CacheReadTokens: s.spent.Usage.CacheRead, ReasoningTokens: s.spent.Usage.Reasoning,
		CostNanos: s.spent.CostNanos, Attempts: attemptsText(s.spent.Attempts), Failure: failureOf(err), Cached: s.spent.Cached, BeganAt: began.UTC(), CreatedAt: x.Clock.Now().UTC()}
	seen.calls = append(seen.calls, step)
}

func attemptsText(list []door.Attempt) string {
	if len(list) == 0 {
		return ""
	}
	text, err := json.Marshal(list)
	if err != nil {
		return ""
	}
	return string(text)
}

// failureOf names what ended a call, "" when it was answered.
func failureOf(err error) string {
	if err == nil {
		return ""
	}
	if k := llm.KindOf(err); k != "" {
		return string(k)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return cmp.Or(f.Code, "failed")
	}
	return "interrupted"
}

// keepSight writes what no event carried: the calls of a turn that failed or was stopped. It is not worth failing for.
func (x *run) keepSight(ctx context.Context) {
	if len(x.seen.calls) == 0 {
		return
	}
	if err := x.append(ctx, models.TurnProgress{}); err != nil && !errors.Is(err, models.ErrLeaseLost) {
		x.Log.WarnContext(ctx, "agent: what a call was shown was not kept", "turn", x.turn.ID, "error", err)
	}
}

// seqs names the events that the model may see.
func (b *logbook) seqs() string {
	out := make([]int64, 0, len(b.events))
	for _, e := range b.events {
		if e.TurnID == nil || !b.waits[*e.TurnID] {
			out = append(out, e.Seq)
		}
	}
	return models.Ranges(out)
}
