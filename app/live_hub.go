package app

import (
	"context"
	"sync"
	"time"

	"lobstead/kit/secret"
	"lobstead/models"
)

// liveHub keeps the open event streams. A stream is a hijacked connection without a goroutine of its own: an
// idle one costs its socket and a small struct. A hint wakes it, then one goroutine brings it up to date from
// the database and goes away again. A reader that does not read holds up nobody but itself.
type liveHub struct {
	app    *App
	mu     sync.Mutex
	open   map[*stream]struct{}
	turns  map[string]*liveTurn
	checks map[string]checked
	render chan struct{} // bounds how many streams read and render at once
	done   chan struct{}
	once   sync.Once
	pumps  sync.WaitGroup
}

const (
	heartbeat   = 15 * time.Second
	beatRound   = time.Second            // every second a part of the streams gets its heartbeat
	checkLife   = 400 * time.Millisecond // a revoked credential is cut off in less than a second
	writeWait   = 20 * time.Second
	minPause    = 40 * time.Millisecond // at most 25 patches a second
	leastPause  = 2 * time.Millisecond  // between those that come at once
	burst       = 6                     // that many may
	renderSlots = 32
)

type checked struct {
	p   *models.Principal
	err error
	at  time.Time
}

func newLiveHub(a *App) *liveHub {
	h := &liveHub{app: a, open: map[*stream]struct{}{}, turns: map[string]*liveTurn{}, checks: map[string]checked{},
		render: make(chan struct{}, renderSlots), done: make(chan struct{})}
	go h.beat()
	return h
}

// count is how many streams are open.
func (h *liveHub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

func (h *liveHub) add(s *stream) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.done:
		return false
	default:
	}
	h.open[s] = struct{}{}
	return true
}

// enter counts somebody whom close waits for; false when it has begun. Who entered calls pumps.Done.
func (h *liveHub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.done:
		return false
	default:
		h.pumps.Add(1)
		return true
	}
}

func (h *liveHub) remove(s *stream) {
	h.mu.Lock()
	delete(h.open, s)
	h.mu.Unlock()
}

// close ends every stream; browsers come back by themselves, to this process's successor.
func (h *liveHub) close() {
	h.once.Do(func() { close(h.done) })
	h.mu.Lock()
	all := make([]*stream, 0, len(h.open))
	for s := range h.open {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		s.close()
	}
	h.pumps.Wait()
}

// beat wakes every stream that was silent for a while, a part of them each second.
func (h *liveHub) beat() {
	t := time.NewTicker(beatRound)
	defer t.Stop()
	for {
		select {
		case <-h.done:
			return
		case now := <-t.C:
			h.mu.Lock()
			for s := range h.open {
				if now.Sub(s.lastWrite()) > heartbeat-beatRound {
					s.wake(wakeBeat)
				}
			}
			for k, c := range h.checks {
				if now.Sub(c.at) > checkLife {
					delete(h.checks, k)
				}
			}
			h.mu.Unlock()
		}
	}
}

// credential is what a stream was opened with; it is asked again before every patch.
type credential struct {
	token  secret.String
	bearer bool
}

// who resolves a credential; streams of one person share an answer for a moment.
func (h *liveHub) who(ctx context.Context, c credential, fresh bool) (*models.Principal, error) {
	key := secret.Hash(c.token.Reveal())
	h.mu.Lock()
	known, ok := h.checks[key]
	h.mu.Unlock()
	if ok && !fresh && time.Since(known.at) < checkLife {
		return known.p, known.err
	}
	var p *models.Principal
	var err error
	system := h.app.Store.AsSystem("who is streaming")
	if c.bearer {
		p, err = system.ByAPIKey(ctx, c.token, "")
	} else {
		p, err = system.BySignIn(ctx, c.token)
	}
	h.mu.Lock()
	h.checks[key] = checked{p, err, time.Now()}
	h.mu.Unlock()
	return p, err
}
