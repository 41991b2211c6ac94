// Package docs shows the API's description as a page to read. It knows no handler; what it shows is api/openapi's
// tables, so that the page and the OpenAPI document cannot differ.
package docs

import (
	"net/http"
	"strconv"
	"strings"

	"lobstead/api/openapi"
	"lobstead/views/ui"
)

// ShowProps is the page at /docs.
type ShowProps struct {
	Theme    string
	Version  string
	BaseURL  string // of the calls: where this person reaches the server
	Query    string // what the operations are filtered by: "?q="
	SignedIn bool
	Book     *openapi.Book
	Sections []Section
}

// Section is one noun with those of its operations that are shown.
type Section struct {
	openapi.Noun
	Operations []*openapi.Operation
}

// Sections are the description's parts, those operations only in which every word of q appears.
func Sections(q string) []Section {
	words := strings.Fields(strings.ToLower(q))
	out := []Section{}
	for _, n := range openapi.Nouns {
		s := Section{Noun: n}
		for i := range openapi.Operations {
			if o := &openapi.Operations[i]; o.Noun == n.ID && found(o, n, words) {
				s.Operations = append(s.Operations, o)
			}
		}
		if len(s.Operations) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func found(o *openapi.Operation, n openapi.Noun, words []string) bool {
	text := strings.ToLower(strings.Join([]string{o.Method, o.Path, o.Summary, o.Note, o.ID, n.Title}, " "))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// curl is the call as one would type it.
func (p ShowProps) curl(o *openapi.Operation) string {
	path := o.Path
	for _, x := range o.Parameters() {
		if x.In == "path" {
			path = strings.Replace(path, ":"+x.Name, x.Example, 1)
		}
	}
	if o.Public() {
		return "curl " + strings.TrimSuffix(p.BaseURL, "/") + path
	}
	body := ""
	if !o.BodyOptional || o.Method == http.MethodDelete {
		body = p.Book.ExampleRequest(o)
	}
	return ui.CurlCommand(o.Method, p.BaseURL, path, body)
}

// outcome is a status in words: "404 Not Found".
func outcome(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

// verb is the colour of a method.
func verb(method string) string {
	switch method {
	case http.MethodGet:
		return "verb read"
	case http.MethodDelete:
		return "verb end"
	}
	return "verb write"
}
