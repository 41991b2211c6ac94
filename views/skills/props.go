// Package skills is the page of an instance's skills: /instances/:id/skills. It knows no handler; props are plain data.
package skills

import (
	"encoding/json"

	"lobstead/models"
	"lobstead/views/layout"
)

// IndexProps is the list.
type IndexProps struct {
	Frame    layout.FrameProps
	Instance *models.Instance
	Skills   []Skill
	BaseURL  string // for "as curl"
}

// Skill is a group of tools as it stands.
type Skill struct {
	ID, Name, Description string
	Tools                 []string
	Enabled               bool
	Fields                []Field
}

// Field is one thing to configure. Its value is not shown again.
type Field struct {
	Key, Label, Hint string
	Set              bool
	Typed, Error     string // what came back
}

func (p IndexProps) path() string { return "/instances/" + p.Instance.ID + "/skills" }

// body is the JSON that switches the first skill.
func (p IndexProps) body() string {
	if len(p.Skills) == 0 {
		return ""
	}
	b, _ := json.Marshal(map[string]any{"skill": p.Skills[0].ID, "enabled": !p.Skills[0].Enabled})
	return string(b)
}

func (f Field) placeholder() string {
	if f.Set {
		return "Set; type to replace it"
	}
	return ""
}
