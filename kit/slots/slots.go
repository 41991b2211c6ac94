// Package slots owns "so many at once" within one process: places that are taken and given back. It must not know what is
// done in them; limits that hold over several processes are kit/limit's.
package slots

import (
	"context"
	"sync"
)

// Slots are places; the first use makes them, so the zero value is ready. It must not be copied after that.
type Slots struct {
	once   sync.Once
	places chan struct{}
}

// of makes n places, once; every call is to name the same n, at least 1.
func (s *Slots) of(n int) chan struct{} {
	s.once.Do(func() { s.places = make(chan struct{}, n) })
	return s.places
}

// Take waits for one of n places; free gives it back and is to be called once. The error is ctx's: nothing was taken then,
// even when a place is free.
func (s *Slots) Take(ctx context.Context, n int) (free func(), err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	places := s.of(n)
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Spare tells whether one of n places is free at this moment.
func (s *Slots) Spare(n int) bool {
	places := s.of(n)
	return len(places) < cap(places)
}
