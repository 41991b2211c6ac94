package chaostest

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/sse"
)

// reader follows one conversation as a browser does: it comes back with its cursor after each end.
type reader struct {
	h       *house
	session string
	mu      sync.Mutex
	seen    map[int]int // entries of the log, by number
	cursor  string
	ended   chan struct{}
}

var entryID = regexp.MustCompile(`id="ev-(\d+)"`)

func (h *house) follow(session string) *reader {
	r := &reader{h: h, session: session, seen: map[int]int{}, cursor: "0", ended: make(chan struct{})}
	done := make(chan struct{})
	h.t.Cleanup(func() { close(done); <-r.ended })
	go func() {
		defer close(r.ended)
		for {
			select {
			case <-done:
				return
			default:
				r.once(done)
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	return r
}

func (r *reader) once(done chan struct{}) {
	ctx, cancel := within(5 * time.Minute)
	defer cancel()
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	q, err := http.NewRequestWithContext(ctx, "GET", "http://"+r.h.addr+"/live/chat/"+r.session+"?after="+r.cursor, nil)
	if err != nil {
		return
	}
	q.Header.Set("Authorization", "Bearer "+r.h.key)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	events := sse.NewReader(resp.Body, sse.Limits{})
	for {
		e, err := events.Next()
		if err != nil {
			return
		}
		r.mu.Lock()
		for _, m := range entryID.FindAllStringSubmatch(e.Data, -1) {
			n, _ := strconv.Atoi(m[1])
			r.seen[n]++
		}
		if e.ID != "" {
			r.cursor = e.ID
		}
		r.mu.Unlock()
	}
}

func (r *reader) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// A server that is asked to stop does so within ten seconds, and readers notice nothing but a pause.
func TestStopsInTime(t *testing.T) {
	h := newHouse(t, "")
	p := h.web("serve")
	agent := h.create("one")
	for n := range rounds(2) {
		var readers []*reader
		for m := range 6 {
			seconds := []string{"0.05", "0.3", "1", "30"}[m%4]
			session := h.open(agent, fmt.Sprintf("run `echo s%[1]d-%[2]d-a >> effects; sleep %[3]s`, then run `echo s%[1]d-%[2]d-b >> effects`", n, m, seconds))
			require.NotEmpty(t, session)
			readers = append(readers, h.follow(session), h.follow(session))
		}
		time.Sleep(time.Duration(n%3) * 150 * time.Millisecond)
		began := time.Now()
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
		}
		require.False(t, p.running(), "it does not stop")
		require.NoError(t, p.err, "the status of a stop is 0")
		took := time.Since(began)
		t.Logf("stopped after %s", took)
		require.Less(t, took, 10*time.Second)
		require.Empty(t, h.processes(), "sandboxes of a server that has stopped")
		p = h.web("serve")
		b := h.book()
		b.settled(60 * time.Second)
		b.audit()
		for _, r := range readers {
			want := number(t, b.one(`SELECT CAST(last_seq AS TEXT) FROM sessions WHERE id = '`+r.session+`'`))
			require.Eventually(t, func() bool { return r.count() >= want }, 10*time.Second, 10*time.Millisecond, "a reader misses entries: %d of %d", r.count(), want)
		}
		time.Sleep(200 * time.Millisecond) // for what would come twice
		for _, r := range readers {
			r.mu.Lock()
			for seq, times := range r.seen {
				require.Equal(t, 1, times, "entry %d of %s came so often", seq, r.session)
			}
			r.mu.Unlock()
		}
	}
	h.onceEach(agent)
}
