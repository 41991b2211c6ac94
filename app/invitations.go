package app

import (
	"cmp"

	"lobstead/api/wire"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/signin"
)

// Invitations lets people in who were asked.
type Invitations struct{ *App }

// Show is the page behind the link.
func (h *Invitations) Show(c *Ctx) (Reply, error) { return h.form(c, "", nil, 200) }

func (h *Invitations) form(c *Ctx, name string, errs map[string]string, status int) (Reply, error) {
	token := c.Query("token")
	open, err := h.Store.AsSystem("invitation").Invitation(c, secret.Of(token))
	if err != nil {
		return nil, err
	}
	p := signin.JoinProps{Bare: c.bare("Join " + open.Organization.Name), Action: "/join?token=" + escapeName(token), Organization: open.Organization.Name,
		InvitedBy: open.Invitation.InvitedBy, Email: open.Invitation.Email, Role: open.Invitation.Role, HasAccount: open.HasAccount, Name: name, Errors: errs}
	if c.Principal != nil && c.Principal.SignInID != "" {
		p.SignedInAs = c.Principal.User.Email
	}
	policy, err := c.passwordPolicy()
	if err != nil {
		return nil, err
	}
	p.NoPassword = policy != models.PasswordsForAll
	if p.Providers, err = c.signInServices("/"); err != nil {
		return nil, err
	}
	return page(signin.Join(p)).with(status), nil
}

// Accept makes the account, or lets the signed-in person in, and shows the organization.
func (h *Invitations) Accept(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	if err := c.brake(""); err != nil {
		return nil, err
	}
	token, sy := secret.Of(c.Query("token")), h.Store.AsSystem("invitation")
	open, err := sy.Invitation(c, token)
	if err != nil {
		return nil, err
	}
	welcome := "Welcome to " + open.Organization.Name
	if c.Principal == nil || c.Principal.SignInID == "" {
		return h.join(c, f, token, welcome)
	}
	if err := sy.AcceptInvitationAs(c, token, c.Principal.User.ID, h.address(c.f)); err != nil {
		return nil, err
	}
	return (&Organizations{h.App}).look(c, open.Organization.ID, welcome)
}

// join makes the account of somebody who has none, and signs them in.
func (h *Invitations) join(c *Ctx, f *wire.Fields, token secret.String, welcome string) (Reply, error) {
	if policy, err := c.passwordPolicy(); err != nil || policy != models.PasswordsForAll {
		return nil, cmp.Or(err, error(errPasswords))
	}
	name, _ := f.String("name")
	password, _ := f.String("password")
	user, err := h.Store.AsSystem("invitation").AcceptInvitation(c, token, models.Joining{Name: name, Password: secret.Of(password)}, h.address(c.f))
	if errs, ok := invalid(err); ok {
		return h.form(c, name, errs, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect("/").say("ok", welcome), c.open(user.ID, "invitation")
}
