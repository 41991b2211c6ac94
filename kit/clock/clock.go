// Package clock is the one source of the current time, so that tests can move it.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time, in UTC, to the millisecond: what every database column and API field keeps.
type Clock interface{ Now() time.Time }

// Real is the system's clock.
var Real Clock = system{}

type system struct{}

func (system) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Fake is a clock that moves only when told; safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake starts a fake clock at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC().Truncate(time.Millisecond)} }

// Now gives the fake time.
func (f *Fake) Now() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now }

// Add moves the clock, also backwards.
func (f *Fake) Add(d time.Duration) { f.mu.Lock(); f.now = f.now.Add(d); f.mu.Unlock() }
