package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Schema is one JSON Schema (2020-12) of the kinds that our answers are made of.
type Schema struct {
	Ref         string     `json:"$ref,omitempty"`
	Type        Types      `json:"type,omitempty"`
	Description string     `json:"description,omitempty"`
	Enum        []any      `json:"enum,omitempty"`
	Pattern     string     `json:"pattern,omitempty"`
	Format      string     `json:"format,omitempty"`
	MinLength   *int       `json:"minLength,omitempty"`
	MaxLength   *int       `json:"maxLength,omitempty"`
	Minimum     *int       `json:"minimum,omitempty"`
	Maximum     *int       `json:"maximum,omitempty"`
	Properties  Properties `json:"properties,omitempty"`
	Required    []string   `json:"required,omitempty"`
	Items       *Schema    `json:"items,omitempty"`
	AnyOf       []*Schema  `json:"anyOf,omitempty"`
	Examples    []any      `json:"examples,omitempty"`
}

// Types are the JSON types that a value may have; one is written as a word.
type Types []string

// MarshalJSON writes a word or a list.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Property is one member of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are an object's members in the order of the Go type: the order in which they are sent.
type Properties []Property

// MarshalJSON writes an object that keeps the order.
func (ps Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for n, p := range ps {
		if n > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(p.Name)
		value, err := json.Marshal(p.Schema)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(name, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

const refPrefix = "#/components/schemas/"

// reflector makes schemas of Go types; named structs become components.
type reflector struct {
	schemas map[string]*Schema
	types   map[string]reflect.Type
	used    map[string]bool // the rules that described something
}

func newReflector() *reflector {
	return &reflector{schemas: map[string]*Schema{}, types: map[string]reflect.Type{}, used: map[string]bool{}}
}

// nameOf is a type's component: the agent API's types say so, since the families share words.
func nameOf(t reflect.Type) string {
	name := t.Name()
	if strings.HasSuffix(t.PkgPath(), "/api/agent") && !strings.HasPrefix(name, "Agent") {
		name = "Agent" + name
	}
	return name
}

// of gives the schema of a type: a reference for a struct, the schema itself for the rest.
func (r *reflector) of(t reflect.Type) *Schema {
	if t == reflect.TypeFor[json.RawMessage]() { // JSON as it was stored
		return &Schema{Type: Types{"object"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(r.of(t.Elem()))
	case reflect.String:
		return &Schema{Type: Types{"string"}}
	case reflect.Bool:
		return &Schema{Type: Types{"boolean"}}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: Types{"integer"}}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: Types{"number"}}
	case reflect.Slice, reflect.Array:
		return &Schema{Type: Types{"array"}, Items: r.of(t.Elem())}
	case reflect.Map:
		return &Schema{Type: Types{"object"}}
	case reflect.Interface:
		return &Schema{}
	case reflect.Struct:
		return r.component(t)
	default:
		panic("openapi: no schema for " + t.String())
	}
}

func (r *reflector) component(t reflect.Type) *Schema {
	name := nameOf(t)
	if name == "" {
		panic("openapi: a type without a name: " + t.String())
	}
	if was, ok := r.types[name]; ok && was != t {
		panic(fmt.Sprintf("openapi: %s and %s are both called %s", was, t, name))
	}
	if _, ok := r.schemas[name]; !ok {
		s := &Schema{Type: Types{"object"}}
		r.schemas[name], r.types[name] = s, t
		r.members(s, t)
	}
	return &Schema{Ref: refPrefix + name}
}

// members adds a struct's fields; those of an embedded struct stand where it does, as encoding/json writes them.
func (r *reflector) members(s *Schema, t reflect.Type) {
	for f := range fields(t) {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == "-":
			continue
		case f.Anonymous && tag == "":
			r.members(s, f.Type)
			continue
		case tag == "":
			panic(fmt.Sprintf("openapi: %s.%s has no json tag", t, f.Name))
		}
		optional := slices.Contains(strings.Split(options, ","), "omitempty")
		kind := f.Type
		if optional && kind.Kind() == reflect.Pointer { // left out, never null
			kind = kind.Elem()
		}
		p := r.of(kind)
		r.describe(p, nameOf(t), tag)
		s.Properties = append(s.Properties, Property{tag, p})
		if !optional {
			s.Required = append(s.Required, tag)
		}
	}
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for n := range t.NumField() {
			if f := t.Field(n); (f.IsExported() || f.Anonymous) && !yield(f) {
				return
			}
		}
	}
}

// nullable lets a value be null as well.
func nullable(s *Schema) *Schema {
	if s.Ref != "" {
		return &Schema{AnyOf: []*Schema{s, {Type: Types{"null"}}}}
	}
	s.Type = append(s.Type, "null")
	return s
}

// describe adds what the Go type does not say: the rule of this very field, else that of its name.
func (r *reflector) describe(s *Schema, owner, name string) {
	key := owner + "." + name
	rule, ok := rules[key]
	if !ok {
		key = "*." + name
		rule, ok = rules[key]
	}
	if !ok {
		return
	}
	r.used[key] = true
	s.Description = rule.Say
	of := s
	if s.Items != nil && s.Items.Ref == "" { // what holds for a list's entries
		of = s.Items
	}
	for _, word := range rule.Enum {
		of.Enum = append(of.Enum, word)
	}
	if len(rule.Enum) > 0 && slices.Contains(of.Type, "null") {
		of.Enum = append(of.Enum, nil)
	}
	of.Pattern, of.Format = rule.Pattern, rule.Format
	if len(rule.Types) > 0 {
		of.Type = rule.Types
	}
	low, high := &of.MinLength, &of.MaxLength
	if slices.Contains(of.Type, "integer") || slices.Contains(of.Type, "number") {
		low, high = &of.Minimum, &of.Maximum
	}
	if rule.Min != 0 {
		*low = &rule.Min
	}
	if rule.Max != 0 {
		*high = &rule.Max
	}
	if rule.Example != nil {
		of.Examples = []any{rule.Example}
	}
}
