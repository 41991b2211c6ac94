package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// SkillSetting is what was decided about one skill of an instance; without one, the skill is as it comes. Which skills
// there are, and what they take, is engine/skills' to know.
type SkillSetting struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Skill          string
	Enabled        bool
	ConfigSealed   []byte
	ConfigKeys     string // JSON list of names
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Keys are the names of what is configured.
func (s *SkillSetting) Keys() []string {
	out := []string{}
	_ = json.Unmarshal([]byte(s.ConfigKeys), &out) // written by us
	return out
}

// SkillChange is what to decide; nil leaves it as it is.
type SkillChange struct {
	Enabled *bool
	Config  map[string]string // replaces all of it; empty = nothing is configured
}

// SkillSettings lists what was decided about an instance's skills.
func (sc *Scope) SkillSettings(ctx context.Context, instanceID string) ([]SkillSetting, error) {
	return all[SkillSetting](sc.read(ctx).Where("instance_id = ?", instanceID).Order("skill"))
}

// SkillConfig opens what is configured; it goes to the skill's own tools and nowhere else.
func (sc *Scope) SkillConfig(s *SkillSetting) (map[string]string, error) {
	out := map[string]string{}
	if len(s.ConfigSealed) == 0 {
		return out, nil
	}
	plain, err := sc.store.box.Open(s.ConfigSealed, s.ID)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(plain, &out)
}

// SetSkill decides about a skill of an instance; the names of what is configured are in the audit log, the values are not.
func (sc *Scope) SetSkill(ctx context.Context, instanceID, skill string, c SkillChange) (*SkillSetting, error) {
	now := sc.store.now()
	row := &SkillSetting{ID: id.New(), OrganizationID: sc.Org, InstanceID: instanceID, Skill: skill, Enabled: true, ConfigKeys: "[]", CreatedAt: now}
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		i, err := first[Instance](locked(tx).Where("id = ?", instanceID))
		if err != nil {
			return err
		}
		old, err := first[SkillSetting](tx.Where("instance_id = ? AND skill = ?", instanceID, skill))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if old != nil {
			row = old
			if err := tx.Where("id = ?", old.ID).Delete(&SkillSetting{}).Error; err != nil {
				return err
			}
		}
		row.UpdatedAt = now
		if c.Enabled != nil {
			row.Enabled = *c.Enabled
		}
		if c.Config != nil {
			if err := sc.sealConfig(row, c.Config); err != nil {
				return err
			}
		}
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "skill.changed", kind: "instance", id: i.ID, of: i.Name,
			after: map[string]any{"skill": skill, "enabled": row.Enabled, "configured": row.Keys()}})
	})
	return row, err
}

func (sc *Scope) sealConfig(row *SkillSetting, config map[string]string) error {
	keys := make([]string, 0, len(config))
	for k := range config {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	names, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	row.ConfigKeys, row.ConfigSealed = string(names), nil
	if len(config) == 0 {
		return nil
	}
	plain, err := json.Marshal(config)
	if err != nil {
		return err
	}
	row.ConfigSealed, err = sc.store.box.Seal(plain, row.ID)
	return err
}
