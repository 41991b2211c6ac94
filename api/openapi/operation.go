package openapi

import (
	"cmp"
	"slices"
	"strings"

	"lobstead/models"
)

// Operation is one JSON route. The key is Method and Path as the route table writes them ("/api/instances/:id").
type Operation struct {
	Method, Path string
	ID           string // stable name for generated clients
	Noun         string // the section it stands in
	Summary      string // one line, without a full stop
	Note         string // more, in sentences
	Caller       Caller
	Params       []Param // of the query and the headers; those of the path are read from Path
	Request      any     // a value of the body's type; nil = no body
	BodyOptional bool
	Status       int    // of success
	Answer       any    // a value of the answer's type
	Errors       []int  // beyond those that every operation of its kind may answer
	Limit        string // a limit of its own, in words
}

// Caller is who may call an operation.
type Caller struct {
	can    models.Can
	person bool
}

// Anybody needs no credential.
var Anybody = Caller{}

// Person is somebody signed in with a browser; a key is refused.
var Person = Caller{person: true}

// May is a person or a key with a capability.
func May(c models.Can) Caller { return Caller{can: c} }

// String is how `lobstead routes` prints the same rule.
func (c Caller) String() string {
	switch {
	case c.person:
		return "signed-in person"
	case c.can == "":
		return "public"
	}
	return "may " + string(c.can)
}

// Words say it to people: which roles, and what scope a key needs.
func (c Caller) Words() string {
	switch {
	case c.person:
		return "A signed-in person; not a key"
	case c.can == "":
		return "Anybody, without a credential"
	}
	names := []string{}
	for _, r := range models.Roles {
		if r.May(c.can) {
			names = append(names, strings.ToLower(string(r)))
		}
	}
	who := "Every member"
	switch {
	case len(names) == 1:
		who = "The " + names[0]
	case len(names) < len(models.Roles):
		who = "The " + names[0] + " and every " + strings.Join(names[1:], ", ")
	}
	return who + "; a key with scopes needs “" + string(c.can) + "”"
}

// Param is one value of the query, a header or the path.
type Param struct {
	Name, In, Say string
	Required      bool
	Example       string
}

// Noun is one section of the description.
type Noun struct{ ID, Title, Say string }

// Family tells whose words an operation speaks; its errors look accordingly.
func (o *Operation) Family() string {
	if strings.HasPrefix(o.Path, "/api/agent/") || strings.HasPrefix(o.Path, "/api/v1/") {
		return "agent"
	}
	return "cloud"
}

// Key is how the route table and this one name an operation alike.
func (o *Operation) Key() string { return o.Method + " " + o.Path }

// Anchor is its place on the page.
func (o *Operation) Anchor() string { return strings.ReplaceAll(o.ID, ".", "-") }

// Public tells whether no credential is asked for.
func (o *Operation) Public() bool { return o.Caller == Anybody }

// Template is the path as OpenAPI writes it: "/api/instances/{id}".
func (o *Operation) Template() string {
	parts := strings.Split(o.Path, "/")
	for n, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[n] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// Parameters are all of them, those of the path first.
func (o *Operation) Parameters() []Param {
	out := []Param{}
	for _, p := range strings.Split(o.Path, "/") {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			out = append(out, Param{Name: name, In: "path", Say: "The id", Required: true, Example: exampleID})
		}
	}
	return append(out, o.Params...)
}

// Failures are the statuses that an operation may refuse with, in order.
func (o *Operation) Failures() []int {
	out := append([]int{403, 500}, o.Errors...) // 403: a foreign host or site, whoever asks
	if !o.Public() {
		out = append(out, 401, 429)
	}
	if strings.Contains(o.Path, ":") {
		out = append(out, 404)
	}
	if o.Request != nil {
		out = append(out, 400, 413)
	}
	slices.SortFunc(out, cmp.Compare[int])
	return slices.Compact(out)
}
