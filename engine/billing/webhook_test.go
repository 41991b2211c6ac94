package billing_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/billing/billingtest"
	"lobstead/kit/fault"
	"lobstead/models"
)

// delivery is one event about a subscription, in the forms in which Stripe names one.
type delivery struct {
	kind   string
	object map[string]any
}

func deliveries(id string) []delivery {
	return []delivery{
		{"customer.subscription.created", map[string]any{"id": id, "object": "subscription", "status": "active"}},
		{"customer.subscription.updated", map[string]any{"id": id, "object": "subscription", "status": "past_due"}},
		{"customer.subscription.deleted", map[string]any{"id": id, "object": "subscription", "status": "canceled"}},
		{"invoice.payment_failed", map[string]any{"id": "in_1", "object": "invoice", "parent": map[string]any{"subscription_details": map[string]any{"subscription": id}}}},
	}
}

// ending is what an organization must be when its subscription is in a state, whatever events told of it.
func (r *rig) ending(sc *models.Scope, id, status string) {
	r.Helper()
	s, err := sc.Subscription(r.Context())
	require.NoError(r, err)
	require.Equal(r, []string{id, status}, []string{s.StripeSubscription, string(s.Status)})
	o, err := sc.Organization(r.Context())
	require.NoError(r, err)
	stands := status == "canceled" || status == "unpaid" || status == "paused"
	require.Equal(r, stands, o.SuspendedAt != nil, status)
	rows, err := sc.Instances(r.Context())
	require.NoError(r, err)
	for _, i := range rows {
		require.Equal(r, stands, i.State == models.Suspended, status)
		require.Equal(r, models.WantRunning, i.Desired)
	}
	if !stands {
		require.Equal(r, models.Pro, o.Plan)
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	out := [][]int{}
	for _, p := range permutations(n - 1) {
		for at := range n {
			out = append(out, append(append(append([]int{}, p[:at]...), n-1), p[at:]...))
		}
	}
	return out
}

// Whatever the order and however often each is repeated: what counts is what Stripe says when it is asked.
func TestEventsInEveryOrder(t *testing.T) {
	r := newRig(t)
	for _, status := range []string{"active", "past_due", "unpaid", "canceled"} {
		sc := r.org("Acme " + status)
		id := "sub_" + status
		for n, order := range permutations(4) {
			r.stripe.Put(r.sub(sc, id, "active"))
			require.NoError(t, r.send(fmt.Sprint(status, n, "begin"), "customer.subscription.updated", deliveries(id)[0].object))
			r.ending(sc, id, "active")
			r.stripe.Put(r.sub(sc, id, status))
			for _, which := range order {
				d := deliveries(id)[which]
				for range 2 {
					require.NoError(t, r.send(fmt.Sprint(status, n, d.kind), d.kind, d.object))
					r.ending(sc, id, status)
				}
			}
		}
		entries, err := sc.AuditEntries(t.Context(), models.AuditFilter{Act: "subscription.changed", Limit: 1000})
		require.NoError(t, err)
		want := 1 // nothing ever changed
		if status != "active" {
			want = 2 * len(permutations(4)) // to the state, and back to active for the next order
		}
		require.Len(t, entries, want, status)
	}
	for _, rep := range func() []models.AuditReport {
		rep, err := r.store.AsSystem("test").VerifyAudit(t.Context())
		require.NoError(t, err)
		return rep
	}() {
		require.Zero(t, rep.Broken)
	}
}

// A life of changes, each with its event; the events come in any order, several times, at the same time. In the end the
// organization is what its subscription is.
func TestEventsAtOnce(t *testing.T) {
	r := newRig(t)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	states := []string{"active", "past_due", "unpaid", "canceled", "active", "paused", "trialing"}
	for life := range 6 {
		sc := r.org(fmt.Sprint("Life ", life))
		id := fmt.Sprint("sub_life_", life)
		var wg sync.WaitGroup
		last := ""
		for n := range 8 {
			last = states[dice.IntN(len(states))]
			r.stripe.Put(r.sub(sc, id, last))
			for range 1 + dice.IntN(3) {
				wait := time.Duration(dice.IntN(15)) * time.Millisecond
				wg.Go(func() {
					time.Sleep(wait)
					d := deliveries(id)[n%4]
					for { // Stripe repeats what was not taken
						err := r.send(fmt.Sprint("evt_", life, "_", n), d.kind, d.object)
						if err == nil {
							return
						}
						if !fault.Is(err, fault.Unavailable) {
							t.Error(err)
							return
						}
					}
				})
			}
			time.Sleep(time.Duration(dice.IntN(6)) * time.Millisecond)
		}
		wg.Wait()
		r.ending(sc, id, last)
	}
}

// The same event many times at once has one effect.
func TestOneEventAtOnce(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	r.stripe.Put(r.sub(sc, "sub_1", "canceled"))
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if err := r.send("evt_same", "customer.subscription.deleted", deliveries("sub_1")[2].object); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.ending(sc, "sub_1", "canceled")
	require.Len(t, r.changed, 1, "the workers are told once")
	entries, err := sc.AuditEntries(t.Context(), models.AuditFilter{})
	require.NoError(t, err)
	acts := []string{}
	for _, e := range entries {
		if e.ActorName == "Stripe" {
			acts = append(acts, e.Act)
		}
	}
	require.ElementsMatch(t, []string{"subscription.changed", "organization.suspended"}, acts)
}

// An answer of Stripe's that was on its way while a later one was written is out of date.
func TestSlowAnswerIsLate(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	r.stripe.Put(r.sub(sc, "sub_1", "active"))
	read, goOn := make(chan struct{}), make(chan struct{})
	r.stripe.Hold(func(string) { close(read); <-goOn })
	slow := make(chan error, 1)
	go func() { slow <- r.send("evt_1", "customer.subscription.created", deliveries("sub_1")[0].object) }()
	<-read
	r.stripe.Hold(nil)
	r.stripe.Put(r.sub(sc, "sub_1", "canceled"))
	require.NoError(t, r.send("evt_2", "customer.subscription.deleted", deliveries("sub_1")[2].object))
	r.ending(sc, "sub_1", "canceled")
	close(goOn)
	require.NoError(t, <-slow)
	r.ending(sc, "sub_1", "canceled")
}

// Of two subscriptions the one that is paid counts, in whatever order they are heard of.
func TestTwoSubscriptions(t *testing.T) {
	r := newRig(t)
	for n, order := range [][]string{{"old", "new"}, {"new", "old"}, {"old", "new", "old"}, {"new", "old", "new"}} {
		sc := r.org(fmt.Sprint("Acme ", n))
		id := func(which string) string { return fmt.Sprint("sub_", which, n) }
		paid := r.sub(sc, id("new"), "active")
		paid.Created = 200
		r.stripe.Put(r.sub(sc, id("old"), "canceled"))
		r.stripe.Put(paid)
		for k, which := range order {
			require.NoError(t, r.send(fmt.Sprint("evt", n, k), "customer.subscription.updated", deliveries(id(which))[0].object))
		}
		r.ending(sc, id("new"), "active")
		paid.Status = "canceled"
		r.stripe.Put(paid)
		require.NoError(t, r.send(fmt.Sprint("evt", n, "end"), "customer.subscription.deleted", deliveries(id("new"))[2].object))
		r.ending(sc, id("new"), "canceled")
		first := r.sub(sc, id("third"), "incomplete")
		first.Created = 300
		r.stripe.Put(first)
		require.NoError(t, r.send(fmt.Sprint("evt", n, "third"), "customer.subscription.created", deliveries(id("third"))[0].object))
		r.ending(sc, id("new"), "canceled")
		first.Status = "active"
		r.stripe.Put(first)
		require.NoError(t, r.send(fmt.Sprint("evt", n, "paid"), "invoice.paid", map[string]any{"id": "in", "object": "invoice", "subscription": id("third")}))
		r.ending(sc, id("third"), "active")
	}
}

// Both at once: neither may be lost.
func TestTwoSubscriptionsAtOnce(t *testing.T) {
	r := newRig(t)
	for n := range 8 {
		sc := r.org(fmt.Sprint("Acme ", n))
		a, b := r.sub(sc, fmt.Sprint("sub_a", n), "active"), r.sub(sc, fmt.Sprint("sub_b", n), "canceled")
		r.stripe.Put(a)
		r.stripe.Put(b)
		var wg sync.WaitGroup
		for _, s := range []billingtest.Subscription{a, b} {
			wg.Go(func() {
				if err := r.send("evt"+s.ID, "customer.subscription.updated", deliveries(s.ID)[0].object); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r.ending(sc, a.ID, "active")
	}
}

func TestWhatASubscriptionSays(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.store.AsSystem("test").UpdatePlan(ctx, models.Actor{Staff: true}, models.Business, models.PlanChange{StripePriceMonth: ptr("price_bm"), StripePriceYear: ptr("price_by")})
	require.NoError(t, err)
	sc := r.org("Acme")
	n := 0
	says := func(change func(*billingtest.Subscription)) *models.Subscription {
		t.Helper()
		n++
		s := r.sub(sc, "sub_1", "active")
		change(&s)
		r.stripe.Put(s)
		require.NoError(t, r.send(fmt.Sprint("evt", n), "customer.subscription.updated", map[string]any{"id": "sub_1", "object": "subscription"}))
		row, err := sc.Subscription(ctx)
		require.NoError(t, err)
		return row
	}
	row := says(func(*billingtest.Subscription) {})
	require.Equal(t, []any{models.Pro, false, time.Unix(1800000000, 0).UTC()}, []any{row.Plan, row.Annual, row.PeriodEnd.UTC()})
	require.Nil(t, row.CancelAt)
	row = says(func(s *billingtest.Subscription) { s.Price, s.Interval = "price_by", "year" })
	require.Equal(t, []any{models.Business, true}, []any{row.Plan, row.Annual}, "a price that staff named says more than the checkout")
	row = says(func(s *billingtest.Subscription) {
		s.Price, s.PriceMetadata = "price_x", map[string]string{"lobstead_plan": "starter"}
	})
	require.Equal(t, models.Starter, row.Plan, "a price may say it itself")
	says(func(s *billingtest.Subscription) { s.Price = "price_bm" })
	row = says(func(s *billingtest.Subscription) { s.Price, s.Plan = "price_unknown", "" })
	require.Equal(t, models.Business, row.Plan, "nobody knows: it stays")
	row = says(func(s *billingtest.Subscription) { s.CancelAtPeriodEnd = true })
	require.Equal(t, time.Unix(1800000000, 0).UTC(), row.CancelAt.UTC())
	row = says(func(s *billingtest.Subscription) { s.CancelAt = 1790000000 })
	require.Equal(t, time.Unix(1790000000, 0).UTC(), row.CancelAt.UTC())
	row = says(func(s *billingtest.Subscription) { s.Organization, s.Status = "", "canceled" })
	require.Equal(t, models.SubscriptionCanceled, row.Status, "known by its customer")
	require.NoError(t, r.send("evt-expanded", "invoice.paid", map[string]any{"object": "invoice", "subscription": map[string]any{"id": "sub_1", "object": "subscription"}}))
}

// Events that concern nobody here are taken, so that Stripe does not repeat them for days.
func TestNobodysEvents(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	stranger, gone := r.sub(sc, "sub_stranger", "active"), r.sub(sc, "sub_gone", "active")
	stranger.Organization, stranger.Customer, gone.Organization = "", "cus_stranger", "no-such-organization"
	r.stripe.Put(stranger)
	r.stripe.Put(gone)
	for n, object := range []map[string]any{{"id": "cus_1", "object": "customer"}, {"id": "sub_stranger", "object": "subscription"}, {"id": "sub_gone", "object": "subscription"},
		{"id": "sub_unknown", "object": "subscription"}, {"id": "in_1", "object": "invoice"}, {"id": "cs", "object": "checkout.session", "subscription": nil}, {}} {
		for range 2 {
			require.NoError(t, r.send(fmt.Sprint("evt", n), "some.event", object), "%v", object)
		}
	}
	require.True(t, fault.Is(second(sc.Subscription(t.Context())), fault.NotFound))
}

// While Stripe does not answer, an event is not taken; repeated later it has its effect.
func TestEventWhileStripeIsDown(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	r.stripe.Put(r.sub(sc, "sub_1", "unpaid"))
	r.stripe.Down(true)
	require.True(t, fault.Is(r.send("evt_1", "invoice.payment_failed", deliveries("sub_1")[3].object), fault.Upstream))
	r.stripe.Down(false)
	require.NoError(t, r.send("evt_1", "invoice.payment_failed", deliveries("sub_1")[3].object))
	r.ending(sc, "sub_1", "unpaid")
}

// What is not signed with the secret, now and over these very bytes, has no effect at all.
func TestSignatures(t *testing.T) {
	r := newRig(t)
	sc := r.org("Acme")
	r.stripe.Put(r.sub(sc, "sub_1", "canceled"))
	body := billingtest.Event("evt_1", "customer.subscription.deleted", deliveries("sub_1")[2].object)
	good := billingtest.Sign(body, billingtest.Secret, time.Now())
	refused := func(body []byte, header, why string) {
		t.Helper()
		err := r.billing.Webhook(t.Context(), body, header)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", why, err)
		require.Equal(t, "The signature of the event is not valid", fault.As(err).Detail, why)
	}
	refused(body, "", "none")
	refused(body, "t=1,v1=00", "made up")
	refused(body, "v1="+good, "without a time")
	refused(body, billingtest.Sign(body, "whsec_other", time.Now()), "another secret")
	refused(body, billingtest.Sign(body, "", time.Now()), "an empty secret")
	refused(body, billingtest.Sign(body, billingtest.Secret, time.Now().Add(-6*time.Minute)), "old")
	refused(body, billingtest.Sign(body, billingtest.Secret, time.Unix(0, 0)), "very old")
	for at := range body {
		flipped := bytes.Clone(body)
		flipped[at] ^= 1
		refused(flipped, good, fmt.Sprint("byte ", at))
	}
	for at := range len(good) {
		flipped := []byte(good)
		flipped[at] ^= 1
		refused(body, string(flipped), fmt.Sprint("header ", at))
	}
	refused(append(bytes.Clone(body), ' '), good, "longer")
	refused(body[:len(body)-1], good, "shorter")
	for _, odd := range []string{"", "null", "[]", "{}", `{"object":"v2.core.event"}`, "nonsense", `{"object":"event","id":5}`} {
		refused([]byte(odd), billingtest.Sign([]byte(odd), billingtest.Secret, time.Now()), odd)
	}
	err := r.billing.Webhook(t.Context(), []byte(`{"object":"event"}`), billingtest.Sign([]byte(`{"object":"event"}`), billingtest.Secret, time.Now()))
	require.Equal(t, "The event has no id", fault.As(err).Detail)
	long := bytes.Repeat([]byte("x"), 600<<10)
	require.True(t, fault.Is(r.billing.Webhook(t.Context(), long, billingtest.Sign(long, billingtest.Secret, time.Now())), fault.TooLarge))
	require.True(t, fault.Is(second(sc.Subscription(t.Context())), fault.NotFound))
	require.Empty(t, r.stripe.Calls(), "Stripe was not asked")
	unsigned := r.at(r.stripe.URL, "")
	require.True(t, fault.Is(unsigned.Webhook(t.Context(), body, billingtest.Sign(body, "", time.Now())), fault.Unavailable), "without a secret nothing is taken")
	require.NoError(t, r.billing.Webhook(t.Context(), body, good))
	r.ending(sc, "sub_1", "canceled")
}
