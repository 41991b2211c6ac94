package app

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/api/agent"
	"lobstead/api/cloud"
	"lobstead/api/fleet"
	"lobstead/api/runtime"
	"lobstead/kit/fault"
	"lobstead/views/layout"
)

var (
	errNoRoute   = fault.New(fault.NotFound, "route", "Not found")
	errForbidden = fault.New(fault.Forbidden, "forbidden", "Insufficient permissions")
	errHomeless  = fault.New(fault.Forbidden, "no_organization", "You belong to no organization").Hinting("Create one, or ask for an invitation")
	errGuest     = fault.New(fault.Unauthenticated, "unauthorized", "Unauthorized")
	errTooLarge  = fault.New(fault.TooLarge, "body.too_large", "Request body too large")
	errCrossSite = fault.New(fault.Forbidden, "cross_site", "This request came from another site")
	errHost      = fault.New(fault.Forbidden, "host", "This address is not one of this server's").Hinting("Set PUBLIC_URL to the address that people use")
)

// statuses maps the kinds of faults to HTTP, for every family.
var statuses = map[fault.Kind]int{
	fault.Internal: 500, fault.Invalid: 400, fault.Unauthenticated: 401, fault.Payment: 402, fault.Forbidden: 403,
	fault.NotFound: 404, fault.Conflict: 409, fault.TooLarge: 413, fault.TooMany: 429, fault.Unavailable: 503,
	fault.Upstream: 502, fault.Timeout: 504, fault.Full: 507, fault.Unclear: 422,
}

// fail is the one place that renders a fault: in the family's words and shape, as JSON, partial or page.
func (a *App) fail(c *Ctx, err error) error {
	e := c.spoken(fault.As(err))
	status := statuses[e.Kind]
	if status >= 500 {
		level := slog.LevelError
		if (e.Kind == fault.Unavailable || e.Kind == fault.Full) && e.Err == nil { // a state that we tell of, such as no connected model or a full quota, and no failure
			level = slog.LevelInfo
		}
		a.Log.Log(c, level, "request failed", "method", c.f.Method(), "path", c.f.Path(), "request", c.requestID, "error", err)
	}
	if wait := time.Until(e.RetryAt); !e.RetryAt.IsZero() {
		c.f.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	}
	if e.Kind == fault.TooMany && len(c.f.Response().Header.Peek(fiber.HeaderRetryAfter)) == 0 {
		c.f.Set(fiber.HeaderRetryAfter, "60")
	}
	switch {
	case c.family.speaksModels():
		return writeJSON(c.f, status, c.refusal(e))
	case c.family == Agent:
		return writeJSON(c.f, status, agent.NewError(e))
	case c.family == Fleet:
		return writeJSON(c.f, status, fleet.NewError(e, c.anonymous()))
	case c.family == Runtime:
		return writeJSON(c.f, status, runtime.NewError(e))
	case c.wantsJSON():
		return writeJSON(c.f, status, cloud.NewError(e))
	case e.Code == errHomeless.Code && c.Principal != nil:
		return redirect("/organizations").write(c)
	case e.Kind == fault.Unauthenticated && (c.isHTMX() || c.f.Get(fiber.HeaderAccept) == "text/event-stream"):
		c.f.Set("HX-Reswap", "none") // the page stays with what was typed, and static/js/signed.js says it
		return c.f.SendStatus(status)
	case e.Kind == fault.Unauthenticated:
		return c.f.Redirect("/sign-in?next="+escapeName(c.here()), fiber.StatusSeeOther)
	case c.isHTMX():
		return a.failPartial(c, e, status)
	}
	return writeHTML(c, status, layout.ErrorPage(a.errorProps(c, e, status)))
}

// failPartial answers HTMX with a toast and changes nothing on the page.
func (a *App) failPartial(c *Ctx, e *fault.Error, status int) error {
	r := &answer{toast: &toast{"bad", sentence(e)}}
	c.f.Set("HX-Reswap", "none")
	r.toastHeaders(c)
	return c.f.SendStatus(status)
}

// sentence is what a person reads of a fault.
func sentence(e *fault.Error) string {
	s := e.Detail
	if e.Kind == fault.Internal {
		s = "Something went wrong on our side"
	}
	if len(e.Fields) > 0 {
		s = fieldSentence(e.Fields[0])
	}
	if e.Hint != "" {
		s += ". " + e.Hint
	}
	return s
}

// fieldSentence names the field too, where no form stands around the words.
func fieldSentence(i fault.Issue) string {
	if len(i.Path) == 0 {
		return i.Message
	}
	return fmt.Sprintf("%v: %s", i.Path[0], i.Message)
}

var errorTitles = map[fault.Kind]string{
	fault.NotFound: "This page does not exist", fault.Forbidden: "You may not do this", fault.Internal: "Something went wrong",
	fault.Payment: "A payment is needed", fault.TooMany: "Too many requests", fault.Unavailable: "Not available right now", fault.Full: "The disk is full",
}

// errorTitle names what happened: no payment ends a budget.
func errorTitle(e *fault.Error) string {
	if e.Code == "budget.reached" {
		return "A budget is used up"
	}
	return errorTitles[e.Kind]
}

var errorAdvice = map[fault.Kind]string{
	fault.NotFound:    "It may have been deleted, or it belongs to another organization.",
	fault.Forbidden:   "Ask an owner or an administrator of your organization.",
	fault.Internal:    "Try again. If it happens again, give the request id below to your operator: the log has the reason.",
	fault.TooMany:     "Wait a minute, then try again.",
	fault.Unavailable: "Try again in a moment.",
}

func (a *App) errorProps(c *Ctx, e *fault.Error, status int) layout.ErrorProps {
	p := layout.ErrorProps{Status: status, Title: errorTitle(e), Detail: e.Detail, Advice: errorAdvice[e.Kind], RequestID: c.requestID, Theme: c.theme()}
	if p.Title == "" {
		p.Title = e.Detail
	}
	if len(e.Fields) > 0 {
		p.Detail = fieldSentence(e.Fields[0])
	}
	if e.Kind == fault.Internal || p.Detail == p.Title || e.Kind == fault.NotFound && e.Detail == "Not found" {
		p.Detail = ""
	}
	if e.Hint != "" {
		p.Advice = e.Hint + "."
	}
	return p
}

// failed is Fiber's error handler: what no handler of ours returned (a body that is cut, a header too long).
func (a *App) failed(f *fiber.Ctx, err error) error {
	a.setHeaders(f)
	if fe, ok := errors.AsType[*fiber.Error](err); ok {
		kind := fault.Invalid
		switch {
		case fe.Code == fiber.StatusRequestEntityTooLarge:
			kind = fault.TooLarge
		case fe.Code == fiber.StatusNotFound, fe.Code == fiber.StatusMethodNotAllowed:
			kind = fault.NotFound
			f.Set(RouteMissing, "1")
		case fe.Code >= 500:
			kind = fault.Internal
		}
		err = fault.Wrap(err, kind, "http."+strconv.Itoa(fe.Code), fe.Message)
	}
	return a.fail(&Ctx{f: f, app: a, Context: a.base, family: familyOf(f.Path())}, err)
}
