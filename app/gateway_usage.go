package app

import (
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/engine/gateway"
	"lobstead/models"
)

var usageDays = map[string]int{"7d": 7, "14d": 14, "30d": 30, "90d": 90}

// Usage reports what was called through the gateway; what of the query is not known takes its default.
func (h *ModelGateway) Usage(c *Ctx) (Reply, error) {
	span, by := c.Query("range"), gateway.GroupBy(c.Query("group_by"))
	if usageDays[span] == 0 {
		span = "7d"
	}
	if by != gateway.ByModel && by != gateway.ByKey && by != gateway.ByAgent {
		by = gateway.ByDay
	}
	f := models.GatewayCallFilter{Since: time.Now().UTC().AddDate(0, 0, -usageDays[span]), InstanceID: c.Query("agent_id"), KeyID: c.Query("key_id")}
	u, err := h.gate.Usage(c, c.Scope, f, by)
	if err != nil {
		return nil, err
	}
	via := "session"
	if c.Principal.KeyID != "" {
		via = "api_key"
	}
	out := agentapi.Usage{Enabled: true, OrgID: c.Org(), AuthenticatedVia: via, Range: span, GroupBy: string(by), Summary: usageSummary(u.Whole),
		Groups: []agentapi.UsageGroup{}, Truncated: u.Truncated}
	for _, g := range u.Groups {
		out.Groups = append(out.Groups, agentapi.UsageGroup{Key: g.Key, Requests: g.Requests, Errors: g.Errors, TotalTokens: g.Input + g.Output,
			CostUSD: *agentapi.USD(&g.CostNanos), UnpricedRequests: g.Unpriced, P50: g.Latency(50), P95: g.Latency(95)})
	}
	return data(out), nil
}

func usageSummary(t gateway.Tally) agentapi.UsageSummary {
	s := agentapi.UsageSummary{Requests: t.Requests, Errors: t.Errors, ErrorsByClass: map[string]int{}, PromptTokens: t.Input, CompletionTokens: t.Output,
		TotalTokens: t.Input + t.Output, CostUSD: *agentapi.USD(&t.CostNanos), UnpricedRequests: t.Unpriced, P50: t.Latency(50), P95: t.Latency(95),
		P99: t.Latency(99), Streamed: t.Streamed}
	for class, n := range t.ByClass {
		s.ErrorsByClass[class] = n
	}
	if t.Requests > 0 {
		s.ErrorRate = float64(t.Errors) / float64(t.Requests)
	}
	return s
}
