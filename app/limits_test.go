package app_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
)

// Who calls hooks that are not there, or cannot prove that they may, is refused for a while, whatever they name. The right sender is taken
// all the while: from another address, and from the same one.
func TestHooksRefuseStrangers(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, Proxies: true})
	h := newHook(t, w)
	channel := "/v1/webhooks/channels/" + w.Acme.Channel
	call := func(from, path string, headers ...string) apptest.Answer {
		c := apptest.Call{Method: "POST", Path: path, JSON: `{}`, Header: map[string]string{"Sec-Fetch-Site": "", "X-Forwarded-For": from}}
		for n := 0; n < len(headers); n += 2 {
			c.Header[headers[n]] = headers[n+1]
		}
		return w.Do(c)
	}
	for name, path := range map[string]func() string{
		"192.0.2.1": func() string { return "/v1/webhooks/triggers/" + id.New() },
		"192.0.2.2": func() string { return "/v1/webhooks/channels/" + id.New() },
		"192.0.2.3": func() string { return h.path },
		"192.0.2.4": func() string { return channel },
		"192.0.2.5": func() string { return "/v1/webhooks/triggers/nonsense" },
	} {
		before := call(name, path())
		require.Contains(t, []int{401, 404, 503}, before.Status, "%s %s", path(), before.Body)
		for range 59 {
			require.Equal(t, before.Status, call(name, path()).Status, path())
		}
		a := call(name, path())
		require.Equal(t, 429, a.Status, path())
		wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
		require.NoError(t, err)
		assert.LessOrEqual(t, wait, 60)
		one, other := call(name, h.path), call(name, "/v1/webhooks/triggers/"+id.New())
		assert.Equal(t, 429, one.Status, "what is there")
		assert.Equal(t, []any{other.Status, other.Body}, []any{one.Status, one.Body}, "is as what is not")
		assert.Equal(t, before.Status, call("198.51.100.1", path()).Status, "who comes from elsewhere is not meant")
	}
	for n, from := range []string{"198.51.100.2", "192.0.2.1", "192.0.2.3"} {
		a := call(from, h.path, "X-Webhook-Secret", h.secret, "X-Delivery-Id", strconv.Itoa(n))
		require.Equal(t, 200, a.Status, "the right sender from %s: %s", from, a.Body)
	}
	require.Len(t, h.runs(t), 3)
}
