package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"strconv"
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
		CostNanos: s.spent.CostNanos, Attempts: attemptsText(s.spent.Attempts), Failure: failureOf(err), BeganAt: began.UTC(), CreatedAt: x.Clock.Now().UTC()}
	seen.calls = append(seen.calls, step)
}

// pile is what some messages come to.
type pile struct {
	tokens int
	sum    [sha256.Size]byte
}

// measured sizes up the messages of a step. Those of the earlier turns do not change from step to step, unless they are
// shortened: they are measured once.
func (x *run) measured(messages []llm.Message) (tokens int, digest string) {
	n := x.earlier()
	earlier := x.seen.earlier
	if earlier == nil || x.shortened != whole {
		earlier = measure(messages[:n])
	}
	if x.shortened == whole {
		x.seen.earlier = earlier
	}
	rest := measure(messages[n:])
	both := sha256.Sum256(append(earlier.sum[:], rest.sum[:]...))
	return earlier.tokens + rest.tokens, hex.EncodeToString(both[:16])
}

// earlier is how many messages are of earlier turns alone: the last one of them may have been joined to.
func (x *run) earlier() int { return max(len(x.history)-1, 0) }

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

// measure sizes up messages. The sum tells later whether messages that were made again are the same: the rules by which they
// are made may change between two versions of this program.
func measure(messages []llm.Message) *pile {
	h, out := sha256.New(), &pile{}
	for _, m := range messages {
		out.tokens += llm.EstimateMessage(m)
		put(h, "message", string(m.Role))
		for _, p := range m.Parts {
			put(h, "text", p.Text)
			switch {
			case p.Thinking != nil:
				put(h, "thinking", p.Thinking.Text, p.Thinking.Signature)
			case p.Image != nil:
				put(h, "image", p.Image.MediaType, strconv.Itoa(len(p.Image.Data)))
			case p.Call != nil:
				put(h, "call", p.Call.ID, p.Call.Name, string(p.Call.Input))
			case p.Result != nil:
				put(h, "result", p.Result.CallID, p.Result.Content, strconv.FormatBool(p.Result.Error))
			}
		}
	}
	h.Sum(out.sum[:0])
	return out
}

// put writes words with their lengths, so that none can pass for another.
func put(h hash.Hash, words ...string) {
	var b [20]byte
	for _, w := range words {
		_, _ = h.Write(append(strconv.AppendInt(b[:0], int64(len(w)), 10), ':')) // a hash never fails
		_, _ = io.WriteString(h, w)
	}
}
