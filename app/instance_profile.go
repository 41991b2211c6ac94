package app

import (
	"lobstead/models"
)

// InstanceProfile is what is said of an agent, and told to it.
type InstanceProfile struct{ *App }

// Create writes what the form says; what it leaves out stays.
func (h *InstanceProfile) Create(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Instance(c, instance); err != nil {
		return nil, err // what is not yours is 404 before its body is judged
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	change := models.ProfileChange{}
	change.Description, _ = f.OptionalString("description")
	change.Instructions, _ = f.OptionalString("system_prompt")
	if mode, _ := f.OptionalString("system_prompt_type"); mode != nil {
		change.InstructionsMode = (*models.InstructionsMode)(mode)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if !change.Empty() {
		_, err = c.Scope.ChangeProfile(c, instance, change)
	}
	if errs, ok := invalid(err); ok {
		return (&Instances{h.App}).again(c, instance, errs, change)
	}
	return redirect("/instances/"+instance+"#profile").say("ok", "It holds from the next message on"), err
}
