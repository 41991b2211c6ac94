package llm

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Quota is one limit of a provider as its headers tell it.
type Quota struct {
	Limit     int // per window; 0 = not said
	Remaining int
	Reset     time.Duration // until it is whole again; 0 = not said
}

// Headroom is what a provider's answer says about the limits of the account.
type Headroom struct {
	Requests Quota
	Tokens   Quota
}

// Used is the greater share that is used up, 0–1; 0 when nothing is known.
func (h Headroom) Used() float64 { return max(h.Requests.Used(), h.Tokens.Used()) }

// Used is the share that is used up, 0–1; 0 when no limit is known.
func (q Quota) Used() float64 {
	if q.Limit <= 0 {
		return 0
	}
	return min(max(1-float64(q.Remaining)/float64(q.Limit), 0), 1)
}

// The spellings of the headers: OpenAI and those who imitate it, Anthropic, OpenRouter. %s stands for limit, remaining
// and reset. Anthropic counts input and output beside their sum: the scarcest of the three is what matters.
var (
	requestHeaders = spelled("X-Ratelimit-%s-Requests", "Anthropic-Ratelimit-Requests-%s", "X-Ratelimit-%s")
	tokenHeaders   = spelled("X-Ratelimit-%s-Tokens", "Anthropic-Ratelimit-Tokens-%s", "Anthropic-Ratelimit-Input-Tokens-%s", "Anthropic-Ratelimit-Output-Tokens-%s")
)

// limitHeaders are the three headers of one limit.
type limitHeaders struct{ limit, remaining, reset string }

func spelled(patterns ...string) (out []limitHeaders) {
	for _, p := range patterns {
		say := func(word string) string { return strings.Replace(p, "%s", word, 1) }
		out = append(out, limitHeaders{say("Limit"), say("Remaining"), say("Reset")})
	}
	return out
}

// ReadHeadroom reads the limits of an answer's headers; ok is false when they say nothing.
func ReadHeadroom(h http.Header, now time.Time) (out Headroom, ok bool) {
	out.Requests = scarcest(h, requestHeaders, now)
	out.Tokens = scarcest(h, tokenHeaders, now)
	return out, out.Requests.Limit > 0 || out.Tokens.Limit > 0
}

func scarcest(h http.Header, names []limitHeaders, now time.Time) (best Quota) {
	for _, n := range names {
		said := h.Get(n.limit)
		if said == "" {
			continue
		}
		limit, err := strconv.Atoi(said)
		if err != nil || limit <= 0 {
			continue
		}
		left, err := strconv.Atoi(h.Get(n.remaining))
		if err != nil {
			continue
		}
		q := Quota{Limit: limit, Remaining: min(max(left, 0), limit), Reset: untilReset(h.Get(n.reset), now)}
		if best.Limit == 0 || q.Used() > best.Used() {
			best = q
		}
	}
	return best
}

// untilReset reads "6m0s" and "120ms" (OpenAI), RFC 3339 (Anthropic), seconds, and a time in milliseconds (OpenRouter).
func untilReset(v string, now time.Time) time.Duration {
	if d, err := time.ParseDuration(v); err == nil {
		return limitWait(d)
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return limitWait(t.Sub(now))
	}
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil || n <= 0:
		return 0
	case n > 1e11:
		return limitWait(time.UnixMilli(int64(n)).Sub(now))
	case n > 1e8:
		return limitWait(time.Unix(int64(n), 0).Sub(now))
	}
	return limitWait(time.Duration(n * float64(time.Second)))
}

type headersKey struct{}

// WatchHeaders has f hear the headers of every answer of a provider that is asked under the returned context, refusals
// included. f is called from the goroutine that asks.
func WatchHeaders(ctx context.Context, f func(http.Header)) context.Context {
	return context.WithValue(ctx, headersKey{}, f)
}

// SawHeaders is for the adapters: it hands an answer's headers to who watches.
func SawHeaders(ctx context.Context, h http.Header) {
	if f, ok := ctx.Value(headersKey{}).(func(http.Header)); ok {
		f(h)
	}
}
