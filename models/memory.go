package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// MemoryTier is a layer of memory.
type MemoryTier string

// The tiers: what a conversation needs while it lasts, what happened, and what is so.
const (
	WorkingMemory  MemoryTier = "working"
	EpisodicMemory MemoryTier = "episodic"
	SemanticMemory MemoryTier = "semantic"
)

// MemoryTiers are all of them, the lasting one first.
var MemoryTiers = []MemoryTier{SemanticMemory, EpisodicMemory, WorkingMemory}

// Origin is where a memory comes from.
type Origin string

// The origins. Those that Untrusted holds for are read by a person before an agent may rely on them.
const (
	FromPerson  Origin = "person"
	FromProgram Origin = "program" // an API client
	FromModel   Origin = "model"
	FromTool    Origin = "tool"    // a result of a tool that is not ours
	FromWeb     Origin = "web"     // a page
	FromFile    Origin = "file"    // an uploaded file
	FromChannel Origin = "channel" // somebody outside wrote it
)

// Origins are all of them.
var Origins = []Origin{FromPerson, FromProgram, FromModel, FromTool, FromWeb, FromFile, FromChannel}

// Untrusted tells whether others than the organization's own people may have put words there.
func (o Origin) Untrusted() bool {
	return !slices.Contains([]Origin{FromPerson, FromProgram, FromModel}, o)
}

// Memory is what an agent knows beyond the messages it sees, with where it came from: one value per key and
// instance. Entries of the working and the episodic tier have no names of their own: their Key is their ID.
type Memory struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Tier           MemoryTier
	SessionID      *string // of the working tier
	Key            string
	Value          string
	Category       string  // working: the type of entry; episodic: the classification
	Importance     int     // 1 to 10
	Confidence     float64 // 0 to 1
	Source         string  // manual or auto
	Origin         Origin
	OriginNote     string // an address, a file, a tool
	TurnID         *string
	Words          string // for the index
	CreatedAt      time.Time
	UpdatedAt      time.Time

	Pending bool `gorm:"-"` // held for review: written nowhere but in the tray
}

// Named tells whether the memory has a key that people chose.
func (m *Memory) Named() bool { return m.Tier == SemanticMemory }

// MemoryCategories of the contract (agent-api.md), for the semantic tier.
var MemoryCategories = []string{"user_pref", "fact", "context", "general", "personality", "skill"}

// EntryTypes of the working tier (runtime-api.md, section 4).
var EntryTypes = []string{"goal", "note", "turn_summary", "decision", "observation", "fact"}

const (
	maxMemoryKey   = 200
	maxMemoryValue = 8000
	maxOriginNote  = 500
	usualWeight    = 5
)

// NewMemory is what to remember; TurnID says which turn wrote it. Tier, Category, Importance and Confidence have
// defaults. What comes from an untrusted origin is held for review.
type NewMemory struct {
	InstanceID, Key, Value, Category string
	Tier                             MemoryTier
	SessionID                        string // of the working tier
	Importance                       int
	Confidence                       float64
	Origin                           Origin
	OriginNote                       string
	TurnID                           string
}

// Remember writes a memory; the same key overwrites, and what was there before stays in the history. What comes
// from an untrusted origin changes nothing yet: it is Pending, until somebody accepts it.
func (sc *Scope) Remember(ctx context.Context, n NewMemory) (*Memory, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	v := n.version()
	v.MadeBy = sc.Actor.Name
	row := v.memory()
	err := sc.again(ctx, func(tx *gorm.DB) error {
		v.ID, v.CreatedAt = id.New(), sc.store.now()
		if n.Origin.Untrusted() {
			v.State = VersionPending
			return tx.Create(v).Error
		}
		var err error
		row, err = sc.applyMemory(tx, v)
		return err
	})
	if err == nil && v.State == VersionPending {
		row.Pending = true
	}
	return row, err
}

// check fills in what was left out, and refuses what cannot be kept.
func (n *NewMemory) check() error {
	var is fault.Issues
	n.Key = strings.TrimSpace(n.Key)
	if n.Tier == "" {
		n.Tier = SemanticMemory
	}
	if n.Origin == "" {
		n.Origin = FromPerson
		if n.TurnID != "" {
			n.Origin = FromModel
		}
	}
	switch n.Tier {
	case SemanticMemory:
		n.Category = orElse(n.Category, "general")
		if !slices.Contains(MemoryCategories, n.Category) {
			is.NotOneOf("category", n.Category, MemoryCategories...)
		}
		if n.Key == "" {
			is.TooSmall("key", 1)
		}
		n.SessionID = ""
	case WorkingMemory:
		n.Category = orElse(n.Category, "note")
		if !slices.Contains(EntryTypes, n.Category) {
			is.NotOneOf("category", n.Category, EntryTypes...)
		}
		if n.SessionID == "" {
			is.TooSmall("session_id", 1)
		}
	case EpisodicMemory:
		n.Category, n.SessionID = orElse(n.Category, "event"), ""
		CheckText(&is, "category", n.Category, 60)
	default:
		is.NotOneOf("tier", string(n.Tier), "semantic", "episodic", "working")
	}
	if n.Tier != SemanticMemory {
		n.Key = id.New()
	}
	if strings.TrimSpace(n.Value) == "" {
		is.TooSmall("value", 1)
	}
	n.Importance, n.Confidence = orElse(n.Importance, usualWeight), orElse(n.Confidence, 1)
	if n.Importance < 1 || n.Importance > 10 {
		is.Custom("importance", "Must be between 1 and 10")
	}
	if !(n.Confidence >= 0 && n.Confidence <= 1) {
		is.Custom("confidence", "Must be between 0 and 1")
	}
	CheckText(&is, "key", n.Key, maxMemoryKey)
	CheckText(&is, "value", n.Value, maxMemoryValue)
	return is.Err()
}

