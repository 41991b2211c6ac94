package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"lobstead/api/wire"
	"lobstead/models"
)

// Pagination is the family's page of a list.
type Pagination struct {
	Page       int `json:"page"`
	Limit      int `json:"limit"`
	Total      int `json:"total"`
	TotalPages int `json:"total_pages"`
}

// NewPagination counts pages.
func NewPagination(page, limit, total int) Pagination {
	return Pagination{Page: page, Limit: limit, Total: total, TotalPages: (total + limit - 1) / limit}
}

// Named is an id under both of its names: the published pages use either.
type Named struct {
	ID   string `json:"id"`
	UUID string `json:"uuid"`
}

// Name gives both.
func Name(id string) Named { return Named{ID: id, UUID: id} }

// Agent is one of a list.
type Agent struct {
	Named
	Name           string  `json:"name"`
	Description    *string `json:"description"`
	Status         string  `json:"status"` // active, paused, stopped, error
	CreatedAt      string  `json:"created_at"`
	UpdatedAt      string  `json:"updated_at"`
	MessageCount   int     `json:"message_count"`
	MCPServerCount int     `json:"mcp_server_count"`
}

// AgentList is a page of them.
type AgentList struct {
	Agents     []Agent    `json:"agents"`
	Pagination Pagination `json:"pagination"`
}

// AgentDetail is one agent whole.
type AgentDetail struct {
	Agent
	Configuration     map[string]any    `json:"configuration"`
	SystemPrompt      *string           `json:"system_prompt"`
	SystemPromptType  string            `json:"system_prompt_type"`
	SessionMode       string            `json:"session_mode"`
	MCPServers        []MCPServer       `json:"mcp_servers"`
	FilesystemSummary FilesystemSummary `json:"filesystem_summary"`
}

// MCPServer is one that the configuration names.
type MCPServer struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	AccessMode string `json:"access_mode"`
	Status     string `json:"status"`
}

// FilesystemSummary is how much lies in the workspace; total_files counts at most a hundred thousand.
type FilesystemSummary struct {
	TotalFiles   int     `json:"total_files"`
	TotalSizeMB  float64 `json:"total_size_mb"`
	LastModified *string `json:"last_modified"`
}

// AgentCreated answers a creation: the agent whole, and what older clients read.
type AgentCreated struct {
	AgentDetail
	EndpointURL    string  `json:"endpoint_url"`
	ContainerID    string  `json:"container_id"`
	PlatformAPIKey *string `json:"platform_api_key"` // always null: keys are made by people
}

// AgentUpdated answers a change.
type AgentUpdated struct {
	Message string `json:"message"`
	AgentDetail
}

// AgentSummary is the short one.
type AgentSummary struct {
	Named
	Name                  string `json:"name"`
	Status                string `json:"status"`
	OutputTokenBalance    *int64 `json:"output_token_balance"` // null: not limited
	TotalOutputTokensUsed int64  `json:"total_output_tokens_used"`
	MessageCount          int    `json:"message_count"`
	MCPServerCount        int    `json:"mcp_server_count"`
	CreatedAt             string `json:"created_at"`
	UpdatedAt             string `json:"updated_at"`
}

// AgentReady tells whether a message would be answered now.
type AgentReady struct {
	Ready         bool    `json:"ready"`
	Status        string  `json:"status"`
	PodStatus     string  `json:"pod_status"`               // running, pending, not_running, error
	LastHeartbeat *string `json:"last_heartbeat,omitempty"` // only while the pod runs
	Reason        *string `json:"reason,omitempty"`         // only when it is not ready
}

// AgentChanged answers a verb on an agent: the words, and what older clients read.
type AgentChanged struct {
	Message   string  `json:"message"`
	ID        string  `json:"id"`
	UUID      string  `json:"uuid"`
	Status    string  `json:"status,omitempty"`
	PausedAt  *string `json:"paused_at,omitempty"`
	ResumedAt *string `json:"resumed_at,omitempty"`
	DeletedAt *string `json:"deleted_at,omitempty"`
}

// BalanceChanged answers a change of the balance.
type BalanceChanged struct {
	Message         string `json:"message"`
	NewBalance      int64  `json:"new_balance"`
	PreviousBalance int64  `json:"previous_balance"`
}

