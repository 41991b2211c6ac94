package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"lobstead/kit/fault"
	"lobstead/static"
)

// Reply is what a handler answers with; make one by page, redirect, data, file or stream.
type Reply interface{ write(c *Ctx) error }

// answer is one result in its three faces; the request decides which is written.
type answer struct {
	status    int
	whole     templ.Component
	part      templ.Component
	data      any
	to        string // where a page goes after a form
	toast     *toast
	noContent bool
	address   string   // of what a partial shows
	formHosts []string // where forms of the page lead besides here
}

type toast struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// page answers with a whole page.
func page(t templ.Component) *answer { return &answer{whole: t} }

// redirect sends a browser on after a form: 303, or HX-Location for HTMX.
func redirect(to string) *answer { return &answer{to: to} }

// data answers programs.
func data(v any) *answer { return &answer{data: v} }

// partial is what HTMX gets instead of the page.
func (r *answer) partial(t templ.Component) *answer { r.part = t; return r }

// known gives a partial the address by which its page can be opened: a form that narrows a list sends fields that say nothing.
func (r *answer) known(address string) *answer { r.address = address; return r }

// json is what programs get instead of the page.
func (r *answer) json(v any) *answer { r.data = v; return r }

// with sets the status of a page or JSON.
func (r *answer) with(status int) *answer { r.status = status; return r }

// leadingTo lets the page's forms end at other hosts: a redirect after a form needs that too.
func (r *answer) leadingTo(hosts ...string) *answer { r.formHosts = hosts; return r }

// say shows a toast: kind is ok, warn or bad.
func (r *answer) say(kind, text string) *answer { r.toast = &toast{kind, text}; return r }

func (r *answer) write(c *Ctx) error {
	status := r.status
	if status == 0 {
		status = fiber.StatusOK
	}
	if c.wantsJSON() && r.data != nil {
		return writeJSON(c.f, status, r.data)
	}
	if r.toast != nil {
		r.toastHeaders(c)
	}
	if len(r.formHosts) > 0 {
		c.f.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(contentPolicy, formAction, formAction+" "+strings.Join(r.formHosts, " "), 1))
	}
	switch {
	case r.part != nil && c.isHTMX():
		if r.address != "" {
			c.f.Set("HX-Replace-Url", r.address)
		}
		return writeHTML(c, status, r.part)
	case r.to != "" && c.isHTMX():
		where := "HX-Location"
		if !strings.HasPrefix(r.to, "/") { // another site: the browser goes there by itself
			where = "HX-Redirect"
		}
		c.f.Set(where, r.to)
		return c.f.SendStatus(fiber.StatusNoContent)
	case r.to != "":
		return c.f.Redirect(r.to, fiber.StatusSeeOther)
	case r.whole != nil:
		return writeHTML(c, status, r.whole)
	case r.noContent:
		return c.f.SendStatus(fiber.StatusNoContent)
	}
	return fault.New(fault.Internal, "reply.empty", "No face of the answer fits the request")
}

// toastHeaders shows the toast now (HTMX) or on the page that the redirect leads to (flash cookie).
func (r *answer) toastHeaders(c *Ctx) {
	if c.isHTMX() && r.to == "" {
		text, _ := json.Marshal(map[string]*toast{"toast": r.toast})
		c.f.Set("HX-Trigger", ascii(text))
		return
	}
	c.setFlash(*r.toast)
}

// ascii escapes what a header cannot carry: browsers read headers as Latin-1.
func ascii(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// writeHTML renders to a buffer first: an error in a template becomes an error page, never half a page.
func writeHTML(c *Ctx, status int, t templ.Component) error {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer buffers.Put(b)
	if err := t.Render(c, b); err != nil {
		return err
	}
	c.f.Status(status).Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.f.Set(fiber.HeaderCacheControl, "no-store")
	c.f.Vary("HX-Request", fiber.HeaderAccept, fiber.HeaderCookie)
	c.f.Context().Response.SetBody(b.Bytes()) // copies
	return nil
}

func writeJSON(f *fiber.Ctx, status int, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the type is JSON and nosniff: no browser reads it as HTML
	if err := e.Encode(v); err != nil {
		return err
	}
	f.Status(status).Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	f.Set(fiber.HeaderCacheControl, "no-store")
	f.Context().Response.SetBodyRaw(bytes.TrimRight(b.Bytes(), "\n"))
	return nil
}

// asset answers with a file of the program itself.
type asset struct{ static.Asset }

func (r asset) write(c *Ctx) error {
	c.f.Set(fiber.HeaderContentType, r.Type)
	c.f.Set(fiber.HeaderCacheControl, "no-cache")
	if r.Immutable {
		c.f.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	body := r.Body
	if r.Gzip != nil && c.f.AcceptsEncodings("gzip") == "gzip" {
		c.f.Set(fiber.HeaderContentEncoding, "gzip")
		body = r.Gzip
	}
	c.f.Vary(fiber.HeaderAcceptEncoding)
	c.f.Set(fiber.HeaderContentLength, strconv.Itoa(len(body)))
	c.f.Context().Response.SetBodyRaw(body)
	return nil
}

// text answers operators' tools.
type text string

func (r text) write(c *Ctx) error {
	c.f.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	return c.f.SendString(string(r))
}

// unready is text with 503.
type unready string

func (r unready) write(c *Ctx) error {
	c.f.Status(fiber.StatusServiceUnavailable)
	return text(r).write(c)
}
