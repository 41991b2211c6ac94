package app

import (
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/settings"
	"lobstead/views/signin"
)

// SignIns opens, lists and ends signed-in browsers.
type SignIns struct{ *App }

// New shows the form; who is signed in already goes on.
func (h *SignIns) New(c *Ctx) (Reply, error) {
	if c.Principal != nil && c.Principal.SignInID != "" {
		return redirect(localPath(c.Query("next"))), nil
	}
	return h.form(c, "", c.Query("next"), "", 200)
}

func (h *SignIns) form(c *Ctx, email, next, problem string, status int) (Reply, error) {
	p, err := c.signInPage(email, next, problem)
	if err != nil {
		return nil, err
	}
	return page(signin.New(*p)).json(map[string]string{"error": problem}).with(status), nil
}

// signInPage is the sign-in page with the ways that are open here.
func (c *Ctx) signInPage(email, next, problem string) (*signin.NewProps, error) {
	system := c.app.Store.AsSystem("sign-in form")
	has, err := system.HasOwner(c)
	if err != nil {
		return nil, err
	}
	p := &signin.NewProps{Bare: c.bare("Sign in"), Email: email, Next: localPath(next), Error: problem, Unclaimed: !has, Passkeys: c.relyingParty() != ""}
	if p.Passwords, err = c.passwordPolicy(); err != nil {
		return nil, err
	}
	p.Providers, err = c.signInServices(p.Next)
	return p, err
}

// signInServices are those that are open here; next is where they lead.
func (c *Ctx) signInServices(next string) ([]signin.Provider, error) {
	rows, err := c.app.Store.AsSystem("sign-in form").SignInProviders(c, c.app.SignIn)
	out := []signin.Provider{}
	for _, row := range rows {
		if row.Enabled {
			out = append(out, signin.Provider{Kind: row.Kind, Name: row.Name, Href: "/sign-in/" + row.ID + "?next=" + escapeName(next)})
		}
	}
	return out, err
}

// passwordPolicy is the page's, or everybody's where the host says so.
func (c *Ctx) passwordPolicy() (models.PasswordPolicy, error) {
	if c.app.PasswordsForAll {
		return models.PasswordsForAll, nil
	}
	return c.app.Store.AsSystem("who may use a password").PasswordPolicy(c)
}

var errPasswords = fault.New(fault.Forbidden, "sign_in.passwords_off", "Signing in with a password is switched off here").Hinting("Use another way to sign in")

// Create checks the password and opens a fresh sign-in: a new token, whatever cookie was sent. Who asked for a second
// factor goes on to it.
func (h *SignIns) Create(c *Ctx) (Reply, error) {
	email, password, to, err := c.passwordForm()
	if err != nil {
		return nil, err
	}
	account, _ := models.NormalEmail(email) // as it is looked up: other spellings are no further tries
	if err := c.brake(account); err != nil {
		return nil, err
	}
	u, err := h.checkPassword(c, email, password)
	switch {
	case fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden):
		return h.form(c, email, to, sentence(fault.As(err)), statuses[fault.KindOf(err)])
	case err != nil:
		return nil, err
	case u.SecondFactor:
		return redirect("/sign-in/passkey"), c.setFlow(secondFlow, flow{UserID: u.ID, Next: to})
	}
	return redirect(to), c.open(u.ID, "password")
}

func (c *Ctx) passwordForm() (email string, password secret.String, to string, err error) {
	f, err := c.Fields()
	if err != nil {
		return "", secret.String{}, "", err
	}
	email, _ = f.String("email")
	plain, _ := f.String("password")
	return email, secret.Of(plain), localPath(f.Text("next")), f.Err()
}

// checkPassword is the right password of somebody who may use it here.
func (h *SignIns) checkPassword(c *Ctx, email string, password secret.String) (*models.User, error) {
	policy, err := c.passwordPolicy()
	if err != nil {
		return nil, err
	}
	if policy == models.PasswordsForNobody {
		return nil, errPasswords
	}
	system := h.Store.AsSystem("sign in")
	u, err := system.CheckPassword(c, email, password)
	if err != nil {
		return nil, err
	}
	may, err := system.MaySignInWithPassword(c, u, policy)
	if err == nil && !may {
		err = errPasswords
	}
	return u, err
}

// open signs the browser in as a person, by a fresh token.
func (c *Ctx) open(userID, way string) error {
	client := c.client()
	client.Way = way
	token, err := c.app.Store.AsSystem("sign in").OpenSignIn(c, userID, client)
	if err != nil {
		return err
	}
	return c.replace(token)
}

// replace gives the browser a new token; the sign-in of its old cookie ends.
func (c *Ctx) replace(token secret.String) error {
	if c.Principal != nil && c.Principal.SignInID != "" {
		err := c.app.Store.AsSystem("sign in again").RevokeSignIn(c, c.actor(), c.Principal.SignInID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		c.app.accessChanged(c, c.Principal.User.ID)
	}
	c.signIn(token)
	return nil
}

// brake slows guessing down, per address and per account; "" when it is not known whose account it is. The first
// refusal is written into the audit log.
func (c *Ctx) brake(account string) error {
	from := c.app.address(c.f)
	keys := []string{"address " + subscriber(from)}
	if account != "" {
		keys = append(keys, "account "+account)
	}
	for _, key := range keys {
		if c.app.quota.allow(key, signInBurst) {
			continue
		}
		if c.app.quota.first(key) {
			if err := c.app.Store.AsSystem("too many tries to sign in").NoteLockout(c, account, from); err != nil {
				return err
			}
		}
		return errTries
	}
	return nil
}

// start is the brake of what only begins a sign-in.
func (c *Ctx) start() error {
	if !c.app.quota.allow("start "+subscriber(c.app.address(c.f)), startBurst) {
		return errTries
	}
	return nil
}

var errTries = fault.New(fault.TooMany, "sign_in.limit", "Too many tries. Wait a minute, then try again")

// SignOut ends this browser's sign-in.
func (h *SignIns) SignOut(c *Ctx) (Reply, error) {
	if err := h.Store.AsSystem("sign out").RevokeSignIn(c, c.actor(), c.Principal.SignInID); err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	c.signOut()
	return redirect("/sign-in"), nil
}

// Index lists where the person is signed in.
func (h *SignIns) Index(c *Ctx) (Reply, error) {
	rows, err := h.Store.AsSystem("own sign-ins").SignIns(c, c.Principal.User.ID)
	if err != nil {
		return nil, err
	}
	return page(settings.SignIns(settings.SignInsProps{Frame: c.frame("Sign-ins", "/settings", ""), SignIns: rows, Current: c.Principal.SignInID})), nil
}

// Destroy ends one; this browser's own leads to the sign-in page.
func (h *SignIns) Destroy(c *Ctx) (Reply, error) {
	signIn, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := h.Store.AsSystem("own sign-ins").RevokeSignIn(c, c.actor(), signIn); err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	return redirect("/settings/sign-ins").say("ok", "Signed out there"), nil
}

// DestroyOthers ends all but this browser's.
func (h *SignIns) DestroyOthers(c *Ctx) (Reply, error) {
	if err := h.Store.AsSystem("own sign-ins").RevokeOtherSignIns(c, c.actor(), c.Principal.SignInID); err != nil {
		return nil, err
	}
	h.accessChanged(c, c.Principal.User.ID)
	return redirect("/settings/sign-ins").say("ok", "Signed out everywhere else"), nil
}

// principalTopic tells the streams of a person that their access changed.
func principalTopic(userID string) string { return "user:" + userID }
