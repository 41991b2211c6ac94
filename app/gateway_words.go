package app

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	agentapi "lobstead/api/agent"
	"lobstead/api/anthropic"
	"lobstead/api/openai"
	"lobstead/engine/gateway"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// The header pair of older agents: their token, and the id of their instance.
const (
	agentSecret = "X-Agent-Secret"
	agentID     = "X-Agent-Id"
)

// nameRequest puts the request's id into the headers that the family knows.
func (c *Ctx) nameRequest() {
	c.f.Set("X-Request-Id", c.requestID)
	if c.family.speaksModels() {
		c.f.Set("X-Lobstack-Request-Id", c.requestID)
	}
	if c.family == Anthropic {
		c.f.Set("Request-Id", c.requestID)
	}
}

// byToken finds the instance that calls with its own token. With the header pair the id must be that instance's.
func (c *Ctx) byToken(token secret.String) (*models.Principal, error) {
	p, err := c.app.Store.AsSystem("which instance is calling").ByGatewayToken(c, token)
	if err != nil {
		return nil, err
	}
	if c.f.Get(agentSecret) != "" && c.f.Get(agentID) != p.Instance.ID {
		return nil, errGuest
	}
	_, err = c.take("instance "+p.Instance.ID, c.app.Limits.Requests)
	return p, err
}

// principalWord is how the agent API calls the credential.
func (c *Ctx) principalWord() string {
	switch {
	case c.Principal.Instance == nil && c.Principal.KeyID == "":
		return "session"
	case c.Principal.Instance == nil:
		return "api_key"
	case c.f.Get(agentSecret) != "":
		return "agent_secret"
	}
	return "gateway_token"
}

// spoken is a fault as the gateway means it: what a model service says of our account there is not the caller's doing.
func (c *Ctx) spoken(e *fault.Error) *fault.Error {
	if !c.family.speaksModels() {
		return e
	}
	kind := e.Kind
	switch e.Code {
	case "llm.quota", "llm.not_found":
		kind = fault.Upstream
	case "llm.context_length":
		kind = fault.Invalid
	}
	if kind == fault.Payment && len(c.f.Response().Header.Peek(fiber.HeaderRetryAfter)) == 0 {
		now := time.Now().UTC()
		c.f.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(monthEnd(now).Sub(now).Seconds()))))
	}
	if kind == e.Kind {
		return e
	}
	out := *e
	out.Kind = kind
	return &out
}

