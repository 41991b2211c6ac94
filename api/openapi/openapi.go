// Package openapi owns the description of our JSON API: one table of operations, schemas made of the wire types, the
// OpenAPI 3.1 document and the same as a readable tree. It knows no router: a test of the app holds the table against
// the routes.
package openapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"lobstead/api/agent"
	"lobstead/api/cloud"
)

// Book is the whole description.
type Book struct {
	schemas  map[string]*Schema
	requests map[string]*Schema // by the operation's key
	answers  map[string]*Schema
	unused   []string // rules that describe nothing
}

// Read makes the description, once.
var Read = sync.OnceValue(func() *Book {
	r := newReflector()
	b := &Book{schemas: r.schemas, requests: map[string]*Schema{}, answers: map[string]*Schema{}}
	for _, t := range []any{cloud.Error{}, agent.Error{}} {
		r.of(reflect.TypeOf(t))
	}
	for n := range Operations {
		o := &Operations[n]
		if o.Request != nil {
			b.requests[o.Key()] = r.of(reflect.TypeOf(o.Request))
		}
		b.answers[o.Key()] = r.of(reflect.TypeOf(o.Answer))
	}
	for key := range rules {
		if !r.used[key] {
			b.unused = append(b.unused, key)
		}
	}
	slices.Sort(b.unused)
	return b
})

// Unused lists the rules that describe no field.
func (b *Book) Unused() []string { return b.unused }

// object is a piece of the document; encoding/json sorts its keys, so the same description is always the same bytes.
type object = map[string]any

const about = "Manage instances, talk to them and run an organization. Authenticate with a key of your organization: " +
	"“Authorization: Bearer lob_…” or “x-api-key: lob_…”. Times are ISO 8601 in UTC with milliseconds; ids are opaque; what is not yours does not exist (404)."

// JSON writes the OpenAPI document for a server at base ("" = where the document came from).
func (b *Book) JSON(base, version string) []byte {
	if base == "" {
		base = "/"
	}
	paths := object{}
	for n := range Operations {
		o := &Operations[n]
		item, _ := paths[o.Template()].(object)
		if item == nil {
			item = object{}
			paths[o.Template()] = item
		}
		item[strings.ToLower(o.Method)] = b.operation(o)
	}
	tags := []object{}
	for _, n := range Nouns {
		tags = append(tags, object{"name": n.Title, "description": n.Say})
	}
	doc := object{
		"openapi": "3.1.1",
		"info":    object{"title": "Lobstead", "version": version, "description": about},
		"servers": []object{{"url": base}},
		"tags":    tags, "paths": paths,
		"components": object{"schemas": b.schemas, "responses": failures(), "headers": headers, "securitySchemes": securitySchemes},
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		panic(err) // made of our own tables: a test reads it
	}
	return out.Bytes()
}

func (b *Book) operation(o *Operation) object {
	ok := object{"description": http.StatusText(o.Status), "headers": headersOf(o), "content": content(b.answers[o.Key()])}
	responses := object{strconv.Itoa(o.Status): ok}
	for _, status := range o.Failures() {
		responses[strconv.Itoa(status)] = ref("responses", failureName(o.Family(), status))
	}
	out := object{"operationId": o.ID, "summary": o.Summary, "tags": []string{o.nounTitle()}, "responses": responses, "security": security(o)}
	if say := o.describe(); say != "" {
		out["description"] = say
	}
	if params := parameters(o); len(params) > 0 {
		out["parameters"] = params
	}
	if o.Request != nil {
		out["requestBody"] = object{"required": !o.BodyOptional, "content": content(b.requests[o.Key()])}
	}
	return out
}

func (o *Operation) nounTitle() string {
	for _, n := range Nouns {
		if n.ID == o.Noun {
			return n.Title
		}
	}
	panic("openapi: no noun called " + o.Noun)
}

func (o *Operation) describe() string {
	words := []string{}
	for _, s := range []string{o.Note, o.Caller.Words(), o.Limit} {
		if s != "" {
			words = append(words, sentence(s))
		}
	}
	return strings.Join(words, " ")
}

func parameters(o *Operation) []object {
	out := []object{}
	for _, p := range o.Parameters() {
		one := object{"name": p.Name, "in": p.In, "schema": object{"type": "string"}, "required": p.Required}
		if p.Say != "" {
			one["description"] = sentence(p.Say)
		}
		if p.Example != "" {
			one["example"] = p.Example
		}
		out = append(out, one)
	}
	return out
}

func content(s *Schema) object { return object{"application/json": object{"schema": s}} }

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }
