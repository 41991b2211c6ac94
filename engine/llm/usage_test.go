package llm_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
)

func TestUsageIsBounded(t *testing.T) {
	good := llm.Usage{Input: 900, Output: 50, CacheRead: 800, Reasoning: 20}
	require.Equal(t, good, good.Bounded(100, 128_000, 0, 40), "what can be true stays as it is")
	for name, c := range map[string]struct{ in, want llm.Usage }{
		"negative":    {llm.Usage{Input: -5, Output: -7}, llm.Usage{Input: 100, Output: 10, Estimated: true}},
		"absurd":      {llm.Usage{Input: 1 << 40, Output: 1 << 40}, llm.Usage{Input: 8000, Output: 500, Estimated: true}},
		"parts":       {llm.Usage{Input: 100, Output: 10, CacheRead: 90, CacheWrite: 90, Reasoning: 99}, llm.Usage{Input: 100, Output: 10, CacheRead: 90, CacheWrite: 10, Reasoning: 10, Estimated: true}},
		"minus parts": {llm.Usage{Input: 100, Output: 10, CacheRead: -90}, llm.Usage{Input: 100, Output: 10, Estimated: true}},
	} {
		require.Equal(t, c.want, c.in.Bounded(100, 8000, 500, 40), name)
	}
}

func FuzzUsageIsBounded(f *testing.F) {
	f.Add(1, 2, 3, 4, 5, 100, 1000, 10, 7)
	f.Fuzz(func(t *testing.T, in, out, read, write, reason, estimate, window, limit, seen int) {
		estimate, window, limit, seen = abs(estimate), abs(window), abs(limit), abs(seen)
		u := llm.Usage{Input: in, Output: out, CacheRead: read, CacheWrite: write, Reasoning: reason}.Bounded(estimate, window, limit, seen)
		for _, n := range []int{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.Reasoning} {
			require.GreaterOrEqual(t, n, 0)
		}
		require.LessOrEqual(t, u.Input, max(window, 2*estimate))
		require.LessOrEqual(t, u.CacheRead+u.CacheWrite, u.Input)
		require.LessOrEqual(t, u.Reasoning, u.Output)
	})
}

func abs(n int) int { return min(max(n, -n), 1<<40) & (1<<40 - 1) }

func TestHeadroom(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	read := func(pairs ...string) llm.Headroom {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		out, _ := llm.ReadHeadroom(h, now)
		return out
	}
	h := read("x-ratelimit-limit-requests", "100", "x-ratelimit-remaining-requests", "4", "x-ratelimit-reset-requests", "6m0s",
		"x-ratelimit-limit-tokens", "1000", "x-ratelimit-remaining-tokens", "900", "x-ratelimit-reset-tokens", "120ms")
	require.Equal(t, llm.Quota{Limit: 100, Remaining: 4, Reset: 6 * time.Minute}, h.Requests)
	require.Equal(t, 120*time.Millisecond, h.Tokens.Reset)
	require.InDelta(t, 0.96, h.Used(), 1e-9)
	h = read("anthropic-ratelimit-tokens-limit", "1000", "anthropic-ratelimit-tokens-remaining", "900", "anthropic-ratelimit-tokens-reset", "2026-11-22T10:00:30Z",
		"anthropic-ratelimit-output-tokens-limit", "100", "anthropic-ratelimit-output-tokens-remaining", "1", "anthropic-ratelimit-output-tokens-reset", "2026-11-22T10:00:10Z")
	require.Equal(t, llm.Quota{Limit: 100, Remaining: 1, Reset: 10 * time.Second}, h.Tokens, "the scarcest counts")
	h = read("X-RateLimit-Limit", "20", "X-RateLimit-Remaining", "-3", "X-RateLimit-Reset", "1795341620000")
	require.Equal(t, 20, h.Requests.Limit)
	require.InDelta(t, 1, h.Used(), 0)
	_, ok := llm.ReadHeadroom(http.Header{"X-Ratelimit-Limit-Requests": {"many"}}, now)
	require.False(t, ok)
	require.Zero(t, read("x-ratelimit-limit-tokens", "9", "x-ratelimit-remaining-tokens", "9", "x-ratelimit-reset-tokens", "soon").Tokens.Reset)
}
