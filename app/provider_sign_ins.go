package app

import (
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/signin"
)

// ProviderSignIns sends browsers to services that vouch for people, and takes them back.
type ProviderSignIns struct{ *App }

// provider reads the one of the path; what is switched off exists for a test only.
func (h *ProviderSignIns) provider(c *Ctx, test bool) (*models.SignInProvider, error) {
	p, err := h.Store.AsSystem("who vouches").SignInProvider(c, h.SignIn, c.f.Params("provider"))
	if err == nil && !p.Enabled && (!test || !c.staff()) {
		err = errNoRoute
	}
	return p, err
}

// staff tells whether a browser of somebody who runs the installation asks.
func (c *Ctx) staff() bool {
	return c.Principal != nil && c.Principal.SignInID != "" && c.Principal.User.Staff
}

// New leaves for the service, to sign in, to link it to the signed-in account, or to test it.
func (h *ProviderSignIns) New(c *Ctx) (Reply, error) {
	f := flow{Act: c.Query("for"), Token: random(), Nonce: random(), Verifier: random(), Next: localPath(c.Query("next"))}
	p, err := h.provider(c, f.Act == toTest)
	if err != nil {
		return nil, err
	}
	if home := h.home(c); home != "" {
		return away(home), nil
	}
	f.Provider = p.ID
	if err := h.mayLeave(c, &f); err != nil {
		return nil, err
	}
	to, err := h.leave(c, p, &f)
	if err != nil {
		return h.problem(c, p, &f, err)
	}
	return away(to), c.setFlow(providerFlow, f)
}

// mayLeave is the gate of New: anybody may go to sign in, a link or a test begins on a page of ours.
func (h *ProviderSignIns) mayLeave(c *Ctx, f *flow) error {
	switch {
	case f.Act == toSignIn:
		return c.start()
	case f.Act != toLink && f.Act != toTest:
		return errNoRoute
	case c.Principal == nil || c.Principal.SignInID == "":
		return errGuest
	case !fromHere(c.f):
		return errCrossSite
	case f.Act == toTest && !c.staff():
		return errNoRoute
	}
	f.UserID = c.Principal.User.ID
	return c.start()
}

// home is this request at the address that services send people back to, for who came by this machine's other name:
// the cookie would be left behind there. Any other name may be a proxy's, and people are where they should be.
func (h *ProviderSignIns) home(c *Ctx) string {
	own, here := hostname(h.PublicURL), hostname("//"+string(c.f.Context().Host()))
	if own == here || !loopback(own) || !loopback(here) {
		return ""
	}
	return h.PublicURL + c.f.OriginalURL()
}

func (h *ProviderSignIns) leave(c *Ctx, p *models.SignInProvider, f *flow) (string, error) {
	v, err := h.voucher(c, p)
	if err != nil {
		return "", err
	}
	return v.begin(f)
}

// fromHere holds for a link of ours: what it begins must not be begun by a foreign page. Browsers that do not say
// where a request comes from send at least the page's address.
func fromHere(f *fiber.Ctx) bool {
	switch f.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		u, err := url.Parse(f.Get(fiber.HeaderReferer))
		return err == nil && u.Host != "" && u.Host == string(f.Context().Host())
	}
	return false
}

// Create is where the service sends the browser back to.
func (h *ProviderSignIns) Create(c *Ctx) (Reply, error) {
	f, lost := c.flow(providerFlow)
	p, err := h.provider(c, lost == nil && f.Act == toTest)
	if err != nil {
		return nil, err
	}
	if lost == nil {
		lost = h.mayReturn(c, p, f)
	}
	if lost != nil {
		return h.problem(c, p, &flow{}, lost)
	}
	v, err := h.vouched(c, p, f)
	if err != nil {
		return h.problem(c, p, f, err)
	}
	return h.arrive(c, p, f, v)
}

// mayReturn is the gate of Create: the browser that left comes back, once.
func (h *ProviderSignIns) mayReturn(c *Ctx, p *models.SignInProvider, f *flow) error {
	if f.Provider != p.ID || c.Query("state") != f.Token {
		return errFlow
	}
	if f.Act != toSignIn && (c.Principal == nil || c.Principal.SignInID == "" || c.Principal.User.ID != f.UserID) {
		return errFlow
	}
	return c.spendFlow(providerFlow, f)
}

