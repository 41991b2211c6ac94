package browsertest

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/billing/billingtest"
)

// tell delivers an event about the subscription of the organization that was at the checkout.
func (s *server) tell(stripe *billingtest.Stripe, event, status string) {
	s.t.Helper()
	org := ""
	for _, c := range stripe.Calls() {
		if c.Path == "/v1/checkout/sessions" {
			org = c.Form.Get("client_reference_id")
		}
	}
	require.NotEmpty(s.t, org, "nobody was at the checkout")
	stripe.Put(billingtest.Subscription{ID: "sub_1", Customer: "cus_1", Status: status, Organization: org, Plan: "PRO", Interval: "year",
		PeriodEnd: time.Now().AddDate(1, 0, 0).Unix(), Created: 1})
	body := billingtest.Event(event, "customer.subscription.updated", map[string]any{"id": "sub_1", "object": "subscription"})
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.base+"/api/stripe/webhook", bytes.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Stripe-Signature", billingtest.Sign(body, billingtest.Secret, time.Now()))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	_ = resp.Body.Close()
	require.Equal(s.t, 200, resp.StatusCode)
}

// From the choice of a plan to Stripe's page and back, with the browser's own rules about where forms may end; then the
// suspension, which open pages show.
func TestPayingInABrowser(t *testing.T) {
	t.Parallel()
	stripe := billingtest.New(t)
	s := start(t, "STRIPE_SECRET_KEY="+billingtest.Key, "STRIPE_WEBHOOK_SECRET="+billingtest.Secret, "STRIPE_API_URL="+stripe.URL)
	b := owner(t, s)
	b.allow("a request to a foreign host: "+stripe.URL, "favicon.ico") // the one place where a browser leaves
	b.open("/settings/billing")
	b.judge("billing-choose")
	b.click(`.choice input[value=PRO]`)
	b.click(`.seg-item input[value=true]`)
	b.click(`form[action="/settings/billing/checkout"] [type=submit]`)
	b.until(`document.title === "Test payment" && location.host !== "` + strings.TrimPrefix(s.base, "http://") + `"`)
	stripe.Bill(billingtest.Invoice{Customer: "cus_1", Number: "HARBOUR-0001", Status: "paid", URL: "https://invoice.example/1", Currency: "usd", Total: 25000, Created: time.Now().Unix()})
	stripe.Bill(billingtest.Invoice{Customer: "cus_1", Number: "HARBOUR-0002", Status: "open", Currency: "usd", Total: 2550, Created: time.Now().Unix()})
	s.tell(stripe, "evt_1", "active")
	b.click("a")
	b.until(`location.pathname === "/settings/billing" && document.body.textContent.includes("Thank you")`)
	b.until(`document.getElementById("invoices")?.textContent.includes("HARBOUR-0001")`)
	require.Equal(t, "Active", b.text(`document.querySelector(".kv .badge").textContent`))
	b.judge("billing-paid")
	b.click(`form[action="/settings/billing/portal"] [type=submit]`)
	b.until(`location.pathname.startsWith("/portal/")`)

	b.open("/")
	b.until(`document.getElementById("org-notice")?.hidden`)
	time.Sleep(500 * time.Millisecond) // the stream connects
	s.tell(stripe, "evt_2", "canceled")
	b.until(`document.getElementById("org-notice")?.textContent.includes("the subscription was cancelled")`)
	b.judge("suspended")
	b.open("/instances")
	b.judge("instances-suspended")
	b.open("/chat?new=1")
	b.until(`document.querySelector(".conv #org-notice")?.textContent.includes("the subscription was cancelled")`)
	b.judge("chat-suspended")
	b.open("/settings/billing")
	b.judge("billing-suspended")
	s.tell(stripe, "evt_3", "active")
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows .badge")?.textContent === "Running" || document.querySelector("#instance-rows .badge.ok")`)
}
