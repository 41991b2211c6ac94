package clock

import (
	"context"
	"math/rand/v2"
	"time"
)

// Sleep waits, and tells whether the time went by before ctx ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// longestBackoff is how often a pause is doubled at the most.
const longestBackoff = 6

// Backoff is the pause after n failures in a row: first after one, then doubled up to sixty-four times that. It is at random
// between a half and the whole, so that what failed together does not come back together.
func Backoff(first time.Duration, n int) time.Duration {
	d := first << min(max(n-1, 0), longestBackoff)
	return d/2 + rand.N(d/2+1) //nolint:gosec // spreads attempts, no secret
}
