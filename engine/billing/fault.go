package billing

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/stripe/stripe-go/v85"

	"lobstead/kit/fault"
)

// upstream spells an error of Stripe for the person who asked: the reason is the operator's business and goes to the
// log.
func upstream(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Timeout, "billing.timeout", "Stripe did not answer in time").Hinting("Try again in a moment")
	}
	return fault.Wrap(err, fault.Upstream, "billing.stripe", "Stripe could not do this").Hinting("Try again; the server's log has the reason")
}

// missing tells whether Stripe knows no such thing.
func missing(err error) bool {
	e, ok := errors.AsType[*stripe.Error](err)
	return ok && (e.HTTPStatusCode == http.StatusNotFound || e.Code == stripe.ErrorCodeResourceMissing)
}

// address checks where Stripe sends a browser: a web page, and nothing that a browser would run.
func address(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", fault.New(fault.Upstream, "billing.address", "Stripe gave no address to go to").Hinting("Try again in a moment")
	}
	return s, nil
}
