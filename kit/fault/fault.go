// Package fault owns the one error type that crosses package borders.
//
// Kind decides the HTTP status, Code is stable for programs and logs, Detail is safe to show to the
// person who asked, Fields carry validation issues, Err is the cause and goes to the log only.
// The package knows nothing of HTTP: app maps kinds to statuses and families to bodies.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure it is; every edge maps it to its own spelling.
type Kind int

// The kinds, with the status that the edge gives them.
const (
	Internal        Kind = iota // 500: our own defect, Detail is never shown
	Invalid                     // 400: the request is wrong, Fields say where
	Unauthenticated             // 401: no or bad credential
	Payment                     // 402: a budget or plan limit
	Forbidden                   // 403: known principal, not allowed
	NotFound                    // 404: absent, or not yours
	Conflict                    // 409: duplicate, or wrong state
	TooLarge                    // 413: body or message over its cap
	TooMany                     // 429: rate limit
	Unavailable                 // 503: a part is down or draining, try again
	Upstream                    // 502: a provider or other service failed
	Timeout                     // 504: a deadline passed
	Full                        // 507: disk or quota
	Unclear                     // 422: well formed, and still not to be understood
)

// Error is the one error type of Lobstead.
type Error struct {
	Kind   Kind
	Code   string  // stable, dotted: "instance.limit"
	Detail string  // one sentence, safe to show
	Hint   string  // what to do now, safe to show; APIs that have no place for it leave it out
	Fields []Issue // validation issues, all at once
	Err    error   // the cause, for the log only

	RetryAt time.Time // when trying again may help; zero = nobody knows
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.Err)
	}
	return e.Code + ": " + e.Detail
}

// Hinting adds what to do now.
func (e *Error) Hinting(hint string) *Error { e.Hint = hint; return e }

// Retrying says when trying again may help: edges spell it as Retry-After.
func (e *Error) Retrying(at time.Time) *Error { e.RetryAt = at; return e }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind; detail may hold fmt verbs for args.
func New(k Kind, code, detail string, args ...any) *Error {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Error{Kind: k, Code: code, Detail: detail}
}

// Wrap is New with a cause for the log.
func Wrap(err error, k Kind, code, detail string, args ...any) *Error {
	e := New(k, code, detail, args...)
	e.Err = err
	return e
}

// NotFoundf is the answer for what is absent and for what is not yours: the two must not differ.
func NotFoundf(noun string) *Error { return New(NotFound, noun+".not_found", "Not found") }

// Is reports whether err is or wraps a fault of the kind.
func Is(err error, k Kind) bool { return KindOf(err) == k && err != nil }

// KindOf gives the kind of the first fault in the chain, Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// As gives the first fault in the chain, wrapping a foreign error as Internal.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(err, Internal, "internal", "Server error")
}
