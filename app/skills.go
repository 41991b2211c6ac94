package app

import (
	"slices"

	"lobstead/engine/skills"
	"lobstead/models"
	skillviews "lobstead/views/skills"
)

// Skills is the page of what an instance may use.
type Skills struct{ *App }

// Index lists the skills with their switches.
func (h *Skills) Index(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, i, nil, nil)
}

// Create turns one on or off.
func (h *Skills) Create(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, _ := f.String("skill")
	on := f.OptionalBool("enabled")
	if err := f.Err(); err != nil {
		return nil, err
	}
	s, err := skills.Switch(c, c.Scope, i.ID, name, on != nil && *on)
	said := s.Name + " is off"
	if s.Enabled {
		said = s.Name + " is on"
	}
	return redirect("/instances/"+i.ID+"/skills").json(newSkill(s)).say("ok", said), err
}

// Update configures one.
func (h *Skills) Update(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, s := range skills.Builtin {
		for _, field := range s.Config {
			if v, _ := f.OptionalString(field.Key); v != nil && s.ID == c.Param("skill") {
				values[field.Key] = *v
			}
		}
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	s, err := skills.Configure(c, c.Scope, i.ID, c.Param("skill"), values)
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return h.show(c, i, values, errs)
	}
	return redirect("/instances/"+i.ID+"/skills").json(newSkill(s)).say("ok", "Saved"), err
}

// pathInstance is the instance that the path names.
func (a *App) pathInstance(c *Ctx) (*models.Instance, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Instance(c, id)
}

// show is the page; typed is what came back with errs.
func (h *Skills) show(c *Ctx, i *models.Instance, typed, errs map[string]string) (Reply, error) {
	states, err := skills.List(c, c.Scope, i.ID)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		_, all, err := listSkills(c, i)
		return data(all), err
	}
	p := skillviews.IndexProps{Frame: c.frame("Skills of "+i.Name, "/instances", ""), Instance: i, BaseURL: h.PublicURL}
	for _, s := range states {
		v := skillviews.Skill{ID: s.ID, Name: s.Name, Description: s.Description, Tools: s.Tools, Enabled: s.Enabled}
		for _, f := range s.Config {
			v.Fields = append(v.Fields, skillviews.Field{Key: f.Key, Label: f.Label, Hint: f.Hint, Set: slices.Contains(s.Configured, f.Key), Typed: typed[f.Key], Error: errs[f.Key]})
		}
		p.Skills = append(p.Skills, v)
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return page(skillviews.Index(p)).with(status), nil
}
