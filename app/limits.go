package app

import (
	"math"
	"strconv"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/limit"
)

var errLimit = fault.New(fault.TooMany, "limit", "Too many requests")

// take counts a try against a limit and tells the caller how it stands, in the RateLimit headers of the answer.
func (c *Ctx) take(key string, r limit.Rule) (limit.Verdict, error) {
	v := c.app.Limiter.Take(c, key, r)
	if v.Limit == 0 {
		return v, nil
	}
	c.f.Set("RateLimit-Limit", strconv.Itoa(v.Limit))
	c.f.Set("RateLimit-Remaining", strconv.Itoa(max(0, v.Remaining)))
	c.f.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(v.Reset.Seconds()))))
	if v.Allowed {
		return v, nil
	}
	c.f.Set("Retry-After", strconv.Itoa(v.RetryAfter()))
	return v, errLimit
}

// strangers is how often one address may call hooks that are not there, or without a proof that it may.
var strangers = limit.Rule{N: 60, Per: time.Minute}

// stranger counts a refused call of a hook against where it came from, whatever it named. It is counted afterwards, so that a call that
// proves itself is taken however many others did not, of the same address too: services call for everybody from the same few.
func (c *Ctx) stranger(err error) error {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Unauthenticated, fault.Forbidden, fault.Unavailable: // the last: what is switched off
		if _, over := c.take("hooks "+subscriber(c.app.address(c.f)), strangers); over != nil {
			return over
		}
	}
	return err
}
