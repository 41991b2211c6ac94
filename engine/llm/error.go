package llm

import (
	"errors"
	"fmt"
	"time"

	"lobstead/kit/fault"
)

// ErrorKind says what went wrong with a call, in one vocabulary for all providers.
type ErrorKind string

// The kinds. Retryable ones may succeed on the same provider later; for the others another provider may help.
const (
	KindAuth          ErrorKind = "auth"           // the key is missing, wrong, or not allowed
	KindRateLimit     ErrorKind = "rate_limit"     // too fast: wait RetryAfter
	KindQuota         ErrorKind = "quota"          // the account has no credit left
	KindOverloaded    ErrorKind = "overloaded"     // the provider is full
	KindBadRequest    ErrorKind = "bad_request"    // the request is wrong, or the address is not allowed
	KindContextLength ErrorKind = "context_length" // the conversation is too long: compact it
	KindContentFilter ErrorKind = "content_filter" // refused by a safety filter
	KindNotFound      ErrorKind = "not_found"      // no such model or path
	KindTimeout       ErrorKind = "timeout"        // no answer in time
	KindNetwork       ErrorKind = "network"        // no connection, or cut in the middle
	KindUpstream      ErrorKind = "upstream"       // the provider failed, or sent what nobody can read
	KindCancelled     ErrorKind = "cancelled"      // the caller stopped
)

// Error is the one error of a stream. Message is the provider's own text, capped and without keys.
type Error struct {
	Kind       ErrorKind
	Status     int // of the HTTP answer, 0 when there was none
	Provider   string
	Message    string
	RetryAfter time.Duration // 0 = not said
	Retryable  bool
	Err        error // the cause, for the log
}

func (e *Error) Error() string {
	if e.Status > 0 {
		return fmt.Sprintf("%s: %s (status %d): %s", e.Provider, e.Kind, e.Status, e.Message)
	}
	return fmt.Sprintf("%s: %s: %s", e.Provider, e.Kind, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// As lets errors.As and fault.As see the fault in an Error.
func (e *Error) As(target any) bool {
	f, ok := target.(**fault.Error)
	if ok {
		*f = e.Fault()
	}
	return ok
}

var faults = map[ErrorKind]struct {
	kind fault.Kind
	say  string
}{
	// A refused provider key is not the visitor's missing login.
	KindAuth:          {fault.Upstream, "%s refused the key"},
	KindRateLimit:     {fault.TooMany, "%s limits the rate of requests"},
	KindQuota:         {fault.Payment, "the account at %s has no credit left"},
	KindOverloaded:    {fault.Unavailable, "%s is overloaded"},
	KindBadRequest:    {fault.Invalid, "%s refused the request"},
	KindContextLength: {fault.TooLarge, "the conversation is too long for the model at %s"},
	KindContentFilter: {fault.Invalid, "%s refused the content"},
	KindNotFound:      {fault.NotFound, "%s does not know this model"},
	KindTimeout:       {fault.Timeout, "%s did not answer in time"},
	KindNetwork:       {fault.Upstream, "the connection to %s failed"},
	KindUpstream:      {fault.Upstream, "%s failed"},
	KindCancelled:     {fault.Unavailable, "the call to %s was cancelled"},
}

// Fault gives the error in the vocabulary of the edges; its code is "llm." and the kind.
func (e *Error) Fault() *fault.Error {
	f, ok := faults[e.Kind]
	if !ok {
		f = faults[KindUpstream]
	}
	detail := fmt.Sprintf(f.say, e.Provider)
	if e.Message != "" {
		detail += ": " + e.Message
	}
	return &fault.Error{Kind: f.kind, Code: "llm." + string(e.Kind), Detail: detail, Err: e.Err}
}

// Fail makes an Error; whether it is retryable follows from the kind.
func Fail(provider string, k ErrorKind, message string, cause error) *Error {
	return &Error{Kind: k, Provider: provider, Message: Clean(message, ""), Err: cause, Retryable: retryable(k)}
}

func retryable(k ErrorKind) bool {
	switch k {
	case KindRateLimit, KindOverloaded, KindTimeout, KindNetwork, KindUpstream:
		return true
	}
	return false
}

// AsError gives the *Error in a chain; a foreign error becomes an upstream one.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: KindUpstream, Provider: "provider", Message: "the call failed", Err: err, Retryable: true}
}

// KindOf gives the kind of an error of this package, "" for others.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