// vouched reads who came back.
func (h *ProviderSignIns) vouched(c *Ctx, p *models.SignInProvider, f *flow) (v models.Vouched, err error) {
	if err := c.brake(""); err != nil {
		return v, err
	}
	if word := c.Query("error"); word != "" {
		if more := c.Query("error_description"); more != "" {
			word += " (" + more + ")"
		}
		return v, fault.New(fault.Unauthenticated, "sign_in.refused", "%s did not let you through: %s", p.Name, cut(word, 200))
	}
	if iss := c.Query("iss"); iss != "" && p.Kind != models.GitHub && iss != p.Issuer { // RFC 9207
		return v, errFlow
	}
	talk, err := h.voucher(c, p)
	if err != nil {
		return v, err
	}
	return talk.finish(c, f, c.Query("code"))
}

// arrive does what the browser left for.
func (h *ProviderSignIns) arrive(c *Ctx, p *models.SignInProvider, f *flow, v models.Vouched) (Reply, error) {
	system := h.Store.AsSystem("a service vouches for somebody")
	switch f.Act {
	case toTest:
		return h.tested(c, p, v)
	case toLink:
		if err := system.LinkIdentity(c, c.actor(), v); err != nil {
			return h.problem(c, p, f, err)
		}
		return redirect("/settings/security").say("ok", "Linked with "+p.Name), nil
	}
	token, _, err := system.SignInVouched(c, v, c.client())
	if err != nil {
		return h.problem(c, p, f, err)
	}
	return redirect(f.Next), c.replace(token)
}

// tested keeps how a test went, and who came back.
func (h *ProviderSignIns) tested(c *Ctx, p *models.SignInProvider, v models.Vouched) (Reply, error) {
	system := h.Store.AsSystem("test of a sign-in provider")
	who, err := system.WhoIs(c, v)
	if err != nil {
		return nil, err
	}
	good, says := v.EmailVerified, v.Email+" came back, verified"
	switch {
	case !good:
		says = "Somebody came back without a verified address (“" + v.Email + "”): nobody could sign in this way"
	case who != nil:
		says += ". That is the account of " + who.Name
	default:
		says += ". There is no account with this address"
	}
	if err := system.NoteSignInTest(c, c.actor(), p, good, says); err != nil {
		return nil, err
	}
	kind := map[bool]string{true: "ok", false: "bad"}[good]
	return redirect("/admin/sign-in").say(kind, says), nil
}

// problem says what went wrong where the browser left from. Whoever tests a provider reads the whole reason.
func (h *ProviderSignIns) problem(c *Ctx, p *models.SignInProvider, f *flow, err error) (Reply, error) {
	e := fault.As(err)
	if e.Kind == fault.Internal || e.Kind == fault.TooMany {
		return nil, err
	}
	if e.Kind == fault.Upstream || e.Code == "sign_in.token" {
		h.Log.Warn("sign-in provider", "provider", p.Name, "issuer", p.Issuer, "error", cut(reason(err), 500))
	}
	switch {
	case f.Act == toTest && c.staff():
		says := sentence(e)
		if e.Err != nil {
			says = e.Detail + ": " + cut(reason(e.Err), 400)
		}
		if err := h.Store.AsSystem("test of a sign-in provider").NoteSignInTest(c, c.actor(), p, false, says); err != nil {
			return nil, err
		}
		return redirect("/admin/sign-in").say("bad", says), nil
	case f.Act == toLink && c.Principal != nil:
		return redirect("/settings/security").say("bad", sentence(e)), nil
	case e.Kind == fault.Forbidden:
		return page(signin.Refused(signin.RefusedProps{Bare: c.bare("No account"), Detail: e.Detail, Advice: e.Hint})).
			json(map[string]string{"error": e.Detail, "code": e.Code}).with(403), nil
	}
	return (&SignIns{h.App}).form(c, "", f.Next, sentence(e), statuses[e.Kind])
}

// reason is an error in words, without the body of the answer: it may hold what nobody should read.
func reason(err error) string {
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return "the token was refused: " + r.Response.Status + " " + r.ErrorCode + " " + r.ErrorDescription
	}
	return err.Error()
}

// clip keeps at most n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// cut is clip that shows that something was left away.
func cut(s string, n int) string {
	if c := clip(s, n); len(c) < len(s) {
		return c + "…"
	}
	return s
}

// away leads a browser to another site.
type away string

func (to away) write(c *Ctx) error {
	if c.isHTMX() {
		c.f.Set("HX-Redirect", string(to))
		return c.f.SendStatus(fiber.StatusNoContent)
	}
	return c.f.Redirect(string(to), fiber.StatusSeeOther)
}
