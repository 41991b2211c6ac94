package events

import (
	"sync"
	"sync/atomic"
)

// topics maps a topic to those who listen. A listener costs a few words and no goroutine.
type topics struct {
	mu sync.RWMutex
	m  map[string]*topic
}

type topic struct {
	mu   sync.Mutex
	set  map[*listener]struct{}
	list []*listener // set as a slice, made anew by the first delivery after a change
}

type listener struct {
	f    func(Event)
	gone atomic.Bool
}

// Listen calls f for each event of the topic, in the goroutine of the publisher: f must be quick, must
// not block and must expect concurrent calls. It may cancel. After cancel no new call starts; one
// that runs already may still end. Cancel may be called twice.
func (b *Bus) Listen(name string, f func(Event)) (cancel func()) {
	l := &listener{f: f}
	b.topics.add(name, l)
	return func() {
		if !l.gone.Swap(true) {
			b.topics.remove(name, l)
		}
	}
}

func (ts *topics) add(name string, l *listener) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.m[name]
	if t == nil {
		t = &topic{set: map[*listener]struct{}{}}
		if ts.m == nil {
			ts.m = map[string]*topic{}
		}
		ts.m[name] = t
	}
	t.mu.Lock()
	t.set[l], t.list = struct{}{}, nil
	t.mu.Unlock()
}

func (ts *topics) remove(name string, l *listener) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.m[name]
	if t == nil {
		return
	}
	t.mu.Lock()
	delete(t.set, l)
	t.list = nil
	empty := len(t.set) == 0
	t.mu.Unlock()
	if empty {
		delete(ts.m, name)
	}
}

func (ts *topics) deliver(e Event) {
	ts.mu.RLock()
	t := ts.m[e.Topic]
	ts.mu.RUnlock()
	if t != nil {
		t.deliver(e)
	}
}

func (ts *topics) has(name string) bool {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.m[name] != nil
}

// resync asks every listener of every topic to read again.
func (ts *topics) resync() {
	ts.mu.RLock()
	all := make(map[string]*topic, len(ts.m))
	for name, t := range ts.m {
		all[name] = t
	}
	ts.mu.RUnlock()
	for name, t := range all {
		t.deliver(Event{Topic: name, Resync: true})
	}
}

// deliver calls the listeners without a lock held, so that they may listen and cancel.
func (t *topic) deliver(e Event) {
	t.mu.Lock()
	if t.list == nil {
		t.list = make([]*listener, 0, len(t.set))
		for l := range t.set {
			t.list = append(t.list, l)
		}
	}
	list := t.list
	t.mu.Unlock()
	for _, l := range list {
		if !l.gone.Load() {
			l.f(e)
		}
	}
}
