package browsertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A webhook from its making to its being switched off: the test event's answer comes by itself, and the bell of a page
// that is open somewhere else rings.
func TestWebhooksAndTheBell(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(200)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, "thank you")
	}))
	t.Cleanup(receiver.Close)
	s := start(t)
	b := owner(t, s)
	b.now("a webhook")
	b.open("/settings/webhooks")
	b.judge("webhooks-empty")
	b.fill("#new [name=name]", "Ticket system")
	b.fill("#new [name=url]", receiver.URL+"/hook")
	b.click("#new [name=private]")
	b.click("#new form [type=submit]")
	b.has("#secret .secret")
	require.Regexp(t, `^whsec_`, b.text(`document.querySelector("#secret .secret code").textContent`))
	b.judge("webhook-new")

	b.now("a test event")
	b.click("form[action$='/test'] button")
	b.until(`document.querySelector("#attempts-title")?.closest("section").innerText.includes("Taken: 200")`)
	require.Contains(t, b.text(`document.querySelector("#delivery").innerText`), "thank you")
	b.judge("delivery-sent")

	b.now("the bell")
	other := b.another()
	other.open("/")
	other.until(`document.querySelector("#notifications-count").hidden`)
	status.Store(410)
	b.open("/chat?new=1")
	b.ask("hello")
	other.until(`document.querySelector("#notifications-count").textContent === "2"`)
	other.open("/notifications")
	other.until(`document.querySelectorAll("#notifications .line").length === 2`)
	other.judge("notifications")
	other.click("#notifications .line:last-child form button")
	other.until(`document.querySelector("#notifications-count").textContent === "1"`)
	other.open("/notifications/preferences")
	other.judge("notification-preferences")
	other.open("/deliveries")
	other.has("table")
	other.judge("deliveries")
	other.follow("tbody tr:first-child a")
	other.has("#delivery .banner")
	other.judge("delivery-dead")
	other.open("/settings/webhooks")
	other.follow("li[id^=webhook-] a")
	other.has("#log table")
	require.Contains(t, other.text(`document.querySelector("main").innerText`), "410 Gone")
	other.judge("webhook-off")
}
