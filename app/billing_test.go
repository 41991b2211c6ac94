package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/billing/billingtest"
	"lobstead/engine/sandbox"
	"lobstead/models"
)

// told delivers an event about an organization's subscription, in the state that Stripe has it in now.
func told(w *apptest.World, s *billingtest.Stripe, o *apptest.Org, event, status string) apptest.Answer {
	w.T.Helper()
	s.Put(billingtest.Subscription{ID: "sub_1", Customer: "cus_1", Status: status, Organization: o.ID, Plan: "PRO", PeriodEnd: 1900000000, Created: 1})
	body := billingtest.Event(event, "customer.subscription.updated", map[string]any{"id": "sub_1", "object": "subscription"})
	return w.Do(apptest.Call{Method: "POST", Path: "/api/stripe/webhook", JSON: string(body),
		Header: map[string]string{"Stripe-Signature": billingtest.Sign(body, billingtest.Secret, time.Now()), "Sec-Fetch-Site": ""}})
}

// The contract's row (cloud-api.md, "Billing").
func TestCheckoutAPI(t *testing.T) {
	t.Parallel()
	stripe := billingtest.New(t)
	w := apptest.Start(t, apptest.Options{NoWorker: true, Billing: stripe})
	ask := func(who *apptest.Person, body any) apptest.Answer {
		return asKey(w, who, "POST", "/api/stripe/checkout", body)
	}
	a := w.Do(apptest.Call{Method: "POST", Path: "/api/stripe/checkout", JSON: `{"plan":"PRO"}`})
	assert.Equal(t, 401, a.Status)
	assert.JSONEq(t, `{"error":"Unauthorized","code":"unauthorized"}`, a.Body)
	for _, who := range []*apptest.Person{w.Acme.Admin, w.Acme.Member} {
		a = ask(who, `{"plan":"PRO"}`)
		assert.Equal(t, 403, a.Status)
		assert.Equal(t, "Insufficient permissions", a.Map()["error"])
	}
	options := `"options":["STARTER","PRO","BUSINESS"]`
	for body, want := range map[string]string{
		`{}`:                            `{"code":"invalid_type","expected":"'STARTER' | 'PRO' | 'BUSINESS'","received":"undefined","message":"Required","path":["plan"]}`,
		`{"plan":"HUGE"}`:               `{"code":"invalid_enum_value","received":"HUGE",` + options,
		`{"plan":"pro"}`:                `"code":"invalid_enum_value"`,
		`{"plan":3}`:                    `"received":"number"`,
		`{"plan":"PRO","annual":"yes"}`: `{"code":"invalid_type","expected":"boolean","received":"string","message":"Expected boolean, received string","path":["annual"]}`,
		`{"plan":"PRO","annual":null}`:  `"received":"null"`,
		`{"plan":"PRO","annual":1}`:     `"received":"number"`,
		`{"plan":"PRO"`:                 `"error":"Invalid request"`,
		`["PRO"]`:                       `"expected":"object"`,
	} {
		a := ask(w.Acme.Owner, body)
		assert.Equal(t, 400, a.Status, body)
		assert.Equal(t, "Invalid request", a.Map()["error"], body)
		has(t, a.Body, want)
	}
	assert.Len(t, ask(w.Acme.Owner, `{"annual":"x"}`).Map()["details"], 2, "all issues at once")
	require.Empty(t, stripe.Calls(), "nothing of that reached Stripe")
	for _, body := range []string{`{"plan":"PRO"}`, `{"plan":"PRO","annual":true}`, `{"plan":"BUSINESS","annual":false}`} {
		a = ask(w.Acme.Owner, body)
		require.Equal(t, 200, a.Status, a.Body)
		assert.Equal(t, []string{"url"}, keys(t, a.Body))
		assert.True(t, strings.HasPrefix(a.Map()["url"].(string), stripe.URL+"/pay/"), a.Body)
	}
	calls := stripe.Calls()
	assert.Equal(t, []string{"2500", "month", "25000", "year", "9900", "month"}, []string{
		calls[0].Form.Get("line_items[0][price_data][unit_amount]"), calls[0].Form.Get("line_items[0][price_data][recurring][interval]"),
		calls[1].Form.Get("line_items[0][price_data][unit_amount]"), calls[1].Form.Get("line_items[0][price_data][recurring][interval]"),
		calls[2].Form.Get("line_items[0][price_data][unit_amount]"), calls[2].Form.Get("line_items[0][price_data][recurring][interval]")})
	assert.Equal(t, w.Acme.Owner.Email, calls[0].Form.Get("customer_email"))
	stripe.Down(true)
	a = ask(w.Acme.Owner, `{"plan":"PRO"}`)
	assert.Equal(t, 502, a.Status)
	lacks(t, a.Body, billingtest.Key, "the test says no")
}

