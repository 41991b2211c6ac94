// Package wire owns what the three adapters share: one POST that answers with an event stream, its clocks,
// and the typed errors of everything that can fail in it. It knows no provider's format, and it is for
// the adapters of engine/llm only.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/dial"
	"lobstead/kit/sse"
)

// Timeouts are the clocks of one call; connecting is the client's own.
type Timeouts struct {
	First time.Duration // from the request to the first event; 0 = 180 s: a local model may have to load
	Idle  time.Duration // between two reads; 0 = 120 s
}

const (
	errorCap = 64 << 10 // of a refusal's body
	bodyCap  = 32 << 20 // of an answer that is not a stream
)

var (
	errFirst = errors.New("no first token in time")
	errIdle  = errors.New("the stream went silent")

	// ErrStop is what an event handler returns when the reader of the stream has left.
	ErrStop = errors.New("the reader has left")
)

// Service is one provider's address and manners.
type Service struct {
	Provider string // for errors
	Client   *http.Client
	Key      func() string                   // read for each request, never kept; nil = none
	Auth     func(h http.Header, key string) // puts the key where the provider wants it
	Header   map[string]string               // sent with each request
	Timeouts Timeouts
}

// NewClient is the guarded client of a provider. Silence is watched here, per event, and not by the client;
// a model API that redirects is misconfigured, and is told so instead of followed.
func NewClient(p dial.Policy) *http.Client {
	p.FirstByte, p.Idle, p.Redirects = -1, -1, -1
	return dial.New(p)
}

func (s *Service) key() string {
	if s.Key == nil {
		return ""
	}
	return s.Key()
}

func (s *Service) request(ctx context.Context, method, target string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, llm.Fail(s.Provider, llm.KindBadRequest, "the base URL is not valid", err)
	}
	r.Header.Set("User-Agent", "lobstead")
	r.Header.Set("Accept-Encoding", "identity") // compressing proxies hold events back
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range s.Header {
		r.Header.Set(k, v)
	}
	if k := s.key(); k != "" && s.Auth != nil {
		s.Auth(r.Header, k)
	}
	return r, nil
}

// Get reads a JSON document.
func (s *Service) Get(ctx context.Context, target string, into any) error {
	return s.document(ctx, http.MethodGet, target, nil, into)
}

// Post sends one and reads the answer.
func (s *Service) Post(ctx context.Context, target string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return llm.Fail(s.Provider, llm.KindBadRequest, "the request cannot be written as JSON", err)
	}
	return s.document(ctx, http.MethodPost, target, b, into)
}

func (s *Service) document(ctx context.Context, method, target string, body []byte, into any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errFirst)
	defer cancel()
	r, err := s.request(ctx, method, target, body)
	if err != nil {
		return err
	}
	res, err := s.Client.Do(r)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer res.Body.Close()
	llm.SawHeaders(ctx, res.Header)
	if res.StatusCode != http.StatusOK {
		return s.refused(ctx, res)
	}
	b, err := dial.ReadAll(res.Body, bodyCap)
	if err != nil {
		return s.failed(ctx, err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return llm.Fail(s.Provider, llm.KindUpstream, "the answer is not the expected JSON", err)
	}
	return nil
}

