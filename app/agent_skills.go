package app

import (
	"slices"

	agentapi "lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/engine/skills"
	"lobstead/models"
)

// AgentSkills are an instance's tools, in the agent API's spelling: one path, three verbs.
type AgentSkills struct{ *App }

// Index lists those that are on, and all that there are.
func (h *AgentSkills) Index(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	on, all, err := listSkills(c, i)
	return data(agentapi.SkillList{Skills: on, Available: all}), err
}

// Create turns one on or off.
func (h *AgentSkills) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, on, err := agentapi.ReadSkillSwitch(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	s, err := skills.Switch(c, c.Scope, i.ID, name, on)
	return data(agentapi.SkillAnswer{Success: true, Skill: newSkill(s)}), err
}

// Update configures one.
func (h *AgentSkills) Update(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, config, err := agentapi.ReadSkillConfig(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	s, err := skills.Configure(c, c.Scope, i.ID, name, config)
	return data(agentapi.SkillAnswer{Success: true, Skill: newSkill(s)}), err
}

func listSkills(c *Ctx, i *models.Instance) (on, all []agentapi.Skill, err error) {
	states, err := skills.List(c, c.Scope, i.ID)
	on, all = []agentapi.Skill{}, []agentapi.Skill{}
	for _, s := range states {
		all = append(all, newSkill(s))
		if s.Enabled {
			on = append(on, newSkill(s))
		}
	}
	return on, all, err
}

func newSkill(s skills.State) agentapi.Skill {
	return agentapi.Skill{ID: s.ID, Skill: s.ID, Name: s.Name, Description: s.Description, Enabled: s.Enabled, Configured: len(s.Configured) > 0,
		ConfigKeys: s.Configured, UpdatedAt: wire.TimeOrNull(s.UpdatedAt)}
}

// includeSkills adds the skills that are on, when they were asked for.
func (h *AgentStatus) includeSkills(c *Ctx, i *models.Instance, asked []string, out *agentapi.Status) error {
	if !slices.Contains(asked, "skills") {
		return nil
	}
	on, _, err := listSkills(c, i)
	out.Skills = &on
	return err
}
