package app

import (
	"context"

	"lobstead/api/cloud"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/settings"
)

// Team is the organization's people: pages and the cloud API's JSON from the same handlers.
type Team struct{ *App }

// Index lists them; the page has the open invitations too.
func (h *Team) Index(c *Ctx) (Reply, error) {
	if !c.wantsJSON() {
		link := c.shownOnce()
		return h.show(c, settings.TeamProps{Link: link.Value, LinkFor: link.For}, 200)
	}
	rows, err := c.Scope.Members(c)
	return data(cloud.NewMembers(rows)), err
}

// show gives the page with what is known of the form.
func (h *Team) show(c *Ctx, p settings.TeamProps, status int) (Reply, error) {
	p.Frame, p.Me, p.BaseURL = c.frame("Team", "/settings", ""), c.Principal.User.ID, h.PublicURL
	p.MayManage, p.MayTransfer = c.May(models.CanManageTeam) == nil, c.May(models.CanTransfer) == nil
	if p.Role == "" {
		p.Role = string(models.Member)
	}
	var err error
	if p.Members, err = c.Scope.Members(c); err == nil && p.MayManage {
		if p.Invitations, err = c.Scope.Invitations(c); err == nil {
			p.Letters, err = c.Scope.InvitationDeliveries(c, p.Invitations)
		}
	}
	return page(settings.Team(p)).with(status), err
}

// Create asks an address to join: an account joins at once, anybody else gets a link.
func (h *Team) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	email, role, err := cloud.ReadInvitation(f)
	if err != nil {
		return h.refused(c, email, role, err)
	}
	tried, err := c.take("invitations "+c.Org(), h.Limits.Invitations)
	if err != nil {
		return nil, err
	}
	in, err := h.invite(c, email, role, f)
	if err != nil {
		tried.Undo(c)
		return h.refused(c, email, role, err)
	}
	if in.Member != nil {
		h.accessChanged(c, in.Member.User.ID)
		return redirect("/settings/team").json(cloud.NewInvited(in, "")).with(201).say("ok", in.Member.User.Email+" has joined"), nil
	}
	return h.invited(c, in)
}

// invite asks, by a letter where a mail server is configured, unless the person wants to pass the link on.
func (h *Team) invite(c *Ctx, email string, role models.Role, f *wire.Fields) (*models.Invited, error) {
	by, _ := f.OptionalString("by")
	if !h.Mails || c.family == Pages && by != nil && *by == "link" {
		return c.Scope.Invite(c, email, role)
	}
	return c.Scope.InviteByMail(c, email, role, func(i *models.Invitation) models.Mail { return h.letter(c, i) })
}

// invited tells that a letter is on its way, or has the link shown once, to be passed on.
func (h *Team) invited(c *Ctx, in *models.Invited) (Reply, error) {
	if in.Delivery != nil {
		return redirect("/settings/team").json(cloud.NewInvited(in, "")).with(201).say("ok", "An email to "+in.Invitation.Email+" is being sent"), nil
	}
	link := h.PublicURL + joinPath + escapeName(in.Token.Reveal())
	if c.wantsJSON() {
		return data(cloud.NewInvited(in, link)).with(201), nil
	}
	return c.showOnce("/settings/team", once{Value: link, For: in.Invitation.Email})
}

const joinPath = "/join?token="

// letter is the invitation as it is mailed; the token is put in when it is.
func (h *Team) letter(c *Ctx, i *models.Invitation) models.Mail {
	organization := c.Principal.Organization.Name
	return models.Mail{Subject: "Join " + organization + " on Lobstead",
		Text: i.InvitedBy + " asks you to join " + organization + " on Lobstead.\n\nOpen this link to accept; it works once, for seven days:\n\n" +
			h.PublicURL + joinPath + models.SecretMark + "\n\nIf you do not know why you get this email, ignore it.\n"}
}

// refused shows the page again with what is wrong beside the fields; programs get the fault.
func (h *Team) refused(c *Ctx, email string, role models.Role, err error) (Reply, error) {
	errs, ok := invalid(err)
	if fault.Is(err, fault.Conflict) {
		errs, ok = map[string]string{"email": "This person is a member already"}, true
	}
	if !ok || c.wantsJSON() {
		return nil, err
	}
	return h.show(c, settings.TeamProps{Email: email, Role: string(role), Errors: errs}, 422)
}

// Update changes a member's role.
func (h *Team) Update(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	role, err := cloud.ReadRole(f)
	if err != nil {
		return nil, err
	}
	return h.changed(c, "The role is changed from now on", func(ctx context.Context, id string) (*models.TeamMember, error) {
		return c.Scope.ChangeRole(ctx, id, role)
	})
}

// Destroy ends a membership.
func (h *Team) Destroy(c *Ctx) (Reply, error) {
	member, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	m, err := c.Scope.RemoveMember(c, member)
	if err != nil {
		return nil, err
	}
	h.accessChanged(c, m.User.ID)
	return redirect("/settings/team").json(cloud.Deleted{Success: true}).say("ok", m.User.Email+" is no longer a member"), nil
}

// Withdraw voids an invitation.
func (h *Team) Withdraw(c *Ctx) (Reply, error) {
	invitation, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := c.Scope.RevokeInvitation(c, invitation); err != nil {
		return nil, err
	}
	return redirect("/settings/team").say("ok", "The invitation is withdrawn"), nil
}

// Transfer makes a member the owner.
func (h *Team) Transfer(c *Ctx) (Reply, error) {
	return h.changed(c, "Ownership is transferred; you are an admin now", c.Scope.TransferOwnership)
}

// Leave ends the caller's own membership.
func (h *Team) Leave(c *Ctx) (Reply, error) {
	if _, err := c.Scope.Leave(c); err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	return redirect("/organizations").say("ok", "You have left "+c.Principal.Organization.Name), nil
}

func (h *Team) changed(c *Ctx, said string, verb func(context.Context, string) (*models.TeamMember, error)) (Reply, error) {
	member, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	m, err := verb(c, member)
	if err != nil {
		return nil, err
	}
	h.accessChanged(c, m.User.ID)
	h.accessChanged(c, c.Principal.User.ID)
	return redirect("/settings/team").json(cloud.NewMember(m)).say("ok", said), nil
}

// accessChanged makes the open streams of a person ask again what they may see.
func (a *App) accessChanged(ctx context.Context, userID string) {
	a.Bus.Publish(ctx, principalTopic(userID), nil)
}

// Roles shows who can do what, from the table that the gate reads.
func (h *Team) Roles(c *Ctx) (Reply, error) {
	return page(settings.Roles(settings.RolesProps{Frame: c.frame("Who can do what", "/settings", ""), Mine: c.Principal.Membership.Role})), nil
}
