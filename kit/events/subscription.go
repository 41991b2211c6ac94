package events

import "sync"

// Subscription is a buffered channel of events of some topics. A reader that falls behind loses
// events and is told so by one Resync; it never slows a publisher.
type Subscription struct {
	c       chan Event
	mu      sync.Mutex
	buffer  int
	lagged  bool // a Resync is in the channel and nothing may follow it until it was taken
	closed  bool
	cancels []func()
}

// Subscribe listens on topics with room for buffer events (at least one). Close it when done.
func (b *Bus) Subscribe(buffer int, names ...string) *Subscription {
	buffer = max(buffer, 1)
	s := &Subscription{c: make(chan Event, buffer+1), buffer: buffer}
	for _, name := range names {
		s.cancels = append(s.cancels, b.Listen(name, s.push))
	}
	return s
}

// C gives the channel; it is closed by Close.
func (s *Subscription) C() <-chan Event { return s.c }

// Close ends the subscription; it may be called twice.
func (s *Subscription) Close() {
	for _, cancel := range s.cancels {
		cancel()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.c)
	}
}

// push never blocks. The channel has one place more than the buffer, kept for the Resync: whatever is
// dropped after the Resync was queued was published before the reader takes it, and so before it
// reads again. Only pushers add, under the lock, hence len can but shrink meanwhile.
func (s *Subscription) push(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.lagged && len(s.c) > 0 {
		return
	}
	s.lagged = false
	if len(s.c) >= s.buffer {
		s.lagged = true
		e = Event{Topic: e.Topic, Resync: true}
	}
	s.c <- e
}
