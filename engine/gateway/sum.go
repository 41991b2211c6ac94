package gateway

import (
	"cmp"
	"context"
	"errors"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Sum is what an answer came to.
type Sum struct {
	Requested     string
	Served        string
	Tier          llm.Tier
	Routed        bool
	Usage         llm.Usage
	CostNanos     *int64              // nil = nobody knows a price
	Baseline      string              // the model that savings are measured against, "" = none
	Reason        string              // of the baseline: named, plan_ceiling
	BaselineNanos int64               // with a baseline
	Cached        models.CacheOutcome // the instance's cache gave the answer; Usage is what a model had taken
}

// SavedNanos is what routing saved; nil without a baseline or a price.
func (s Sum) SavedNanos() *int64 {
	if s.CostNanos == nil || s.Baseline == "" {
		return nil
	}
	saved := s.BaselineNanos - *s.CostNanos
	return &saved
}

// Sum tells what the answer came to, once its chunks were read.
func (a *Answer) Sum() Sum {
	now := time.Now()
	served := a.served()
	s := Sum{Requested: a.Call.requested(), Served: cmp.Or(a.done.Model, served.Model), Tier: served.Tier(), Routed: a.Decision.Routed, Usage: a.done.Usage}
	s.Cached = a.spent.Cached
	if s.Usage == (llm.Usage{}) {
		s.Usage = a.spent.Usage
	}
	if _, priced := served.Price(s.Usage, now); priced || s.Cached != models.CacheMiss {
		s.CostNanos = &a.spent.CostNanos
	}
	if b := a.Decision.Baseline; b != nil {
		if nanos, ok := b.Price(s.Usage, now); ok {
			s.Baseline, s.Reason, s.BaselineNanos = b.Model, b.Reason, nanos
		}
	}
	if nanos, priced := served.Price(s.Usage, now); priced && s.Cached != models.CacheMiss && s.Baseline == "" && a.agent == nil {
		s.Baseline, s.Reason, s.BaselineNanos = s.Served, "named", nanos // what had answered is the instance's own model
	}
	return s
}

// served is the route of the model that answered.
func (a *Answer) served() door.Route {
	for _, r := range a.plan.Routes {
		if r.Model == a.done.Model {
			return r
		}
	}
	return a.plan.Routes[0]
}

// note writes down what became of the call, also when the caller is gone.
func (a *Answer) note(ctx context.Context) {
	s := a.Sum()
	row := models.GatewayCall{ID: a.Call.ID, Door: a.Call.Door, Session: a.Call.Session, Requested: s.Requested, Model: s.Served, Routed: s.Routed,
		Streamed: a.Call.Streamed, Error: class(a.err), InputTokens: s.Usage.Input, OutputTokens: s.Usage.Output, Priced: s.CostNanos != nil,
		CostNanos: a.spent.CostNanos, FirstMS: a.first.Milliseconds(), TotalMS: time.Since(a.began).Milliseconds()}
	if i := a.ask().Instance; i != nil {
		row.InstanceID = i.ID
	}
	if s.Cached != models.CacheMiss {
		row.Cached, row.InputTokens, row.OutputTokens = true, a.spent.Usage.Input, a.spent.Usage.Output
	}
	a.sc.NoteGatewayCall(ctx, row)
}

var classes = map[fault.Kind]string{fault.Unauthenticated: "auth", fault.Forbidden: "auth", fault.Payment: "quota", fault.TooMany: "quota", fault.Invalid: "validation",
	fault.NotFound: "validation", fault.Conflict: "validation", fault.TooLarge: "validation", fault.Upstream: "provider", fault.Unavailable: "provider", fault.Timeout: "timeout"}

// class is the contract's word for what went wrong, "" for nothing.
func class(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrGone), llm.KindOf(err) == llm.KindCancelled, fault.As(err).Code == "gateway.left":
		return "cancelled"
	}
	return cmp.Or(classes[fault.KindOf(err)], "internal")
}
