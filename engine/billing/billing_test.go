package billing_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/billing"
	"lobstead/engine/billing/billingtest"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/kit/testservices"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// rig is one installation with its Stripe.
type rig struct {
	*testing.T
	store   *models.Store
	stripe  *billingtest.Stripe
	billing *billing.Billing
	changed chan string // organizations whose instances were to be told
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, store: modelstest.New(t), stripe: billingtest.New(t), changed: make(chan string, 10000)}
	r.billing = r.at(r.stripe.URL, billingtest.Secret)
	return r
}

func (r *rig) at(url, webhookSecret string) *billing.Billing {
	return billing.New(billing.Config{Store: r.store, Key: secret.Of(billingtest.Key), WebhookSecret: secret.Of(webhookSecret), APIURL: url,
		PublicURL: "https://agents.example.org", Client: dial.New(dial.Policy{AllowPrivate: true, Redirects: -1}),
		Changed: func(_ context.Context, org string, rows []models.Instance) {
			if len(rows) > 0 {
				r.changed <- org
			}
		}})
}

// org makes an organization on the smallest plan with one instance.
func (r *rig) org(name string) *models.Scope {
	r.Helper()
	sc, _ := modelstest.Found(r, r.store, name)
	_, err := sc.SetPlan(r.Context(), models.Starter)
	require.NoError(r, err)
	modelstest.Instance(r, sc, "one")
	return sc
}

func (r *rig) sub(sc *models.Scope, id, status string) billingtest.Subscription {
	return billingtest.Subscription{ID: id, Customer: "cus_" + sc.Org, Status: status, Organization: sc.Org, Plan: "PRO", PeriodEnd: 1800000000, Created: 100}
}

// send delivers an event as Stripe does.
func (r *rig) send(id, kind string, object map[string]any) error {
	body := billingtest.Event(id, kind, object)
	return r.billing.Webhook(r.Context(), body, billingtest.Sign(body, billingtest.Secret, time.Now()))
}

// Every request that we make is one that Stripe's own description of its API allows.
func TestStripesOwnMock(t *testing.T) {
	url := testservices.StripeMock(t)
	r := newRig(t)
	sc := r.org("Acme")
	b := r.at(url, billingtest.Secret)
	ctx := t.Context()
	_, err := r.store.AsSystem("test").UpdatePlan(ctx, models.Actor{Staff: true}, models.Pro, models.PlanChange{StripePriceYear: ptr("price_year")})
	require.NoError(t, err)
	for _, plan := range models.TierNames {
		for _, annual := range []bool{false, true} {
			to, err := b.Checkout(ctx, sc, "owner@example.org", models.Tier(plan), annual)
			mockGave(t, to, err)
		}
	}
	// What the fixture's subscription says is nobody's: it is fetched and passed over.
	body := billingtest.Event("evt_1", "customer.subscription.updated", map[string]any{"id": "sub_123", "object": "subscription"})
	require.NoError(t, b.Webhook(ctx, body, billingtest.Sign(body, billingtest.Secret, time.Now())))
	require.True(t, fault.Is(second(sc.Subscription(ctx)), fault.NotFound))
	// As a customer.
	r.stripe.Put(r.sub(sc, "sub_1", "active"))
	require.NoError(t, r.send("evt_2", "customer.subscription.created", map[string]any{"id": "sub_1", "object": "subscription"}))
	to, err := b.Portal(ctx, sc)
	mockGave(t, to, err)
	rows, err := b.Invoices(ctx, sc)
	require.NoError(t, err)
	require.NotEmpty(t, rows, "the mock has one invoice for everybody")
	require.NoError(t, b.End(ctx, sc))
	to, err = b.Checkout(ctx, sc, "", models.Pro, true) // in the portal: there is a subscription
	mockGave(t, to, err)
}

// mockGave takes an address, or none: fixtures may have no place to go to. A refused request is another fault.
func mockGave(t *testing.T, to string, err error) {
	t.Helper()
	if err != nil {
		require.Equal(t, "billing.address", fault.As(err).Code, "%v", err)
		return
	}
	require.True(t, strings.HasPrefix(to, "https://"), to)
}

func ptr[T any](v T) *T                  { return &v }
func second[T any](_ T, err error) error { return err }

