package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// MemoryVersion is one entry of a key's history: a value that was written, or held for review, or the last one
// before a deletion. It outlives the memory.
type MemoryVersion struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Tier           MemoryTier
	SessionID      *string
	Key            string
	Value          string
	Category       string
	Importance     int
	Confidence     float64
	Act            MemoryAct
	State          VersionState
	Source         string
	Origin         Origin
	OriginNote     string
	TurnID         *string
	MadeBy         string // whoever wrote it, if a person or a key did
	DecidedBy      string // whoever accepted or rejected it
	DecidedAt      *time.Time
	CreatedAt      time.Time
}

// MemoryAct is what a version records.
type MemoryAct string

// The acts.
const (
	WriteMemory   MemoryAct = "write"
	DeleteMemory  MemoryAct = "delete"
	RestoreMemory MemoryAct = "restore"
)

// VersionState tells whether a version took effect.
type VersionState string

// The states.
const (
	VersionApplied  VersionState = "applied"
	VersionPending  VersionState = "pending"
	VersionRejected VersionState = "rejected"
)

// keptVersions are how many of one key stay.
const keptVersions = 20

// memory is the row that the version makes.
func (v *MemoryVersion) memory() *Memory {
	m := &Memory{InstanceID: v.InstanceID, Tier: v.Tier, SessionID: v.SessionID, Key: v.Key, Value: v.Value, Category: v.Category, Importance: v.Importance,
		Confidence: v.Confidence, Source: v.Source, Origin: v.Origin, OriginNote: v.OriginNote, TurnID: v.TurnID}
	named := ""
	if m.Named() {
		named = m.Key
	}
	m.Words = indexWords(m.InstanceID, named, m.Value, m.Category)
	return m
}

func versionOf(m *Memory) *MemoryVersion {
	return &MemoryVersion{InstanceID: m.InstanceID, Tier: m.Tier, SessionID: m.SessionID, Key: m.Key, Value: m.Value, Category: m.Category,
		Importance: m.Importance, Confidence: m.Confidence, State: VersionApplied, Source: m.Source, Origin: m.Origin, OriginNote: m.OriginNote, TurnID: m.TurnID}
}

// keepVersion appends to a key's history and drops its oldest entries.
func (sc *Scope) keepVersion(tx *gorm.DB, v *MemoryVersion) error {
	if err := tx.Create(v).Error; err != nil {
		return err
	}
	var last []string
	err := tx.Model(&MemoryVersion{}).Where("instance_id = ? AND key = ?", v.InstanceID, v.Key).Order("id DESC").Offset(keptVersions).Limit(1).Pluck("id", &last).Error
	if err != nil || len(last) == 0 {
		return err
	}
	return tx.Where("instance_id = ? AND key = ? AND id <= ? AND state <> ?", v.InstanceID, v.Key, last[0], VersionPending).Delete(&MemoryVersion{}).Error
}

// MemoryVersions is the history of an instance, or of one key of it, newest first, without what waits for review.
func (sc *Scope) MemoryVersions(ctx context.Context, instanceID, key string, limit int) ([]MemoryVersion, error) {
	q := sc.read(ctx).Where("instance_id = ? AND state <> ?", instanceID, VersionPending)
	if key != "" {
		q = q.Where("key = ?", key)
	}
	return all[MemoryVersion](q.Order("id DESC").Limit(limit))
}

// MemoryTray is what waits for review, oldest first.
func (sc *Scope) MemoryTray(ctx context.Context, instanceID string, limit int) ([]MemoryVersion, error) {
	return all[MemoryVersion](sc.read(ctx).Where("instance_id = ? AND state = 'pending'", instanceID).Order("id").Limit(limit))
}

// MemoryTrayCount is how many wait for review.
func (sc *Scope) MemoryTrayCount(ctx context.Context, instanceID string) (int, error) {
	var n int64
	err := sc.read(ctx).Model(&MemoryVersion{}).Where("instance_id = ? AND state = 'pending'", instanceID).Count(&n).Error
	return int(n), translate(err)
}

// MemoryVersion reads one entry of the history.
func (sc *Scope) MemoryVersion(ctx context.Context, versionID string) (*MemoryVersion, error) {
	return first[MemoryVersion](sc.read(ctx).Where("id = ?", versionID))
}

// DecideMemory accepts or rejects what waits for review. Accepted, it becomes the value of its key, with the
// origin it had. A second decision is a fault.Conflict.
func (sc *Scope) DecideMemory(ctx context.Context, versionID string, accept bool) (*MemoryVersion, error) {
	var v *MemoryVersion
	err := sc.again(ctx, func(tx *gorm.DB) error {
		var err error
		if v, err = first[MemoryVersion](locked(tx).Where("id = ?", versionID)); err != nil {
			return err
		}
		if v.State != VersionPending {
			return fault.New(fault.Conflict, "memory.decided", "Somebody has decided this already")
		}
		now := sc.store.now()
		state := VersionRejected
		if accept {
			state = VersionApplied
		}
		// The decision is the newest entry of the history, under an id of its own: readers that follow the history see it.
		if err := tx.Where("id = ?", v.ID).Delete(&MemoryVersion{}).Error; err != nil {
			return err
		}
		v.ID, v.State, v.DecidedBy, v.DecidedAt = id.New(), state, sc.Actor.Name, &now
		if !accept {
			return sc.keepVersion(tx, v)
		}
		_, err = sc.applyMemory(tx, v)
		return err
	})
	return v, err
}

// RestoreMemory writes a value of the history again: an older one, or that of a deleted memory.
func (sc *Scope) RestoreMemory(ctx context.Context, versionID string) (*Memory, error) {
	var row *Memory
	err := sc.again(ctx, func(tx *gorm.DB) error {
		v, err := first[MemoryVersion](tx.Where("id = ?", versionID))
		if err != nil {
			return err
		}
		if v.State != VersionApplied {
			return fault.New(fault.Conflict, "memory.unread", "Only a value that was in use can be restored")
		}
		v.ID, v.CreatedAt, v.Act, v.MadeBy, v.DecidedBy, v.DecidedAt = id.New(), sc.store.now(), RestoreMemory, sc.Actor.Name, "", nil
		row, err = sc.applyMemory(tx, v)
		return err
	})
	return row, err
}

// MemoryStamp changes with whatever happens to the memories of an instance.
func (sc *Scope) MemoryStamp(ctx context.Context, instanceID string) (string, error) {
	var last []string
	err := sc.read(ctx).Model(&MemoryVersion{}).Where("instance_id = ?", instanceID).Order("id DESC").Limit(1).Pluck("id", &last).Error
	if err != nil || len(last) == 0 {
		return "", translate(err)
	}
	return last[0], nil
}
