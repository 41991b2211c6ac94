package chaostest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// Redis is emptied again and again while instances come up and turns run: all of it completes.
func TestRedisIsEmptied(t *testing.T) {
	address := testservices.Redis(t)
	opt, err := redis.ParseURL(address)
	require.NoError(t, err)
	flusher := redis.NewClient(opt)
	t.Cleanup(func() { _ = flusher.Close() })
	h := newHouse(t, "", "REDIS_URL="+address)
	h.web("serve")
	var stop atomic.Bool
	var all sync.WaitGroup
	flushes := 0
	all.Go(func() {
		for !stop.Load() {
			require.NoError(t, flusher.FlushDB(t.Context()).Err())
			flushes++
			time.Sleep(7 * time.Millisecond)
		}
	})
	var agents []string
	for n := range rounds(4) {
		agents = append(agents, h.create(fmt.Sprintf("a%d", n)))
	}
	for n, agent := range agents {
		require.NotEmpty(t, h.open(agent, message(fmt.Sprintf("f%d", n))))
	}
	b := h.book()
	b.settled(40 * time.Second)
	stop.Store(true)
	all.Wait()
	t.Logf("emptied %d times", flushes)
	b.audit()
	for n, agent := range agents {
		require.Equal(t, 1, h.effects(agent, "effects")[fmt.Sprintf("f%d-c", n)])
	}
}

// Redis dies and comes back empty: pages answer all the time, and everything completes.
func TestRedisDies(t *testing.T) {
	server := testservices.RedisServer(t)
	h := newHouse(t, "", "REDIS_URL="+server.URL)
	h.web("serve")
	agent := h.create("one")
	for n := range rounds(1) {
		first := h.open(agent, fmt.Sprintf("run `echo d%[1]d-a >> effects; sleep 1`, then run `echo d%[1]d-b >> effects`", n))
		require.NotEmpty(t, first)
		require.Eventually(t, func() bool { return h.effects(agent, "effects")[fmt.Sprintf("d%d-a", n)] == 1 }, 20*time.Second, 5*time.Millisecond)
		server.Kill()
		slowest := time.Duration(0)
		for _, path := range []string{"/", "/instances", "/instances/" + agent, "/chat/" + first, "/settings/models", "/readyz"} {
			began := time.Now()
			code, _ := h.ask("GET", path, nil, "text/html")
			require.Equal(t, 200, code, path)
			slowest = max(slowest, time.Since(began))
		}
		began := time.Now()
		second := h.open(agent, fmt.Sprintf("run `echo d%d-c >> effects`", n))
		require.NotEmpty(t, second, "a message without Redis")
		t.Logf("without Redis: slowest page %s, a message %s", slowest, time.Since(began))
		require.Less(t, slowest, 5*time.Second)
		h.book().settled(60 * time.Second)
		t.Logf("turns ended %s after Redis died", time.Since(began))
		began = time.Now()
		code, out := h.json("POST", "/api/instances", map[string]string{"name": fmt.Sprintf("w%d", n), "region": "local", "tier": "STARTER"})
		require.Equal(t, 201, code, "%v", out)
		t.Logf("an instance was accepted after %s", time.Since(began))
		server.Start()
		id, _ := out["id"].(string)
		h.runs(id)
		require.Contains(t, h.chat(id, "run `echo back`"), "back")
	}
	h.book().audit()
	h.onceEach(agent)
}
