package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

// silence is how long a connection says nothing before its answers are counted.
const silence = 400 * time.Millisecond

// exchange sends bytes as they are and reads every answer that comes until the server closes or falls silent.
func exchange(t *testing.T, w *apptest.World, sent string) []int {
	t.Helper()
	c, err := net.Dial("tcp", w.Address)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	go func() { _, _ = io.WriteString(c, sent) }()
	_ = c.SetReadDeadline(time.Now().Add(silence))
	out, r := []int{}, bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return out
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		out = append(out, resp.StatusCode)
		_ = resp.Body.Close()
	}
}

// A body that a handler does not read is never taken for the next request: behind a proxy that shares a
// connection, its answer would go to somebody else.
func TestUnreadBodiesAreNotRequests(t *testing.T) {
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	smuggled := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	pad := strings.Repeat("x", 70_000)
	head := func(line, more string) string {
		return line + " HTTP/1.1\r\nHost: " + w.Address + "\r\n" + more + "\r\n"
	}
	chunked := fmt.Sprintf("%x\r\n%s\r\n", len(smuggled), smuggled) + "0\r\n\r\n"
	for _, line := range []string{"GET /healthz", "POST /api/instances", "POST /sign-out", "GET /nothing", "DELETE /api/nothing", "POST /api/agent/chat"} {
		for _, n := range []int{0, 65 << 10, 1 << 20} {
			body := strings.Repeat("x", n) + smuggled
			got := exchange(t, w, head(line, fmt.Sprintf("Content-Length: %d\r\n", len(body)))+body)
			assert.LessOrEqual(t, len(got), 1, "%s with %d bytes: %v", line, len(body), got)
		}
		got := exchange(t, w, head(line, "Transfer-Encoding: chunked\r\n")+chunked)
		assert.Len(t, got, 1, "%s in chunks: %v", line, got)
		got = exchange(t, w, head(line, "Transfer-Encoding: chunked\r\n")+fmt.Sprintf("%x\r\n%s\r\n", len(pad), pad)+chunked)
		assert.LessOrEqual(t, len(got), 1, "%s in large chunks: %v", line, got)
		got = exchange(t, w, head(line, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")+chunked)
		assert.LessOrEqual(t, len(got), 1, "%s with both lengths: %v", line, got)
	}
	two := head("POST /api/instances", "Content-Length: 20000\r\n") + strings.Repeat("x", 20_000) + head("GET /healthz", "Connection: close\r\n")
	assert.Equal(t, []int{401, 200}, exchange(t, w, two), "an honest second request is answered")
}

func TestAbsurdRequests(t *testing.T) {
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	host := "Host: " + w.Address + "\r\n"
	for name, raw := range map[string]string{
		"long header": "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 40_000) + "\r\n\r\n", "many headers": "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 5000) + "\r\n",
		"long path": "GET /" + strings.Repeat("a", 14_000) + " HTTP/1.1\r\n" + host + "\r\n", "no host": "GET / HTTP/1.1\r\n\r\n", "two hosts": "GET / HTTP/1.1\r\n" + host + "Host: evil.example\r\n\r\n",
		"http/1.0": "GET / HTTP/1.0\r\n\r\n", "no line": "\r\n\r\n\r\n", "garbage": "\x00\xff\x00\xff\r\n\r\n", "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 500),
		"negative length": "POST /sign-in HTTP/1.1\r\n" + host + "Content-Length: -5\r\n\r\n", "huge length": "POST /sign-in HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n",
		"bad chunk": "POST /sign-in HTTP/1.1\r\n" + host + "Sec-Fetch-Site: none\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "expect": "POST /sign-in HTTP/1.1\r\n" + host + "Expect: nonsense\r\nContent-Length: 0\r\n\r\n",
		"strange method": "BREW / HTTP/1.1\r\n" + host + "\r\n", "absolute": "GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n", "connect": "CONNECT evil.example:443 HTTP/1.1\r\n" + host + "\r\n",
		"cookie flood": "GET / HTTP/1.1\r\n" + host + "Cookie: " + strings.Repeat("lobstead=x; ", 800) + "\r\n\r\n", "NUL in a header": "GET / HTTP/1.1\r\n" + host + "Cookie: lobstead=\x00\x01\r\n\r\n",
	} {
		for _, status := range exchange(t, w, raw) {
			assert.Less(t, status, 500, name)
			assert.NotEqual(t, 200, status, name)
		}
	}
	assert.Equal(t, 200, w.Do(get("/", w.Acme.Owner)).Status)
}

// bigger are the routes that take more: files, pictures, whole conversations. TestGatewayRefusals sends the gateway more than it takes.
var bigger = map[string]bool{"PATCH /v1/agent/:id/filesystem/files/*": true, "POST /v1/agent/:id/filesystem/files/*": true, "PUT /v1/agent/:id/filesystem/files/*": true, "POST /instances/:id/files/save": true,
	"POST /instances/:id/files/upload": true, "POST /v1/agent/:id/messages": true, "POST /v1/agent/create": true, "POST /v1/agent/update/:id": true, "POST " + chatPath: true, "POST " + standardPath: true, "POST " + responsesPath: true, "POST " + messagesPath: true}

// A body over its route's cap is refused, however it is sent.
func TestBodiesOverTheCap(t *testing.T) {
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	big := strings.Repeat("x", 1<<20+100)
	for _, c := range cases(t, w, w.Acme) {
		if c.call.Method == "GET" || c.route == "POST /chat" || c.route == "POST /chat/:id/messages" || c.route == "POST /api/agent/chat" || bigger[c.route] || c.call.Form == nil && c.call.JSON == nil {
			continue
		}
		if c.call.Form != nil && len(c.call.Form) == 0 || ignoresBody[c.route] || strings.HasPrefix(c.route, "DELETE ") && c.route != "DELETE /api/agent/sessions" {
			continue // reads no body
		}
		for name, body := range map[string]io.Reader{"with a length": strings.NewReader(big), "in chunks": io.MultiReader(strings.NewReader(big))} {
			call := c.call
			call.Who, call.Form, call.JSON, call.Body, call.Type = w.Acme.Owner, nil, nil, body, "application/x-www-form-urlencoded"
			a := w.Do(call) // the refusal is readable though we still sent
			assert.Contains(t, []int{413, 404}, a.Status, "%s %s", c.name, name)
		}
	}
	a := w.Do(api("PATCH", "/api/instances/"+w.Acme.Instance.ID, w.Acme.Owner, `{"name":"`+big+`"}`))
	assert.Equal(t, 413, a.Status)
	assert.Equal(t, "Request body too large", a.Map()["error"])
	a = w.Do(api("PATCH", "/api/agent/sessions", w.Acme.Owner, `{"title":"`+big+`"}`))
	assert.Equal(t, 413, a.Status)
	assert.Equal(t, "Request body too large", a.Map()["error"])
	ten := strings.Repeat("m", 10<<20)
	a = w.Do(api("POST", "/api/agent/chat", w.Acme.Owner, map[string]string{"message": ten}))
	assert.Equal(t, 400, a.Status)
	has(t, a.Body, "message: String must contain at most")
	a = w.Do(post("/chat/"+w.Acme.Session.ID+"/messages", w.Acme.Owner, "message", ten))
	assert.Equal(t, 422, a.Status)
	a, err := w.Try(apptest.Call{Method: "POST", Path: "/api/agent/chat", Who: w.Acme.Owner, ByKey: true, Body: io.LimitReader(endless{}, 70<<20)})
	if err == nil {
		assert.Equal(t, 413, a.Status)
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "something was half written")
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
