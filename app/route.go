package app

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"lobstead/kit/id"
	"lobstead/models"
)

// Handler answers one request: it returns what to say and never writes.
type Handler func(c *Ctx) (Reply, error)

// Family is whose spelling a route speaks.
type Family string

// The families so far. Pages answer JSON too when Accept asks for it.
const (
	Pages   Family = "pages"
	Cloud   Family = "cloud-api"
	Agent   Family = "agent-api"
	Fleet   Family = "fleet-api"
	Runtime Family = "runtime-api"
	Ops     Family = "ops" // health and assets: no person
	// The front doors of the model gateway.
	Gateway   Family = "gateway-api" // the agent API's
	OpenAI    Family = "openai-api"
	Anthropic Family = "anthropic-api"
)

// Access is who may call a route.
type Access struct {
	kind   accessKind
	can    models.Can
	agents bool // an instance's own token opens it too
	people bool // with a capability, and never for a key
}

type accessKind int

const (
	unset    accessKind = iota // a route without a rule is refused at start and fails a test
	public                     // anybody
	signedIn                   // a person or a key, with a capability
	person                     // a person in a browser: never a key
	staff                      // a person who runs the installation: for others there is no such route
)

// Public routes show nothing of any organization.
var Public = Access{kind: public}

// May asks for a capability in the caller's organization.
func May(c models.Can) Access { return Access{kind: signedIn, can: c} }

// PersonMay asks for a capability of a person in a browser: never of a key, whatever its scopes are.
func PersonMay(c models.Can) Access { return Access{kind: signedIn, can: c, people: true} }

// Infer asks for the capability to call models; an instance's token has it.
func Infer() Access { return Access{kind: signedIn, can: models.CanInfer, agents: true} }

// Person asks for a signed-in browser: what concerns the person, not the organization.
func Person() Access { return Access{kind: person, can: models.CanView} }

// Staff asks for a person who runs the installation.
func Staff() Access { return Access{kind: staff, can: models.CanView} }

// admits tells whether the rule lets a caller in; serve.go says the same with the words of each refusal.
func (a Access) admits(p *models.Principal) bool {
	switch {
	case a.kind == public:
		return true
	case p == nil:
		return false
	case a.people && p.SignInID == "":
		return false
	case a.kind == person:
		return p.SignInID != ""
	case a.kind == staff:
		return operates(p)
	}
	return a.kind == signedIn && p.Membership.ID != "" && p.May(a.can)
}

// operates tells whether a caller runs the installation and says so in person: a key of theirs, which may lie in a program's
// configuration, never does.
func operates(p *models.Principal) bool { return p.SignInID != "" && p.User.Staff }

// String is how `lobstead routes` prints the rule.
func (a Access) String() string {
	switch a.kind {
	case public:
		return "public"
	case signedIn:
		if a.people {
			return "signed-in person who may " + string(a.can)
		}
		return "may " + string(a.can)
	case person:
		return "signed-in person"
	case staff:
		return "staff"
	}
	return ""
}

// speaksModels tells whether a family is a front door of the gateway.
func (f Family) speaksModels() bool { return f == Gateway || f == OpenAI || f == Anthropic }

// Route is one line of the table.
type Route struct {
	Method  string
	Path    string
	Access  Access
	Family  Family
	Body    int // bytes a body may have; 0 = 1 MB
	Handler Handler
}

// defaultBody is the cap of a route that names none.
const defaultBody = 1 << 20

// Routes lists the table, for `lobstead routes` and the generated tests.
func (a *App) Routes() []Route { return a.routes }

func (a *App) mount() {
	a.fiber.Use(a.headers)
	for i := range a.routes {
		r := &a.routes[i]
		if r.Access.kind == unset {
			panic("app: no access rule for " + r.Method + " " + r.Path)
		}
		serve := func(f *fiber.Ctx) error { return a.serve(f, r) }
		a.fiber.Add(r.Method, r.Path, serve)
		if r.Method == fiber.MethodGet {
			a.fiber.Add(fiber.MethodHead, r.Path, serve)
		}
	}
	a.fiber.Use(a.missing)
}

// familyOf tells whose words a path without a route is refused in.
func familyOf(path string) Family {
	switch {
	case strings.HasPrefix(path, "/api/gateway"):
		return Gateway
	case strings.HasPrefix(path, "/v1/chat"), strings.HasPrefix(path, "/v1/models"), strings.HasPrefix(path, "/v1/responses"):
		return OpenAI
	case strings.HasPrefix(path, "/anthropic"):
		return Anthropic
	case strings.HasPrefix(path, "/v1/agent"), strings.HasPrefix(path, "/v1/webhooks"), strings.HasPrefix(path, "/auth/"):
		return Fleet
	case strings.HasPrefix(path, "/api/agent"), strings.HasPrefix(path, "/api/v1"):
		return Agent
	case strings.HasPrefix(path, "/api/memory"), strings.HasPrefix(path, "/api/breaker/"), strings.HasPrefix(path, "/api/models/"), strings.HasPrefix(path, "/api/stats/"),
		strings.HasPrefix(path, "/api/sessions/"), strings.HasPrefix(path, "/api/turns/"), strings.HasPrefix(path, "/api/recommendations"),
		strings.HasPrefix(path, "/api/approvals"), strings.HasPrefix(path, "/api/channels/"), strings.HasPrefix(path, "/api/webhooks/"), strings.HasPrefix(path, "/api/audit/"), strings.HasPrefix(path, "/api/cron/"):
		return Runtime
	case strings.HasPrefix(path, "/api/"), strings.HasPrefix(path, "/v1/"):
		return Cloud
	}
	return Pages
}

// RouteMissing is the header of an answer to a request that no route matches.
const RouteMissing = "X-Route-Missing"

func (a *App) missing(f *fiber.Ctx) error {
	request := id.New()
	f.Set("X-Request-Id", request)
	f.Set(RouteMissing, "1")
	return a.fail(&Ctx{f: f, app: a, Context: f.UserContext(), family: familyOf(f.Path()), requestID: request}, errNoRoute)
}
