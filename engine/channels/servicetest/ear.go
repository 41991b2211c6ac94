package servicetest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// Ear keeps what was heard, once for each id, as the channels do. It is safe for concurrent use.
type Ear struct {
	mu     sync.Mutex
	events []service.Event
	seen   map[string]int
	fail   int
}

// Deaf makes the next n events fail to be kept.
func (e *Ear) Deaf(n int) { e.mu.Lock(); e.fail = n; e.mu.Unlock() }

// Hear is what Listen is given.
func (e *Ear) Hear(_ context.Context, ev service.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail > 0 {
		e.fail--
		return fault.New(fault.Unavailable, "test.deaf", "the database is away")
	}
	if e.seen == nil {
		e.seen = map[string]int{}
	}
	if e.seen[ev.ID]++; e.seen[ev.ID] == 1 {
		e.events = append(e.events, ev)
	}
	return nil
}

// All gives what was heard so far; Times how often an event came.
func (e *Ear) All() []service.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]service.Event(nil), e.events...)
}

// Times tells how often an event came.
func (e *Ear) Times(id string) int { e.mu.Lock(); defer e.mu.Unlock(); return e.seen[id] }

// Wait waits for n different events.
func (e *Ear) Wait(t testing.TB, n int) []service.Event {
	t.Helper()
	Until(t, func() bool { return len(e.All()) >= n })
	all := e.All()
	require.Len(t, all, n)
	return all
}

// Until waits until something is so.
func Until(t testing.TB, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(t, "it did not come to pass")
		}
	}
}

// Listen starts listening, and stops at the test's end or by the function that it gives, which returns Listen's error.
func Listen(t testing.TB, l service.Listener, a service.Account, hear func(context.Context, service.Event) error) func() error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Listen(ctx, a, hear) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}

// Door serves Receive as a web server would, and hands its events to hear.
func Door(t testing.TB, s service.Service, a service.Account, hear func(context.Context, service.Event) error) string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := dial.ReadAll(r.Body, 1<<20)
		q := map[string]string{}
		for k := range r.URL.Query() {
			q[k] = r.URL.Query().Get(k)
		}
		got, err := s.Receive(a, service.Request{Method: r.Method, Query: q, Header: r.Header.Get, Body: body, Arrived: time.Now()})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		for _, e := range got.Events {
			if hear(r.Context(), e) != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		if got.Reply.Type != "" {
			w.Header().Set("Content-Type", got.Reply.Type)
		}
		if got.Reply.Status != 0 {
			w.WriteHeader(got.Reply.Status)
		}
		_, _ = w.Write(got.Reply.Body)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// Failures checks that what a service says of its failures becomes the fault that decides what follows, and that no error of them
// shows a secret of the account.
func Failures(t *testing.T, s service.Service, a service.Account, m service.Message, trouble *Trouble, sent func() []Sent) {
	ctx := t.Context()
	kinds := map[int]fault.Kind{500: fault.Upstream, 502: fault.Upstream, 503: fault.Upstream}
	for status, kind := range kinds {
		trouble.Fail(1, status)
		_, err := s.Send(ctx, a, m)
		require.Equal(t, kind, fault.KindOf(err), "%d: %v", status, err)
		Silent(t, a, err)
	}
	trouble.RateLimit(1, 7*time.Second)
	_, err := s.Send(ctx, a, m)
	require.Equal(t, fault.TooMany, fault.KindOf(err), "%v", err)
	require.InDelta(t, 7, time.Until(fault.As(err).RetryAt).Seconds(), 3)
	require.Empty(t, sent())

	trouble.Lose(1)
	_, err = s.Send(ctx, a, m)
	require.Contains(t, []fault.Kind{fault.Unavailable, fault.Upstream}, fault.KindOf(err), "%v", err)
	Silent(t, a, err)
	id, err := s.Send(ctx, a, m)
	require.NoError(t, err)
	require.NotEmpty(t, id)

	late, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Send(late, a, m)
	require.Error(t, err)
	Silent(t, a, err)
	away := a
	away.BaseURL = "http://127.0.0.1:1"
	_, err = s.Send(ctx, away, m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	Silent(t, a, err)
}

// Silent checks that an error shows no secret.
func Silent(t testing.TB, a service.Account, err error) {
	t.Helper()
	for name, v := range a.Values {
		require.NotContains(t, err.Error(), v.Reveal(), name)
	}
}
