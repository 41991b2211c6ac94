package dial

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ErrIdle is the cause when a body stayed silent for longer than Policy.Idle.
var ErrIdle = errors.New("no data within the idle limit")

// ErrTooLarge is returned by ReadAll for a body over its cap.
var ErrTooLarge = errors.New("body over its size limit")

// New makes the guarded client of a policy. It keeps no cookies and reads no proxy from the environment.
func New(p Policy) *http.Client {
	p = p.withDefaults()
	c := &http.Client{Transport: Transport(p), CheckRedirect: p.redirect}
	return c
}

// Transport is the guarded round tripper alone, for callers that bring their own client.
// The address is judged at every dial, so redirects are judged too.
func Transport(p Policy) http.RoundTripper {
	p = p.withDefaults()
	d := &Dialer{p}
	return &guard{policy: p, next: &http.Transport{
		Proxy:                  nil, // a proxy would resolve names out of our sight
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    p.TLS,
		ResponseHeaderTimeout:  max(p.FirstByte, 0),
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64, // with fewer, as many calls at once as a busy gateway has would dial anew all the time
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

type guard struct {
	policy Policy
	next   *http.Transport
}

// RoundTrip refuses other schemes and puts the idle watch on the body.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		closeBody(r)
		return nil, &BlockedError{Host: r.URL.Host, Reason: "only http and https are allowed"}
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	res, err := g.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if w, ok := res.Body.(io.Writer); ok { // a switched protocol: its owner keeps the time
		res.Body = &upgraded{res.Body, w, cancel}
		return res, nil
	}
	res.Body = &watched{body: res.Body, ctx: ctx, cancel: cancel, idle: g.policy.Idle}
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// redirect caps the chain and lets nothing secret cross to another origin.
func (p Policy) redirect(r *http.Request, via []*http.Request) error {
	if p.Redirects < 0 {
		return http.ErrUseLastResponse
	}
	if len(via) > p.Redirects {
		return errors.New("too many redirects")
	}
	crossed := false
	for _, v := range append(via[1:len(via):len(via)], r) {
		crossed = crossed || v.URL.Scheme != via[0].URL.Scheme || !strings.EqualFold(v.URL.Host, via[0].URL.Host)
	}
	if !crossed {
		return nil
	}
	if r.Body != nil && r.Body != http.NoBody {
		return &BlockedError{Host: r.URL.Host, Reason: "a redirect would send the request body to another host"}
	}
	// net/http drops Authorization and Cookie; keys also travel as x-api-key, x-goog-api-key and the like.
	for name := range r.Header {
		if !harmless[name] {
			r.Header.Del(name)
		}
	}
	return nil
}

var harmless = map[string]bool{"Accept": true, "Accept-Language": true, "Accept-Encoding": true, "User-Agent": true,
	"Range": true, "If-None-Match": true, "If-Modified-Since": true}

// watched cuts a body that stays silent, and releases the request's context at Close.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   time.Duration
	once   sync.Once
}

func (w *watched) Read(b []byte) (int, error) {
	if w.idle > 0 {
		t := time.AfterFunc(w.idle, func() { w.cancel(ErrIdle) })
		defer t.Stop()
	}
	n, err := w.body.Read(b)
	if err != nil && err != io.EOF && errors.Is(context.Cause(w.ctx), ErrIdle) {
		err = ErrIdle
	}
	return n, err
}

func (w *watched) Close() error {
	var err error
	w.once.Do(func() { err = w.body.Close(); w.cancel(nil) })
	return err
}

type upgraded struct {
	io.ReadCloser
	io.Writer
	cancel context.CancelCauseFunc
}

func (u *upgraded) Close() error { defer u.cancel(nil); return u.ReadCloser.Close() }

// ReadAll reads a body of at most limit bytes; a longer one gives its first limit bytes and ErrTooLarge.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(b)) > limit {
		return b[:limit], ErrTooLarge
	}
	return b, err
}