func monthEnd(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// refusal is the family's error body.
func (c *Ctx) refusal(e *fault.Error) any {
	switch c.family {
	case Gateway:
		return openai.NewError(e, c.requestID, openai.Lobstack)
	case Anthropic:
		return anthropic.NewError(e, c.requestID)
	}
	return openai.NewError(e, "", openai.Standard)
}

// dropped tells which fields of the request had no effect.
func (c *Ctx) dropped(names []string) {
	if before := c.f.GetRespHeader("X-Lobstack-Dropped-Params"); before != "" {
		names = append(strings.Split(before, ","), names...)
	}
	if len(names) > 0 {
		slices.Sort(names)
		c.f.Set("X-Lobstack-Dropped-Params", strings.Join(slices.Compact(names), ","))
	}
}

// tellPlan sets the headers that are known before the answer: the route and the quota.
func (c *Ctx) tellPlan(a *gateway.Answer) error {
	q, err := a.Quota(c)
	if err != nil {
		return err
	}
	mode := "byok"
	if a.Managed {
		mode = "managed"
	}
	c.dropped(a.Dropped)
	for _, h := range [][2]string{
		{"Model", a.Model()}, {"Tier", string(a.Decision.Tier)}, {"Complexity", strconv.Itoa(a.Decision.Complexity)},
		{"Routed", strconv.FormatBool(a.Decision.Routed)}, {"Mode", mode}, {"Principal", c.principalWord()}, {"Savings-Pct", ""},
	} {
		c.f.Set("X-Lobstack-"+h[0], h[1])
	}
	c.tellQuota(q)
	return nil
}

// tellQuota sets the headers of the tightest budgets. Where only messages are limited, those are metered; tokens have headers
// of our own.
func (c *Ctx) tellQuota(q gateway.Quota) {
	list, resets := [][2]string{{"Meter", "spend"}, {"Spent-Usd", usd(&q.Spent)}}, q.Resets
	switch m := q.Messages; {
	case q.Money != nil:
		left := q.Money.Left()
		list = append(list, [2]string{"Allowance-Usd", usd(&q.Money.Amount)}, [2]string{"Remaining-Usd", usd(&left)})
	case m != nil:
		list, resets = [][2]string{{"Meter", "requests"}, {"Limit", figure(m.Amount)}, {"Used", figure(m.Spent)}, {"Remaining", figure(m.Left())}}, m.Resets
	default:
		list = append(list, [2]string{"Allowance-Usd", ""}, [2]string{"Remaining-Usd", ""})
	}
	if q.Tokens != nil {
		list = append(list, [2]string{"Tokens-Limit", figure(q.Tokens.Amount)}, [2]string{"Tokens-Remaining", figure(q.Tokens.Left())})
	}
	at := "" // never
	if !resets.IsZero() {
		at = resets.UTC().Format(time.RFC3339)
	}
	for _, h := range append(list, [2]string{"Resets", at}) {
		c.f.Set("X-Lobstack-Quota-"+h[0], h[1])
	}
}

// tellCache says that the instance's cache gave the answer: exact, or semantic.
func (c *Ctx) tellCache(how models.CacheOutcome) {
	if how != models.CacheMiss {
		c.f.Set("X-Lobstack-Cache", string(how))
	}
}

// tellSum sets the headers of a buffered answer: who served it, and for how much.
func (c *Ctx) tellSum(s gateway.Sum) {
	c.tellCache(s.Cached)
	list := [][2]string{{"Model", s.Served}, {"Tier", string(s.Tier)}, {"Cost-Usd", usd(s.CostNanos)}, {"Savings", usd(s.SavedNanos())},
		{"Savings-Usd", usd(s.SavedNanos())}, {"Savings-Pct", percent(s)}, {"Priced", strconv.FormatBool(s.CostNanos != nil)},
		{"Metered", strconv.FormatBool(!s.Usage.Estimated)}}
	if s.Baseline != "" {
		list = append(list, [2]string{"Baseline-Model", s.Baseline}, [2]string{"Baseline-Reason", s.Reason}, [2]string{"Baseline-Usd", usd(&s.BaselineNanos)})
	}
	for _, h := range list {
		c.f.Set("X-Lobstack-"+h[0], h[1])
	}
}

// usd writes dollars with six decimals, "" for what nobody knows.
func usd(nanos *int64) string {
	if nanos == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*nanos)/1e9, 'f', 6, 64)
}

func percent(s gateway.Sum) string {
	saved := s.SavedNanos()
	if saved == nil || s.BaselineNanos == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(*saved)/float64(s.BaselineNanos), 'f', 1, 64)
}

// extra is what the last chunk of a stream says in the agent API's words.
func extra(requestID string, s gateway.Sum) agentapi.Extra {
	out := agentapi.Extra{RequestID: requestID, ServedModel: s.Served, RequestedModel: cmp.Or(s.Requested, "auto"), Routed: s.Routed,
		CostUSD: agentapi.USD(s.CostNanos), SavingsUSD: agentapi.USD(s.SavedNanos()), Priced: s.CostNanos != nil, Cached: s.Cached != models.CacheMiss}
	if s.Baseline != "" {
		out.BaselineModel, out.BaselineReason, out.BaselineCostUSD = &s.Baseline, &s.Reason, agentapi.USD(&s.BaselineNanos)
	}
	return out
}
