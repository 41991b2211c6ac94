package app

import (
	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// frame is what stands around a signed-in page.
func (c *Ctx) frame(title, active, liveURL string) layout.FrameProps {
	return layout.FrameProps{Title: title, Notice: suspendedNotice(&c.Principal.Organization), Active: active, Theme: c.theme(), LiveURL: liveURL, Version: c.app.Version,
		UserName: c.Principal.User.Name, UserEmail: c.Principal.User.Email, Flash: c.flash(), OrgName: c.Principal.Organization.Name,
		Waiting: c.waiting(active), Inbox: c.inboxCount(), Unread: c.unreadCount(), MayHook: c.Principal.May(models.CanManageWebhooks), MayAudit: c.Principal.May(models.CanViewAudit), MayShell: PersonMay(models.CanUseTerminal).admits(c.Principal), Staff: c.Principal.User.Staff}
}

// suspendedNotice says on every page why nothing runs, and who can change that.
func suspendedNotice(o *models.Organization) layout.Announcement {
	if o.SuspendedAt == nil {
		return layout.Announcement{}
	}
	says := "This organization is suspended: " + o.SuspendedReason + ". Its instances are stopped and keep their data. "
	if o.SuspendedBy == models.SuspendedByStaff {
		return layout.Announcement{Text: says + "Ask the operator of this installation."}
	}
	return layout.Announcement{Text: says + "The owner can settle this.", Href: "/settings/billing", Button: "Open billing"}
}

// bare is what stands around a page of somebody who is not signed in.
func (c *Ctx) bare(title string) layout.BareProps {
	return layout.BareProps{Title: title, Theme: c.theme(), Version: c.app.Version, Flash: c.flash()}
}

func (c *Ctx) flash() *ui.Flash {
	t := c.takeFlash()
	if t == nil {
		return nil
	}
	return &ui.Flash{Kind: ui.Kind(t.Kind), Text: t.Text}
}

// waiting counts, for the pages of the settings, the turns that wait for a budget.
func (c *Ctx) waiting(active string) int {
	if active != "/settings" || c.Scope == nil {
		return 0
	}
	parked, _ := c.Scope.ParkedTurns(c) // a figure beside a tab is worth no failure
	return len(parked)
}

// inboxCount counts the turns that wait for a person.
func (c *Ctx) inboxCount() int {
	if c.Scope == nil || c.Principal.Membership.ID == "" {
		return 0
	}
	n, _ := c.Scope.WaitingCount(c) // a figure in the sidebar is worth no failure
	return n
}

// unreadCount counts what the person was told and has not read.
func (c *Ctx) unreadCount() int {
	if c.Scope == nil || c.Principal.Membership.ID == "" {
		return 0
	}
	n, _ := c.Scope.UnreadNotifications(c) // a figure in the sidebar is worth no failure
	return n
}
