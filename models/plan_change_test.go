package models_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

var staff = models.Actor{UserID: "s1", Name: "Sam Staff", Staff: true, Reason: "asked by mail"}

func ptr[T any](v T) *T { return &v }

// limited opens a store where plans limit.
func limited(t *testing.T) *models.Store {
	t.Helper()
	o := place(t)
	o.PlanLimits = true
	return modelstest.Open(t, o)
}

// starter puts an organization on the smallest plan: the one that founds an installation has the biggest.
func starter(t *testing.T, sc *models.Scope) {
	t.Helper()
	_, err := sc.SetPlan(t.Context(), models.Starter)
	require.NoError(t, err)
}

// The table of the contract (cloud-api.md, "Tiers").
func TestPlansAreTheContracts(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	rows, err := store.AsSystem("test").Plans(t.Context())
	require.NoError(t, err)
	got := []string{}
	for n, p := range rows {
		require.Equal(t, models.Sizes[n], p.Size, "the defaults are the table's first rows")
		got = append(got, fmt.Sprintf("%s %d %d %d %d %d", p.Tier, p.MemoryMB, p.StorageMB, p.Instances, p.Price(false), p.Price(true)))
	}
	require.Equal(t, []string{"STARTER 512 1024 1 500 5000", "PRO 2048 10240 5 2500 25000", "BUSINESS 8192 102400 20 9900 99000"}, got)
}

func TestUpdatePlan(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	o := place(t)
	o.Clock = fake
	store := modelstest.Open(t, o)
	other := open(t, o) // another process
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx, sy := t.Context(), store.AsSystem("test")
	old := modelstest.Instance(t, sc, "old")
	_, err := other.AsSystem("test").Plans(ctx)
	require.NoError(t, err)
	p, err := sy.UpdatePlan(ctx, staff, models.Starter, models.PlanChange{MemoryMB: ptr(768), Processes: ptr(96), CPUs: ptr(1.5), Instances: ptr(2), PriceMonthCents: ptr(600), StripePriceMonth: ptr("price_1")})
	require.NoError(t, err)
	require.Equal(t, []any{768, 1024, 96, 1.5, 2, 600, 5000, "price_1", ""},
		[]any{p.MemoryMB, p.StorageMB, p.Processes, p.CPUs, p.Instances, p.PriceMonthCents, p.PriceYearCents, p.StripePrice(false), p.StripePrice(true)})
	i := modelstest.Instance(t, sc, "new")
	require.Equal(t, []any{768, 1024, 96, 1.5}, []any{i.MemoryMB, i.StorageMB, i.Processes, i.CPUs}, "the cache was forgotten")
	same, err := sc.Instance(ctx, old.ID)
	require.NoError(t, err)
	require.Equal(t, []any{512, 64, 1.0}, []any{same.MemoryMB, same.Processes, same.CPUs}, "an instance keeps its size")
	fake.Add(models.PlanLife)
	seen, err := other.In(sc.Org).Plan(ctx, models.Starter)
	require.NoError(t, err)
	require.Equal(t, 768, seen.MemoryMB, "another process sees it in time")
	pro := models.Pro
	same, err = sc.UpdateInstance(ctx, old.ID, models.InstanceChange{Tier: &pro})
	require.NoError(t, err)
	require.Equal(t, []any{2048, 10240, 256, 2.0}, []any{same.MemoryMB, same.StorageMB, same.Processes, same.CPUs})
	entries, err := sy.AuditEntries(ctx, models.InstallationChain, models.AuditFilter{Act: "plan.changed"})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, []any{"STARTER", models.ActorStaff, "asked by mail"}, []any{entries[0].TargetID, entries[0].ActorKind, entries[0].Reason})
	require.JSONEq(t, `{"cpus":1,"instances":1,"memory_mb":512,"price_month_cents":500,"processes":64,"stripe_price_month":""}`, entries[0].Before)
	require.JSONEq(t, `{"cpus":1.5,"instances":2,"memory_mb":768,"price_month_cents":600,"processes":96,"stripe_price_month":"price_1"}`, entries[0].After)
	for _, same := range []models.PlanChange{{}, {MemoryMB: ptr(768)}} {
		_, err = sy.UpdatePlan(ctx, staff, models.Starter, same)
		require.NoError(t, err)
	}
	entries, err = sy.AuditEntries(ctx, models.InstallationChain, models.AuditFilter{Act: "plan.changed"})
	require.NoError(t, err)
	require.Len(t, entries, 1, "what changes nothing is no act")
	f := fault.As(second(sy.UpdatePlan(ctx, staff, models.Pro, models.PlanChange{MemoryMB: ptr(0), StorageMB: ptr(-1), Processes: ptr(1), CPUs: ptr(math.NaN()), Instances: ptr(-1),
		PriceMonthCents: ptr(-5), PriceYearCents: ptr(1 << 40), StripePriceMonth: ptr(strings.Repeat("x", 256)), StripePriceYear: ptr("\x00")})))
	require.Len(t, f.Fields, 9, "all at once")
	require.True(t, fault.Is(second(sy.UpdatePlan(ctx, staff, "HUGE", models.PlanChange{Instances: ptr(1)})), fault.NotFound))
	require.True(t, fault.Is(second(sc.Plan(ctx, "HUGE")), fault.NotFound))
}

