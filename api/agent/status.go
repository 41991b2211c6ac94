package agent

import (
	"strings"

	"lobstead/api/wire"
	"lobstead/models"
)

// Status is the family's part of GET /api/agent/status; what was not asked for is absent (agent-api.md, 3.1).
type Status struct {
	Agent    Agent        `json:"agent"`
	Messages *[]Message   `json:"messages,omitempty"`
	Skills   *[]Skill     `json:"skills,omitempty"`
	Logs     *[]StatusLog `json:"logs,omitempty"`
	Health   *Health      `json:"health,omitempty"`
}

// Agent is one instance.
type Agent struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Status        string `json:"status"`      // running, provisioning, error; and ours: stopped, suspended
	ServerIP      string `json:"server_ip"`   // the host that people reach it by
	ServerTier    string `json:"server_tier"` // starter, standard, performance
	ServerRegion  string `json:"server_region"`
	AIModel       string `json:"ai_model"`
	PlanTier      string `json:"plan_tier"`
	MessengerType string `json:"messenger_type"`
	MessagesUsed  int64  `json:"messages_used"`
	MessagesLimit *int64 `json:"messages_limit"` // null: unlimited
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
}

// StatusLog is one line of the instance's history.
type StatusLog struct {
	Timestamp string `json:"timestamp"`
	Level     string `json:"level"` // info, warn, error
	Message   string `json:"message"`
}

// Health is how the sandbox does; null where nothing was measured yet.
type Health struct {
	Status        string   `json:"status"`      // healthy, degraded, down
	CPUPercent    *float64 `json:"cpu_percent"` // of one core
	MemoryPercent *float64 `json:"memory_percent"`
	DiskPercent   *float64 `json:"disk_percent"`
	UptimeSeconds int64    `json:"uptime_seconds"`
	LastCheckAt   *string  `json:"last_check_at"`
}

// serverTiers are our tiers in the family's words. Its largest has no size of its own here: it is the one before.
var serverTiers = []struct {
	word string
	tier models.Tier
}{{"starter", models.Starter}, {"standard", models.Pro}, {"performance", models.Business}, {"enterprise", models.Business}}

func serverTier(t models.Tier) string {
	for _, s := range serverTiers {
		if s.tier == t {
			return s.word
		}
	}
	return strings.ToLower(string(t))
}

// NewAgent presents an instance of an organization with this plan; host is where it is reached, model who answers, and
// budget what its caller may still use.
func NewAgent(i *models.Instance, host, model string, budget TokenBudget) Agent {
	return Agent{ID: i.ID, Name: i.Name, Status: strings.ToLower(string(i.State)), ServerIP: host, ServerTier: serverTier(i.Tier), ServerRegion: i.Region,
		AIModel: model, PlanTier: budget.PlanTier, MessengerType: webMessenger, MessagesUsed: budget.MessagesUsed, MessagesLimit: budget.MessagesLimit,
		CreatedAt: wire.Time(i.CreatedAt), UpdatedAt: wire.Time(i.UpdatedAt)}
}

// NewMessages presents what was said, by the name that each session has here.
func NewMessages(said []models.Said) []Message {
	out := make([]Message, len(said))
	for n, m := range said {
		out[n] = Message{ID: m.ID, SessionID: SessionID(m.Session), Role: m.Role, Content: m.Text, CreatedAt: wire.Time(m.At)}
	}
	return out
}

// NewStatusLogs presents lines that come newest first, in the order of time.
func NewStatusLogs(rows []models.InstanceLog) []StatusLog {
	out := make([]StatusLog, len(rows))
	for n, r := range rows {
		out[len(rows)-1-n] = StatusLog{Timestamp: wire.Time(r.CreatedAt), Level: strings.ToLower(string(r.Level)), Message: r.Message}
	}
	return out
}

// NewHealth presents how an instance does.
func NewHealth(h models.InstanceHealth) Health {
	out := Health{Status: h.Status, UptimeSeconds: int64(h.Uptime.Seconds())}
	if m := h.Last; m != nil {
		out.CPUPercent, out.MemoryPercent, out.DiskPercent, out.LastCheckAt = &m.CPUPercent, &h.Memory, &h.Disk, wire.TimeOrNull(&m.CreatedAt)
	}
	return out
}
