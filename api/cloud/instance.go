// Package cloud is the wire of the cloud API: types, readers and presenters. Shapes and rules are those of
// the published contract (cloud-api.md); it asks nothing of the database.
package cloud

import (
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// InstanceCreated is the answer to a creation.
type InstanceCreated struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	Status       string  `json:"status"` // PROVISIONING, RUNNING, STOPPED, ERROR, SUSPENDED
	Region       string  `json:"region"`
	Tier         string  `json:"tier"`
	MemoryMB     int     `json:"memoryMb"`
	StorageMB    int     `json:"storageMb"`
	GatewayURL   *string `json:"gatewayUrl"` // null until RUNNING
	GatewayToken *string `json:"gatewayToken"`
	CreatedAt    string  `json:"createdAt"`
}

// InstanceListItem is one instance of a list.
type InstanceListItem struct {
	InstanceCreated
	UpdatedAt        string  `json:"updatedAt"`
	LastActiveAt     *string `json:"lastActiveAt"`
	OrganizationID   string  `json:"organizationId"`
	OrganizationName string  `json:"organizationName"`
	OrganizationSlug string  `json:"organizationSlug"`
	Reason           *string `json:"reason"` // ours: why it is in its state
}

// Log is one line of an instance's history.
type Log struct {
	ID         string `json:"id"`
	InstanceID string `json:"instanceId"`
	Level      string `json:"level"`
	Message    string `json:"message"`
	CreatedAt  string `json:"createdAt"`
	Timestamp  string `json:"timestamp"`
}

// Metric is one reading: cpuUsage in percent of one core, memoryUsage and diskUsage in MB.
type Metric struct {
	ID           string  `json:"id"`
	InstanceID   string  `json:"instanceId"`
	CPUUsage     float64 `json:"cpuUsage"`
	MemoryUsage  float64 `json:"memoryUsage"`
	DiskUsage    float64 `json:"diskUsage"`
	Processes    int     `json:"processes"`
	RequestCount int     `json:"requestCount"`
	TokenCount   int     `json:"tokenCount"`
	Timestamp    string  `json:"timestamp"`
	CreatedAt    string  `json:"createdAt"`
}

// InstanceDetail is one instance with its history, newest first.
type InstanceDetail struct {
	InstanceListItem
	Logs    []Log    `json:"logs"`
	Metrics []Metric `json:"metrics"`
}

// InstanceActed answers an action: the instance, and the two fields by which other clients tell success.
type InstanceActed struct {
	InstanceListItem
	Success bool `json:"success"`
}

// Deleted answers every deletion of the family.
type Deleted struct {
	Success bool `json:"success"`
}

// Gateway is where an instance is reached, once it runs.
type Gateway struct{ URL, Token string }

// NewInstanceCreated presents a fresh instance.
func NewInstanceCreated(i *models.Instance, g *Gateway) InstanceCreated {
	out := InstanceCreated{ID: i.ID, Name: i.Name, Status: string(i.State), Region: i.Region, Tier: string(i.Tier),
		MemoryMB: i.MemoryMB, StorageMB: i.StorageMB, CreatedAt: wire.Time(i.CreatedAt)}
	if g != nil && i.State == models.Running {
		out.GatewayURL, out.GatewayToken = &g.URL, &g.Token
	}
	return out
}

// NewInstanceListItem presents an instance of an organization.
func NewInstanceListItem(i *models.Instance, o *models.Organization, g *Gateway) InstanceListItem {
	out := InstanceListItem{InstanceCreated: NewInstanceCreated(i, g), UpdatedAt: wire.Time(i.UpdatedAt),
		LastActiveAt: wire.TimeOrNull(i.LastActiveAt), OrganizationID: o.ID, OrganizationName: o.Name, OrganizationSlug: o.Slug}
	if i.Reason != "" {
		out.Reason = &i.Reason
	}
	return out
}

