// Package servicetest has what the test servers of the services share: trouble on demand, and what every implementation of
// service.Service must do.
package servicetest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"lobstead/engine/channels/service"
)

// Sent is a message that a test server took.
type Sent struct {
	ID      string
	Peer    string
	Thread  string // or the message that it answers, where the service has no threads
	Text    string
	Buttons []service.Button
	File    *service.Upload
	Edits   int    // how often it was changed
	Key     string // by which the server tells repetitions, as it came
}

// Trouble makes the next requests to a test server go wrong. Its methods are safe for concurrent use.
type Trouble struct {
	mu      sync.Mutex
	next    []fate
	Limited func(w http.ResponseWriter, after time.Duration) // spells a rate limit; nil = 429 with Retry-After
}

type fate struct {
	status int
	after  time.Duration
	lose   bool
}

// Fail answers the next n requests with a status and no sense.
func (t *Trouble) Fail(n, status int) { t.add(n, fate{status: status}) }

// RateLimit answers the next n requests with the service's rate limit.
func (t *Trouble) RateLimit(n int, after time.Duration) {
	t.add(n, fate{status: http.StatusTooManyRequests, after: after})
}

// Lose carries the next n requests out, and cuts the line before the answer.
func (t *Trouble) Lose(n int) { t.add(n, fate{lose: true}) }

func (t *Trouble) add(n int, f fate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range n {
		t.next = append(t.next, f)
	}
}

func (t *Trouble) take() (fate, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.next) == 0 {
		return fate{}, false
	}
	f := t.next[0]
	t.next = t.next[1:]
	return f, true
}

// Wrap puts the trouble in front of a handler.
func (t *Trouble) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := t.take()
		switch {
		case !ok:
			h.ServeHTTP(w, r)
		case f.lose:
			h.ServeHTTP(httptest.NewRecorder(), r)
			Hangup(w)
		case f.status == http.StatusTooManyRequests && t.Limited != nil:
			t.Limited(w, f.after)
		default:
			if f.after > 0 {
				w.Header().Set("Retry-After", seconds(f.after))
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(f.status)
			_, _ = w.Write([]byte("<html><body>" + http.StatusText(f.status) + "</body></html>"))
		}
	})
}

// Hangup cuts a request's connection without an answer.
func Hangup(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
