// Package runtime is the wire of the runtime API: types and presenters. Shapes and rules are those of the published contract
// (runtime-api.md); it asks nothing of the database.
package runtime

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
)

// Error is the family's error body.
type Error struct {
	Error   string `json:"error"`
	Message string `json:"message,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// NewError spells a fault as the family does: one sentence, but for some fixed bodies.
func NewError(e *fault.Error) Error {
	switch e.Kind {
	case fault.Unauthenticated:
		return Error{Error: "unauthorized", Message: "Valid API key required"}
	case fault.TooMany:
		if e.Code == "message.duplicate" {
			return Error{Error: "duplicate_request", Reason: "identical request already in flight"}
		}
		return Error{Error: "rate_limit_exceeded", Message: "Too many requests, please try again later"}
	case fault.Internal:
		return Error{Error: "internal error"}
	case fault.NotFound:
		if e.Detail == "Not found" {
			return Error{Error: "not found"}
		}
	}
	if len(e.Fields) > 0 {
		name := ""
		if len(e.Fields[0].Path) > 0 {
			name, _ = e.Fields[0].Path[0].(string)
		}
		return Error{Error: strings.TrimSpace(name + " " + e.Fields[0].Message)}
	}
	return Error{Error: clip(strings.SplitN(e.Detail, "\n", 2)[0], 200)}
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// Time spells a time as the family does: UTC, to the second, without a zone.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// Breaker is one provider's circuit breaker.
type Breaker struct {
	State   string            `json:"state"` // closed, open, half_open
	Blocked bool              `json:"blocked"`
	Credit  bool              `json:"credit_tripped"`
	Forced  bool              `json:"operator_forced_open"`
	Models  map[string]string `json:"models,omitempty"` // whose own breaker is not closed
}

// BreakerConfig are the rules.
type BreakerConfig struct {
	Threshold          int `json:"threshold"`
	CooldownSeconds    int `json:"cooldown_seconds"`
	MaxCooldownSeconds int `json:"max_cooldown_seconds"`
	WindowSeconds      int `json:"window_seconds"`
}

// BreakerStatus answers GET /api/breaker/status.
type BreakerStatus struct {
	Providers map[string]Breaker `json:"providers"`
	Config    BreakerConfig      `json:"config"`
}

// BreakerReset answers POST /api/breaker/reset/:provider.
type BreakerReset struct {
	Provider string `json:"provider"`
	State    string `json:"state"`
	Reset    bool   `json:"reset"`
}

// BreakerOpened answers POST /api/breaker/open/:provider.
type BreakerOpened struct {
	Provider string `json:"provider"`
	State    string `json:"state"`
	Blocked  bool   `json:"blocked"`
	Forced   bool   `json:"operator_forced_open"`
}

// Available answers GET /api/models/available.
type Available struct {
	Models     []string                `json:"models"` // provider/model
	Count      int                     `json:"count"`
	Validation string                  `json:"validation_level"`
	Proxy      Proxy                   `json:"proxy"`
	Providers  map[string]Availability `json:"providers"`
}

// Proxy says how models are reached.
type Proxy struct {
	Mode string `json:"mode"`
}

// Availability is what one provider answered.
type Availability struct {
	Status string   `json:"status"` // ok, error, unreachable, skipped
	Models []string `json:"models"`
	Count  int      `json:"count"`
	Error  string   `json:"error,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Capacity is what is known of a provider's limits and their use in the last minute.
type Capacity struct {
	Headroom           float64 `json:"headroom"` // 0–1
	NearCapacity       bool    `json:"near_capacity"`
	SustainedHot       bool    `json:"sustained_hot"`
	TokensUsed         int     `json:"tokens_used"`
	RequestsUsed       int     `json:"requests_used"`
	TPMLimit           *int    `json:"tpm_limit"` // null: not known
	RPMLimit           *int    `json:"rpm_limit"`
	TokenUtilization   float64 `json:"token_utilization"`
	RequestUtilization float64 `json:"request_utilization"`
}

// Capacities answers GET /api/stats/capacity.
type Capacities struct {
	Providers map[string]Capacity `json:"providers"`
}

// Selections answers GET /api/models/selections.
type Selections struct {
	Events []Selection `json:"events"`
	Count  int         `json:"count"`
}

// Selection is one choice of a model.
type Selection struct {
	EventID       string      `json:"event_id"`
	TurnID        string      `json:"turn_id"`
	SessionID     string      `json:"session_id"`
	AgentID       string      `json:"agent_id"`
	Channel       string      `json:"channel"`
	SelectedModel string      `json:"selected_model"`
	Strategy      string      `json:"strategy"` // routed, fixed, shadow
	PrimaryModel  string      `json:"primary_model"`
	OverrideModel *string     `json:"override_model"`
	Complexity    *string     `json:"complexity"`
	UserExcerpt   string      `json:"user_excerpt"`
	Candidates    []Candidate `json:"candidates"`
	CreatedAt     string      `json:"created_at"`
}

// Candidate is a model that could have answered.
type Candidate struct {
	Model             string   `json:"model"`
	Source            string   `json:"source"`
	ProviderAvailable bool     `json:"provider_available"`
	BreakerBlocked    bool     `json:"breaker_blocked"`
	Usable            bool     `json:"usable"`
	Note              string   `json:"note"`
	Metascore         *float64 `json:"metascore,omitempty"`
}

// NewSelections presents decisions, with the words that began each turn.
func NewSelections(rows []models.Decision, words map[string]string) Selections {
	out := Selections{Events: []Selection{}, Count: len(rows)}
	for i := range rows {
		out.Events = append(out.Events, NewSelection(&rows[i], words[rows[i].TurnID]))
	}
	return out
}

// NewSelection presents the choice of a model, with the words that began the turn.
func NewSelection(d *models.Decision, words string) Selection {
	complexity := strconv.Itoa(d.Complexity)
	s := Selection{EventID: d.ID, TurnID: d.TurnID, SessionID: d.SessionID, AgentID: d.InstanceID, Channel: d.Purpose, Strategy: "fixed", PrimaryModel: d.Chosen,
		Complexity: &complexity, UserExcerpt: clip(words, 200), Candidates: []Candidate{}, CreatedAt: Time(d.CreatedAt)}
	switch {
	case d.Shadow:
		s.Strategy = "shadow"
	case d.Routed:
		s.Strategy = "routed"
	}
	if d.Model != "" {
		s.SelectedModel = d.Provider + "/" + d.Model
	}
	if d.Requested != "" && !strings.EqualFold(d.Requested, "auto") {
		s.OverrideModel = &d.Requested
	}
	var list []struct {
		Provider, Model, Note string
		Score                 float64
		Usable, Blocked       bool
	}
	_ = json.Unmarshal([]byte(d.Candidates), &list) // our own writing; nothing when it is not readable
	for _, c := range list {
		score := c.Score
		s.Candidates = append(s.Candidates, Candidate{Model: c.Provider + "/" + c.Model, Source: c.Provider, ProviderAvailable: !c.Blocked, BreakerBlocked: c.Blocked,
			Usable: c.Usable, Note: c.Note, Metascore: &score})
	}
	return s
}
