package openapi

// The bodies that are asked for. Readers in api/cloud and api/agent take a body field by field, so that every issue
// comes at once; these types say the same in one piece, and a test holds the two against each other.

// InstanceCreate asks for a new instance.
type InstanceCreate struct {
	Name   string `json:"name"`
	Region string `json:"region"`
	Tier   string `json:"tier"`
}

// InstanceChange changes one; at least one field.
type InstanceChange struct {
	Name   string `json:"name,omitempty"`
	Tier   string `json:"tier,omitempty"`
	Region string `json:"region,omitempty"`
	Model  string `json:"model,omitempty"`
}

// AgentUpdate rebuilds an agent; at least one field.
type AgentUpdate struct {
	AIModel       string `json:"aiModel,omitempty"`
	MessengerType string `json:"messengerType,omitempty"`
	ServerTier    string `json:"serverTier,omitempty"`
	ServerRegion  string `json:"serverRegion,omitempty"`
	AIAPIKey      string `json:"aiApiKey,omitempty"`
}

// AutomateCommand is words that are to become a workflow.
type AutomateCommand struct {
	Command  string `json:"command"`
	Text     string `json:"text,omitempty"`
	TimeZone string `json:"timezone,omitempty"`
}

// CacheChange is what to decide about an agent's cache; what is left out stays.
type CacheChange struct {
	Enabled        *bool   `json:"enabled"`
	Semantic       *bool   `json:"semantic"`        // messages that mean about the same are answered alike
	Threshold      *int    `json:"threshold"`       // 80–100 percent
	EmbeddingModel *string `json:"embedding_model"` // "" = the service's usual one
	LifeHours      *int    `json:"life_hours"`      // 1–720
	MaxEntries     *int    `json:"max_entries"`     // 1–10,000
}

// SkillSwitch turns a skill on or off.
type SkillSwitch struct {
	Skill   string `json:"skill"`
	Enabled bool   `json:"enabled"`
}

// SkillConfig configures a skill; an empty value takes one away.
type SkillConfig struct {
	Skill  string            `json:"skill"`
	Config map[string]string `json:"config"`
}

// InstanceAction starts, stops or restarts one.
type InstanceAction struct {
	Action string `json:"action"`
}

// MemberInvite asks somebody to join.
type MemberInvite struct {
	Email string `json:"email"`
	Role  string `json:"role"`
}

// MemberChange gives a member another role.
type MemberChange struct {
	Role string `json:"role"`
}

// KeyCreate asks for a key.
type KeyCreate struct {
	Name          string   `json:"name"`
	ExpiresInDays int      `json:"expiresInDays,omitempty"`
	Scopes        []string `json:"scopes,omitempty"`
}

// SettingsChange renames the organization.
type SettingsChange struct {
	Name string `json:"name"`
}

// CheckoutStart asks for a plan, by the month or by the year.
type CheckoutStart struct {
	Plan   string `json:"plan"`
	Annual bool   `json:"annual,omitempty"`
}

// ChatMessage is one message to the agent.
type ChatMessage struct {
	Message   string   `json:"message"`
	SessionID string   `json:"session_id,omitempty"`
	Images    []string `json:"images,omitempty"`
}

// SessionCreate opens a conversation.
type SessionCreate struct {
	Title    string `json:"title,omitempty"`
	Category string `json:"category,omitempty"`
}

// SessionChange changes what is said of a conversation; at least one field besides its name.
type SessionChange struct {
	SessionID string `json:"sessionId"`
	Title     string `json:"title,omitempty"`
	Category  string `json:"category,omitempty"`
	Status    string `json:"status,omitempty"`
	Icon      string `json:"icon,omitempty"`
	Pinned    bool   `json:"pinned,omitempty"`
}

// SessionRef names a conversation.
type SessionRef struct {
	SessionID string `json:"sessionId,omitempty"`
}

// BudgetMessage asks which model a message would get.
type BudgetMessage struct {
	Message string `json:"message"`
}

// MemoryWrite is one memory; its category is "general" when left out.
type MemoryWrite struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Category string `json:"category,omitempty"`
}

// MemoryChange changes a memory, which id or key names.
type MemoryChange struct {
	ID       string `json:"id,omitempty"`
	Key      string `json:"key,omitempty"`
	Value    string `json:"value,omitempty"`
	Category string `json:"category,omitempty"`
}

// MemoryRef names a memory, by id or by key.
type MemoryRef struct {
	ID  string `json:"id,omitempty"`
	Key string `json:"key,omitempty"`
}

// WebhookCreate asks for a new endpoint.
type WebhookCreate struct {
	Name        string   `json:"name"`
	URL         string   `json:"url"`
	Events      []string `json:"events"`
	Description string   `json:"description,omitempty"`
	InstanceID  string   `json:"instanceId,omitempty"`
	Active      *bool    `json:"active,omitempty"`
}

// WebhookChange changes one; what is left out stays.
type WebhookChange struct {
	Name        string   `json:"name,omitempty"`
	URL         string   `json:"url,omitempty"`
	Events      []string `json:"events,omitempty"`
	Description string   `json:"description,omitempty"`
	InstanceID  string   `json:"instanceId,omitempty"`
	Active      *bool    `json:"active,omitempty"`
}

// NotificationRead says whether it is read; without a body it is.
type NotificationRead struct {
	Read bool `json:"read,omitempty"`
}
