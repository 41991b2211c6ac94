package models

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// AgentProfile is what is said of an agent beyond its name, size and model. An instance without one has the zero value.
type AgentProfile struct {
	InstanceID       string `gorm:"primaryKey"`
	OrganizationID   string
	Title            string // what programs call it; "" or one that was given with another name: the instance's name
	Slug             string // the name that the title was given with
	Description      string
	Instructions     string
	InstructionsMode InstructionsMode

	InstructionsBefore string // what the last change of them replaced
	InstructionsBy     string // who made it
	InstructionsAt     *time.Time

	Fresh     bool   // each message by a channel begins without what was said before
	Settings  string // JSON object: the rest, in the fleet API's words
	CreatedAt time.Time
	UpdatedAt time.Time
}

// InstructionsMode is where an agent's own instructions stand.
type InstructionsMode string

// The modes: after ours, or instead of what ours say of how to work.
const (
	AppendInstructions  InstructionsMode = "append"
	ReplaceInstructions InstructionsMode = "replace"
)

// The caps of a profile, in characters (fleet-api.md, 2.1) and bytes.
const (
	maxTitle        = 100
	maxDescription  = 500
	MaxInstructions = 64 << 10
	maxSettings     = 256 << 10
)

// ProfileChange holds what to change; nil leaves a thing as it is.
type ProfileChange struct {
	Title            *string
	Description      *string
	Instructions     *string
	InstructionsMode *InstructionsMode
	Fresh            *bool
	Settings         map[string]any // whole; nil = as it is
}

// Empty tells that nothing is to be changed.
func (c ProfileChange) Empty() bool {
	return c.Title == nil && c.Description == nil && c.Instructions == nil && c.InstructionsMode == nil && c.Fresh == nil && c.Settings == nil
}

// Fill puts what was given into a profile, unjudged: to show it again.
func (c *ProfileChange) Fill(p *AgentProfile) {
	fill(&p.Title, c.Title)
	fill(&p.Description, c.Description)
	fill(&p.Instructions, c.Instructions)
	fill(&p.InstructionsMode, c.InstructionsMode)
	fill(&p.Fresh, c.Fresh)
}

func fill[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (c *ProfileChange) check() error {
	var is fault.Issues
	if c.Title != nil {
		*c.Title = validName(&is, "name", *c.Title, maxTitle)
	}
	if c.Description != nil {
		if CheckText(&is, "description", *c.Description, 4*maxDescription); len([]rune(*c.Description)) > maxDescription {
			is.TooBig("description", maxDescription)
		}
	}
	if c.Instructions != nil {
		CheckText(&is, "system_prompt", *c.Instructions, MaxInstructions)
	}
	if m := c.InstructionsMode; m != nil && *m != AppendInstructions && *m != ReplaceInstructions {
		is.NotOneOf("system_prompt_type", string(*m), string(ReplaceInstructions), string(AppendInstructions))
	}
	if _, err := storedSettings(c.Settings); err != nil {
		return err
	}
	return is.Err()
}

// Name is what the agent is called by programs.
func (p *AgentProfile) Name(i *Instance) string {
	if p.Title != "" && p.Slug == i.Name {
		return p.Title
	}
	return i.Name
}

// Config reads the settings; never nil.
func (p *AgentProfile) Config() map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal([]byte(p.Settings), &out) // written by us
	return out
}

// AgentProfile reads an instance's; the zero profile when nobody said anything of it.
func (sc *Scope) AgentProfile(ctx context.Context, instanceID string) (*AgentProfile, error) {
	p, err := first[AgentProfile](sc.read(ctx).Where("instance_id = ?", instanceID))
	if fault.Is(err, fault.NotFound) {
		return &AgentProfile{InstanceID: instanceID, OrganizationID: sc.Org, InstructionsMode: AppendInstructions}, nil
	}
	return p, err
}

