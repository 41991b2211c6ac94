// Package app owns HTTP: routes, handlers, middleware and the one writer of answers. It is the only package that
// knows Fiber. It decides nothing about instances or turns: verbs live in engine and models, words in api and views.
package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/engine/billing"
	"lobstead/engine/channels"
	"lobstead/engine/files"
	"lobstead/engine/gateway"
	"lobstead/engine/insight"
	"lobstead/engine/llm/door"
	"lobstead/engine/provision"
	"lobstead/engine/sandbox"
	"lobstead/engine/terminal"
	"lobstead/jobs"
	"lobstead/kit/events"
	"lobstead/kit/limit"
	"lobstead/kit/secret"
	"lobstead/models"
	setupview "lobstead/views/setup"
)

// Deps is what the handlers work with.
type Deps struct {
	Store *models.Store
	Bus   *events.Bus
	Turns *agent.Turns

	Automations *automate.Desk
	Channels    *channels.Desk

	Desk       *provision.Desk
	Door       *door.Door
	Files      Workspaces // nil = not on this host
	Workspaces *files.Checkpoints
	Terminals  *terminal.Desk
	Images     *http.Client // guarded: fetches the pictures that gateway calls only name; nil = refused
	Billing    *billing.Billing
	PayHosts   []string       // host names that billing leads to besides Stripe's own
	PublicURL  string         // scheme and host people use, without a slash at the end
	Proxies    []netip.Prefix // whose X-Forwarded-* are believed
	Hosts      []string       // host names that requests may carry besides PublicURL's; empty = loopback only
	AnyHost    bool           // bound beyond loopback without a public URL
	Version    string
	Limiter    *limit.Limiter
	Mails      bool // a mail server is configured; else links are shown, to be passed on
	Limits     Limits
	Jobs       *jobs.Client
	Inspector  *jobs.Inspector
	Queue      string                                  // "embedded" or "Redis", for the settings page
	Doctor     func(context.Context) []setupview.Check // the checks of `lobstead doctor`
	Log        *slog.Logger

	Box             *secret.Box             // seals what browsers carry for us
	SignIn          []models.SignInProvider // those of the environment, with their secrets
	PasswordsForAll bool                    // whatever the page says: the way back in
}

// Workspaces reads the files of sandboxes, running or not; a sandbox.Driver is one.
type Workspaces interface {
	Walk(ctx context.Context, instance string, visit func(e sandbox.Entry, content io.Reader) error) error
}

// Limits are what one caller may do in a span of time; the zero Rule is no limit.
type Limits struct {
	Requests    limit.Rule // per API key
	Creations   limit.Rule // instances, per organization
	Invitations limit.Rule // per organization
}

// App is the web side of one process.
type App struct {
	Deps
	fiber  *fiber.App
	routes []Route
	live   *liveHub
	quota  *quota
	vouch  *vouchClients
	gate   *gateway.Gateway

	inspector *insight.Inspector
	base      context.Context
	stop      context.CancelFunc
}

// maxBody bounds any request; a route may ask for less (see Route.Body).
const maxBody = 64 << 20

// New builds the web side; Listen on Fiber() starts it.
func New(d Deps) *App {
	a := &App{Deps: d, quota: newQuota(), vouch: newVouchClients()}
	a.base, a.stop = context.WithCancel(context.Background())
	a.live = newLiveHub(a)
	a.inspector = insight.New(d.Door, d.Turns)
	a.gate = &gateway.Gateway{Door: d.Door, Turns: d.Turns, Images: d.Images}
	a.fiber = fiber.New(fiber.Config{
		AppName: "Lobstead", DisableStartupMessage: true, Immutable: true, CaseSensitive: true, StrictRouting: true,
		BodyLimit: maxBody, ReadTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second, ReadBufferSize: 16 << 10,
		ErrorHandler: a.failed, StreamRequestBody: true,
	})
	server := a.fiber.Server()
	server.KeepHijackedConns = true // event streams outlive their handler: see live.go
	server.NoDefaultServerHeader = true
	a.routes = append(a.table(), a.office()...)
	a.mount()
	return a
}

// Fiber is the engine, for listening and for tests.
func (a *App) Fiber() *fiber.App { return a.fiber }

// Shutdown stops taking requests, tells every stream to come back later, and waits for what is being answered.
func (a *App) Shutdown(ctx context.Context) error {
	a.live.close()
	err := a.fiber.ShutdownWithContext(ctx)
	a.stop()
	a.vouch.close()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // what is left is cut: a turn is in the log, a page is asked for again
	}
	return err
}
