package app

import (
	"context"
	"io"
	"math"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// Ctx is one request as a handler sees it. It is a context: cancelled when the server stops.
type Ctx struct {
	context.Context
	Principal *models.Principal // nil on public routes without a credential
	Scope     *models.Scope     // the principal's organization

	app       *App
	f         *fiber.Ctx
	family    Family
	route     *Route
	requestID string
	raw       []byte // the body, once it was read
}

// ID reads an id of the path. What is no id of ours matches no row: NotFound, before any query.
func (c *Ctx) ID(name string) (string, error) {
	s := c.f.Params(name)
	if _, ok := id.UUID(s); !ok {
		return "", fault.NotFoundf("row")
	}
	return s, nil
}

// Param reads a word of the path that is no id of ours.
func (c *Ctx) Param(name string) string {
	s, err := url.PathUnescape(c.f.Params(name))
	if err != nil {
		return c.f.Params(name)
	}
	return s
}

// Query reads a value of the address.
func (c *Ctx) Query(name string) string { return c.f.Query(name) }

// readable refuses an address with a value that is no text, as a body's are refused: made clean, it would name another thing.
func (c *Ctx) readable() error {
	var is fault.Issues
	for _, name := range c.f.Route().Params {
		called := name
		if strings.HasPrefix(name, "*") {
			called = "path"
		}
		models.CheckText(&is, called, c.Param(name), math.MaxInt)
	}
	for name, value := range c.f.Context().QueryArgs().All() {
		models.CheckText(&is, string(name), string(value), math.MaxInt)
	}
	return is.Err()
}

// actor is the caller as it is written into what it does.
func (c *Ctx) actor() models.Actor {
	by := c.Principal.Actor()
	by.Address = c.app.address(c.f)
	return by
}

// Org is the caller's organization.
func (c *Ctx) Org() string { return c.Principal.Membership.OrganizationID }

// May asks for a further capability inside a handler.
func (c *Ctx) May(can models.Can) error {
	if !c.Principal.May(can) {
		return errForbidden
	}
	return nil
}

// Fields reads the body: a form for pages, JSON for programs whatever type they name (curl names a form's).
func (c *Ctx) Fields() (*wire.Fields, error) {
	if c.family != Pages {
		body, err := c.body()
		if err != nil {
			return nil, err
		}
		return wire.FromJSON(body)
	}
	kind, _, _ := strings.Cut(strings.ToLower(c.f.Get(fiber.HeaderContentType)), ";")
	switch strings.TrimSpace(kind) {
	case fiber.MIMEApplicationForm:
		body, err := c.body()
		if err != nil {
			return nil, err
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "body.form", "Invalid request")
		}
		return wire.FromForm(values), nil
	case fiber.MIMEMultipartForm:
		form, err := c.form()
		if err != nil {
			return nil, err
		}
		return wire.FromForm(form.Value), nil
	}
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	return wire.FromJSON(body)
}

// body reads the whole body once, up to the route's cap.
func (c *Ctx) body() ([]byte, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	raw, err := c.readBody()
	c.raw = raw
	return raw, err
}

func (c *Ctx) readBody() ([]byte, error) {
	limit := defaultBody
	if c.route != nil && c.route.Body > 0 {
		limit = c.route.Body
	}
	announced := c.f.Context().Request.Header.ContentLength()
	if announced > limit {
		return nil, c.tooLarge()
	}
	stream := c.f.Context().RequestBodyStream()
	if stream == nil {
		body := c.f.Context().Request.Body()
		if len(body) > limit {
			return nil, errTooLarge
		}
		return body, nil
	}
	body, err := readAnnounced(stream, announced, limit)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "body.cut", "The body ended early")
	}
	if len(body) > limit {
		return nil, c.tooLarge()
	}
	return body, nil
}

// readAnnounced reads a body; one byte more than the limit is enough to refuse it. What was announced is a claim, which holds no
// memory until the first bytes are there; then it is read in place, and not into buffers that grow.
func readAnnounced(stream io.Reader, announced, limit int) ([]byte, error) {
	const first = 64 << 10
	if announced <= first {
		return io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	}
	head := make([]byte, first)
	if _, err := io.ReadFull(stream, head); err != nil {
		return nil, err
	}
	body := make([]byte, announced)
	_, err := io.ReadFull(stream, body[copy(body, head):])
	return body, err
}

// tooLarge refuses the body. What else the sender has to say is read and thrown away, up to what any body may have:
// a connection that is closed with words unread is reset, and the sender would not get to read the refusal.
func (c *Ctx) tooLarge() error {
	c.f.Context().SetConnectionClose()
	if stream := c.f.Context().RequestBodyStream(); stream != nil {
		_, _ = io.CopyN(io.Discard, stream, maxBody)
	}
	return errTooLarge
}

func (c *Ctx) form() (*multipart.Form, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	boundary := string(c.f.Context().Request.Header.MultipartFormBoundary())
	if boundary == "" {
		return nil, fault.New(fault.Invalid, "body.form", "Invalid request").Hinting("The form has no boundary")
	}
	form, err := multipart.NewReader(strings.NewReader(string(body)), boundary).ReadForm(int64(len(body)) + 1<<20)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "body.form", "Invalid request")
	}
	return form, nil
}

// Uploads reads the files of a multipart form.
func (c *Ctx) Uploads(form *multipart.Form, field string) ([]models.Upload, error) {
	out := []models.Upload{}
	for _, h := range form.File[field] {
		if h.Size == 0 && h.Filename == "" {
			continue
		}
		file, err := h.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(file)
		_ = file.Close()
		if err != nil {
			return nil, err
		}
		kind, _, _ := strings.Cut(h.Header.Get(fiber.HeaderContentType), ";")
		out = append(out, models.Upload{Name: h.Filename, MediaType: kind, Data: data})
	}
	return out, nil
}

// client is what the browser shows of itself, for the list of sign-ins.
func (c *Ctx) client() models.Client {
	return models.Client{UserAgent: c.f.Get(fiber.HeaderUserAgent), Address: c.app.address(c.f)}
}

func (c *Ctx) isHTMX() bool {
	return c.f.Get("HX-Request") == "true" && c.f.Get("HX-Boosted") != "true" && c.f.Get("HX-History-Restore-Request") != "true"
}

// wantsJSON: an API family always; a page when Accept names JSON and not HTML.
func (c *Ctx) wantsJSON() bool {
	if c.family != Pages {
		return true
	}
	accept := c.f.Get(fiber.HeaderAccept)
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