func TestInstanceLimit(t *testing.T) {
	t.Parallel()
	store := limited(t)
	sc, f := modelstest.Found(t, store, "Acme")
	free, _ := modelstest.Found(t, modelstest.New(t), "Free")
	for range 3 {
		modelstest.Instance(t, free, "x") // without billing nothing limits
	}
	a, err := free.Allowance(t.Context())
	require.NoError(t, err)
	require.Equal(t, models.Allowance{Used: 3}, a)
	create := func(sc *models.Scope) error {
		return second(sc.CreateInstance(t.Context(), models.NewInstance{Name: "x", Region: "local", Tier: models.Business}))
	}
	starter(t, sc)
	one := modelstest.Instance(t, sc, "one")
	e := fault.As(create(sc))
	require.Equal(t, []any{fault.Forbidden, "instance.limit", "Instance limit reached"}, []any{e.Kind, e.Code, e.Detail})
	require.Equal(t, "instance.limit", fault.As(create(sc.Knowing(&f.Organization))).Code)
	require.Error(t, create(sc.Knowing(&models.Organization{ID: "other", InstanceLimit: ptr(99)})), "another organization's is passed over")
	_, err = sc.ActOnInstance(t.Context(), one.ID, models.Delete)
	require.NoError(t, err)
	require.NoError(t, create(sc), "one that is being deleted does not count")
	by := sc.As(staff)
	o, err := by.SetPlan(t.Context(), models.Pro)
	require.NoError(t, err)
	require.Equal(t, models.Pro, o.Plan)
	for range 4 {
		require.NoError(t, create(sc))
	}
	require.Error(t, create(sc))
	o, err = by.SetInstanceLimit(t.Context(), ptr(6))
	require.NoError(t, err)
	require.Equal(t, 6, *o.InstanceLimit)
	require.NoError(t, create(sc))
	require.Error(t, create(sc))
	a, err = sc.Allowance(t.Context())
	require.NoError(t, err)
	require.Equal(t, models.Allowance{Limited: true, Limit: 6, Used: 6}, a)
	for range 2 { // the second time changes nothing
		o, err = by.SetInstanceLimit(t.Context(), nil)
		require.NoError(t, err)
		require.Nil(t, o.InstanceLimit)
		require.NoError(t, second(by.SetPlan(t.Context(), models.Pro)))
	}
	require.Error(t, create(sc), "more than the plan allows stay, and none is added")
	_, err = free.As(staff).SetInstanceLimit(t.Context(), ptr(3))
	require.NoError(t, err)
	require.Error(t, create(free), "a limit of its own holds without billing too")
	require.True(t, fault.Is(second(by.SetInstanceLimit(t.Context(), ptr(-1))), fault.Invalid))
	require.True(t, fault.Is(second(by.SetPlan(t.Context(), "HUGE")), fault.Invalid))
	acts := []string{}
	entries, err := sc.AuditEntries(t.Context(), models.AuditFilter{Act: "organization."})
	require.NoError(t, err)
	for _, e := range entries {
		if e.ActorKind == models.ActorStaff {
			acts = append(acts, e.Act+e.Before+e.After)
		}
	}
	require.Equal(t, []string{`organization.limit_changed{"instance_limit":6}{"instance_limit":null}`, `organization.limit_changed{"instance_limit":null}{"instance_limit":6}`,
		`organization.plan_changed{"plan":"STARTER"}{"plan":"PRO"}`}, acts)
}

// Without billing a creation asks nothing more than before: what the request knows and the cached plans are enough.
func TestUnlimitedCreationsReadNothingMore(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, f := modelstest.Found(t, store, "Acme")
	modelstest.Instance(t, sc, "warm")
	rec := &recorder{}
	rec.watch(t, store)
	modelstest.Instance(t, sc.Knowing(&f.Organization), "one")
	require.NotEmpty(t, rec.sql)
	for _, query := range rec.sql {
		if !modelstest.Postgres() || !strings.Contains(query, "FOR NO KEY UPDATE") { // there the audit log locks the organization by a read
			require.Contains(t, query, "audit_entries")
		}
	}
}

// Creations at once cannot exceed the limit together.
func TestInstanceLimitInParallel(t *testing.T) {
	t.Parallel()
	store := limited(t)
	sc, f := modelstest.Found(t, store, "Acme")
	_, err := sc.As(staff).SetPlan(t.Context(), models.Pro)
	require.NoError(t, err)
	var made, refused atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := sc.Knowing(&f.Organization).CreateInstance(t.Context(), models.NewInstance{Name: "x", Region: "local", Tier: models.Starter})
			switch {
			case err == nil:
				made.Add(1)
			case fault.As(err).Code == "instance.limit":
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int32{5, 11}, []int32{made.Load(), refused.Load()})
}