func orElse[T comparable](v, other T) T {
	var none T
	if v == none {
		return other
	}
	return v
}

func (n *NewMemory) version() *MemoryVersion {
	v := &MemoryVersion{InstanceID: n.InstanceID, Tier: n.Tier, Key: n.Key, Value: n.Value, Category: n.Category, Importance: n.Importance,
		Confidence: n.Confidence, Act: WriteMemory, State: VersionApplied, Source: "manual", Origin: n.Origin, OriginNote: clip(cleanText(n.OriginNote), maxOriginNote)}
	if n.TurnID != "" {
		v.Source, v.TurnID = "auto", &n.TurnID
	}
	if n.SessionID != "" {
		v.SessionID = &n.SessionID
	}
	return v
}

// applyMemory writes a version's value under its key, and the version.
func (sc *Scope) applyMemory(tx *gorm.DB, v *MemoryVersion) (*Memory, error) {
	if err := sc.memoryFits(tx, v); err != nil {
		return nil, err
	}
	now := sc.store.now()
	row := v.memory()
	row.ID, row.OrganizationID, row.CreatedAt, row.UpdatedAt = id.New(), sc.Org, now, now
	if v.Tier != SemanticMemory {
		row.ID = v.Key
	}
	hit, err := changed(tx.Model(&Memory{}).Where("instance_id = ? AND key = ?", v.InstanceID, v.Key),
		map[string]any{"tier": v.Tier, "session_id": v.SessionID, "value": v.Value, "category": v.Category, "importance": v.Importance, "confidence": v.Confidence,
			"source": v.Source, "origin": v.Origin, "origin_note": v.OriginNote, "turn_id": v.TurnID, "words": row.Words, "updated_at": now})
	if err != nil {
		return nil, err
	}
	if !hit {
		if err := tx.Create(row).Error; err != nil {
			return nil, err
		}
	} else if row, err = first[Memory](tx.Where("instance_id = ? AND key = ?", v.InstanceID, v.Key)); err != nil {
		return nil, err
	}
	return row, sc.keepVersion(tx, v)
}

// Memory reads one.
func (sc *Scope) Memory(ctx context.Context, memoryID string) (*Memory, error) {
	return first[Memory](sc.read(ctx).Where("id = ?", memoryID))
}

// MemoryNamed reads the one with a key.
func (sc *Scope) MemoryNamed(ctx context.Context, instanceID, key string) (*Memory, error) {
	return first[Memory](sc.read(ctx).Where("instance_id = ? AND key = ?", instanceID, strings.TrimSpace(key)))
}

// MemoryChange is what to change; nil leaves a field as it is. A key never changes: the history hangs on it.
type MemoryChange struct {
	Value, Category *string
	Importance      *int
	Confidence      *float64
}

// UpdateMemory changes one by hand.
func (sc *Scope) UpdateMemory(ctx context.Context, memoryID string, c MemoryChange, by Origin) (*Memory, error) {
	if c == (MemoryChange{}) {
		return nil, fault.New(fault.Invalid, "memory.nothing", "At least one field is required")
	}
	var row *Memory
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		m, err := first[Memory](locked(tx).Where("id = ?", memoryID))
		if err != nil {
			return err
		}
		n := NewMemory{InstanceID: m.InstanceID, Key: m.Key, Value: m.Value, Category: m.Category, Tier: m.Tier, Importance: m.Importance,
			Confidence: m.Confidence, Origin: by}
		if m.SessionID != nil {
			n.SessionID = *m.SessionID
		}
		set(&n.Value, c.Value)
		set(&n.Category, c.Category)
		set(&n.Importance, c.Importance)
		set(&n.Confidence, c.Confidence)
		if err := n.check(); err != nil {
			return err
		}
		n.Key = m.Key // check names entries of the other tiers anew
		v := n.version()
		v.ID, v.CreatedAt, v.MadeBy = id.New(), sc.store.now(), sc.Actor.Name
		row, err = sc.applyMemory(tx, v)
		return err
	})
	return row, err
}

func set[T any](field, v *T) {
	if v != nil {
		*field = *v
	}
}

// Forget removes a memory; the history keeps its last value, so that it can be restored. What it gives is that entry.
func (sc *Scope) Forget(ctx context.Context, memoryID string) (*MemoryVersion, error) {
	var v *MemoryVersion
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		m, err := first[Memory](locked(tx).Where("id = ?", memoryID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", memoryID).Delete(&Memory{}).Error; err != nil {
			return err
		}
		v = versionOf(m)
		v.ID, v.CreatedAt, v.MadeBy, v.Act = id.New(), sc.store.now(), sc.Actor.Name, DeleteMemory
		return sc.keepVersion(tx, v)
	})
	if fault.Is(err, fault.NotFound) {
		err = fault.NotFoundf("memory")
	}
	return v, err
}
