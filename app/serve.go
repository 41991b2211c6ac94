package app

import (
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
)

// serve runs one route: who is it, may they, answer.
func (a *App) serve(f *fiber.Ctx, r *Route) (err error) {
	c := &Ctx{Context: a.base, app: a, f: f, family: r.Family, route: r, requestID: id.New()}
	c.nameRequest()
	began := time.Now()
	defer func() { observe(f, r, began) }()
	defer func() {
		if p := recover(); p != nil {
			a.Log.Error("panic in handler", "path", r.Path, "request", c.requestID, "panic", p, "stack", string(debug.Stack()))
			err = a.fail(c, fault.New(fault.Internal, "panic", "Server error"))
		}
	}()
	if err := a.admit(c, r); err != nil {
		if r.Access.kind == staff { // the back office does not exist for others, whatever they lack
			f.Set(RouteMissing, "1")
			err = errNoRoute
		}
		return a.fail(c, err)
	}
	if err := c.readable(); err != nil {
		return a.fail(c, err)
	}
	reply, err := r.Handler(c)
	if fault.Is(err, fault.NotFound) && c.elsewhere() {
		if err = a.mayEnter(c, r); err == nil {
			reply, err = r.Handler(c)
		}
	}
	if err == nil {
		err = reply.write(c)
	}
	if err != nil {
		return a.fail(c, err)
	}
	return nil
}

// admit is the gate: host, origin, credential, rule. Nothing behind it asks again who the caller is.
func (a *App) admit(c *Ctx, r *Route) error {
	if r.Family != Ops && !a.knownHost(c.f) {
		return errHost
	}
	bearer, cookie := c.credentials()
	var err error
	switch {
	case !bearer.Empty() && r.Access.kind == staff:
		return errGuest // before the key's requests are counted: the answer would tell
	case r.Access.agents && strings.HasPrefix(bearer.Reveal(), models.GatewayPrefix):
		c.Principal, err = c.byToken(bearer)
	case r.Family == Fleet && isLoginToken(bearer):
		c.Principal, err = c.byLoginToken(bearer)
	case !bearer.Empty():
		c.Principal, err = a.Store.AsSystem("who is calling").ByAPIKey(c, bearer, a.address(c.f))
		if err == nil {
			_, err = c.take("key "+c.Principal.KeyID, a.Limits.Requests)
		}
	case !cookie.Empty() && r.Family != Ops:
		if !safeMethod(c.f.Method()) && !sameOrigin(c.f) {
			return errCrossSite
		}
		c.Principal, err = a.Store.AsSystem("who is calling").BySignIn(c, cookie)
	case !safeMethod(c.f.Method()) && r.Family == Pages && !sameOrigin(c.f):
		return errCrossSite
	}
	if r.Access.kind == public {
		c.enter()
		return nil
	}
	if err != nil {
		return err
	}
	if c.Principal == nil || (r.Access.kind == person || r.Access.kind == staff || r.Access.people) && c.Principal.SignInID == "" {
		return errGuest
	}
	err = a.mayEnter(c, r)
	if err == errForbidden && c.elsewhere() {
		err = a.mayEnter(c, r)
	}
	if err == nil {
		c.enter()
		if r.Family == Fleet {
			err = c.Scope.AgentsOn(c)
		}
	}
	return err
}

// mayEnter applies the route's rule to who is calling.
func (a *App) mayEnter(c *Ctx, r *Route) error {
	switch {
	case r.Access.kind == staff && !c.Principal.User.Staff:
		return errNoRoute
	case r.Access.kind == signedIn && c.Principal.Membership.ID == "" && c.Principal.Instance == nil:
		return errHomeless
	case r.Access.kind == signedIn && !c.Principal.May(r.Access.can):
		return errForbidden
	}
	return nil
}

// elsewhere looks whether the instance that the cloud API names is of another organization of the same person, since
// its list shows those of all; the request goes on there then, by the person's role there.
func (c *Ctx) elsewhere() bool {
	if c.family != Cloud || c.Principal == nil || c.Principal.SignInID == "" || !strings.HasPrefix(c.route.Path, "/api/instances/:id") {
		return false
	}
	p, err := c.app.Store.AsSystem("an instance of another organization of the person").AtInstance(c, c.Principal, c.f.Params("id"))
	if err != nil || p.Membership.OrganizationID == c.Org() {
		return false
	}
	c.Principal = p
	c.enter()
	return true
}

// enter gives the handler the principal's organization.
func (c *Ctx) enter() {
	if c.Principal != nil {
		c.Scope = c.app.Store.In(c.Org()).As(c.actor()).Knowing(&c.Principal.Organization)
	}
}

// credentials takes a key from the two headers that carry one, else the browser's cookie. Over TLS only the
// cookie with the prefix counts: the other one could be set by a neighbouring host.
func (c *Ctx) credentials() (bearer, cookie secret.String) {
	f := c.f
	if h := f.Get(fiber.HeaderAuthorization); h != "" {
		scheme, key, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "bearer") {
			return secret.Of(strings.TrimSpace(key)), secret.String{}
		}
		return secret.Of(h), secret.String{} // another scheme matches no key
	}
	if h := f.Get(agentSecret); h != "" && c.route != nil && c.route.Access.agents {
		return secret.Of(h), secret.String{}
	}
	if h := f.Get("X-Api-Key"); h != "" {
		return secret.Of(h), secret.String{}
	}
	if h := f.Get("X-Shinzo-Api-Key"); h != "" && c.family == Fleet {
		return secret.Of(h), secret.String{}
	}
	return secret.String{}, secret.Of(f.Cookies(c.cookieName()))
}

// anonymous tells that no credential came at all.
func (c *Ctx) anonymous() bool {
	bearer, cookie := c.credentials()
	return bearer.Empty() && cookie.Empty()
}

func safeMethod(m string) bool {
	return m == fiber.MethodGet || m == fiber.MethodHead || m == fiber.MethodOptions
}

// sameOrigin is the CSRF rule: a browser says itself where a request comes from; one that does not must
// send an Origin of ours. What sends neither is no browser page of ours.
func sameOrigin(f *fiber.Ctx) bool {
	switch f.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		u, err := url.Parse(f.Get(fiber.HeaderOrigin))
		return err == nil && u.Host != "" && u.Host == string(f.Context().Host())
	}
	return false
}

// knownHost refuses names that are not ours: a foreign name that resolves to this machine (DNS rebinding)
// would make another site's page same-origin with us.
func (a *App) knownHost(f *fiber.Ctx) bool {
	host := strings.ToLower(string(f.Context().Host()))
	if u, err := url.Parse(a.PublicURL); err == nil && host == strings.ToLower(u.Host) {
		return true
	}
	name := host
	if h, err := url.Parse("http://" + host); err == nil {
		name = h.Hostname()
	}
	if name == "localhost" || slices.Contains(a.Hosts, name) {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && (addr.IsLoopback() || a.AnyHost)
}

// address is the caller's: the connection's, or what a trusted proxy says.
func (a *App) address(f *fiber.Ctx) string {
	remote, err := netip.ParseAddr(f.Context().RemoteIP().String())
	if err != nil {
		return ""
	}
	hops := strings.Split(f.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(remote); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		remote = next.Unmap()
	}
	return remote.String()
}

func (a *App) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.Proxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}
