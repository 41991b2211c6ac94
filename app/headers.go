package app

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/kit/secret"
	"lobstead/models"
)

const formAction = "form-action 'self'"

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; " + formAction + "; base-uri 'none'; frame-ancestors 'none'"

// headers go on every answer, errors included.
func (a *App) headers(f *fiber.Ctx) error {
	a.setHeaders(f)
	defer finishBody(f)
	return f.Next()
}

func (a *App) setHeaders(f *fiber.Ctx) {
	f.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	f.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	f.Set(fiber.HeaderReferrerPolicy, "same-origin")
	f.Set(fiber.HeaderXFrameOptions, "DENY")
	f.Set("Cross-Origin-Opener-Policy", "same-origin")
	f.Set("Cross-Origin-Resource-Policy", "same-origin")
	f.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	if a.secure() {
		f.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// unreadBody is how much of a body that nobody wanted is read, so that the connection can go on, and so that
// the sender gets to read the refusal: closing on unread bytes resets the connection.
const unreadBody = 4 << 20

// finishBody leaves nothing of a body on the connection: the server would read the rest as the next request,
// and answer it to whoever comes next through the same proxy connection.
func finishBody(f *fiber.Ctx) {
	stream := f.Context().RequestBodyStream()
	if stream == nil {
		return
	}
	// A chunked body cannot be asked twice whether it has ended.
	if f.Context().Request.Header.ContentLength() < 0 {
		f.Context().SetConnectionClose()
		return
	}
	if _, err := io.CopyN(io.Discard, stream, unreadBody); !errors.Is(err, io.EOF) {
		f.Context().SetConnectionClose()
	}
}

func (a *App) secure() bool { return strings.HasPrefix(a.PublicURL, "https://") }

// The sign-in cookie: over TLS its prefix makes browsers refuse one that another host set.
const (
	secureCookie = "__Host-lobstead"
	plainCookie  = "lobstead"
	flashCookie  = "lobstead_flash"
	themeCookie  = "theme"
)

func (c *Ctx) setCookie(name, value string, life time.Duration, httpOnly bool) {
	c.f.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), HTTPOnly: httpOnly,
		Secure: c.app.secure(), SameSite: fiber.CookieSameSiteLaxMode})
}

func (c *Ctx) cookieName() string {
	if c.app.secure() {
		return secureCookie
	}
	return plainCookie
}

func (c *Ctx) signIn(token secret.String) {
	c.setCookie(c.cookieName(), token.Reveal(), models.SignInLife, true)
}

func (c *Ctx) signOut() { c.setCookie(c.cookieName(), "", -time.Hour, true) }

// setFlash keeps a toast for the next page.
func (c *Ctx) setFlash(t toast) {
	c.setCookie(flashCookie, url.QueryEscape(t.Kind+"|"+t.Text), time.Minute, true)
}

func (c *Ctx) takeFlash() *toast {
	v, err := url.QueryUnescape(c.f.Cookies(flashCookie))
	kind, msg, ok := strings.Cut(v, "|")
	if err != nil || !ok {
		return nil
	}
	c.setCookie(flashCookie, "", -time.Hour, true)
	return &toast{kind, msg}
}

// theme is the person's choice, or the browser's until somebody signs in.
func (c *Ctx) theme() string {
	t := c.f.Cookies(themeCookie)
	if c.Principal != nil && t == "" {
		t = c.Principal.User.Theme
	}
	return t
}

func escapeName(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