// NewLogs presents log lines.
func NewLogs(rows []models.InstanceLog) []Log {
	out := make([]Log, len(rows))
	for n, r := range rows {
		at := wire.Time(r.CreatedAt)
		out[n] = Log{ID: r.ID, InstanceID: r.InstanceID, Level: string(r.Level), Message: r.Message, CreatedAt: at, Timestamp: at}
	}
	return out
}

// NewMetrics presents readings.
func NewMetrics(rows []models.InstanceMetric) []Metric {
	out := make([]Metric, len(rows))
	for n, r := range rows {
		at := wire.Time(r.CreatedAt)
		out[n] = Metric{ID: r.ID, InstanceID: r.InstanceID, CPUUsage: r.CPUPercent, MemoryUsage: r.MemoryMB, DiskUsage: r.DiskMB,
			Processes: r.Processes, RequestCount: r.RequestCount, TokenCount: r.TokenCount, Timestamp: at, CreatedAt: at}
	}
	return out
}

// ReadNewInstance reads a creation; all issues come at once.
func ReadNewInstance(f *wire.Fields) (models.NewInstance, error) {
	var n models.NewInstance
	var ok bool
	if n.Name, ok = f.String("name"); ok {
		models.CheckInstanceName(&f.Issues, n.Name)
	}
	if n.Region, ok = f.String("region"); ok && n.Region == "" {
		f.Issues.TooSmall("region", 1)
	}
	tier, _ := f.Enum("tier", models.TierNames...)
	n.Tier = models.Tier(tier)
	return n, f.Err()
}

// ReadInstanceChange reads a change of name, tier, region or model.
func ReadInstanceChange(f *wire.Fields) (models.InstanceChange, error) {
	var c models.InstanceChange
	c.Name, _ = f.OptionalString("name")
	if c.Name != nil {
		models.CheckInstanceName(&f.Issues, *c.Name)
	}
	if f.Has("tier") {
		tier, _ := f.Enum("tier", models.TierNames...)
		c.Tier = (*models.Tier)(&tier)
	}
	if c.Region, _ = f.OptionalString("region"); c.Region != nil && *c.Region == "" {
		f.Issues.TooSmall("region", 1)
	}
	c.Model, _ = f.OptionalString("model")
	if c.Name == nil && c.Tier == nil && c.Region == nil && c.Model == nil && len(f.Issues) == 0 {
		f.Issues.Custom("", "At least one field is required")
	}
	return c, f.Err()
}

// ReadAction reads what is asked of an instance.
func ReadAction(f *wire.Fields) (models.Action, error) {
	s, _ := f.Enum("action", "start", "stop", "restart")
	return models.Action(s), f.Err()
}

// Error is the family's error body.
type Error struct {
	Error   string        `json:"error"`
	Details []fault.Issue `json:"details,omitempty"`
	Code    string        `json:"code,omitempty"` // ours: stable, for programs
	Hint    string        `json:"hint,omitempty"` // ours: what to do now
}

// words are the family's names of the kinds (cloud-api.md, "Conventions").
var words = map[fault.Kind]string{
	fault.Invalid: "Invalid request", fault.Unauthenticated: "Unauthorized", fault.Forbidden: "Insufficient permissions",
	fault.NotFound: "Not found", fault.TooMany: "Too many requests", fault.Internal: "Server error",
}

// pace are the codes of what is asked too often.
var pace = map[string]bool{"limit": true, "sign_in.limit": true}

// NewError spells a fault as the family does.
func NewError(e *fault.Error) Error {
	out := Error{Error: e.Detail, Details: e.Fields, Code: e.Code, Hint: e.Hint}
	fixed, ok := words[e.Kind]
	switch {
	case e.Kind == fault.Invalid && len(e.Fields) == 0 && e.Detail != "":
	case e.Kind == fault.Forbidden && e.Code != "forbidden":
	case e.Kind == fault.TooMany && !pace[e.Code]: // a bound of something has words of its own
	case e.Kind == fault.Conflict && e.Code == "duplicate":
		out.Error = "Already exists"
	case ok:
		out.Error = fixed
	}
	return out
}
