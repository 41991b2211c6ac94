package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Issue is one validation finding, in the shape of zod v3's issue objects, which the cloud API
// publishes (contract: cloud-api.md, "Validation issue objects").
type Issue struct {
	Code       string   `json:"code"` // too_small, too_big, invalid_type, invalid_string, invalid_enum_value, custom
	Minimum    *int     `json:"minimum,omitempty"`
	Maximum    *int     `json:"maximum,omitempty"`
	Type       string   `json:"type,omitempty"`
	Inclusive  *bool    `json:"inclusive,omitempty"`
	Exact      *bool    `json:"exact,omitempty"`
	Expected   string   `json:"expected,omitempty"`
	Received   string   `json:"received,omitempty"`
	Validation string   `json:"validation,omitempty"`
	Options    []string `json:"options,omitempty"`
	Message    string   `json:"message"`
	Path       []any    `json:"path"`
}

// Issues collects findings; Err is nil when there are none.
type Issues []Issue

// Err gives nil without findings, else one Invalid fault with all of them.
func (is Issues) Err() error {
	if len(is) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "invalid", Detail: "Invalid request", Fields: is}
}

// Name is where it was found: configuration.timeout_seconds, files.delete[1]; "" for the whole.
func (i Issue) Name() string {
	var b strings.Builder
	for _, part := range i.Path {
		if n, ok := part.(int); ok {
			fmt.Fprintf(&b, "[%d]", n)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, part)
	}
	return b.String()
}

// Renamed gives err with the issues of a field under the name by which the caller sent it.
func Renamed(err error, from, to string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	out := *e
	out.Fields = slices.Clone(e.Fields)
	for n, i := range out.Fields {
		if len(i.Path) > 0 && i.Path[0] == from {
			out.Fields[n].Path = append([]any{to}, i.Path[1:]...)
		}
	}
	return &out
}

// Required notes an absent field.
func (is *Issues) Required(path, expected string) {
	is.add(Issue{Code: "invalid_type", Expected: expected, Received: "undefined", Message: "Required"}, path)
}

// WrongType notes a value of another JSON type.
func (is *Issues) WrongType(path, expected, received string) {
	is.add(Issue{Code: "invalid_type", Expected: expected, Received: received,
		Message: fmt.Sprintf("Expected %s, received %s", expected, received)}, path)
}

// TooSmall notes a string with fewer than min characters.
func (is *Issues) TooSmall(path string, min int) {
	yes, no := true, false
	is.add(Issue{Code: "too_small", Minimum: &min, Type: "string", Inclusive: &yes, Exact: &no,
		Message: fmt.Sprintf("String must contain at least %d character(s)", min)}, path)
}

// TooBig notes a string with more than max characters.
func (is *Issues) TooBig(path string, max int) {
	yes, no := true, false
	is.add(Issue{Code: "too_big", Maximum: &max, Type: "string", Inclusive: &yes, Exact: &no,
		Message: fmt.Sprintf("String must contain at most %d character(s)", max)}, path)
}

// NumberTooSmall notes a number below min.
func (is *Issues) NumberTooSmall(path string, min int) {
	yes, no := true, false
	is.add(Issue{Code: "too_small", Minimum: &min, Type: "number", Inclusive: &yes, Exact: &no,
		Message: fmt.Sprintf("Number must be greater than or equal to %d", min)}, path)
}

// NumberTooBig notes a number above max.
func (is *Issues) NumberTooBig(path string, max int) {
	yes, no := true, false
	is.add(Issue{Code: "too_big", Maximum: &max, Type: "number", Inclusive: &yes, Exact: &no,
		Message: fmt.Sprintf("Number must be less than or equal to %d", max)}, path)
}

// BadString notes a string that fails a check: "regex" or "email".
func (is *Issues) BadString(path, validation string) {
	msg := "Invalid"
	if validation == "email" {
		msg = "Invalid email"
	}
	is.add(Issue{Code: "invalid_string", Validation: validation, Message: msg}, path)
}

// NotOneOf notes a value outside its enumeration.
func (is *Issues) NotOneOf(path, received string, options ...string) {
	msg := "Invalid enum value. Expected "
	for i, o := range options {
		if i > 0 {
			msg += " | "
		}
		msg += "'" + o + "'"
	}
	is.add(Issue{Code: "invalid_enum_value", Options: options, Received: received,
		Message: fmt.Sprintf("%s, received '%s'", msg, received)}, path)
}

// Custom notes a finding in our own words, for rules that zod has no code for.
func (is *Issues) Custom(path, message string) {
	is.add(Issue{Code: "custom", Message: message}, path)
}

func (is *Issues) add(i Issue, path string) {
	i.Path = []any{}
	if path != "" {
		i.Path = []any{path}
	}
	*is = append(*is, i)
}
