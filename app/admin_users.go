package app

import (
	"lobstead/models"
	"lobstead/views/admin"
	"lobstead/views/ui"
)

// AdminUsers are the people of the installation.
type AdminUsers struct{ *App }

// Index lists and searches them.
func (h *AdminUsers) Index(c *Ctx) (Reply, error) {
	s := c.search(admin.UsersPath, "Search by name or e-mail address")
	s.Name, s.Label, s.Choice = "only", "Which users", c.Query("only")
	s.Choices = []ui.Option{{Value: "", Text: "Everybody"}, {Value: "staff", Text: "Staff"}, {Value: "blocked", Text: "Blocked"}}
	rows, err := h.Store.AsSystem("people of the installation").People(c, models.Listing{Text: s.Text, State: s.Choice, Before: s.Before, Limit: officePage + 1})
	if err != nil {
		return nil, err
	}
	rows, s.Next = paged(rows, officePage, func(u models.User) string { return u.ID })
	return page(admin.Users(admin.UsersProps{Frame: c.adminFrame("Users"), Search: s, Users: rows})), nil
}

// Show is one person.
func (h *AdminUsers) Show(c *Ctx) (Reply, error) {
	user, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.show(c, user, admin.Form{}, 200)
}

func (h *AdminUsers) show(c *Ctx, user string, form admin.Form, status int) (Reply, error) {
	system := h.Store.AsSystem("a person of the installation")
	u, err := system.User(c, user)
	if err != nil {
		return nil, err
	}
	p := admin.UserProps{Frame: c.adminFrame(u.Name), User: u, Self: u.ID == c.Principal.User.ID, Form: form}
	if p.Organizations, err = system.OrganizationsOf(c, user); err != nil {
		return nil, err
	}
	p.SignIns, err = system.SignIns(c, user)
	return page(admin.User(p)).with(status), err
}

var userActs = map[string]string{"block": "Blocked, and signed out everywhere", "unblock": "Unblocked", "sign_out": "Signed out everywhere",
	"make_staff": "This person is staff now", "end_staff": "This person is no staff any more"}

// Update blocks, unblocks, signs out everywhere, or changes who is staff.
func (h *AdminUsers) Update(c *Ctx) (Reply, error) {
	user, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("block", "unblock", "sign_out", "make_staff", "end_staff")
	if err == nil {
		err = h.act(c, a, user)
	}
	if form, ok := c.refused(a, "user", err); ok {
		return h.show(c, user, form, 422)
	}
	if err != nil {
		return nil, err
	}
	h.accessChanged(c, user) // open streams ask again who is there
	return redirect(admin.UsersPath+"/"+user).say("ok", userActs[a.name]), nil
}

func (h *AdminUsers) act(c *Ctx, a staffAct, user string) error {
	system := h.Store.AsSystem("an act of staff on a person")
	var err error
	switch a.name {
	case "block":
		_, err = system.Block(c, a.by, user)
	case "unblock":
		_, err = system.Unblock(c, a.by, user)
	case "sign_out":
		_, err = system.SignOutEverywhere(c, a.by, user)
	default:
		_, err = system.SetStaff(c, a.by, user, a.name == "make_staff")
	}
	return err
}
