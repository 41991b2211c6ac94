package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func subscribed(id string, s models.SubscriptionStatus, weighed ...string) models.Subscribed {
	return models.Subscribed{Customer: "cus_1", Subscription: id, Status: s, Plan: models.Pro, Weighed: append([]string{id}, weighed...)}
}

func ticket(t *testing.T, store *models.Store, event string) int64 {
	t.Helper()
	n, done, err := store.AsSystem("test").TakeStripeEvent(t.Context(), event, "test")
	require.NoError(t, err)
	require.False(t, done)
	return n
}

func TestSubscriptionFollowsStripe(t *testing.T) {
	t.Parallel()
	for status, want := range map[models.SubscriptionStatus]struct {
		plan      models.Tier
		suspended string
	}{
		models.SubscriptionActive: {models.Pro, ""}, models.SubscriptionTrialing: {models.Pro, ""}, models.SubscriptionPastDue: {models.Pro, ""},
		models.SubscriptionUnpaid: {models.Starter, "the subscription is not paid"}, models.SubscriptionPaused: {models.Starter, "the subscription is paused"},
		models.SubscriptionCanceled: {models.Starter, "the subscription was cancelled"}, models.SubscriptionIncomplete: {models.Starter, ""},
		models.SubscriptionIncompleteExpired: {models.Starter, ""}, "a word of tomorrow": {models.Starter, ""},
	} {
		store := modelstest.New(t)
		sc, _ := modelstest.Found(t, store, "Acme")
		starter(t, sc)
		modelstest.Instance(t, sc, "one")
		rows, err := sc.ApplySubscription(t.Context(), "evt", ticket(t, store, "evt"), subscribed("sub", status))
		require.NoError(t, err, status)
		require.Equal(t, want.suspended != "", len(rows) == 1, status)
		o, err := sc.Organization(t.Context())
		require.NoError(t, err)
		require.Equal(t, []any{want.plan, want.suspended}, []any{o.Plan, o.SuspendedReason}, status)
		s, err := sc.Subscription(t.Context())
		require.NoError(t, err)
		require.Equal(t, []any{status, "cus_1", "sub", models.Pro}, []any{s.Status, s.StripeCustomer, s.StripeSubscription, s.Plan})
		rows, err = sc.ApplySubscription(t.Context(), "evt2", ticket(t, store, "evt2"), subscribed("sub", models.SubscriptionActive))
		require.NoError(t, err)
		require.Equal(t, want.suspended != "", len(rows) == 1, status)
		o, err = sc.Organization(t.Context())
		require.NoError(t, err)
		require.Nil(t, o.SuspendedAt, status)
		require.Equal(t, models.Pro, o.Plan)
		org, err := store.AsSystem("test").OrganizationOfCustomer(t.Context(), "cus_1")
		require.NoError(t, err)
		require.Equal(t, sc.Org, org)
	}
}

// What a fetch that began later wrote is not replaced by one that began earlier, and events have one effect.
func TestEarlierFetchesAreLate(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	apply := func(event string, ticket int64, s models.Subscribed) error {
		return second(sc.ApplySubscription(ctx, event, ticket, s))
	}
	status := func() string {
		s, err := sc.Subscription(ctx)
		require.NoError(t, err)
		return s.StripeSubscription + " " + string(s.Status)
	}
	one, two := ticket(t, store, "e1"), ticket(t, store, "e2")
	require.Less(t, one, two)
	require.NoError(t, apply("e2", two, subscribed("a", models.SubscriptionCanceled)))
	require.NoError(t, apply("e1", one, subscribed("a", models.SubscriptionActive)))
	require.Equal(t, "a canceled", status())
	_, done, err := store.AsSystem("test").TakeStripeEvent(ctx, "e1", "test")
	require.NoError(t, err)
	require.True(t, done, "an event that came too late is done too")
	require.NoError(t, apply("e2", 99, subscribed("a", models.SubscriptionActive)))
	require.Equal(t, "a canceled", status(), "the second time without effect")
	require.Less(t, two, ticket(t, store, "e3"))
	require.Less(t, ticket(t, store, "e3"), ticket(t, store, "e3"), "an event that failed is numbered anew")
	// Another subscription: it must have been weighed against the present one, as that is now.
	three := ticket(t, store, "e3")
	require.ErrorIs(t, apply("e3", three, subscribed("b", models.SubscriptionActive)), models.ErrSubscriptionMoved)
	require.NoError(t, apply("e4", ticket(t, store, "e4"), subscribed("a", models.SubscriptionCanceled)))
	require.ErrorIs(t, apply("e3", three, subscribed("b", models.SubscriptionActive, "a")), models.ErrSubscriptionMoved)
	require.NoError(t, apply("e3", ticket(t, store, "e3"), subscribed("b", models.SubscriptionActive, "a")))
	require.Equal(t, "b active", status())
	o, err := sc.Organization(ctx)
	require.NoError(t, err)
	require.Nil(t, o.SuspendedAt)
	require.NoError(t, store.AsSystem("test").DropStripeEvent(ctx, "nobody's"))
	require.True(t, fault.Is(second(store.AsSystem("test").OrganizationOfCustomer(ctx, "nobody")), fault.NotFound))
	entries, err := sc.AuditEntries(ctx, models.AuditFilter{Act: "subscription.changed"})
	require.NoError(t, err)
	require.Len(t, entries, 2, "made, and replaced: a state that is the same is no act")
}

// Events are forgotten, numbers never come twice.
func TestEventsAreForgotten(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	last := int64(0)
	for n := range 5 {
		last = ticket(t, store, "old"+string(rune('a'+n)))
	}
	require.NoError(t, second(sc.ApplySubscription(t.Context(), "olde", last, subscribed("a", models.SubscriptionActive))))
	fake.Add(61 * 24 * time.Hour)
	require.Greater(t, ticket(t, store, "new"), last)
	require.NoError(t, store.AsSystem("test").Trim(t.Context()))
	var n int64
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Model(&models.StripeEvent{}).Count(&n).Error)
	require.EqualValues(t, 1, n)
}
