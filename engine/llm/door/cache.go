package door

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// CacheUse is what a caller lets the cache of an instance do. Without one, the instance's owner decides.
type CacheUse int

// The uses.
const (
	CacheAsSet CacheUse = iota
	CacheAnew           // a model is asked, and its answer is kept
	CacheNot            // a model is asked, and its answer is not kept
)

// remembered are the purposes of calls whose answers are given again. Others ask because they want a fresh word.
var remembered = map[string]bool{"chat": true, "gateway": true}

// kept is an answer as the cache has it.
type kept struct {
	Parts []llm.Part     `json:"parts"`
	Model string         `json:"model"`
	Stop  llm.StopReason `json:"stop"`
	Ended string         `json:"ended,omitempty"`
	Usage llm.Usage      `json:"usage"`
}

// memo is a call that its instance's cache has a say in; nil for the others.
type memo struct {
	door   *Door
	sc     *models.Scope
	plan   Plan
	ask    Ask
	rule   models.ResponseCache
	digest string // of all that decides the answer
	frame  string // the same without the last message
	heard  llm.Builder
	done   *llm.Done

	place placed // of the last message, where similar ones are answered alike
	paid  Spent  // for that
}

// spent is what looking cost, before any model was asked.
func (m *memo) spent() Spent {
	if m == nil {
		return Spent{}
	}
	return m.paid
}

// memo finds out whether a cache may answer, and keep what is answered.
func (d *Door) memo(ctx context.Context, sc *models.Scope, p Plan, a Ask) *memo {
	if a.Instance == nil || a.Cache == CacheNot || !remembered[a.Call.Purpose] {
		return nil
	}
	rule, ok := d.policy(ctx, sc).caches[a.Instance.ID]
	if !ok || !repeatable(a.Request) {
		return nil
	}
	m := &memo{door: d, sc: sc, plan: p, ask: a, rule: rule}
	var err error
	if m.digest, m.frame, err = digests(sc.Org, a.Instance.ID, p.Routes[0], a.Request); err != nil { // a schema that is no JSON
		return nil
	}
	return m
}

// repeatable tells whether the same request may be answered by the same words: nobody asked for variety, no tool has told of
// a world that moves on, and there is no picture.
func repeatable(r llm.Request) bool {
	if r.Temperature != nil && *r.Temperature > 0 || len(r.Messages) == 0 || r.Messages[len(r.Messages)-1].Role != llm.User {
		return false
	}
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if p.Call != nil || p.Result != nil || p.Image != nil {
				return false
			}
		}
	}
	return true
}

// digests name a request: with whose it is, who would answer it, and all that is asked; and without what its last message says.
func digests(org, instance string, r Route, req llm.Request) (whole, frame string, err error) {
	req.Model = ""
	last := len(req.Messages) - 1
	around := req
	around.Messages = req.Messages[:last]
	if frame, err = digest(org, instance, r.account, r.Model, around); err != nil {
		return "", "", err
	}
	whole, err = digest(frame, req.Messages[last])
	return whole, frame, err
}

