package app

import (
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/settings"
)

// Security is how a person signs in: password, linked services, passkeys.
type Security struct{ *App }

// Show lists the ways.
func (h *Security) Show(c *Ctx) (Reply, error) { return h.show(c, nil, 200) }

func (h *Security) show(c *Ctx, problems map[string]string, status int) (Reply, error) {
	system := h.Store.AsSystem("own ways to sign in")
	u, err := system.User(c, c.Principal.User.ID)
	if err != nil {
		return nil, err
	}
	p := settings.SecurityProps{Frame: c.frame("Security", "/settings", ""), HasPassword: u.PasswordHash != "", SecondFactor: u.SecondFactor, Errors: problems, Unnamed: c.relyingParty() == ""}
	if p.Passkeys, err = system.Passkeys(c, u.ID); err != nil {
		return nil, err
	}
	links, err := system.Identities(c, u.ID)
	if err != nil {
		return nil, err
	}
	providers, err := system.SignInProviders(c, h.SignIn)
	if err != nil {
		return nil, err
	}
	p.Links, p.Services = services(links, providers)
	if p.Policy, err = c.passwordPolicy(); err != nil {
		return nil, err
	}
	return page(settings.Security(p)).json(securityJSON(p)).with(status), nil
}

// services puts a name to each link, and gives what can still be linked.
func services(links []models.Identity, providers []models.SignInProvider) (linked []settings.Link, rest []settings.Service) {
	have := map[string]bool{}
	for _, l := range links {
		name := l.Provider
		for _, p := range providers {
			if p.Issuer == l.Provider {
				name = p.Name
			}
		}
		have[l.Provider] = true
		linked = append(linked, settings.Link{Identity: l, Name: name})
	}
	for _, p := range providers {
		if p.Enabled && !have[p.Issuer] {
			rest = append(rest, settings.Service{Name: p.Name, Href: "/sign-in/" + p.ID + "?for=link"})
		}
	}
	return linked, rest
}

// securityJSON is the page for programs that drive a browser's session.
func securityJSON(p settings.SecurityProps) map[string]any {
	keys, links := []map[string]any{}, []map[string]any{}
	for _, k := range p.Passkeys {
		keys = append(keys, map[string]any{"id": k.ID, "name": k.Name})
	}
	for _, l := range p.Links {
		links = append(links, map[string]any{"id": l.ID, "issuer": l.Identity.Provider, "email": l.Identity.Email})
	}
	return map[string]any{"password": p.HasPassword, "secondFactor": p.SecondFactor, "passkeys": keys, "identities": links, "errors": p.Errors}
}

// Password changes it; every other browser is signed out.
func (h *Security) Password(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	next, _ := f.String("password")
	current := f.Text("current")
	if err := f.Err(); err != nil {
		return nil, err
	}
	if err := c.brake(c.Principal.User.Email); err != nil {
		return nil, err
	}
	err = h.Store.AsSystem("own password").ChangePassword(c, c.actor(), c.Principal.SignInID, secret.Of(current), secret.Of(next))
	if problems, ok := invalid(err); ok {
		return h.show(c, problems, 422)
	}
	if err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	return redirect("/settings/security").say("ok", "Password changed. Every other browser is signed out"), nil
}

// SecondFactor asks for a passkey after the password, or no longer does.
func (h *Security) SecondFactor(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	on, _ := f.Enum("on", "true", "false")
	if err := f.Err(); err != nil {
		return nil, err
	}
	return c.backTo("/settings/security", "Saved", h.Store.AsSystem("own second factor").SetSecondFactor(c, c.actor(), on == "true"))
}

// Unlink ends a link with a service.
func (h *Security) Unlink(c *Ctx) (Reply, error) {
	identity, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.backTo("/settings/security", "Unlinked", h.Store.AsSystem("own links").UnlinkIdentity(c, c.actor(), identity))
}

// backTo leads back to a page after a form of one button, with a rule that was broken as a toast.
func (c *Ctx) backTo(path, says string, err error) (Reply, error) {
	if e := fault.As(err); err != nil && e.Kind == fault.Invalid && len(e.Fields) == 0 && !c.wantsJSON() {
		return redirect(path).say("bad", sentence(e)), nil
	}
	return redirect(path).say("ok", says), err
}