// Stream posts a JSON body and hands each event on; it returns nil when the stream ended. A handler that
// returns io.EOF ends the stream early. An answer that is plain JSON arrives as one event.
func (s *Service) Stream(ctx context.Context, target string, body any, on func(sse.Event) error) error {
	b, err := json.Marshal(body)
	if err != nil {
		return llm.Fail(s.Provider, llm.KindBadRequest, "the request cannot be written as JSON", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	first := time.AfterFunc(or(s.Timeouts.First, 180*time.Second), func() { cancel(errFirst) })
	defer first.Stop()
	r, err := s.request(ctx, http.MethodPost, target, b)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/event-stream, application/json")
	res, err := s.Client.Do(r)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer res.Body.Close()
	llm.SawHeaders(ctx, res.Header)
	if res.StatusCode != http.StatusOK {
		return s.refused(ctx, res)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "application/json" {
		return s.whole(ctx, res.Body, on)
	}
	return s.events(ctx, &watch{in: res.Body, cancel: cancel}, first, on)
}

// events hands on what arrives. One clock at a time: first until the first event, then that of silence.
func (s *Service) events(ctx context.Context, body *watch, first *time.Timer, on func(sse.Event) error) error {
	in := sse.NewReader(body, sse.Limits{})
	for {
		e, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF) && !json.Valid([]byte(e.Data)) && e.Data != "[DONE]":
			return llm.Fail(s.Provider, llm.KindNetwork, "the stream was cut in the middle", err)
		case errors.Is(err, sse.ErrTooLong):
			return llm.Fail(s.Provider, llm.KindUpstream, "the stream has a line that is too long", err)
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
			return s.failed(ctx, err)
		}
		first.Stop()
		body.limit = or(s.Timeouts.Idle, 120*time.Second)
		if err := on(e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return s.scrub(err)
		}
	}
}

// scrub takes the key out of an error that a provider sent inside its stream.
func (s *Service) scrub(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		e.Message = llm.Clean(e.Message, s.key())
	}
	return err
}

// whole reads an answer of a server that does not stream.
func (s *Service) whole(ctx context.Context, in io.Reader, on func(sse.Event) error) error {
	b, err := dial.ReadAll(in, bodyCap)
	if err != nil {
		return s.failed(ctx, err)
	}
	if err := on(sse.Event{Data: string(b)}); err != nil && !errors.Is(err, io.EOF) {
		return s.scrub(err)
	}
	return nil
}

// refused reads the body of an error status.
func (s *Service) refused(ctx context.Context, res *http.Response) error {
	b, err := dial.ReadAll(res.Body, errorCap)
	if err != nil && len(b) == 0 && ctx.Err() != nil {
		return s.failed(ctx, err)
	}
	e := llm.FromResponse(s.Provider, res.StatusCode, res.Header, b, s.key())
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		e.Kind, e.Retryable = llm.KindBadRequest, false
		e.Message = "the base URL redirects elsewhere; give the final address"
	}
	return e
}

// failed gives the typed error of a broken connection.
func (s *Service) failed(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the URL is no news to the reader
	}
	say := func(k llm.ErrorKind, format string, args ...any) error {
		return llm.Fail(s.Provider, k, llm.Clean(fmt.Sprintf(format, args...), s.key()), err)
	}
	cause := context.Cause(ctx)
	var netErr net.Error
	switch {
	case errors.Is(cause, errFirst), errors.Is(cause, errIdle):
		return say(llm.KindTimeout, "%v", cause)
	case errors.Is(cause, context.DeadlineExceeded):
		return say(llm.KindTimeout, "the deadline passed")
	case cause != nil:
		return say(llm.KindCancelled, "the call was stopped")
	case dial.IsBlocked(err):
		return say(llm.KindBadRequest, "%v", err)
	case errors.As(err, &netErr) && netErr.Timeout():
		return say(llm.KindTimeout, "%v", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return say(llm.KindNetwork, "the connection was cut in the middle")
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return say(llm.KindNetwork, "no safe connection: %v", err)
	}
	return say(llm.KindNetwork, "%v", err)
}

// watch cancels the call when one read takes longer than the limit. Only reads count: a reader that takes its
// time with what it got is not the provider's silence.
type watch struct {
	in     io.Reader
	limit  time.Duration // 0 = none yet
	cancel context.CancelCauseFunc
	clock  *time.Timer
}

func (w *watch) Read(b []byte) (int, error) {
	if w.limit == 0 {
		return w.in.Read(b)
	}
	if w.clock == nil {
		w.clock = time.AfterFunc(w.limit, func() { w.cancel(errIdle) })
	} else {
		w.clock.Reset(w.limit)
	}
	defer w.clock.Stop()
	return w.in.Read(b)
}

func or(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}