func TestCheckout(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	ctx := t.Context()
	to, err := r.billing.Checkout(ctx, sc, "owner@example.org", models.Business, false)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(to, r.stripe.URL+"/pay/"), to)
	call := r.stripe.Calls()[0]
	for key, want := range map[string]string{"mode": "subscription", "client_reference_id": sc.Org, "customer_email": "owner@example.org", "customer": "",
		"success_url": "https://agents.example.org/settings/billing?checkout=done", "cancel_url": "https://agents.example.org/settings/billing",
		"line_items[0][quantity]": "1", "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "9900",
		"line_items[0][price_data][recurring][interval]": "month", "subscription_data[metadata][lobstead_organization]": sc.Org,
		"subscription_data[metadata][lobstead_plan]": "BUSINESS", "line_items[0][price]": ""} {
		require.Equal(t, want, call.Form.Get(key), key)
	}
	_, err = r.billing.Checkout(ctx, sc, "", models.Pro, true)
	require.NoError(t, err)
	call = r.stripe.Calls()[1]
	require.Equal(t, []string{"25000", "year", ""}, []string{call.Form.Get("line_items[0][price_data][unit_amount]"), call.Form.Get("line_items[0][price_data][recurring][interval]"), call.Form.Get("customer_email")})
	_, err = r.store.AsSystem("test").UpdatePlan(ctx, models.Actor{Staff: true}, models.Pro, models.PlanChange{StripePriceYear: ptr("price_year")})
	require.NoError(t, err)
	_, err = r.billing.Checkout(ctx, sc, "", models.Pro, true)
	require.NoError(t, err)
	call = r.stripe.Calls()[2]
	require.Equal(t, []string{"price_year", ""}, []string{call.Form.Get("line_items[0][price]"), call.Form.Get("line_items[0][price_data][unit_amount]")})
	require.True(t, fault.Is(second(r.billing.Checkout(ctx, sc, "", "HUGE", false)), fault.NotFound))
	require.Equal(t, "billing.no_customer", fault.As(second(r.billing.Portal(ctx, sc))).Code)
	rows, err := r.billing.Invoices(ctx, sc)
	require.NoError(t, err)
	require.Empty(t, rows)
	require.NoError(t, r.billing.End(ctx, sc), "nothing to end")

	// A customer goes to the portal, and after a cancellation to the checkout under the same customer.
	r.stripe.Put(r.sub(sc, "sub_1", "active"))
	require.NoError(t, r.send("evt_1", "checkout.session.completed", map[string]any{"id": "cs_1", "object": "checkout.session", "subscription": "sub_1"}))
	for range 2 {
		to, err = r.billing.Checkout(ctx, sc, "", models.Business, false)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(to, r.stripe.URL+"/portal/"), to)
	}
	calls := r.stripe.Calls()
	require.Equal(t, []string{"cus_" + sc.Org, "https://agents.example.org/settings/billing"}, []string{calls[len(calls)-1].Form.Get("customer"), calls[len(calls)-1].Form.Get("return_url")})
	r.stripe.Bill(billingtest.Invoice{Customer: "cus_" + sc.Org, Number: "A-1", Status: "paid", URL: "https://invoice.example/1", Currency: "usd", Total: 2500, Created: 1700000000})
	r.stripe.Bill(billingtest.Invoice{Customer: "cus_other", Number: "B-1", Status: "open"})
	rows, err = r.billing.Invoices(ctx, sc)
	require.NoError(t, err)
	require.Equal(t, []billing.Invoice{{Number: "A-1", At: time.Unix(1700000000, 0).UTC(), Total: 2500, Currency: "usd", Status: "paid", URL: "https://invoice.example/1"}}, rows)
	require.NoError(t, r.billing.End(ctx, sc))
	require.NoError(t, r.send("evt_2", "customer.subscription.deleted", map[string]any{"id": "sub_1", "object": "subscription"}))
	s, err := sc.Subscription(ctx)
	require.NoError(t, err)
	require.Equal(t, models.SubscriptionCanceled, s.Status)
	_, err = r.billing.Checkout(ctx, sc, "owner@example.org", models.Pro, false)
	require.NoError(t, err)
	calls = r.stripe.Calls()
	require.Equal(t, []string{"/v1/checkout/sessions", "cus_" + sc.Org, ""}, []string{calls[len(calls)-1].Path, calls[len(calls)-1].Form.Get("customer"), calls[len(calls)-1].Form.Get("customer_email")})
}

func TestStripeIsDown(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	ctx := t.Context()
	r.stripe.Put(r.sub(sc, "sub_1", "active"))
	require.NoError(t, r.send("evt_1", "customer.subscription.created", map[string]any{"id": "sub_1", "object": "subscription"}))
	r.stripe.Down(true)
	for _, err := range []error{second(r.billing.Checkout(ctx, sc, "", models.Pro, false)), second(r.billing.Portal(ctx, sc)), second(r.billing.Invoices(ctx, sc)), r.billing.End(ctx, sc)} {
		f := fault.As(err)
		require.Equal(t, []any{fault.Upstream, "Stripe could not do this"}, []any{f.Kind, f.Detail})
		require.NotContains(t, err.Error(), billingtest.Key)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	require.Error(t, second(r.billing.Portal(over, sc)))
}

func TestUnconfigured(t *testing.T) {
	sc, _ := modelstest.Found(t, modelstest.New(t), "Acme")
	ctx := t.Context()
	for _, b := range []*billing.Billing{nil, billing.New(billing.Config{}), billing.New(billing.Config{WebhookSecret: secret.Of("whsec_x")})} {
		require.False(t, b.Configured())
		if b == nil {
			continue
		}
		for _, err := range []error{second(b.Checkout(ctx, sc, "", models.Pro, false)), second(b.Portal(ctx, sc)), second(b.Invoices(ctx, sc)), b.Webhook(ctx, []byte("{}"), "")} {
			require.ErrorIs(t, err, billing.ErrUnconfigured)
		}
		require.NoError(t, b.End(ctx, sc))
	}
	require.Equal(t, []any{fault.Unavailable, "Billing is not configured"}, []any{billing.ErrUnconfigured.Kind, billing.ErrUnconfigured.Detail})
}