func digest(parts ...any) (string, error) {
	text, err := json.Marshal(parts)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// replay gives the answer of before, if there is one; false: a model must be asked.
func (m *memo) replay(ctx context.Context, yield func(llm.Chunk, error) bool) bool {
	if m == nil || m.ask.Cache == CacheAnew {
		return false
	}
	how := models.CacheExact
	row, err := m.sc.CachedAnswer(ctx, m.ask.Instance.ID, m.digest)
	if fault.Is(err, fault.NotFound) && m.rule.Semantic {
		how = models.CacheSemantic
		row, err = m.similar(ctx)
	}
	if err != nil {
		if !fault.Is(err, fault.NotFound) && ctx.Err() == nil {
			slog.WarnContext(ctx, "door: a cache cannot answer", "instance", m.ask.Instance.ID, "error", err)
		}
		m.sc.CountCache(ctx, m.ask.Instance.ID, models.CacheMiss)
		return false
	}
	return m.give(ctx, row, how, yield)
}

// give settles an answer as one that nothing was paid for, and hands it out piece by piece.
func (m *memo) give(ctx context.Context, row *models.CachedAnswer, how models.CacheOutcome, yield func(llm.Chunk, error) bool) bool {
	k := kept{}
	if err := json.Unmarshal([]byte(row.Answer), &k); err != nil {
		slog.WarnContext(ctx, "door: a cached answer cannot be read", "instance", row.InstanceID, "error", err)
		return false
	}
	m.sc.CountCache(ctx, row.InstanceID, how)
	m.settle(ctx, k, how)
	for _, p := range k.Parts {
		c := llm.Chunk{Text: p.Text}
		if p.Thinking != nil {
			c = llm.Chunk{Thinking: p.Thinking.Text, Signature: p.Thinking.Signature, Redacted: p.Thinking.Redacted}
		}
		if !yield(c, nil) {
			return true
		}
	}
	yield(llm.Chunk{Done: &llm.Done{Model: k.Model, Stop: k.Stop, Ended: k.Ended, Usage: k.Usage}}, nil)
	return true
}

// settle writes what the call saved: an entry of nothing in the ledger, and the decision.
func (m *memo) settle(ctx context.Context, k kept, how models.CacheOutcome) {
	r := m.plan.Routes[0]
	c := m.ask.Call.charge(r)
	c.Purpose, c.Model, c.Unpriced = models.CachedCall, k.Model, false
	if n, ok := r.Price(k.Usage, m.door.now()); ok {
		c.BaselineNanos = &n
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer done()
	if err := m.sc.Settle(ctx, c); err != nil {
		slog.WarnContext(ctx, "door: an answer of the cache was not noted", "call", c.CallID, "error", err)
	}
	s := m.paid
	s.CallID, s.Provider, s.Model, s.Cached = c.CallID, r.Name, k.Model, how
	row := (&tries{door: m.door, plan: m.plan, ask: m.ask, won: -1}).row(s)
	row.Cached, row.Provider, row.Model = how, s.Provider, s.Model
	m.sc.Decide(ctx, row)
	if m.ask.Call.Settled != nil {
		m.ask.Call.Settled(s)
	}
}

// listen hears what a model says, as the reader does.
func (m *memo) listen(a Ask, yield func(llm.Chunk, error) bool) (Ask, func(llm.Chunk, error) bool) {
	if m == nil {
		return a, yield
	}
	if restart := a.Restart; restart != nil {
		a.Restart = func() { m.heard, m.done = llm.Builder{}, nil; restart() }
	}
	return a, func(c llm.Chunk, err error) bool {
		if err == nil {
			m.heard.Add(c)
			m.done = c.Done
		}
		return yield(c, err)
	}
}

// keep puts an answer away that came to its end in words, by the model that was meant to give it.
func (m *memo) keep(ctx context.Context, t *tries) {
	if m == nil || m.done == nil || m.done.Stop != llm.StopEnd || t.won < 0 || t.attempts[t.won].Outcome != Answered {
		return
	}
	if first, by := m.plan.Routes[0], t.attempts[t.won]; by.Provider != first.service || by.Model != first.Model {
		return // of a stand-in
	}
	k := kept{Parts: m.heard.Message().Parts, Model: m.done.Model, Stop: m.done.Stop, Ended: m.done.Ended, Usage: m.done.Usage}
	said := ""
	for _, p := range k.Parts {
		if p.Call != nil {
			return
		}
		said += p.Text
	}
	text, err := json.Marshal(k)
	if err != nil || strings.TrimSpace(said) == "" {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer done()
	row := models.CachedAnswer{InstanceID: m.ask.Instance.ID, Digest: m.digest, Frame: m.frame, Answer: string(text), Place: m.place.bytes(), EmbeddingModel: m.place.by}
	if err := m.sc.KeepAnswer(ctx, row, m.rule.LifeHours); err != nil {
		slog.WarnContext(ctx, "door: an answer was not kept", "instance", row.InstanceID, "error", err)
	}
}
