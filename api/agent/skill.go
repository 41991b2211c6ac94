package agent

import "lobstead/api/wire"

// Skill is a group of tools as it stands for one instance. What is configured is told by its keys alone.
type Skill struct {
	ID          string   `json:"id"`
	Skill       string   `json:"skill"` // the same
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Enabled     bool     `json:"enabled"`
	Configured  bool     `json:"configured"`
	ConfigKeys  []string `json:"config_keys"`
	UpdatedAt   *string  `json:"updated_at"` // null: it is as it came
}

// SkillList answers GET: those that are on, and all that there are.
type SkillList struct {
	Skills    []Skill `json:"skills"`
	Available []Skill `json:"available"`
}

// SkillAnswer is one skill after a change.
type SkillAnswer struct {
	Success bool  `json:"success"`
	Skill   Skill `json:"skill"`
}

// ReadSkillSwitch reads which skill to turn on or off.
func ReadSkillSwitch(f *wire.Fields) (skill string, on bool, err error) {
	skill = readSkill(f)
	enabled := f.OptionalBool("enabled")
	if !f.Has("enabled") {
		f.Issues.Required("enabled", "boolean")
	}
	if err := f.Err(); err != nil {
		return "", false, err
	}
	return skill, *enabled, nil
}

// ReadSkillConfig reads what to configure of a skill.
func ReadSkillConfig(f *wire.Fields) (skill string, config map[string]string, err error) {
	return readSkill(f), f.StringMap("config"), f.Err()
}

func readSkill(f *wire.Fields) string {
	skill, ok := f.String("skill")
	if ok && skill == "" {
		f.Issues.Required("skill", "string")
	}
	return skill
}
