package when

import (
	"sync"
	"time"
)

// tick asks for the next time of a cron expression in a zone after a second: times are whole seconds, so all moments of one
// have the same answer. Zones are told by their address: clock.Zone gives one for each name.
type tick struct {
	expr  string
	zone  *time.Location
	after int64
}

// ticks keeps the latest answers. Thousands of schedules are due at the same second, with the same few expressions, and reading
// one takes longer than all else that is computed for a run.
var ticks tickCache

type tickCache struct {
	mu    sync.Mutex
	known map[tick]time.Time
}

// mostTicks bounds the cache; beyond, it begins anew.
const mostTicks = 4096

func (c *tickCache) of(t tick) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.known[t]
	return at, ok
}

func (c *tickCache) note(t tick, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= mostTicks {
		c.known = map[tick]time.Time{}
	}
	c.known[t] = at
}
