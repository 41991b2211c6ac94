package fleet

import (
	"strings"

	"lobstead/kit/fault"
)

// Error is the family's error body.
type Error struct {
	Error string `json:"error"`
}

// The family's fixed words (fleet-api.md, section 1).
const (
	missingHeader = "Missing authorization header"
	badToken      = "Invalid or expired token"
	notEnabled    = "AI Agents feature is not enabled"
)

// NewError spells a fault as the family does: one sentence. anonymous tells that the caller sent no credential at all.
func NewError(e *fault.Error, anonymous bool) Error {
	switch e.Kind {
	case fault.Unauthenticated:
		switch {
		case strings.HasPrefix(e.Code, "trigger.") || strings.HasPrefix(e.Code, "sign_in.") || e.Code == "service.signature": // no Bearer is asked for
			return Error{e.Detail}
		case anonymous:
			return Error{missingHeader}
		}
		return Error{badToken}
	case fault.Internal:
		return Error{"Internal server error"}
	case fault.TooMany:
		if e.Code == "limit" {
			return Error{"Rate limit exceeded"}
		}
	case fault.NotFound:
		if e.Detail == "Not found" {
			return Error{named(e.Code) + " not found"}
		}
	}
	if e.Code == "agents.off" {
		return Error{notEnabled}
	}
	if len(e.Fields) > 0 {
		return Error{field(e.Fields[0])}
	}
	return Error{e.Detail}
}

// named says what was not found in the family's words; a row without a name is what every path begins with.
func named(code string) string {
	noun, _, _ := strings.Cut(code, ".")
	switch noun {
	case "schedule", "trigger", "file", "directory", "message", "archive", "organization", "channel":
		return strings.ToUpper(noun[:1]) + noun[1:]
	case "route":
		return "Route"
	}
	return "Agent"
}

// field is the first thing that a validation found, with the field's name where the words do not have it.
func field(i fault.Issue) string {
	name := i.Name()
	if name == "" || strings.Contains(i.Message, name[strings.LastIndexByte(name, '.')+1:]) {
		return i.Message
	}
	return name + ": " + i.Message
}