func TestCheckoutIsNotConfigured(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	a := asKey(w, w.Acme.Owner, "POST", "/api/stripe/checkout", `{"plan":"PRO"}`)
	assert.Equal(t, 503, a.Status)
	assert.Equal(t, "Billing is not configured", a.Map()["error"])
	assert.Equal(t, 403, asKey(w, w.Acme.Admin, "POST", "/api/stripe/checkout", `{"plan":"PRO"}`).Status)
	assert.Equal(t, 400, asKey(w, w.Acme.Owner, "POST", "/api/stripe/checkout", `{}`).Status)
	body := billingtest.Event("evt_1", "customer.subscription.deleted", map[string]any{"id": "sub_1", "object": "subscription"})
	for _, secret := range []string{"", billingtest.Secret} {
		a = w.Do(apptest.Call{Method: "POST", Path: "/api/stripe/webhook", JSON: string(body), Header: map[string]string{"Stripe-Signature": billingtest.Sign(body, secret, time.Now())}})
		assert.Equal(t, 503, a.Status)
	}
	for range 3 {
		require.Equal(t, 201, asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"more","region":"local","tier":"BUSINESS"}`).Status, "nothing is limited")
	}
	for _, who := range []*apptest.Person{w.Acme.Owner, w.Acme.Member} {
		a = w.Do(apptest.Call{Method: "GET", Path: "/settings/billing", Who: who})
		assert.Equal(t, 200, a.Status)
		has(t, a.Body, "Billing is not configured on this server", "everything is unlimited", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", w.URL+"/api/stripe/webhook", "4, unlimited")
		lacks(t, a.Body, "/settings/billing/checkout", "/settings/billing/portal")
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	stripe := billingtest.New(t)
	w := apptest.Start(t, apptest.Options{NoWorker: true, Billing: stripe})
	before := w.Dump(w.Acme.ID)
	body := billingtest.Event("evt_1", "customer.subscription.deleted", map[string]any{"id": "sub_1", "object": "subscription"})
	for name, c := range map[string]struct {
		header string
		body   string
		status int
	}{"no signature": {"", string(body), 400}, "another secret": {billingtest.Sign(body, "whsec_other", time.Now()), string(body), 400},
		"old":     {billingtest.Sign(body, billingtest.Secret, time.Now().Add(-time.Hour)), string(body), 400},
		"changed": {billingtest.Sign(body, billingtest.Secret, time.Now()), strings.Replace(string(body), "sub_1", "sub_2", 1), 400},
		"long":    {"t=1,v1=00", strings.Repeat("x", 600<<10), 413}} {
		a := w.Do(apptest.Call{Method: "POST", Path: "/api/stripe/webhook", JSON: c.body, Header: map[string]string{"Stripe-Signature": c.header, "Sec-Fetch-Site": ""}})
		assert.Equal(t, c.status, a.Status, name)
		assert.NotEmpty(t, a.Map()["error"], name)
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID))
	assert.Zero(t, w.Count("SELECT count(*) FROM stripe_events"))
	a := told(w, stripe, w.Acme, "evt_2", "active")
	assert.Equal(t, 200, a.Status)
	assert.JSONEq(t, `{"received":true}`, a.Body)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM subscriptions WHERE organization_id = ? AND status = 'active'", w.Acme.ID))
	assert.Zero(t, w.Count("SELECT count(*) FROM subscriptions WHERE organization_id = ?", w.Rival.ID))
	stripe.Down(true)
	assert.Equal(t, 502, told(w, stripe, w.Acme, "evt_3", "active").Status, "Stripe repeats it")
}

func TestInstanceLimitAPI(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true, Billing: billingtest.New(t)})
	_, err := w.Acme.Scope.SetPlan(t.Context(), models.Starter)
	require.NoError(t, err)
	a := asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"more","region":"local","tier":"PRO"}`)
	assert.Equal(t, 403, a.Status)
	assert.Equal(t, "Instance limit reached", a.Map()["error"])
	assert.Equal(t, "instance.limit", a.Map()["code"])
	assert.Equal(t, "Insufficient permissions", asKey(w, w.Acme.Member, "POST", "/api/instances", `{"name":"more","region":"local","tier":"PRO"}`).Map()["error"])
	a = w.Do(apptest.Call{Method: "POST", Path: "/instances", Who: w.Acme.Owner, Form: url.Values{"name": {"typed-name"}, "region": {"local"}, "tier": {"PRO"}}})
	assert.Equal(t, 403, a.Status)
	has(t, a.Body, "Instance limit reached", "typed-name", "Settings, Billing")
	a = w.Do(apptest.Call{Method: "GET", Path: "/settings/billing", Who: w.Acme.Owner})
	has(t, a.Body, "1 of 1", "None yet")
	require.Equal(t, 200, asKey(w, w.Acme.Owner, "DELETE", "/api/instances/"+w.Acme.Instance.ID, nil).Status)
	assert.Equal(t, 201, asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"more","region":"local","tier":"PRO"}`).Status)
}

// Cancelled: everything stops and says why. Paid: everything goes on.
func TestSuspensionAndBack(t *testing.T) {
	t.Parallel()
	stripe := billingtest.New(t)
	w := apptest.Start(t, apptest.Options{Billing: stripe})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	made := asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"second","region":"local","tier":"STARTER"}`)
	require.Equal(t, 201, made.Status, made.Body)
	id := made.Map()["id"].(string)
	state := func(want models.InstanceState) {
		t.Helper()
		require.Eventually(t, func() bool {
			i, err := w.Acme.Scope.Instance(t.Context(), id)
			return err == nil && i.State == want && i.Generation == i.ObservedGeneration
		}, 30*time.Second, 10*time.Millisecond, "%s", want)
		o, err := w.Boxes.Observe(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want == models.Running, o.State == sandbox.Running)
	}
	state(models.Running)
	stream := w.Open("/live/instances/"+id+"?after=0", w.Acme.Member)
	stream.Until("instance-head")
	first := w.Open("/live/overview?after=0", w.Acme.Owner)
	first.Until("overview-tiles")
	list := w.Open("/live/instances?after=0", w.Acme.Member)
	list.Until("instance-list")
	talk := w.Open("/live/chat/"+w.Acme.Session.ID+"?after=0", w.Acme.Member)
	talk.Until("chat-head")
	require.Equal(t, 200, told(w, stripe, w.Acme, "evt_1", "canceled").Status)
	list.Until("This organization is suspended: the subscription was cancelled")
	talk.Until("This organization is suspended: the subscription was cancelled")
	stream.Until("This organization is suspended: the subscription was cancelled")
	first.Until("This organization is suspended: the subscription was cancelled")
	state(models.Suspended)

	for _, action := range []string{"start", "stop", "restart"} {
		a := asKey(w, w.Acme.Owner, "POST", "/api/instances/"+id+"/actions", map[string]string{"action": action})
		assert.Equal(t, 400, a.Status)
		assert.Equal(t, "Cannot "+action+" instance in SUSPENDED state", a.Map()["error"])
	}
	a := asKey(w, w.Acme.Owner, "GET", "/api/instances/"+id, nil)
	assert.Equal(t, []any{"SUSPENDED", nil, nil}, []any{a.Map()["status"], a.Map()["gatewayUrl"], a.Map()["gatewayToken"]})
	a = asKey(w, w.Acme.Owner, "POST", "/api/instances", `{"name":"x","region":"local","tier":"STARTER"}`)
	assert.Equal(t, 402, a.Status)
	assert.Equal(t, "This organization is suspended: the subscription was cancelled", a.Map()["error"])
	a = asKey(w, w.Acme.Member, "POST", "/api/agent/chat", `{"message":"hello"}`)
	assert.Equal(t, 402, a.Status)
	assert.Equal(t, "This organization is suspended: the subscription was cancelled", a.Map()["error"])
	a = w.Do(apptest.Call{Method: "POST", Path: "/chat/" + w.Acme.Session.ID + "/messages", Who: w.Acme.Member, Form: url.Values{"message": {"hello"}}})
	assert.Equal(t, 402, a.Status)
	for _, path := range []string{"/", "/instances", "/settings", "/settings/billing", "/chat/" + w.Acme.Session.ID, "/chat?new=1"} {
		a = w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Member})
		assert.Equal(t, 200, a.Status)
		has(t, a.Body, "This organization is suspended: the subscription was cancelled")
		has(t, a.Body, "/settings/billing")
		lacks(t, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Rival.Owner}).Body, "suspended")
	}
	until := time.Now().UTC().AddDate(0, 0, 30).Format("2 January 2006")
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/settings/billing", Who: w.Acme.Owner}).Body, "kept for 30 days, until "+until, "Cancelled", "/settings/billing/checkout", "/settings/billing/portal")

	require.Equal(t, 200, told(w, stripe, w.Acme, "evt_2", "active").Status)
	state(models.Running)
	a = asKey(w, w.Acme.Member, "POST", "/api/agent/chat", `{"message":"hello"}`)
	assert.Equal(t, 200, a.Status, a.Body)
	lacks(t, w.Do(apptest.Call{Method: "GET", Path: "/", Who: w.Acme.Member}).Body, "suspended")
}