// AgentProfiles reads those of some instances, by instance.
func (sc *Scope) AgentProfiles(ctx context.Context, instanceIDs []string) (map[string]AgentProfile, error) {
	out := map[string]AgentProfile{}
	if len(instanceIDs) == 0 {
		return out, nil
	}
	rows, err := all[AgentProfile](sc.read(ctx).Omit("instructions", "instructions_before").Where("instance_id IN ?", instanceIDs))
	for _, p := range rows {
		out[p.InstanceID] = p
	}
	return out, err
}

// ChangeProfile writes what is said of an agent.
func (sc *Scope) ChangeProfile(ctx context.Context, instanceID string, c ProfileChange) (*AgentProfile, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var out *AgentProfile
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		i, err := first[Instance](locked(tx).Select("id", "name", "organization_id").Where("id = ? AND desired <> ?", instanceID, WantDeleted))
		if err == nil {
			out, err = sc.changeProfile(tx, i, c)
		}
		return err
	})
	return out, err
}

// changeProfile is ChangeProfile for an instance that nobody else changes meanwhile.
func (sc *Scope) changeProfile(tx *gorm.DB, i *Instance, c ProfileChange) (*AgentProfile, error) {
	settings, err := storedSettings(c.Settings)
	if err != nil {
		return nil, err
	}
	now := sc.store.now()
	was, err := first[AgentProfile](tx.Where("instance_id = ?", i.ID))
	if fault.Is(err, fault.NotFound) {
		was = &AgentProfile{InstanceID: i.ID, OrganizationID: sc.Org, InstructionsMode: AppendInstructions, Settings: "{}", CreatedAt: now, UpdatedAt: now}
		err = tx.Create(was).Error
	}
	if err != nil {
		return nil, err
	}
	set := c.columns(i)
	set["updated_at"] = now
	if c.Instructions != nil && *c.Instructions != was.Instructions {
		set["instructions_before"], set["instructions_by"], set["instructions_at"] = was.Instructions, sc.Actor.label(), now
	}
	if settings != "" {
		set["settings"] = settings
	}
	if _, err := changed(tx.Model(&AgentProfile{}).Where("instance_id = ?", i.ID), set); err != nil {
		return nil, err
	}
	out, err := first[AgentProfile](tx.Where("instance_id = ?", i.ID))
	if err != nil {
		return nil, err
	}
	after := c.figures()
	return out, sc.audit(tx, act{name: "instance.described", kind: "instance", id: i.ID, of: i.Name, before: was.figures(after), after: after})
}

func storedSettings(settings map[string]any) (string, error) {
	if settings == nil {
		return "", nil
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "agent.configuration", "configuration cannot be stored")
	}
	if len(text) > maxSettings {
		var is fault.Issues
		is.Custom("configuration", "configuration has more than 256 KB")
		return "", is.Err()
	}
	return strings.ReplaceAll(string(text), `\u0000`, ""), nil
}

func (c *ProfileChange) columns(i *Instance) map[string]any {
	set := map[string]any{}
	if c.Title != nil {
		set["title"], set["slug"] = *c.Title, i.Name
	}
	if c.Description != nil {
		set["description"] = *c.Description
	}
	if c.Instructions != nil {
		set["instructions"] = *c.Instructions
	}
	if c.InstructionsMode != nil {
		set["instructions_mode"] = *c.InstructionsMode
	}
	if c.Fresh != nil {
		set["fresh"] = *c.Fresh
	}
	return set
}

// figures are what the audit log keeps of a profile: of the things that a change names.
func (p *AgentProfile) figures(changed map[string]any) map[string]any {
	all := (&ProfileChange{Title: &p.Title, Description: &p.Description, Instructions: &p.Instructions, InstructionsMode: &p.InstructionsMode, Fresh: &p.Fresh}).figures()
	maps.DeleteFunc(all, func(name string, _ any) bool { _, ok := changed[name]; return !ok })
	return all
}

// figures are what the audit log keeps of a change.
func (c *ProfileChange) figures() map[string]any {
	out := c.columns(&Instance{})
	delete(out, "slug")
	if c.Instructions != nil {
		out["instructions"] = clip(*c.Instructions, 500)
	}
	if c.Settings != nil {
		out["settings"] = strings.Join(slices.Sorted(maps.Keys(c.Settings)), ", ")
	}
	return out
}
