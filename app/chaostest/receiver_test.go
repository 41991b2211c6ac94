package chaostest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

// receiver is a server outside that is told of what happens, at an address that is reliable, one that fails, and one that
// does not answer. It keeps every call that it has read, whatever it answered.
type receiver struct {
	t      testing.TB
	server *httptest.Server
	places map[string]*place // by path
	left   chan struct{}     // closed at the end: nothing hangs any more
}

type place struct {
	mu     sync.Mutex
	signed *standardwebhooks.Webhook
	answer func(n int, w http.ResponseWriter) bool // to the nth call; false: nobody knows whether it was taken
	calls  []told
}

type told struct {
	id, body, event, turn string
	taken                 bool
}

// receive opens the three addresses as endpoints. seldom is how many calls lie between two failures.
func (h *house) receive(seldom int) *receiver {
	h.t.Helper()
	r := &receiver{t: h.t, places: map[string]*place{}, left: make(chan struct{})}
	r.server = httptest.NewServer(r)
	h.t.Cleanup(r.server.Close)
	h.t.Cleanup(func() { close(r.left) })
	always := func(int, http.ResponseWriter) bool { return true }
	fails := func(n int, w http.ResponseWriter) bool {
		switch n % seldom {
		case 7:
			w.WriteHeader(http.StatusInternalServerError)
		case 17, 27:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 37: // it was read, and then the connection broke
			panic(http.ErrAbortHandler)
		default:
			return true
		}
		return false
	}
	hangs := func(n int, w http.ResponseWriter) bool {
		if n%(5*seldom) != 20 {
			return true
		}
		select {
		case <-r.left:
		case <-time.After(25 * time.Second): // longer than anybody waits
		}
		return false
	}
	for name, answer := range map[string]func(int, http.ResponseWriter) bool{"/always": always, "/fails": fails, "/hangs": hangs} {
		secret := whsec.FindString(h.inPerson("/settings/webhooks", url.Values{"name": {name[1:]}, "url": {r.server.URL + name}, "private": {"true"}, "active": {"true"},
			"events": {"message.completed", "message.failed", "run.failed"}}))
		signed, err := standardwebhooks.NewWebhook(secret)
		require.NoError(h.t, err)
		r.places[name] = &place{signed: signed, answer: answer}
	}
	return r
}

var whsec = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]{32}`)

// ServeHTTP is one call.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	p := r.places[q.URL.Path]
	body, err := io.ReadAll(q.Body)
	if err != nil || p == nil { // it was cut off: nobody has read it
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if err := p.signed.Verify(body, q.Header); err != nil {
		r.t.Errorf("a call that is not signed as it must be: %v", err)
	}
	var said struct {
		Type string `json:"type"`
		Data struct {
			Turn string `json:"turn_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		r.t.Errorf("a call that cannot be read: %v", err)
	}
	p.mu.Lock()
	n := len(p.calls)
	p.calls = append(p.calls, told{q.Header.Get("Webhook-Id"), string(body), said.Type, said.Data.Turn, false})
	p.mu.Unlock()
	if p.answer(n, w) {
		p.mu.Lock()
		p.calls[n].taken = true
		p.mu.Unlock()
	}
}

// toldAll waits until nothing is on its way, and holds what came against the database: each message that was answered was taken at each
// address, all calls about it had one id and one body, to the byte, and nothing else was told.
func (h *house) toldAll(r *receiver) {
	t, b := h.t, h.book()
	t.Helper()
	last := time.Now()
	require.Eventually(t, func() bool {
		n := b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM deliveries WHERE state = 'pending'`)
		if time.Since(last) > 20*time.Second {
			last = time.Now()
			t.Logf("%s calls are on their way", n)
		}
		return n == "0"
	}, 5*time.Minute, 100*time.Millisecond, "calls are left")
	require.Equal(t, "0", b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM deliveries WHERE state <> 'sent'`), "calls that nobody took")
	answered := map[string]bool{}
	for _, row := range b.rows(`SELECT turn_id FROM events WHERE kind = 'turn_ended' AND data ->> 'state' = 'done'`) {
		answered[row[0]] = true
	}
	require.NotEmpty(t, answered)
	rows := map[string]string{} // ids to payloads
	for _, row := range b.rows(`SELECT idempotency_key, payload FROM deliveries WHERE kind = 'webhook'`) {
		rows[row[0]] = row[1]
	}
	require.Equal(t, len(answered)*len(r.places), len(rows), "one row for each message and address")
	calls := 0
	for path, p := range r.places {
		p.mu.Lock()
		ids, taken := map[string]string{}, map[string]bool{}
		for _, c := range p.calls {
			require.Equal(t, "message.completed", c.event)
			require.True(t, answered[c.turn], "%s was told of a message that has no answer", path)
			if first, known := ids[c.turn]; known {
				require.Equal(t, first, c.id, "%s was told of one message under two ids", path)
			}
			ids[c.turn] = c.id
			require.Equal(t, rows[c.id], c.body, "another body than the first time")
			taken[c.turn] = taken[c.turn] || c.taken
		}
		for turn := range answered {
			require.True(t, taken[turn], "%s did not hear of the message %s", path, turn)
		}
		t.Logf("%s: %d calls about %d messages", path, len(p.calls), len(ids))
		calls += len(p.calls)
		p.mu.Unlock()
	}
	t.Logf("%d messages, each told at %d addresses under one id and with one body, by %d calls", len(answered), len(r.places), calls)
}
