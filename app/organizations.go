package app

import (
	"context"
	"strconv"

	"lobstead/api/cloud"
	"lobstead/models"
	"lobstead/views/settings"
)

// Organizations are those that a person belongs to: list, another one, switch.
type Organizations struct{ *App }

// Index lists them with the form for one more; it is also where somebody without any arrives.
func (h *Organizations) Index(c *Ctx) (Reply, error) { return h.show(c, "", nil, 200) }

func (h *Organizations) show(c *Ctx, name string, errs map[string]string, status int) (Reply, error) {
	rows, err := h.Store.AsSystem("a person's organizations").OrganizationsOf(c, c.Principal.User.ID)
	if err != nil {
		return nil, err
	}
	return page(settings.Organizations(settings.OrganizationsProps{Frame: c.frame("Organizations", "", ""), Rows: rows, Current: c.Org(),
		Name: name, Errors: errs})).with(status), nil
}

// Create makes a further one, of which the person is the owner, and shows it.
func (h *Organizations) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, err := cloud.ReadName(f)
	var o *models.Organization
	if err == nil {
		o, err = h.Store.AsSystem("a further organization").NewOrganizationFor(c, c.actor(), name)
	}
	if errs, ok := invalid(err); ok {
		return h.show(c, name, errs, 422)
	}
	if err != nil {
		return nil, err
	}
	return h.look(c, o.ID, "Here is "+o.Name)
}

// Switch shows another one in this browser.
func (h *Organizations) Switch(c *Ctx) (Reply, error) {
	organization, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.look(c, organization, "")
}

func (h *Organizations) look(c *Ctx, organization, said string) (Reply, error) {
	if err := h.Store.AsSystem("own choice of organization").LookAt(c, c.Principal.User.ID, c.Principal.SignInID, organization); err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	to := redirect("/")
	if said != "" {
		to.say("ok", said)
	}
	return to, nil
}

// Organization is the one that the caller looks at: its settings, its end, its archive.
type Organization struct{ *App }

// Show tells programs its settings; the page is Settings.General.
func (h *Organization) Show(c *Ctx) (Reply, error) {
	o, err := c.Scope.Organization(c)
	if err != nil {
		return nil, err
	}
	return data(cloud.NewSettings(o, c.Principal.Membership.Role)), nil
}

// Update renames it.
func (h *Organization) Update(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	name, err := cloud.ReadName(f)
	var o *models.Organization
	if err == nil {
		o, err = c.Scope.RenameOrganization(c, name)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return (&Settings{h.App}).general(c, name, errs, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect("/settings").json(cloud.NewSettings(o, c.Principal.Membership.Role)).say("ok", "Saved"), nil
}

// Delete lists what would be lost and asks for the name.
func (h *Organization) Delete(c *Ctx) (Reply, error) { return h.ask(c, "", 200) }

func (h *Organization) ask(c *Ctx, problem string, status int) (Reply, error) {
	holdings, err := c.Scope.Holdings(c)
	if err != nil {
		return nil, err
	}
	goes := lost(holdings)
	if s, err := c.Scope.Subscription(c); err == nil && s.Status.Open() {
		goes = append(goes, "The subscription, which is cancelled at once and not paid back")
	}
	return page(settings.DeleteOrganization(settings.DeleteOrganizationProps{Frame: c.frame("Delete organization", "/settings", ""),
		Name: c.Principal.Organization.Name, Lost: goes, Error: problem})).with(status), nil
}

// lost says what goes with an organization.
func lost(h models.Holdings) []string {
	out := []string{}
	for _, l := range []struct {
		n         int
		one, many string
	}{{h.Instances, "instance with its sandbox and files", "instances with their sandboxes and files"}, {h.Sessions, "conversation", "conversations"},
		{h.Turns, "message and its answer", "messages and their answers"}, {h.Attachments, "attached file", "attached files"}, {h.Memories, "memory", "memories"},
		{h.Keys, "API key", "API keys"}, {h.Providers, "model connection with its key", "model connections with their keys"},
		{h.Members, "membership", "memberships"}} {
		switch l.n {
		case 0:
		case 1:
			out = append(out, "1 "+l.one)
		default:
			out = append(out, strconv.Itoa(l.n)+" "+l.many)
		}
	}
	return append(out, "The audit log of this organization")
}

// Destroy writes the wish that it be gone. A person types the name first.
func (h *Organization) Destroy(c *Ctx) (Reply, error) {
	if c.family == Pages {
		f, err := c.Fields()
		if err != nil {
			return nil, err
		}
		if name, _ := f.String("confirm"); name != c.Principal.Organization.Name {
			return h.ask(c, "Type the organization's name to delete it", 422)
		}
	}
	if err := h.end(c, c.Scope); err != nil {
		return nil, err
	}
	return redirect("/organizations").json(cloud.Deleted{Success: true}).say("ok", c.Principal.Organization.Name+" is being deleted"), nil
}

// end deletes an organization and cuts the open streams of its members.
func (a *App) end(ctx context.Context, sc *models.Scope) error {
	members, err := sc.Members(ctx)
	if err != nil {
		return err
	}
	if err := a.Billing.End(ctx, sc); err != nil { // first: nobody pays for what is gone
		return err
	}
	if err := a.Desk.End(ctx, sc); err != nil {
		return err
	}
	for _, m := range members {
		a.accessChanged(ctx, m.User.ID)
	}
	return nil
}
