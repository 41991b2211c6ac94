package dial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/dial"
)

// names answers each lookup of a host with the next list, the last one for ever.
type names map[string][][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	lists := n[host]
	if len(lists) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(lists) > 1 {
		n[host] = lists[1:]
	}
	var out []netip.Addr
	for _, a := range lists[0] {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

func TestRebindingAndMixedAnswersAreRefused(t *testing.T) {
	port, hits := private(t)
	// 127.0.0.2 plays the public address: allowed, and nobody listens. The second answer must be judged afresh.
	n := names{"rebind.example": {{"127.0.0.2"}, {"127.0.0.1"}}, "mixed.example": {{"127.0.0.2", "127.0.0.1"}},
		"v6.example": {{"::1"}}, "mapped.example": {{"::ffff:127.0.0.1"}}}
	c := dial.New(dial.Policy{Resolver: n, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	_, err := c.Get("http://rebind.example:" + port + "/")
	require.ErrorContains(t, err, "refused")
	for _, h := range []string{"rebind.example", "mixed.example", "v6.example", "mapped.example"} {
		_, err = c.Get("http://" + h + ":" + port + "/")
		require.True(t, dial.IsBlocked(err), "%s: %v", h, err)
	}
	require.Zero(t, hits.Load())
}

func TestOnlyTheJudgedAddressIsDialled(t *testing.T) {
	port, hits := private(t)
	n := names{"once.example": {{"127.0.0.1"}, {"10.0.0.1"}}}
	c := dial.New(dial.Policy{Resolver: n, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	res, err := c.Get("http://once.example:" + port + "/")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, int64(1), hits.Load())
	require.Len(t, n["once.example"], 1, "one lookup a dial")
}

// front is a server that the policy allows, and that redirects wherever its query says.
func front(t *testing.T, seen *http.Header) (*httptest.Server, *http.Client) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			code := http.StatusFound
			if r.Method == http.MethodPost {
				code = http.StatusTemporaryRedirect
			}
			http.Redirect(w, r, to, code)
			return
		}
		if seen != nil {
			*seen = r.Header.Clone()
		}
	}))
	t.Cleanup(s.Close)
	n := names{"front.example": {{"127.0.0.1"}}, "other.example": {{"127.0.0.1"}}, "inner.example": {{"127.0.0.1"}}}
	return s, dial.New(dial.Policy{Resolver: n, AllowHosts: []string{"Front.example.", "other.example"}})
}

func TestRedirectsAreJudged(t *testing.T) {
	port, hits := private(t)
	s, c := front(t, nil)
	_, fp, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, target := range []string{"http://127.0.0.1:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://inner.example:" + port,
		"http://localhost:" + port, "http://2130706433:" + port, "file:///etc/passwd", "gopher://127.0.0.1:" + port, "//127.0.0.1:" + port} {
		_, err := c.Get("http://front.example:" + fp + "/?to=" + url.QueryEscape(target))
		require.Error(t, err, target)
	}
	require.Zero(t, hits.Load())

	loop := "http://front.example:" + fp + "/?to="
	chain := ""
	for range 7 {
		chain = loop + url.QueryEscape(chain)
	}
	_, err := c.Get(chain)
	require.ErrorContains(t, err, "too many redirects")
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	var seen http.Header
	s, c := front(t, &seen)
	_, fp, _ := net.SplitHostPort(s.Listener.Addr().String())
	get := func(target string) {
		r, err := http.NewRequest(http.MethodGet, "http://front.example:"+fp+"/?to="+url.QueryEscape(target), nil)
		require.NoError(t, err)
		for k, v := range map[string]string{"Authorization": "Bearer k", "X-Api-Key": "k", "X-Goog-Api-Key": "k", "Cookie": "k=1", "Accept": "text/html"} {
			r.Header.Set(k, v)
		}
		res, err := c.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	get("http://other.example:" + fp + "/")
	for _, k := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie", "Referer"} {
		require.Empty(t, seen.Get(k), k)
	}
	require.Equal(t, "text/html", seen.Get("Accept"))
	get("http://front.example:" + fp + "/same")
	require.Equal(t, "k", seen.Get("X-Api-Key"))
	get("http://other.example:" + fp + "/?to=" + url.QueryEscape("http://front.example:"+fp+"/"))
	require.Empty(t, seen.Get("X-Api-Key"), "a foreign host may not send us home with the key")

	_, err := c.Post("http://front.example:"+fp+"/?to="+url.QueryEscape("http://other.example:"+fp), "text/plain", strings.NewReader("secret"))
	require.True(t, dial.IsBlocked(err), "%v", err)
}

func TestNoRedirectsAndSchemes(t *testing.T) {
	s, _ := front(t, nil)
	c := dial.New(dial.Policy{AllowPrivate: true, Redirects: -1})
	res, err := c.Get(s.URL + "/?to=/x")
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, res.StatusCode)
	require.NoError(t, res.Body.Close())
	_, err = c.Get("ftp://example.com/")
	require.True(t, dial.IsBlocked(err), "%v", err)
}

func TestProxyFromEnvironmentIsIgnored(t *testing.T) {
	port, hits := private(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("http_proxy", "http://127.0.0.1:"+port)
	c := dial.New(dial.Policy{Resolver: names{}, AllowPrivate: true})
	_, err := c.Get("http://nowhere.example/")
	require.Error(t, err)
	require.Zero(t, hits.Load())
}

func TestSilenceIsCut(t *testing.T) {
	var gone atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/headers" {
			time.Sleep(300 * time.Millisecond)
			return
		}
		fmt.Fprint(w, "one")
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			gone.Store(true)
		case <-time.After(5 * time.Second):
		}
	}))
	defer s.Close()
	c := dial.New(dial.Policy{AllowPrivate: true, Idle: 50 * time.Millisecond, FirstByte: 50 * time.Millisecond})
	res, err := c.Get(s.URL)
	require.NoError(t, err)
	b, err := dial.ReadAll(res.Body, 100)
	require.ErrorIs(t, err, dial.ErrIdle)
	require.Equal(t, "one", string(b))
	require.NoError(t, res.Body.Close())
	require.Eventually(t, gone.Load, 2*time.Second, 5*time.Millisecond)
	_, err = c.Get(s.URL + "/headers")
	require.ErrorContains(t, err, "awaiting response headers")
}

func TestReadAllCaps(t *testing.T) {
	b, err := dial.ReadAll(strings.NewReader("12345"), 5)
	require.NoError(t, err)
	require.Len(t, b, 5)
	b, err = dial.ReadAll(strings.NewReader("123456"), 5)
	require.True(t, errors.Is(err, dial.ErrTooLarge))
	require.Equal(t, "12345", string(b))
}

// Which resolver we ask stands in no error: they are shown to whoever named the host.
func TestResolverIsNotNamed(t *testing.T) {
	t.Parallel()
	_, err := dial.NewDialer(dial.Policy{Resolver: asked{}}).Resolve(t.Context(), "gone.example")
	require.EqualError(t, err, "lookup gone.example: no such host")
	_, err = dial.NewDialer(dial.Policy{Resolver: asked{}}).Resolve(t.Context(), "127.1")
	require.True(t, dial.IsBlocked(err))
}

type asked struct{}

func (asked) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.53:53", IsNotFound: true}
}
