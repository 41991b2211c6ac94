package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"lobstead/kit/clock"
)

func TestSleepEndsWithItsContext(t *testing.T) {
	assert.True(t, clock.Sleep(t.Context(), time.Millisecond))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.False(t, clock.Sleep(ctx, time.Hour))
}

func TestBackoff(t *testing.T) {
	for n, whole := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: 64 * time.Second, 1 << 30: 64 * time.Second} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := clock.Backoff(time.Second, n)
			assert.True(t, d >= whole/2 && d <= whole, "%d: %s", n, d)
			seen[d] = true
		}
		assert.Greater(t, len(seen), 1, "they do not come back together")
	}
}
