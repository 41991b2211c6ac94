package app

import (
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/admin"
)

// AdminSignIn is how people may sign in to this installation.
type AdminSignIn struct{ *App }

// Show lists the providers with the form for one more.
func (h *AdminSignIn) Show(c *Ctx) (Reply, error) { return h.show(c, admin.SignInForm{}, 200) }

func (h *AdminSignIn) show(c *Ctx, form admin.SignInForm, status int) (Reply, error) {
	system := h.Store.AsSystem("how people sign in")
	rows, err := system.SignInProviders(c, h.SignIn)
	if err != nil {
		return nil, err
	}
	policy, err := system.PasswordPolicy(c)
	if err != nil {
		return nil, err
	}
	p := admin.SignInProps{Frame: c.adminFrame("Sign-in"), Form: form, Policy: policy, Forced: h.PasswordsForAll}
	for i := range rows {
		p.Providers = append(p.Providers, admin.SignInProvider{SignInProvider: rows[i], Callback: h.callbackURL(&rows[i])})
	}
	if form.ID != "" || p.Form.NewID == "" {
		p.Form.NewID = id.New()
	}
	p.Form.Callback = h.callbackURL(&models.SignInProvider{ID: p.Form.NewID})
	return page(admin.SignIn(p)).json(signInJSON(p)).with(status), nil
}

func signInJSON(p admin.SignInProps) map[string]any {
	rows := []map[string]any{}
	for _, r := range p.Providers {
		rows = append(rows, map[string]any{"id": r.ID, "kind": r.Kind, "name": r.Name, "issuer": r.Issuer, "clientId": r.ClientID, "enabled": r.Enabled,
			"tested": r.TestedAt != nil, "testResult": r.TestResult, "callbackUrl": r.Callback, "environment": r.Environment})
	}
	return map[string]any{"providers": rows, "passwords": p.Policy, "errors": p.Form.Errors}
}

// act does what a small form asks for, when it says why.
func (h *AdminSignIn) act(c *Ctx, f *wire.Fields, says string, do func(by models.Actor) error) (Reply, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	by, err := c.why(f)
	if problems, ok := invalid(err); ok && !c.wantsJSON() {
		return h.show(c, admin.SignInForm{Refused: problems["reason"]}, 422)
	}
	if err != nil {
		return nil, err
	}
	return c.backTo("/admin/sign-in", says, do(by))
}

// readProvider takes a provider's settings from the form; kind and id of a fresh one, which others keep.
func readProvider(f *wire.Fields, fresh bool) (n models.NewSignInProvider, err error) {
	if fresh {
		n.Kind, _ = f.String("kind")
		n.ID = f.Text("id")
	}
	n.Name, _ = f.String("name")
	n.ClientID, _ = f.String("client_id")
	n.Issuer, n.Secret = f.Text("issuer"), secret.Of(f.Text("secret"))
	private := f.OptionalBool("private")
	n.Private = private != nil && *private
	return n, f.Err()
}

// Create keeps a provider, switched off until it was tested.
func (h *AdminSignIn) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := readProvider(f, true)
	if err != nil {
		return nil, err
	}
	by, err := c.why(f)
	if err == nil {
		_, err = h.Store.AsSystem("sign-in providers").AddSignInProvider(c, by, n)
	}
	if problems, ok := invalid(err); ok {
		return h.show(c, signInForm("", n, problems), 422)
	}
	if fault.Is(err, fault.Conflict) {
		return h.show(c, signInForm("", n, map[string]string{"client_id": "There is an entry for this client already"}), 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect("/admin/sign-in").say("ok", "Saved. Copy its callback address to the service, then test it"), nil
}

func signInForm(providerID string, n models.NewSignInProvider, problems map[string]string) admin.SignInForm {
	return admin.SignInForm{ID: providerID, NewID: n.ID, Kind: n.Kind, Name: n.Name, Issuer: n.Issuer, ClientID: n.ClientID, Private: n.Private, Errors: problems}
}

// Update replaces a provider's settings.
func (h *AdminSignIn) Update(c *Ctx) (Reply, error) {
	provider, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := readProvider(f, false)
	if err != nil {
		return nil, err
	}
	by, err := c.why(f)
	if err == nil {
		err = h.Store.AsSystem("sign-in providers").ChangeSignInProvider(c, by, provider, n)
	}
	if problems, ok := invalid(err); ok {
		return h.show(c, signInForm(provider, n, problems), 422)
	}
	return c.backTo("/admin/sign-in", "Saved", err)
}

// Enable shows a provider on the sign-in page, or takes it off.
func (h *AdminSignIn) Enable(c *Ctx) (Reply, error) {
	provider, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	on, _ := f.Enum("on", "true", "false")
	return h.act(c, f, "Saved", func(by models.Actor) error {
		return h.Store.AsSystem("sign-in providers").EnableSignInProvider(c, by, provider, on == "true")
	})
}

// Destroy forgets a provider.
func (h *AdminSignIn) Destroy(c *Ctx) (Reply, error) {
	provider, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	return h.act(c, f, "Removed", func(by models.Actor) error {
		return h.Store.AsSystem("sign-in providers").RemoveSignInProvider(c, by, provider)
	})
}

// Passwords says who may still use one.
func (h *AdminSignIn) Passwords(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	who, _ := f.String("passwords")
	return h.act(c, f, "Saved", func(by models.Actor) error {
		return h.Store.AsSystem("who may use a password").SetPasswordPolicy(c, by, models.PasswordPolicy(who), h.SignIn)
	})
}
