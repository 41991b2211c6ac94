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

// Memory is a fact that outlives conversations: one value per key and instance, with where it came from.
type Memory struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Key            string
	Value          string
	Category       string
	Source         string // manual or auto
	TurnID         *string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// MemoryCategories of the contract (agent-api.md).
var MemoryCategories = []string{"user_pref", "fact", "context", "general", "personality", "skill"}

// NewMemory is what to remember; TurnID says which turn wrote it.
type NewMemory struct {
	InstanceID, Key, Value, Category string
	TurnID                           string
}

// Remember writes a memory; the same key overwrites.
func (sc *Scope) Remember(ctx context.Context, n NewMemory) (*Memory, error) {
	var is fault.Issues
	if n.Category == "" {
		n.Category = "general"
	}
	if !slices.Contains(MemoryCategories, n.Category) {
		is.NotOneOf("category", n.Category, MemoryCategories...)
	}
	n.Key = strings.TrimSpace(n.Key)
	if n.Key == "" {
		is.TooSmall("key", 1)
	}
	if n.Value == "" {
		is.TooSmall("value", 1)
	}
	CheckText(&is, "key", n.Key, 200)
	CheckText(&is, "value", n.Value, 8000)
	if err := is.Err(); err != nil {
		return nil, err
	}
	source, turn := "manual", (*string)(nil)
	if n.TurnID != "" {
		source, turn = "auto", &n.TurnID
	}
	now := sc.store.now()
	row := Memory{ID: id.New(), OrganizationID: sc.Org, InstanceID: n.InstanceID, Key: n.Key, Value: n.Value, Category: n.Category,
		Source: source, TurnID: turn, CreatedAt: now, UpdatedAt: now}
	err := sc.again(ctx, func(tx *gorm.DB) error {
		hit, err := changed(tx.Model(&Memory{}).Where("instance_id = ? AND key = ?", n.InstanceID, n.Key),
			map[string]any{"value": n.Value, "category": n.Category, "source": source, "turn_id": turn, "updated_at": now})
		if err != nil {
			return err
		}
		if !hit {
			return tx.Create(&row).Error
		}
		found, err := first[Memory](tx.Where("instance_id = ? AND key = ?", n.InstanceID, n.Key))
		if err == nil {
			row = *found
		}
		return err
	})
	return &row, err
}

// maxWords bounds a search.
const maxWords = 20

// Memories lists what an instance remembers, newest first; query narrows by key and value.
func (sc *Scope) Memories(ctx context.Context, instanceID, query string, limit int) ([]Memory, error) {
	q := sc.read(ctx).Where("instance_id = ?", instanceID).Order("updated_at DESC, id DESC").Limit(limit)
	words := strings.Fields(query)
	for _, word := range words[:min(len(words), maxWords)] {
		like := likeAny(word)
		q = q.Where(like.in("key", "value"), like.args(2)...)
	}
	return all[Memory](q)
}

// Forget removes a memory.
func (sc *Scope) Forget(ctx context.Context, memoryID string) error {
	res := sc.write(ctx).Where("id = ?", memoryID).Delete(&Memory{})
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.NotFoundf("memory")
	}
	return translate(res.Error)
}
