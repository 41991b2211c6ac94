// Package call has what the clients of the services share: how a failed request becomes a fault, and how an attachment is
// fetched without reading more than we take. It knows no service.
package call

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// Failed turns what a client says of a request that got no answer into a fault: Timeout, Invalid for an address that may not be
// reached, else Unavailable. The address is taken out of the error: some services have tokens in theirs.
func Failed(name string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	switch {
	case dial.IsBlocked(err):
		return fault.Wrap(err, fault.Invalid, "service.address", "The address of %s may not be reached", name)
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fault.Wrap(err, fault.Timeout, "service.timeout", "%s did not answer in time", name)
	}
	return fault.Wrap(err, fault.Unavailable, "service.unavailable", "%s cannot be reached", name)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// Refused turns a status into a fault; nil below 300.
func Refused(name string, status int, h http.Header) error {
	switch {
	case status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		return Limited(name, After(h, time.Now()))
	case status == http.StatusUnauthorized:
		return Rejected(name)
	case status == http.StatusForbidden:
		return fault.New(fault.Forbidden, "service.forbidden", "%s does not allow this", name)
	case status == http.StatusNotFound || status == http.StatusGone:
		return fault.New(fault.NotFound, "service.gone", "%s does not find this any more", name)
	case status == http.StatusRequestTimeout:
		return fault.New(fault.Timeout, "service.timeout", "%s did not answer in time", name)
	case status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.Invalid, "service.too_large", "%s does not take anything so large", name)
	case status >= 500:
		return fault.New(fault.Upstream, "service.failed", "%s has a problem of its own (status %d)", name, status)
	}
	return fault.New(fault.Invalid, "service.refused", "%s refuses this (status %d)", name, status)
}

// Limited is a rate limit that ends at a time.
func Limited(name string, at time.Time) error {
	return fault.New(fault.TooMany, "service.limited", "%s asks us to wait", name).Retrying(at)
}

// Rejected says that the account's credentials are refused.
func Rejected(name string) error {
	return fault.New(fault.Unauthenticated, "service.credentials", "%s refuses the credentials of this channel", name).
		Hinting("Give it a new token.")
}

// Signature says that a request does not prove to be the service's; proof is what was to prove it, a header or a parameter.
func Signature(proof string) error {
	return fault.New(fault.Unauthenticated, "service.signature", "The request is not the service's: %s is missing or wrong", proof)
}

// After reads Retry-After, in seconds with or without a fraction; half a minute when the service does not say.
func After(h http.Header, now time.Time) time.Time {
	s, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || s < 0 || s > 24*60*60 {
		s = 30
	}
	return now.Add(time.Duration(s * float64(time.Second)))
}
