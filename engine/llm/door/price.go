package door

import (
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

// Price gives what a usage costs on a route, in nano-dollars; false when nobody knows its price.
func (r Route) Price(u llm.Usage, day time.Time) (int64, bool) { return r.cost(u, day), r.Priced() }

// Price gives what the same usage would have cost without a router; false when nobody knows.
func (b *Baseline) Price(u llm.Usage, day time.Time) (int64, bool) {
	if b == nil {
		return 0, false
	}
	return b.route.Price(u, day)
}

// of is what a call would have cost without a router: a failed attempt nothing, since that would have had none. One that was
// cut off is not compared.
func (b *Baseline) of(failure string, u llm.Usage, day time.Time) *int64 {
	n, ok := b.Price(u, day)
	if !ok || failure == models.CancelledCall {
		return nil
	}
	if failure != "" {
		n = 0
	}
	return &n
}
