package app

import (
	"context"

	"lobstead/api/cloud"
	"lobstead/engine/agent"
	"lobstead/models"
	"lobstead/views/notifications"
)

// Notifications are what a person was told.
type Notifications struct{ *App }

const notificationPage = 50

// Index lists them.
func (h *Notifications) Index(c *Ctx) (Reply, error) {
	p, err := h.notificationList(c, c.Scope, c.Query("unread") == "true", c.Query("before"))
	if err != nil || c.wantsJSON() {
		return data(cloud.NewNotifications(p.Rows, p.Unread, p.Next)), err
	}
	live := "/live/notifications"
	if p.Before != "" {
		live = "" // older ones stay as they are
	} else if p.Only {
		live += "?unread=true"
	}
	p.Frame, p.BaseURL = c.frame("Notifications", notifications.Path, live), h.PublicURL
	return page(notifications.Index(p)), nil
}

func (a *App) notificationList(ctx context.Context, sc *models.Scope, only bool, before string) (notifications.IndexProps, error) {
	p := notifications.IndexProps{Only: only, Before: before}
	var err error
	if p.Unread, err = sc.UnreadNotifications(ctx); err != nil {
		return p, err
	}
	rows, err := sc.Notifications(ctx, only, before, notificationPage+1)
	p.Rows, p.Next = paged(rows, notificationPage, func(n models.Notification) string { return n.ID })
	return p, err
}

// Notifications streams the newest of them.
func (h *Live) Notifications(c *Ctx) (Reply, error) {
	only := c.Query("unread") == "true"
	on := func(p *models.Principal) []string { return []string{agent.InboxTopic(p.Membership.OrganizationID)} }
	return streamReply{&fragments{app: h.App, on: on, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
		p, err := h.notificationList(ctx, sc, only, "")
		if err != nil {
			return nil, err
		}
		outside, err := around(ctx, sc)
		return append(outside, fragment{id: "notifications", html: notifications.List(p)}), err
	}}}, nil
}

// Show marks one as read and goes where it leads.
func (h *Notifications) Show(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	n, err := c.Scope.ReadNotification(c, id)
	if err != nil {
		return nil, err
	}
	return redirect(localOr(n.Link, notifications.Path)).json(cloud.NewNotification(n)), nil
}

// Read marks one as read, or as unread again.
func (h *Notifications) Read(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	read := f.OptionalBool("read")
	if err := f.Err(); err != nil {
		return nil, err
	}
	if read == nil || *read {
		_, err = c.Scope.ReadNotification(c, id)
	} else {
		err = c.Scope.UnreadNotification(c, id)
	}
	return redirect(notifications.Path).json(cloud.Deleted{Success: true}), err
}

// ReadAll marks all as read.
func (h *Notifications) ReadAll(c *Ctx) (Reply, error) {
	return redirect(notifications.Path).json(cloud.Deleted{Success: true}).say("ok", "All are read"), c.Scope.ReadAllNotifications(c)
}

// Preferences shows by which ways a person is told of what.
func (h *Notifications) Preferences(c *Ctx) (Reply, error) { return h.preferences(c, nil, nil, 200) }

func (h *Notifications) preferences(c *Ctx, chosen []models.NotificationChoice, errs map[string]string, status int) (Reply, error) {
	p := notifications.PreferencesProps{Frame: c.frame("Notifications", notifications.Path, ""), Choices: chosen, Mails: h.Mails, NoLetters: c.Principal.User.NoLetters, Errors: errs}
	var err error
	if chosen == nil {
		if p.Choices, err = h.Store.AsSystem("own choices").NotificationChoices(c, c.Principal.User.ID); err != nil {
			return nil, err
		}
	}
	if p.Channels, err = c.Scope.LinkedKinds(c); err != nil {
		return nil, err
	}
	rows, err := c.Scope.Webhooks(c)
	for n := range rows {
		if rows[n].Active && rows[n].Wants(models.NotificationCreated) {
			p.Webhooks++
		}
	}
	return page(notifications.Preferences(p)).json(cloud.NewNotificationChoices(p.Choices)).with(status), err
}

// Choose keeps a person's choices. A box that is not ticked sends nothing; a kind that is not sent at all stays.
func (h *Notifications) Choose(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	before, err := h.Store.AsSystem("own choices").NotificationChoices(c, c.Principal.User.ID)
	if err != nil {
		return nil, err
	}
	chosen := []models.NotificationChoice{}
	for n, k := range models.NotificationKinds {
		name := string(k.Kind)
		if !f.Has("digest_" + name) {
			continue
		}
		mail, hook := f.OptionalBool("mail_"+name), f.OptionalBool("webhook_"+name)
		one := models.NotificationChoice{Kind: k.Kind, Mail: mail != nil && *mail, Webhook: hook != nil && *hook, Channel: before[n].Channel, Digest: models.Digest(f.Text("digest_" + name))}
		if channel, _ := f.OptionalString("channel_" + name); channel != nil {
			one.Channel = models.ChannelKind(*channel)
		}
		chosen = append(chosen, one)
	}
	if err = f.Err(); err == nil {
		err = h.Store.AsSystem("own choices").ChooseNotifications(c, c.Principal.User.ID, chosen)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return h.preferences(c, chosen, errs, 422)
	}
	return redirect(notifications.PreferencesPath).json(cloud.NewNotificationChoices(chosen)).say("ok", "Your choices hold from now on"), err
}
