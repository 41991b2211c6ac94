package chaostest

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// A thousand requests at once, half to each of two web processes: exactly as many as the key may are answered.
func TestLimitsHoldOverProcesses(t *testing.T) {
	h := newHouse(t, "", "DATABASE_URL="+testservices.Postgres(t), "REDIS_URL="+testservices.Redis(t), "LIMIT_REQUESTS=100")
	h.web("web")
	addrs := []string{h.addr}
	h.addr = "127.0.0.1:0"
	h.web("web")
	addrs = append(addrs, h.addr)
	require.NotEqual(t, addrs[0], addrs[1])
	var answered, refused, other atomic.Int64
	var wait sync.WaitGroup
	room := make(chan struct{}, 200) // connections at once
	for n := range 1000 {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			r, err := http.NewRequest("GET", "http://"+addrs[n%2]+"/api/settings", nil)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Authorization", "Bearer "+h.key)
			resp, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			switch {
			case resp.StatusCode == http.StatusOK:
				answered.Add(1)
			case resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") != "":
				refused.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	wait.Wait()
	require.Equal(t, []int64{100, 900, 0}, []int64{answered.Load(), refused.Load(), other.Load()})
}
