package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/jobs"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbeddedRedis(t *testing.T) {
	r, err := jobs.OpenRedis(t.Context(), secret.String{})
	require.NoError(t, err)
	require.True(t, r.Embedded())
	opt := r.Client().Options()
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, opt.Addr)

	stranger := redis.NewClient(&redis.Options{Addr: opt.Addr})
	require.ErrorContains(t, stranger.Ping(t.Context()).Err(), "NOAUTH", "loopback is not an identity")
	require.NoError(t, stranger.Close())

	require.NoError(t, r.Client().Set(t.Context(), "k", "v", time.Second).Err())
	require.Eventually(t, func() bool {
		return r.Client().Exists(context.Background(), "k").Val() == 0
	}, 10*time.Second, 50*time.Millisecond, "TTLs run")
	require.NoError(t, r.Close())
}

func TestRealRedis(t *testing.T) {
	forEach(t, func(t *testing.T, url secret.String) {
		r, err := jobs.OpenRedis(t.Context(), url)
		require.NoError(t, err)
		require.NoError(t, r.Client().Ping(t.Context()).Err())
		require.Equal(t, url.Empty(), r.Embedded())
		require.NoError(t, r.Close())
	})
}

func TestBadRedisAddressesAreExplained(t *testing.T) {
	for _, url := range []string{"localhost:6379", "http://u:hunter22@h", "redis://u:hunter22@h:notaport", "redis://u:hunter22@127.0.0.1:1"} {
		_, err := jobs.OpenRedis(t.Context(), secret.Of(url))
		require.Error(t, err, url)
		require.Contains(t, fault.As(err).Detail, "REDIS_URL", url)
		require.NotContains(t, fmt.Sprintf("%v %+v", err, err), "hunter22")
	}
}
