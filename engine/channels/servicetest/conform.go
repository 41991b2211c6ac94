package servicetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// Account makes an account over plain clients, for a server at base.
func Account(base string, values map[string]string) service.Account {
	a := service.Account{ID: "ch_test", Values: map[string]secret.String{}, Client: &http.Client{Timeout: 20 * time.Second}, Dial: &net.Dialer{}, BaseURL: base}
	for k, v := range values {
		a.Values[k] = secret.Of(v)
	}
	return a
}

// Request makes one of a service's calls from its parts.
func Request(body []byte, at time.Time, header map[string]string) service.Request {
	h := http.Header{}
	for k, v := range header {
		h.Set(k, v)
	}
	return service.Request{Method: "POST", Query: map[string]string{}, Header: h.Get, Body: body, Arrived: at}
}

// Signed checks that a good request is taken, and refused with service.signature when any byte of its body or of a header that
// proves it is another, when a header is missing, when it is longer or shorter, and when the account has no proof.
func Signed(t *testing.T, s service.Service, a service.Account, body []byte, at time.Time, header map[string]string, proofs ...string) {
	t.Helper()
	_, err := s.Receive(a, Request(body, at, header))
	require.NoError(t, err)
	refused := func(what string, a service.Account, body []byte, header map[string]string) {
		got, err := s.Receive(a, Request(body, at, header))
		require.Truef(t, fault.Is(err, fault.Unauthenticated), "%s was taken: %v", what, err)
		require.Equal(t, "service.signature", fault.As(err).Code)
		require.Empty(t, got.Events)
	}
	for i := range body {
		bad := bytes.Clone(body)
		bad[i] ^= 1
		refused(fmt.Sprintf("body with another byte %d", i), a, bad, header)
	}
	refused("a longer body", a, append(bytes.Clone(body), ' '), header)
	refused("a shorter body", a, body[:len(body)-1], header)
	refused("no body", a, nil, header)
	for _, p := range proofs {
		value := header[p]
		for i := range value {
			bad := []byte(value)
			bad[i] ^= 1
			refused(fmt.Sprintf("%s with another byte %d", p, i), a, body, with(header, p, string(bad)))
		}
		refused("no "+p, a, body, with(header, p, ""))
		refused("half of "+p, a, body, with(header, p, value[:len(value)/2]))
	}
	bare := a
	bare.Values = nil
	refused("no secret", bare, body, header)
}

func with(h map[string]string, k, v string) map[string]string {
	out := map[string]string{}
	for name, value := range h {
		out[name] = value
	}
	out[k] = v
	return out
}
