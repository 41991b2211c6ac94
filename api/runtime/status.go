package runtime

// AgentStatus is the family's part of GET /api/agent/status (runtime-api.md, section 9).
type AgentStatus struct {
	State        string      `json:"state"` // running, provisioning, stopped, error, suspended
	Name         string      `json:"name"`
	AgentName    string      `json:"agent_name"`
	AgentID      string      `json:"agent_id"`
	PrimaryModel string      `json:"primary_model"` // provider/model
	ActiveModel  string      `json:"active_model"`  // who answered last
	Breaker      string      `json:"primary_provider_state"`
	CacheEntries int         `json:"cache_entries"`
	CacheHitRate float64     `json:"cache_hit_rate_pct"`
	Diagnostics  Diagnostics `json:"diagnostics"`
}

// Diagnostics are the figures beneath.
type Diagnostics struct {
	UptimeSeconds    int64   `json:"uptime_seconds"`
	PrimaryModel     string  `json:"primary_model"`
	ActiveModel      string  `json:"active_model"`
	PrimaryProvider  string  `json:"primary_provider"`
	Breaker          string  `json:"primary_provider_state"` // closed, open, halfopen
	BreakerOpen      int     `json:"breaker_open_count"`
	BreakerHalfOpen  int     `json:"breaker_half_open_count"`
	CacheEntries     int     `json:"cache_entries"`
	CacheHitRate     float64 `json:"cache_hit_rate_pct"`
	PendingApprovals int     `json:"pending_approvals"`
	SubAgents
	Delegation         bool `json:"delegation_tools_available"`
	Channels           int  `json:"channels_total"`
	ChannelsWithErrors int  `json:"channels_with_errors"`
}

// SubAgents counts agents that an agent can give work to; instances here have none.
type SubAgents struct {
	Total   int `json:"taskable_subagents_total"`
	Enabled int `json:"taskable_subagents_enabled"`
	Booting int `json:"taskable_subagents_booting"`
	Running int `json:"taskable_subagents_running"`
	Error   int `json:"taskable_subagents_error"`
	Hollow  int `json:"taskable_subagents_hollow"`
}

// BreakerWord spells a breaker's state as this answer does: without the line that /api/breaker has.
func BreakerWord(state string) string {
	if state == "half_open" {
		return "halfopen"
	}
	return state
}
