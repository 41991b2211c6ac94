// Package runtime is the wire of the runtime API: types, readers and presenters. Shapes and rules are those of the
// published contract (runtime-api.md); it asks nothing of the database.
package runtime

import "lobstead/kit/fault"

// Error is the family's error body.
type Error struct {
	Error   string `json:"error"`
	Message string `json:"message,omitempty"` // of a 401 and a 429
}

// NewError spells a fault as the family does.
func NewError(e *fault.Error) Error {
	switch {
	case e.Kind == fault.Unauthenticated:
		return Error{Error: "unauthorized", Message: "Valid API key required"}
	case e.Kind == fault.TooMany:
		return Error{Error: "rate_limit_exceeded", Message: "Too many requests, please try again later"}
	case e.Kind == fault.Internal:
		return Error{Error: "internal error"}
	case e.Kind == fault.NotFound && (e.Code == "route" || e.Detail == "Not found"):
		return Error{Error: "not found"}
	case len(e.Fields) > 0:
		return Error{Error: e.Fields[0].Message}
	}
	return Error{Error: e.Detail}
}
