package limit_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/limit"
	"lobstead/kit/testservices"
)

func each(t *testing.T, f func(t *testing.T, a, b *limit.Limiter)) {
	quiet := slog.New(slog.DiscardHandler)
	open := func(url string) func(t *testing.T) *limit.Limiter {
		return func(t *testing.T) *limit.Limiter {
			o, err := redis.ParseURL(url)
			require.NoError(t, err)
			c := redis.NewClient(o)
			t.Cleanup(func() { _ = c.Close() })
			return limit.New(c, quiet)
		}
	}
	t.Run("Redis", func(t *testing.T) { o := open(testservices.Redis(t)); f(t, o(t), o(t)) })
	t.Run("embedded", func(t *testing.T) { o := open("redis://" + miniredis.RunT(t).Addr()); f(t, o(t), o(t)) })
	t.Run("alone", func(t *testing.T) { l := open("redis://127.0.0.1:1")(t); f(t, l, l) })
}

func TestExactlySoMany(t *testing.T) {
	each(t, func(t *testing.T, a, b *limit.Limiter) {
		var allowed atomic.Int64
		var wait sync.WaitGroup
		for n := range 300 {
			wait.Go(func() {
				l := a
				if n%2 == 1 {
					l = b
				}
				if v := l.Take(context.Background(), "k", limit.Rule{N: 100, Per: time.Minute}); v.Allowed {
					allowed.Add(1)
				} else if v.RetryAfter() < 1 || v.RetryAfter() > 60 || v.Remaining != 0 {
					t.Errorf("%+v", v)
				}
			})
		}
		wait.Wait()
		require.EqualValues(t, 100, allowed.Load())
		require.True(t, a.Take(t.Context(), "other", limit.Rule{N: 1, Per: time.Minute}).Allowed)
	})
}

func TestWhatIsOldCountsNoMore(t *testing.T) {
	each(t, func(t *testing.T, a, _ *limit.Limiter) {
		r := limit.Rule{N: 2, Per: 500 * time.Millisecond}
		for n := range 20 { // on a slow machine the first may be old before the third is tried
			key, began := "k"+strconv.Itoa(n), time.Now()
			first := a.Take(t.Context(), key, r)
			require.True(t, first.Allowed)
			require.Equal(t, 1, first.Remaining)
			require.True(t, a.Take(t.Context(), key, r).Allowed)
			third := a.Take(t.Context(), key, r)
			if time.Since(began) >= r.Per {
				continue
			}
			require.False(t, third.Allowed)
			time.Sleep(third.Reset + 20*time.Millisecond)
			require.True(t, a.Take(t.Context(), key, r).Allowed)
			return
		}
		t.Fatal("three tries took longer than the span, twenty times")
	})
}

func TestUndoneTriesDoNotCount(t *testing.T) {
	each(t, func(t *testing.T, a, _ *limit.Limiter) {
		r := limit.Rule{N: 1, Per: time.Minute}
		for range 3 {
			v := a.Take(t.Context(), "k", r)
			require.True(t, v.Allowed)
			v.Undo(t.Context())
		}
		require.True(t, a.Take(t.Context(), "k", limit.Rule{}).Allowed, "0 is no limit")
	})
}
