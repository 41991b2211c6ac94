// Package wire is what all API families share: reading a body field by field with every issue at once, and
// how times are written. It must not know a family's spelling.
package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lobstead/kit/fault"
)

// Fields is a request body as named values; its readers note what is wrong in Issues.
type Fields struct {
	values map[string]any
	lists  map[string][]string // all values of a form's field: checkboxes of one name
	form   bool                // values are text: "on" is true, "" is absent
	Issues fault.Issues
}

// FromJSON reads a JSON object. Anything else is fault.Invalid; an empty body is an empty object.
func FromJSON(body []byte) (*Fields, error) {
	f := &Fields{values: map[string]any{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	if !utf8.Valid(body) {
		return nil, fault.New(fault.Invalid, "body.utf8", "Invalid request").Hinting("The body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "body.json", "Invalid request").Hinting("The body is not valid JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "body.json", "Invalid request").Hinting("The body holds more than one JSON value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		f.Issues.WrongType("", "object", kindOf(v))
		return nil, f.Issues.Err()
	}
	f.values = object
	return f, nil
}

// FromForm reads the values of a form.
func FromForm(values url.Values) *Fields {
	f := &Fields{values: map[string]any{}, lists: map[string][]string{}, form: true}
	for k, v := range values {
		if len(v) > 0 {
			f.values[k] = v[len(v)-1]
			f.lists[k] = v
		}
	}
	return f
}

// Has tells whether a field was sent.
func (f *Fields) Has(name string) bool {
	v, ok := f.values[name]
	return ok && (!f.form || v != "")
}

// String reads a required text.
func (f *Fields) String(name string) (string, bool) {
	if _, ok := f.values[name]; !ok {
		f.Issues.Required(name, "string")
		return "", false
	}
	s, ok := f.OptionalString(name)
	if !ok {
		return "", false
	}
	return *s, true
}

// OptionalString reads a text that may be absent (nil, true). false means that an issue was noted.
func (f *Fields) OptionalString(name string) (*string, bool) {
	v, ok := f.values[name]
	if !ok {
		return nil, true
	}
	s, ok := v.(string)
	if !ok {
		f.Issues.WrongType(name, "string", kindOf(v))
		return nil, false
	}
	if f.form {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		f.Issues.BadString(name, "utf8")
		return nil, false
	}
	return &s, true
}

// Text is OptionalString where absent and empty are the same.
func (f *Fields) Text(name string) string {
	if s, _ := f.OptionalString(name); s != nil {
		return *s
	}
	return ""
}

// Enum reads a required word of an enumeration; false means that an issue was noted.
func (f *Fields) Enum(name string, options ...string) (string, bool) {
	v, ok := f.values[name]
	if !ok {
		f.Issues.Required(name, union(options))
		return "", false
	}
	s, ok := v.(string)
	if !ok {
		f.Issues.WrongType(name, union(options), kindOf(v))
		return "", false
	}
	if !slices.Contains(options, s) {
		f.Issues.NotOneOf(name, s, options...)
		return "", false
	}
	return s, true
}

// union is how zod names the type of an enumeration.
func union(options []string) string { return "'" + strings.Join(options, "' | '") + "'" }

// OptionalBool reads a boolean that may be absent.
func (f *Fields) OptionalBool(name string) *bool {
	v, ok := f.values[name]
	if !ok {
		return nil
	}
	if s, text := v.(string); text && f.form {
		b := s == "on" || s == "true" || s == "1"
		return &b
	}
	b, ok := v.(bool)
	if !ok {
		f.Issues.WrongType(name, "boolean", kindOf(v))
		return nil
	}
	return &b
}

// OptionalInt reads a whole number that may be absent or, in a form, empty; bounds are inclusive.
func (f *Fields) OptionalInt(name string, min, max int) *int {
	v, ok := f.values[name]
	if s, text := v.(string); text && f.form {
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		v = json.Number(s)
	}
	if !ok {
		return nil
	}
	number, ok := v.(json.Number)
	if !ok {
		f.Issues.WrongType(name, "number", kindOf(v))
		return nil
	}
	x, err := number.Float64()
	switch {
	case err != nil && !f.form, x != x:
		f.Issues.WrongType(name, "number", "nan")
	case err != nil:
		f.Issues.WrongType(name, "number", "string")
	case x != math.Trunc(x):
		f.Issues.WrongType(name, "integer", "float")
	case x < float64(min):
		f.Issues.NumberTooSmall(name, min)
	case x > float64(max):
		f.Issues.NumberTooBig(name, max)
	default:
		n := int(x)
		return &n
	}
	return nil
}

// OptionalStrings reads an array of texts that may be absent.
func (f *Fields) OptionalStrings(name string) []string {
	v, ok := f.values[name]
	if !ok {
		return nil
	}
	if f.form {
		return f.lists[name]
	}
	list, ok := v.([]any)
	if !ok {
		f.Issues.WrongType(name, "array", kindOf(v))
		return nil
	}
	out, before := make([]string, 0, len(list)), len(f.Issues)
	for n, x := range list {
		s, ok := x.(string)
		if !ok {
			f.Issues.WrongType(name, "string", kindOf(x))
			f.Issues[len(f.Issues)-1].Path = []any{name, n}
		}
		out = append(out, s)
	}
	if len(f.Issues) > before {
		return nil
	}
	return out
}

// Err gives all issues as one fault, nil without any.
func (f *Fields) Err() error { return f.Issues.Err() }

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number, float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// Time is how every API writes a moment: UTC with milliseconds and Z.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// TimeOrNull is Time of a moment that may not have come.
func TimeOrNull(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := Time(*t)
	return &s
}

// Set gives a field that the path names already.
func (f *Fields) Set(name string, v any) { f.values[name] = v }

// StringMap reads a required object whose values are texts.
func (f *Fields) StringMap(name string) map[string]string {
	v, ok := f.values[name]
	if !ok {
		f.Issues.Required(name, "object")
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		f.Issues.WrongType(name, "object", kindOf(v))
		return nil
	}
	inner := &Fields{values: object}
	out := map[string]string{}
	for key := range object {
		if s, ok := inner.OptionalString(key); ok {
			out[key] = *s
		}
	}
	f.Take(name, inner)
	return out
}

// Null tells whether a field was sent as null.
func (f *Fields) Null(name string) bool {
	v, ok := f.values[name]
	return ok && v == nil
}

// Object reads an object that may be absent (nil). Issues of its fields are noted in it; Take them back with its name.
func (f *Fields) Object(name string) *Fields {
	v, ok := f.values[name]
	if !ok {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		f.Issues.WrongType(name, "object", kindOf(v))
		return nil
	}
	return &Fields{values: object}
}

// Objects reads an array of objects that may be absent (nil).
func (f *Fields) Objects(name string) []*Fields {
	v, ok := f.values[name]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		f.Issues.WrongType(name, "array", kindOf(v))
		return nil
	}
	out := []*Fields{}
	for n, x := range list {
		object, ok := x.(map[string]any)
		if !ok {
			f.Issues.WrongType(name, "object", kindOf(x))
			f.Issues[len(f.Issues)-1].Path = []any{name, n}
			continue
		}
		out = append(out, &Fields{values: object})
	}
	return out
}

// Take notes the issues of an inner object under its name.
func (f *Fields) Take(name string, inner *Fields) {
	for _, i := range inner.Issues {
		i.Path = append([]any{name}, i.Path...)
		f.Issues = append(f.Issues, i)
	}
}

// Values are the fields as they were sent: numbers as json.Number.
func (f *Fields) Values() map[string]any { return f.values }
