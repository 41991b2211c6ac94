package gemini

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The keywords of Gemini's Schema object; one unknown keyword anywhere fails the whole request.
// Source: the Schema type of the API reference. "default" and "example" are left out: they mean nothing here.
var passed = map[string]bool{"title": true, "description": true, "minItems": true, "maxItems": true, "minProperties": true,
	"maxProperties": true, "minLength": true, "maxLength": true, "pattern": true, "minimum": true, "maximum": true}

var formats = map[string][]string{"string": {"date-time", "enum"}, "integer": {"int32", "int64"}, "number": {"float", "double"}}

const schemaDepth = 24 // of nested schemas; a recursive $ref ends here

type object = map[string]any

// parameters translates a tool's JSON Schema; nil for a tool without parameters, since an object without
// properties is refused.
func parameters(raw json.RawMessage) any {
	var root object
	if json.Unmarshal(raw, &root) != nil {
		return nil
	}
	out := (&schema{root: root}).translate(root, 0)
	if props, _ := out["properties"].(object); len(props) == 0 {
		return nil
	}
	out["type"] = "object"
	return out
}

type schema struct{ root object }

func (s *schema) translate(in object, depth int) object {
	out := object{}
	if depth > schemaDepth {
		return object{"type": "string"}
	}
	in = s.merge(s.resolve(in, depth), depth)
	for k, v := range in {
		if passed[k] {
			out[k] = v
		}
	}
	kind, nullable := typeOf(in)
	if c, ok := in["const"]; ok {
		in["enum"] = []any{c}
	}
	if values, ok := in["enum"].([]any); ok {
		if enum, null := enumOf(values); len(enum) > 0 { // only strings may be enumerated
			out["enum"], kind = enum, "string"
			nullable = nullable || null
		}
	}
	if kind != "" {
		out["type"] = kind
	}
	if f, _ := in["format"].(string); slices.Contains(formats[kind], f) {
		out["format"] = f
	}
	if null, _ := in["nullable"].(bool); null || nullable {
		out["nullable"] = true
	}
	switch kind {
	case "object":
		s.properties(in, out, depth)
	case "array":
		items, ok := in["items"].(object)
		if !ok {
			items = object{"type": "string"} // required by the API
		}
		out["items"] = s.translate(items, depth+1)
	}
	s.choices(in, out, depth)
	return out
}

func (s *schema) properties(in, out object, depth int) {
	props := object{}
	given, _ := in["properties"].(object)
	for name, p := range given {
		sub, _ := p.(object) // "true" allows anything
		props[name] = s.translate(sub, depth+1)
		if len(props[name].(object)) == 0 {
			props[name] = object{"type": "string"}
		}
	}
	if len(props) == 0 {
		// An open map has no form here; the model writes it as JSON text.
		if depth > 0 {
			out["type"] = "string"
			out["description"] = strings.TrimSpace(fmt.Sprint(orEmpty(out["description"]), " (a JSON object)"))
		}
		return
	}
	out["properties"] = props
	required, _ := in["required"].([]any)
	required = slices.DeleteFunc(slices.Clone(required), func(n any) bool { name, _ := n.(string); _, ok := props[name]; return !ok })
	if len(required) > 0 {
		out["required"] = required
	}
}

// choices writes anyOf and oneOf as anyOf; a null among them becomes nullable, and one that is left takes the place.
func (s *schema) choices(in, out object, depth int) {
	var list []any
	for _, k := range []string{"anyOf", "oneOf"} {
		l, _ := in[k].([]any)
		list = append(list, l...)
	}
	var subs []any
	for _, v := range list {
		sub, _ := v.(object)
		if sub["type"] == "null" {
			out["nullable"] = true
			continue
		}
		if t := s.translate(sub, depth+1); len(t) > 0 {
			subs = append(subs, t)
		}
	}
	switch len(subs) {
	case 0:
	case 1:
		for k, v := range subs[0].(object) {
			if _, taken := out[k]; !taken || k == "type" {
				out[k] = v
			}
		}
	default:
		out["anyOf"] = subs
	}
}

// resolve follows a local $ref; its siblings win over the target.
func (s *schema) resolve(in object, depth int) object {
	ref, ok := in["$ref"].(string)
	if !ok {
		return in
	}
	var at any = s.root
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#"), "/") {
		if step == "" {
			continue
		}
		m, _ := at.(object)
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	out := object{}
	target, _ := at.(object)
	if depth < schemaDepth {
		for k, v := range target {
			out[k] = v
		}
	}
	for k, v := range in {
		if k != "$ref" {
			out[k] = v
		}
	}
	if _, again := out["$ref"]; again && depth < schemaDepth {
		return s.resolve(out, depth+1)
	}
	return out
}

// merge folds allOf into its parent: properties join, the rest is taken when the parent lacks it.
func (s *schema) merge(in object, depth int) object {
	out := object{}
	for k, v := range in {
		out[k] = v
	}
	list, _ := in["allOf"].([]any)
	for _, v := range list {
		sub, _ := v.(object)
		if depth > schemaDepth {
			break
		}
		sub = s.merge(s.resolve(sub, depth+1), depth+1)
		for k, v := range sub {
			mine, theirs := out[k], v
			switch a := mine.(type) {
			case nil:
				out[k] = v
			case object:
				joined := object{}
				if b, ok := theirs.(object); ok {
					for n, p := range b {
						joined[n] = p
					}
				}
				for n, p := range a {
					joined[n] = p
				}
				out[k] = joined
			case []any:
				if b, ok := theirs.([]any); ok {
					out[k] = append(slices.Clone(a), b...)
				}
			}
		}
	}
	return out
}

// typeOf gives the type and whether null is allowed; of several types the first one counts.
func typeOf(in object) (string, bool) {
	switch t := in["type"].(type) {
	case string:
		return strings.ToLower(t), false
	case []any:
		kind, null := "", false
		for _, v := range t {
			name, _ := v.(string)
			if name == "null" {
				null = true
			} else if kind == "" {
				kind = strings.ToLower(name)
			}
		}
		return kind, null
	}
	if _, ok := in["properties"]; ok {
		return "object", false
	}
	if _, ok := in["items"]; ok {
		return "array", false
	}
	return "", false
}

func enumOf(values []any) (out []any, null bool) {
	for _, v := range values {
		switch v.(type) {
		case nil:
			null = true
		default:
			if s := fmt.Sprint(v); s != "" {
				out = append(out, s)
			}
		}
	}
	return out, null
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}