// Facts are what an agent's answers are made of.
type Facts struct {
	Instance *models.Instance
	Profile  *models.AgentProfile
	Messages int
	EnvNames []string
	Balance  models.TokenBalance
	Files    FilesystemSummary
}

// NewAgent presents one of a list.
func NewAgent(f Facts) Agent {
	a := Agent{Named: Name(f.Instance.ID), Name: f.Profile.Name(f.Instance), Status: string(f.Instance.Standing()), CreatedAt: wire.Time(f.Instance.CreatedAt),
		UpdatedAt: wire.Time(latest(f.Instance.UpdatedAt, f.Profile.UpdatedAt)), MessageCount: f.Messages, MCPServerCount: len(servers(f.Profile.Config()))}
	if f.Profile.Description != "" {
		a.Description = &f.Profile.Description
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// NewAgentDetail presents one whole.
func NewAgentDetail(f Facts) AgentDetail {
	config := f.Profile.Config()
	d := AgentDetail{Agent: NewAgent(f), Configuration: config, SystemPromptType: cmp.Or(string(f.Profile.InstructionsMode), string(models.AppendInstructions)), SessionMode: persistent,
		MCPServers: servers(config), FilesystemSummary: f.Files}
	config["model"] = nil
	if f.Instance.Model != "" {
		config["model"] = f.Instance.Model
	}
	if len(f.EnvNames) > 0 {
		env := map[string]string{}
		for _, name := range f.EnvNames {
			env[name] = hidden
		}
		config["custom_env"] = env
	}
	if f.Profile.Fresh {
		d.SessionMode = ephemeral
	}
	if f.Profile.Instructions != "" {
		d.SystemPrompt = &f.Profile.Instructions
	}
	return d
}

// hidden stands for a value that is not shown again; sent back, it changes nothing.
const hidden = "********"

// servers are those that a configuration names. Nothing here connects to them, and their status says so.
func servers(config map[string]any) []MCPServer {
	named, _ := config["mcp_servers"].(map[string]any)
	out := []MCPServer{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		mode := "read_write"
		if one, ok := named[name].(map[string]any); ok {
			if m, ok := one["access_mode"].(string); ok {
				mode = m
			}
		}
		out = append(out, MCPServer{ID: name, Name: name, AccessMode: mode, Status: "disconnected"})
	}
	return out
}

// NewAgentCreated presents a new one.
func NewAgentCreated(f Facts, baseURL string) AgentCreated {
	return AgentCreated{AgentDetail: NewAgentDetail(f), EndpointURL: baseURL + "/v1/agent/" + f.Instance.ID, ContainerID: f.Instance.ID}
}

// NewAgentSummary presents the short one.
func NewAgentSummary(f Facts) AgentSummary {
	a := NewAgent(f)
	s := AgentSummary{Named: a.Named, Name: a.Name, Status: a.Status, TotalOutputTokensUsed: f.Balance.Used, MessageCount: a.MessageCount, MCPServerCount: a.MCPServerCount,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
	if f.Balance.Limit {
		s.OutputTokenBalance = &f.Balance.Left
	}
	return s
}

// NewAgentReady presents readiness; seen is when the sandbox last gave a sign, nil when it never did.
func NewAgentReady(i *models.Instance, seen *time.Time) AgentReady {
	r := AgentReady{Status: string(i.Standing()), PodStatus: pod(i)}
	r.Ready = r.Status == string(models.StandingActive) && r.PodStatus == "running"
	if r.PodStatus == "running" {
		r.LastHeartbeat = wire.TimeOrNull(seen)
	}
	if !r.Ready {
		why := cmp.Or(i.Reason, asleepWords(i), map[string]string{"pending": "The sandbox is being started", "not_running": "The agent is stopped", "running": "The agent is paused"}[r.PodStatus], "The sandbox could not be started")
		r.Reason = &why
	}
	return r
}

func asleepWords(i *models.Instance) string {
	if i.Asleep() {
		return "The sandbox sleeps until something needs it"
	}
	return ""
}

func pod(i *models.Instance) string {
	switch {
	case i.Asleep():
		return "not_running"
	case i.State == models.Errored:
		return "error"
	case i.State == models.Running && i.Desired == models.WantRunning:
		return "running"
	case i.State == models.Provisioning && i.Desired == models.WantRunning || i.State == models.Stopped && i.Desired == models.WantRunning:
		return "pending"
	}
	return "not_running"
}
