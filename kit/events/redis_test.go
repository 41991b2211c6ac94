package events_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/events"
	"lobstead/kit/testservices"
)

// server is a Redis that a test may flush, stop and start again at the same address.
type server struct {
	opt         *redis.Options
	stop, start func()
}

// servers gives the embedded Redis, a real one of our own when the program is there, and the one that
// REDIS_URL_TEST names, which is flushed but not stopped.
func servers(t *testing.T, f func(t *testing.T, s server)) {
	t.Run("miniredis", func(t *testing.T) {
		m, opt := mini(t)
		f(t, server{opt, m.Close, func() { require.NoError(t, m.Restart()) }})
	})
	t.Run("redis", func(t *testing.T) {
		s := testservices.RedisServer(t)
		opt, err := redis.ParseURL(s.URL)
		require.NoError(t, err)
		f(t, server{opt, s.Kill, s.Start})
	})
	if url, ok := os.LookupEnv("REDIS_URL_TEST"); ok {
		t.Run("url", func(t *testing.T) {
			opt, err := redis.ParseURL(url)
			require.NoError(t, err)
			f(t, server{opt: opt})
		})
	}
}

func TestTwoBusesHearEachOtherOnce(t *testing.T) {
	servers(t, func(t *testing.T, srv server) {
		a, b := open(t, srv.opt), open(t, srv.opt)
		sa, sb := a.Subscribe(8, "x"), b.Subscribe(8, "x")
		defer sa.Close()
		defer sb.Close()
		payload := "binary \x00\xff " + strings.Repeat("y", 1000)
		a.Publish(t.Context(), "x", []byte(payload))
		require.Equal(t, payload, string(next(t, sa).Payload))
		require.Equal(t, payload, string(next(t, sb).Payload))
		b.Publish(t.Context(), "x", []byte("back"))
		require.Equal(t, "back", string(next(t, sb).Payload))
		require.Equal(t, "back", string(next(t, sa).Payload), "no echo of the first came between")
	})
}

func TestRestartOfRedisAsksForResync(t *testing.T) {
	servers(t, func(t *testing.T, srv server) {
		if srv.stop == nil {
			t.Skip("a foreign server is not stopped")
		}
		a, b := open(t, srv.opt), open(t, srv.opt)
		sa, sb := a.Subscribe(64, "x"), b.Subscribe(64, "x")
		defer sa.Close()
		defer sb.Close()
		srv.stop()
		began := time.Now()
		a.Publish(t.Context(), "x", []byte("while away"))
		require.NoError(t, a.AppendPart(t.Context(), events.Part{Turn: "t", Text: "kept"}))
		require.Less(t, time.Since(began), time.Second, "a publisher never waits for Redis")
		require.Equal(t, "while away", string(next(t, sa).Payload))
		ps, err := a.Parts(t.Context(), "t", 0)
		require.NoError(t, err)
		require.Len(t, ps, 1)
		_, err = b.Parts(t.Context(), "t", 0)
		require.Error(t, err)
		srv.start()
		require.True(t, next(t, sb).Resync, "the hint was lost, and b is told")
		require.Eventually(t, func() bool {
			a.Publish(t.Context(), "x", []byte("again"))
			for {
				select {
				case e := <-sb.C():
					if string(e.Payload) == "again" {
						return true
					}
				default:
					return false
				}
			}
		}, 10*time.Second, 50*time.Millisecond)
	})
}

func TestRedisThatComesLateIsJoined(t *testing.T) {
	servers(t, func(t *testing.T, srv server) {
		if srv.stop == nil {
			t.Skip("a foreign server is not stopped")
		}
		srv.stop()
		b := open(t, srv.opt)
		s := b.Subscribe(8, "x")
		defer s.Close()
		srv.start()
		require.True(t, next(t, s).Resync)
	})
}
