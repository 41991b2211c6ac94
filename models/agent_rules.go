package models

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// AgentRules are what an agent's settings ask of its turns, its memory and its sandbox, in the fleet API's words (fleet-api.md, 2.1). The
// zero value, that of an agent that nobody configured, asks for nothing. Numbers are whole, but may be written as 6e4 or 60000.0.
type AgentRules struct {
	TimeoutSeconds float64           `json:"timeout_seconds"` // of one turn; 0 = no limit
	Compaction     CompactionRule    `json:"compaction"`
	Memory         MemoryRule        `json:"memory_config"`
	Hooks          map[string]string `json:"hook_messages"` // by name, see HookMessages
	ReminderMillis float64           `json:"unread_reminder_interval_ms"`
	WarmthMillis   *float64          `json:"warmth_window_ms"` // nil = its sandbox never sleeps
}

// CompactionRule is when and how a long conversation is made shorter.
type CompactionRule struct {
	Enabled      *bool   `json:"enabled"`           // nil = yes
	Threshold    float64 `json:"threshold_trigger"` // tokens of a request; 0 = three quarters of the model's window
	Model        string  `json:"model"`             // "" = as every call beside a conversation
	Instructions string  `json:"instructions"`
}

// Off tells that conversations are not to be summed up.
func (c CompactionRule) Off() bool { return c.Enabled != nil && !*c.Enabled }

// MemoryRule is what an agent may remember.
type MemoryRule struct {
	Type        string  `json:"type"`        // hierarchical (or ""), flat
	Persistence string  `json:"persistence"` // persistent (or ""), ephemeral
	MaxSizeMB   float64 `json:"max_size_mb"` // of all values; 0 = no limit
}

// Flat tells that there is one tier, of values with keys.
func (m MemoryRule) Flat() bool { return m.Type == "flat" }

// Ephemeral tells that nothing outlives the conversation that it was remembered in.
func (m MemoryRule) Ephemeral() bool { return m.Persistence == "ephemeral" }

// The texts that an agent is told at an occasion.
const (
	HookReceived = "channel_message_received" // with each message by a channel
	HookReminder = "unread_message_reminder"  // while messages wait behind the one that it works on
)

// HookMessages are the names of all.
var HookMessages = []string{HookReceived, HookReminder}

// Rules reads them from the settings.
func (p *AgentProfile) Rules() AgentRules {
	var r AgentRules
	_ = json.Unmarshal([]byte(p.Settings), &r) // written by us, "" says nothing
	return r
}

// Timeout is how long one turn may work; 0 = no limit.
func (r AgentRules) Timeout() time.Duration {
	return time.Duration(r.TimeoutSeconds * float64(time.Second))
}

// Reminder is the pause between two reminders of messages that wait; 0 = none.
func (r AgentRules) Reminder() time.Duration {
	return time.Duration(r.ReminderMillis * float64(time.Millisecond))
}

// Under makes what an agent wants to remember what its settings let it: in a flat memory Invalid for a tier without keys; in an ephemeral
// one all belongs to the conversation.
func (n *NewMemory) Under(r MemoryRule) error {
	if r.Flat() && n.Tier != "" && n.Tier != SemanticMemory {
		var is fault.Issues
		is.Custom("tier", "This agent's memory is flat: everything in it has a key")
		return is.Err()
	}
	if !r.Ephemeral() || n.Tier == WorkingMemory {
		return nil
	}
	n.Tier = WorkingMemory
	if n.Key = strings.TrimSpace(n.Key); n.Key != "" {
		n.Value = n.Key + ": " + n.Value
	}
	if !slices.Contains(EntryTypes, n.Category) {
		n.Category = ""
	}
	return nil
}

// memoryFits refuses what would make an agent's memory larger than its settings let it be: Full memory.full.
func (sc *Scope) memoryFits(tx *gorm.DB, v *MemoryVersion) error {
	p, err := first[AgentProfile](tx.Select("instance_id", "settings").Where("instance_id = ?", v.InstanceID))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	most := int64(p.Rules().Memory.MaxSizeMB * (1 << 20))
	others := func() *gorm.DB { return tx.Model(&Memory{}).Where("instance_id = ? AND key <> ?", v.InstanceID, v.Key) }
	var n, size int64
	if err := others().Count(&n).Error; err != nil || most <= 0 || (n+1)*4*maxMemoryValue <= most { // no need to weigh them
		return err
	}
	if err := others().Select("COALESCE(SUM(OCTET_LENGTH(value)), 0)").Scan(&size).Error; err != nil {
		return err
	}
	if size+int64(len(v.Value)) > most {
		return fault.New(fault.Full, "memory.full", "This agent's memory is full (%.0f MB)", p.Rules().Memory.MaxSizeMB).Hinting("Forget something first")
	}
	return nil
}
