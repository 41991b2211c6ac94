package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"lobstead/kit/fault"
)

// What the bodies of model services have in common, whoever's words they are in.

// Object reads a body that is to be a JSON object, by field. Faults are Invalid: body.utf8, body.json.
func Object(body []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, fault.New(fault.Invalid, "body.utf8", "The body is not valid UTF-8")
	}
	out := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "body.json", "The body is not a JSON object")
	}
	return out, nil
}

// IsObject tells whether a piece of JSON is an object.
func IsObject(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }

var headerName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Unread names the fields that nobody reads, in order and fit for a header, since names are the caller's: 50 at most. What is
// null was not sent.
func Unread(fields map[string]json.RawMessage, known ...string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if headerName.MatchString(name) && !slices.Contains(known, name) && string(fields[name]) != "null" && len(out) < 50 {
			out = append(out, name)
		}
	}
	return out
}

// BadParam is the fault about one parameter: Invalid, invalid_value, with one issue at the parameter.
func BadParam(param, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: text, Fields: fault.Issues{{Code: "custom", Path: []any{param}, Message: text}}}
}

// Explain is what a caller hears of a fault: the sentence, which names the parameter, with its hint; the stable code; and the
// parameter, "" for none. Internal faults say nothing of what went wrong.
func Explain(e *fault.Error) (message, code, param string) {
	if e.Kind == fault.Internal {
		return "Server error", "internal", ""
	}
	message = e.Detail
	if len(e.Fields) > 0 {
		message = e.Fields[0].Message
		if path := e.Fields[0].Path; len(path) > 0 {
			param = fmt.Sprint(path[0])
		}
		if !strings.Contains(message, param) {
			message = param + ": " + message
		}
	}
	if e.Hint != "" {
		message += ". " + e.Hint
	}
	return message, e.Code, param
}
