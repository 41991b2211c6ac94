package app

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

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

// localOr is a path of ours that a form names, else another.
func localOr(path, other string) string {
	if u, err := url.Parse(path); err != nil || path == "" || u.Host != "" {
		return other
	}
	return localPath(path)
}

// here is the page that somebody is on: of a form the one that it stands on, as far as the browser tells.
func (c *Ctx) here() string {
	if safeMethod(c.f.Method()) {
		return c.f.OriginalURL()
	}
	u, err := url.Parse(c.f.Get(fiber.HeaderReferer))
	if err != nil || u.Path == "" {
		return "/"
	}
	return localPath(u.RequestURI())
}
