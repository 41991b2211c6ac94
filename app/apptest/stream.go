package apptest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/sse"
)

// Stream is an open event stream that is being read.
type Stream struct {
	t      testing.TB
	Events chan sse.Event
	Done   chan struct{} // closed when the server ended it
	resp   *http.Response
}

var streaming = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// Open opens a stream as a browser does.
func (w *World) Open(path string, who *Person) *Stream {
	w.T.Helper()
	resp, err := streaming.Do(w.Request(Call{Method: "GET", Path: path, Who: who, Header: map[string]string{"Accept": "text/event-stream"}}))
	require.NoError(w.T, err)
	require.Equal(w.T, 200, resp.StatusCode, path)
	require.Equal(w.T, "text/event-stream", resp.Header.Get("Content-Type"), path)
	s := &Stream{t: w.T, Events: make(chan sse.Event, 10000), Done: make(chan struct{}), resp: resp}
	w.T.Cleanup(s.Close)
	go s.read()
	return s
}

func (s *Stream) read() {
	defer close(s.Done)
	for r := sse.NewReader(s.resp.Body, sse.Limits{}); ; {
		e, err := r.Next()
		if err != nil {
			return
		}
		s.Events <- e
	}
}

// Close leaves.
func (s *Stream) Close() { _ = s.resp.Body.Close() }

// Until reads until an event holds the words, and gives all that came.
func (s *Stream) Until(words string) []sse.Event {
	s.t.Helper()
	out := []sse.Event{}
	late := time.After(30 * time.Second)
	for {
		select {
		case e := <-s.Events:
			out = append(out, e)
			if strings.Contains(e.Data, words) || e.Name == words {
				return out
			}
		case <-late:
			s.t.Fatalf("nothing with %q came, but %d events", words, len(out))
		}
	}
}

// Quiet gives what comes within a while.
func (s *Stream) Quiet(d time.Duration) []sse.Event {
	out := []sse.Event{}
	end := time.After(d)
	for {
		select {
		case e := <-s.Events:
			out = append(out, e)
		case <-end:
			return out
		}
	}
}

// Ended waits for the end of the stream and tells how long that took.
func (s *Stream) Ended(most time.Duration) time.Duration {
	s.t.Helper()
	began := time.Now()
	select {
	case <-s.Done:
	case <-time.After(most):
		s.t.Fatalf("the stream is open after %s", most)
	}
	return time.Since(began)
}
