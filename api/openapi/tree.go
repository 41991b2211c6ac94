package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"lobstead/api/wire"
)

// Field is one line of a schema as a person reads it.
type Field struct {
	Name, Type, Say string
	Words           []string // what it may be
	Bounds          string   // "1 to 50 characters, ^[a-z0-9-]+$"
	Required        bool
	Fields          []Field // of an object, or of a list's entries
}

// RequestFields is the body of an operation; nil without one.
func (b *Book) RequestFields(o *Operation) []Field { return b.fields(b.requests[o.Key()]) }

// AnswerFields is what a success answers; empty for a free object.
func (b *Book) AnswerFields(o *Operation) []Field { return b.fields(b.answers[o.Key()]) }

// ErrorFields is what a failure of an operation's family answers.
func (b *Book) ErrorFields(o *Operation) []Field {
	return b.fields(&Schema{Ref: refPrefix + errorOf(o)})
}

func errorOf(o *Operation) string {
	if o.Family() == "agent" {
		return "AgentError"
	}
	return "Error"
}

// AnswerType names what is answered: "array of InstanceListItem".
func (b *Book) AnswerType(o *Operation) string { return typeOf(b.answers[o.Key()]) }

// fields opens a schema up to its object, through references and lists.
func (b *Book) fields(s *Schema) []Field {
	s = b.object(s)
	if s == nil {
		return nil
	}
	out := []Field{}
	for _, p := range s.Properties {
		f := Field{Name: p.Name, Type: typeOf(p.Schema), Say: p.Schema.Description, Fields: b.fields(p.Schema), Bounds: bounds(p.Schema)}
		for _, r := range s.Required {
			f.Required = f.Required || r == p.Name
		}
		of := p.Schema
		if of.Items != nil {
			of = of.Items
		}
		for _, w := range of.Enum {
			if w, ok := w.(string); ok {
				f.Words = append(f.Words, w)
			}
		}
		out = append(out, f)
	}
	return out
}

// object follows references and lists to an object with members; nil when there is none.
func (b *Book) object(s *Schema) *Schema {
	switch {
	case s == nil:
		return nil
	case s.Ref != "":
		return b.object(b.schemas[strings.TrimPrefix(s.Ref, refPrefix)])
	case len(s.AnyOf) > 0:
		return b.object(s.AnyOf[0])
	case s.Items != nil:
		return b.object(s.Items)
	case len(s.Properties) > 0:
		return s
	}
	return nil
}

func typeOf(s *Schema) string {
	switch {
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, refPrefix)
	case len(s.AnyOf) > 0:
		return typeOf(s.AnyOf[0]) + " or null"
	case s.Items != nil:
		return "array of " + typeOf(s.Items)
	case len(s.Type) == 0:
		return "any"
	}
	return strings.Join(s.Type, " or ")
}

func bounds(s *Schema) string {
	out := []string{}
	switch {
	case s.MinLength != nil && s.MaxLength != nil:
		out = append(out, fmt.Sprintf("%d to %d characters", *s.MinLength, *s.MaxLength))
	case s.MinLength != nil:
		out = append(out, "not empty")
	case s.MaxLength != nil:
		out = append(out, fmt.Sprintf("at most %d characters", *s.MaxLength))
	case s.Minimum != nil && s.Maximum != nil:
		out = append(out, fmt.Sprintf("%d to %d", *s.Minimum, *s.Maximum))
	case s.Minimum != nil:
		out = append(out, fmt.Sprintf("at least %d", *s.Minimum))
	}
	if s.Format != "" {
		out = append(out, s.Format)
	} else if s.Pattern != "" {
		out = append(out, s.Pattern)
	}
	return strings.Join(out, ", ")
}

// ExampleRequest is a body that would be taken, as one line; "" without a body.
func (b *Book) ExampleRequest(o *Operation) string {
	s := b.requests[o.Key()]
	if s == nil {
		return ""
	}
	var out bytes.Buffer
	b.example(&out, s)
	return out.String()
}

// ExampleAnswer is an answer as it could be, indented.
func (b *Book) ExampleAnswer(o *Operation) string {
	var line, out bytes.Buffer
	b.example(&line, b.answers[o.Key()])
	if err := json.Indent(&out, line.Bytes(), "", "  "); err != nil {
		panic(err) // we wrote it ourselves: a test reads every one
	}
	return out.String()
}

// example writes a value that fits the schema.
func (b *Book) example(out *bytes.Buffer, s *Schema) {
	switch {
	case s.Ref != "":
		b.example(out, b.schemas[strings.TrimPrefix(s.Ref, refPrefix)])
	case len(s.AnyOf) > 0:
		b.example(out, s.AnyOf[0])
	case len(s.Examples) > 0:
		writeValue(out, s.Examples[0])
	case len(s.Enum) > 0:
		writeValue(out, s.Enum[0])
	case s.Items != nil:
		out.WriteByte('[')
		b.example(out, s.Items)
		out.WriteByte(']')
	case len(s.Properties) > 0:
		b.exampleObject(out, s)
	case len(s.Type) == 0 || s.Type[0] == "object":
		out.WriteString("{}")
	case len(s.Type) > 1:
		out.WriteString("null")
	case s.Type[0] == "string":
		out.WriteString(`""`)
	case s.Type[0] == "boolean":
		out.WriteString("true")
	default:
		out.WriteString("0")
	}
}

func (b *Book) exampleObject(out *bytes.Buffer, s *Schema) {
	out.WriteByte('{')
	for n, p := range s.Properties {
		if n > 0 {
			out.WriteByte(',')
		}
		writeValue(out, p.Name)
		out.WriteByte(':')
		b.example(out, p.Schema)
	}
	out.WriteByte('}')
}

func writeValue(out *bytes.Buffer, v any) {
	out.Write(wire.JSON(v))
}
