package app

import (
	"time"

	"lobstead/migrations"
	"lobstead/models"
	"lobstead/views/settings"
)

// Settings are the organization's and the person's.
type Settings struct{ *App }

// General shows both, and what the server runs on.
func (h *Settings) General(c *Ctx) (Reply, error) {
	if c.Principal.Membership.ID == "" {
		return redirect("/organizations"), nil
	}
	return h.general(c, c.Principal.Organization.Name, nil, 200)
}

func (h *Settings) general(c *Ctx, name string, errs map[string]string, status int) (Reply, error) {
	o, err := c.Scope.Organization(c)
	if err != nil {
		return nil, err
	}
	database := "SQLite"
	if h.Store.Dialect() == migrations.Postgres {
		database = "Postgres"
	}
	return page(settings.General(settings.GeneralProps{Frame: c.frame("Settings", "/settings", ""), Organization: o, User: &c.Principal.User,
		Role: c.Principal.Membership.Role, Version: h.Version, Database: database, Queue: h.Queue, Name: name, Errors: errs,
		BaseURL: h.PublicURL, Mails: h.Mails, MayEdit: c.May(models.CanEditSettings) == nil, MayDelete: c.May(models.CanDeleteOrg) == nil})).with(status), nil
}

// Letters says whether a person wants a letter when something waits for them.
func (h *Settings) Letters(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	on := f.OptionalBool("letters")
	if err := f.Err(); err != nil {
		return nil, err
	}
	wanted := on != nil && *on // a box that is not ticked sends nothing
	if err := h.Store.AsSystem("own letters").SetLetters(c, c.Principal.User.ID, wanted); err != nil {
		return nil, err
	}
	words := "You get an email when something waits for you"
	if !wanted {
		words = "You get no emails when something waits for you"
	}
	return redirect("/settings#you").json(map[string]bool{"letters": wanted}).say("ok", words), nil
}

// themeLife is how long a browser remembers its look.
const themeLife = 365 * 24 * time.Hour

// Theme changes the look, for the browser and, when signed in, for the person.
func (h *Settings) Theme(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	theme, _ := f.String("theme")
	if err := f.Err(); err != nil {
		return nil, err
	}
	user := ""
	if c.Principal != nil {
		user = c.Principal.User.ID
	}
	if err := h.Store.AsSystem("own theme").SetTheme(c, user, theme); err != nil {
		return nil, err
	}
	c.setCookie(themeCookie, theme, themeLife, false)
	if c.isHTMX() || c.wantsJSON() {
		return &answer{noContent: true}, nil
	}
	return redirect(c.here()), nil
}
