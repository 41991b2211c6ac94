package app

import (
	"net/url"
	"strings"

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
	has, err := h.Store.AsSystem("sign-in form").HasOwner(c)
	if err != nil {
		return nil, err
	}
	return page(signin.New(signin.NewProps{Bare: c.bare("Sign in"), Email: email, Next: localPath(next), Error: problem, Unclaimed: !has})).
		json(map[string]string{"error": problem}).with(status), nil
}

// Create checks the password and opens a fresh sign-in: a new token, whatever cookie was sent.
func (h *SignIns) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	email, _ := f.String("email")
	password, _ := f.String("password")
	next, _ := f.OptionalString("next")
	if err := f.Err(); err != nil {
		return nil, err
	}
	to := "/"
	if next != nil {
		to = localPath(*next)
	}
	account, _ := models.NormalEmail(email) // as it is looked up: other spellings are no further tries
	if !h.quota.allow("address "+h.address(c.f), signInBurst) || !h.quota.allow("account "+account, signInBurst) {
		return nil, fault.New(fault.TooMany, "sign_in.limit", "Too many tries. Wait a minute, then try again")
	}
	token, _, err := h.Store.AsSystem("sign in").SignInWithPassword(c, email, secret.Of(password), c.client())
	if fault.Is(err, fault.Unauthenticated) {
		return h.form(c, email, to, fault.As(err).Detail, 401)
	}
	if err != nil {
		return nil, err
	}
	if c.Principal != nil && c.Principal.SignInID != "" { // the cookie that is replaced ends here
		if err := h.Store.AsSystem("sign in again").RevokeSignIn(c, c.Principal.User.ID, c.Principal.SignInID); err != nil {
			return nil, err
		}
		h.Bus.Publish(c, principalTopic(c.Principal.User.ID), nil)
	}
	c.signIn(token)
	return redirect(to), nil
}

// SignOut ends this browser's sign-in.
func (h *SignIns) SignOut(c *Ctx) (Reply, error) {
	if err := h.Store.AsSystem("sign out").RevokeSignIn(c, c.Principal.User.ID, c.Principal.SignInID); err != nil {
		return nil, err
	}
	h.Bus.Publish(c, principalTopic(c.Principal.User.ID), nil)
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
	if err := h.Store.AsSystem("own sign-ins").RevokeSignIn(c, c.Principal.User.ID, signIn); err != nil {
		return nil, err
	}
	h.Bus.Publish(c, principalTopic(c.Principal.User.ID), nil)
	return redirect("/settings/sign-ins").say("ok", "Signed out there"), nil
}

// DestroyOthers ends all but this browser's.
func (h *SignIns) DestroyOthers(c *Ctx) (Reply, error) {
	if err := h.Store.AsSystem("own sign-ins").RevokeOtherSignIns(c, c.Principal.User.ID, c.Principal.SignInID); err != nil {
		return nil, err
	}
	h.Bus.Publish(c, principalTopic(c.Principal.User.ID), nil)
	return redirect("/settings/sign-ins").say("ok", "Signed out everywhere else"), nil
}

// localPath keeps a redirect on this server: a path of ours, else the first page.
func localPath(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	if _, err := url.Parse(s); err != nil { // nothing that a browser could read otherwise than we do
		return "/"
	}
	return s
}

// principalTopic tells the streams of a person that their access changed.
func principalTopic(userID string) string { return "user:" + userID }
