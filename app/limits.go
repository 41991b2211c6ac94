package app

import (
	"math"
	"strconv"

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
