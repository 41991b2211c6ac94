package apptest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Face is how an answer is asked for.
type Face string

// The faces.
const (
	Page    Face = "page"
	Partial Face = "partial"
	JSON    Face = "json"
)

// Call is one request. Who's cookie is sent, or the key with ByKey; nil is a guest.
type Call struct {
	Method, Path string
	Who          *Person
	ByKey        bool
	Face         Face // "" = JSON with a key or below /api/, else Page
	Form         url.Values
	JSON         any // marshalled, a string as it is
	Body         io.Reader
	Type         string
	Header       map[string]string // "" removes one
	Host         string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Map reads a JSON object.
func (a Answer) Map() map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal([]byte(a.Body), &out)
	return out
}

// Cookie gives a cookie that was set, nil without.
func (a Answer) Cookie(name string) *http.Cookie {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// client follows nothing and keeps nothing: each request stands alone.
var client = &http.Client{Timeout: 90 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// Do sends a request and reads the answer.
func (w *World) Do(c Call) Answer {
	w.T.Helper()
	a, err := w.Try(c)
	require.NoError(w.T, err, "%s %s", c.Method, c.Path)
	return a
}

// Try is Do for a request that may be cut.
func (w *World) Try(c Call) (Answer, error) {
	resp, err := client.Do(w.Request(c))
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return Answer{resp.StatusCode, resp.Header, ""}, nil
	}
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(body)}, err
}

// Follow opens the page that an answer leads to, with the cookies that it set.
func (w *World) Follow(a Answer, who *Person) Answer {
	w.T.Helper()
	require.Equal(w.T, http.StatusSeeOther, a.Status, a.Body)
	cookies := w.CookieName() + "=" + who.Cookie
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		cookies += "; " + c.Name + "=" + c.Value
	}
	return w.Do(Call{Method: "GET", Path: a.Header.Get("Location"), Who: who, Header: map[string]string{"Cookie": cookies}})
}

// Request builds a request as a browser or a program sends it.
func (w *World) Request(c Call) *http.Request {
	w.T.Helper()
	body, kind := c.content(w)
	req, err := http.NewRequestWithContext(w.T.Context(), c.Method, w.URL+c.Path, body)
	require.NoError(w.T, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	api := strings.HasPrefix(c.Path, "/api/")
	switch {
	case c.Face == JSON, c.Face == "" && (c.ByKey || api):
		req.Header.Set("Accept", "application/json")
	case c.Face == Partial:
		req.Header.Set("HX-Request", "true")
		fallthrough
	default:
		req.Header.Set("Accept", "text/html")
	}
	if !c.ByKey {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	switch {
	case c.Who != nil && c.ByKey:
		req.Header.Set("Authorization", "Bearer "+c.Who.Key)
	case c.Who != nil:
		req.Header.Set("Cookie", w.CookieName()+"="+c.Who.Cookie)
	}
	for k, v := range c.Header {
		req.Header.Del(k)
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	if c.Host != "" {
		req.Host = c.Host
	}
	return req
}

// CookieName is what the sign-in cookie is called here.
func (w *World) CookieName() string {
	if strings.HasPrefix(w.App.PublicURL, "https://") {
		return "__Host-lobstead"
	}
	return "lobstead"
}

func (c Call) content(w *World) (io.Reader, string) {
	switch {
	case c.Body != nil:
		return c.Body, c.Type
	case c.Form != nil:
		return strings.NewReader(c.Form.Encode()), "application/x-www-form-urlencoded"
	case c.JSON != nil:
		if s, ok := c.JSON.(string); ok {
			return strings.NewReader(s), "application/json"
		}
		b, err := json.Marshal(c.JSON)
		require.NoError(w.T, err)
		return bytes.NewReader(b), "application/json"
	}
	return nil, c.Type
}

// File is one upload of a form.
type File struct{ Name, Type, Data string }

// Multipart writes a form with files, as the composer sends it.
func Multipart(fields map[string]string, files ...File) (io.Reader, string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		_ = m.WriteField(k, v)
	}
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="files"; filename="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.Name)+`"`)
		h.Set("Content-Type", f.Type)
		part, _ := m.CreatePart(h)
		_, _ = part.Write([]byte(f.Data))
	}
	_ = m.Close()
	return &b, m.FormDataContentType()
}

// Read reads a JSON body into a type.
func (a Answer) Read(t testing.TB, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.Body), into), a.Body)
}
