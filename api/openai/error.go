package openai

import (
	"cmp"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

// Error is the error body of both dialects.
type Error struct {
	Error ErrorBody `json:"error"`
}

// ErrorBody says what is wrong.
type ErrorBody struct {
	Message   string  `json:"message"`
	Type      string  `json:"type"`
	Param     *string `json:"param"`
	Code      string  `json:"code"` // stable, for programs
	RequestID string  `json:"request_id,omitempty"`
}

// The words of the two dialects for the kinds of faults.
var types = map[Dialect]map[fault.Kind]string{
	Lobstack: {fault.Unauthenticated: "auth", fault.Forbidden: "auth", fault.Payment: "quota", fault.TooMany: "quota", fault.Invalid: "validation",
		fault.NotFound: "validation", fault.Conflict: "validation", fault.TooLarge: "validation", fault.Upstream: "provider", fault.Unavailable: "provider",
		fault.Timeout: "timeout"},
	Standard: {fault.Unauthenticated: "authentication_error", fault.Forbidden: "permission_error", fault.Payment: "insufficient_quota",
		fault.TooMany: "rate_limit_error", fault.Invalid: "invalid_request_error", fault.NotFound: "invalid_request_error", fault.Conflict: "invalid_request_error",
		fault.TooLarge: "invalid_request_error"},
}

// codes are OpenAI's own, where programs look for them.
var codes = map[string]string{"unauthorized": "invalid_api_key", "llm.unknown_model": "model_not_found", "llm.context_length": "context_length_exceeded",
	"llm.content_filter": "content_filter", "limit": "rate_limit_exceeded", "llm.rate_limit": "rate_limit_exceeded"}

// NewError spells a fault; Internal ones say nothing of what went wrong.
func NewError(e *fault.Error, requestID string, d Dialect) Error {
	message, code, param := wire.Explain(e)
	out := ErrorBody{Message: message, Type: types[d][e.Kind], Code: code, RequestID: requestID}
	if out.Type == "" {
		out.Type = map[Dialect]string{Lobstack: "internal", Standard: "server_error"}[d]
	}
	if d == Standard {
		out.Code = cmp.Or(codes[code], code)
	}
	if param != "" {
		out.Param = &param
	}
	return Error{out}
}