func TestBillingPages(t *testing.T) {
	t.Parallel()
	stripe := billingtest.New(t)
	w := apptest.Start(t, apptest.Options{NoWorker: true, Billing: stripe})
	get := func(who *apptest.Person, path string, face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "GET", Path: path, Who: who, Face: face})
	}
	send := func(who *apptest.Person, path string, form url.Values, face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: form, Face: face})
	}
	a := get(w.Acme.Owner, "/settings/billing", "")
	has(t, a.Body, "1 of 20", "3, unlimited", "$25 a month, or $250 a year", "two months are free", "Continue to payment", "No invoices yet")
	assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'self' checkout.stripe.com billing.stripe.com", "browsers check where a form ends")
	secured(t, a, "billing")
	assert.NotContains(t, get(w.Acme.Owner, "/settings", "").Header.Get("Content-Security-Policy"), "stripe")
	for _, who := range []*apptest.Person{w.Acme.Admin, w.Acme.Member} {
		a = get(who, "/settings/billing", "")
		has(t, a.Body, "1 of 20", "owner of this organization chooses the plan")
		lacks(t, a.Body, "Continue to payment", "/settings/billing/portal")
		for _, path := range []string{"/settings/billing/checkout", "/settings/billing/portal"} {
			assert.Equal(t, 403, send(who, path, url.Values{"plan": {"PRO"}}, "").Status)
		}
	}
	a = send(w.Acme.Owner, "/settings/billing/checkout", url.Values{"plan": {"PRO"}, "annual": {"true"}}, "")
	assert.Equal(t, 303, a.Status)
	assert.True(t, strings.HasPrefix(a.Header.Get("Location"), stripe.URL+"/pay/"), a.Header.Get("Location"))
	a = send(w.Acme.Owner, "/settings/billing/checkout", url.Values{"plan": {"PRO"}}, apptest.Partial)
	assert.True(t, strings.HasPrefix(a.Header.Get("HX-Redirect"), stripe.URL), "another site is no part of this page")
	a = send(w.Acme.Owner, "/settings/billing/checkout", url.Values{"plan": {"HUGE"}, "annual": {"true"}}, "")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "Invalid enum value", "Continue to payment")
	a = send(w.Acme.Owner, "/settings/billing/portal", url.Values{}, "")
	assert.Equal(t, 409, a.Status)
	has(t, a.Body, "paid for nothing yet")
	has(t, get(w.Acme.Owner, "/settings/billing?checkout=done", "").Body, "Thank you")

	stripe.Bill(billingtest.Invoice{Customer: "cus_1", Number: "ACME-0001", Status: "paid", URL: "https://invoice.example/canary", Currency: "usd", Total: 2550, Created: 1700000000})
	require.Equal(t, 200, told(w, stripe, w.Acme, "evt_1", "active").Status)
	a = get(w.Acme.Owner, "/settings/billing", "")
	has(t, a.Body, "PRO", "Active", "Renews on", "1 of 5", "$25 a month", "Open the customer portal", `hx-get="/settings/billing/invoices"`)
	lacks(t, a.Body, "Continue to payment", "ACME-0001")
	for _, face := range []apptest.Face{apptest.Page, apptest.Partial} {
		a = get(w.Acme.Owner, "/settings/billing/invoices", face)
		has(t, a.Body, "ACME-0001", "$25.50", "Paid", `href="https://invoice.example/canary"`)
		assert.Equal(t, face == apptest.Page, strings.Contains(a.Body, "<html"))
		a = get(w.Acme.Member, "/settings/billing/invoices", face)
		has(t, a.Body, "ACME-0001")
		lacks(t, a.Body, "invoice.example")
		lacks(t, get(w.Rival.Owner, "/settings/billing/invoices", face).Body, "ACME-0001")
	}
	for _, path := range []string{"/settings/billing/portal", "/settings/billing/checkout"} { // a second subscription would be paid twice
		a = send(w.Acme.Owner, path, url.Values{"plan": {"BUSINESS"}}, "")
		assert.Equal(t, 303, a.Status)
		assert.True(t, strings.HasPrefix(a.Header.Get("Location"), stripe.URL+"/portal/"), path)
	}
	require.Equal(t, 200, told(w, stripe, w.Acme, "evt_2", "past_due").Status)
	has(t, get(w.Acme.Owner, "/settings/billing", "").Body, "Payment failed, tried again")
	stripe.Down(true)
	a = get(w.Acme.Owner, "/settings/billing/invoices", "")
	assert.Equal(t, 200, a.Status, "the rest of the page is there")
	has(t, a.Body, "Stripe did not give the invoices")
	a = send(w.Acme.Owner, "/settings/billing/portal", url.Values{}, "")
	assert.Equal(t, 502, a.Status)
	has(t, a.Body, "Stripe could not do this")
	a = w.Do(apptest.Call{Method: "DELETE", Path: "/api/settings", Who: w.Acme.Owner})
	assert.Equal(t, 502, a.Status, "nobody pays for what is gone: first the subscription")
	stripe.Down(false)
	has(t, get(w.Acme.Owner, "/settings/delete", "").Body, "The subscription, which is cancelled at once")
	a = w.Do(apptest.Call{Method: "DELETE", Path: "/api/settings", Who: w.Acme.Owner})
	assert.Equal(t, 200, a.Status)
	calls := stripe.Calls()
	assert.Equal(t, "DELETE /v1/subscriptions/sub_1", fmt.Sprint(calls[len(calls)-1].Method, " ", calls[len(calls)-1].Path))
}
