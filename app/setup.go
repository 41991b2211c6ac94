package app

import (
	"errors"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/setup"
)

// Setup lets the first owner in through the printed link.
type Setup struct{ *App }

// FirstInstance is deployed for the first owner, so that the first page is a conversation.
var FirstInstance = models.NewInstance{Name: "first-agent", Region: "local", Tier: models.Starter}

// New shows the form behind the link.
func (h *Setup) New(c *Ctx) (Reply, error) {
	token := secret.Of(c.Query("token"))
	if err := h.Store.AsSystem("setup link").CheckSetupLink(c, token); err != nil {
		return nil, err
	}
	return page(setup.New(h.props(c, token, models.Founding{}, nil))), nil
}

// Create makes the owner, the organization and a first instance, signs in, and leads to the chat.
func (h *Setup) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	token := secret.Of(c.Query("token"))
	in := readFounding(f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	system := h.Store.AsSystem("setup")
	founded, err := system.Found(c, token, in)
	if e := (*fault.Error)(nil); errors.As(err, &e) && len(e.Fields) > 0 {
		return page(setup.New(h.props(c, token, in, messages(e)))).with(422), nil
	}
	if err != nil {
		return nil, err
	}
	cookie, err := system.OpenSignIn(c, founded.User.ID, c.client())
	if err != nil {
		return nil, err
	}
	owner := h.Store.In(founded.Organization.ID).As(models.Actor{UserID: founded.User.ID, Name: founded.User.Name, Role: models.Owner})
	if _, err := h.Desk.Create(c, owner, FirstInstance); err != nil {
		h.Log.Error("first instance", "error", err) // the owner exists: the page offers to deploy one
	}
	c.signIn(cookie)
	return redirect("/chat"), nil
}

func readFounding(f *wire.Fields) models.Founding {
	var in models.Founding
	in.Name, _ = f.String("name")
	in.Email, _ = f.String("email")
	in.Organization, _ = f.String("organization")
	password, _ := f.String("password")
	in.Password = secret.Of(password)
	return in
}

func (h *Setup) props(c *Ctx, token secret.String, in models.Founding, errs map[string]string) setup.NewProps {
	return setup.NewProps{Bare: c.bare("Set up"), Action: "/setup?token=" + escapeName(token.Reveal()), Email: in.Email, Name: in.Name,
		Organization: in.Organization, Errors: errs, Checks: h.Doctor(c)}
}

// messages gives the sentences of a validation fault by field, for a form.
func messages(e *fault.Error) map[string]string {
	out := map[string]string{}
	for _, i := range e.Fields {
		name := ""
		if len(i.Path) > 0 {
			name, _ = i.Path[0].(string)
		}
		if _, ok := out[name]; !ok {
			out[name] = i.Message
		}
	}
	return out
}

// invalid gives the sentences when err is a validation fault.
func invalid(err error) (map[string]string, bool) {
	e := (*fault.Error)(nil)
	if errors.As(err, &e) && e.Kind == fault.Invalid && len(e.Fields) > 0 {
		return messages(e), true
	}
	return nil, false
}
