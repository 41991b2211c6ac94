package models_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestResponseCache(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Beta")
	i, err := sc.CreateInstance(t.Context(), models.NewInstance{Name: "one", Region: "local", Tier: "STARTER"})
	require.NoError(t, err)

	off, stats, err := sc.ResponseCache(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, []any{false, false, 95, 24, 1000, models.CacheStats{}}, []any{off.Enabled, off.Semantic, off.Threshold, off.LifeHours, off.MaxEntries, stats}, "off, until somebody wants it")
	_, err = sc.SetResponseCache(t.Context(), i.ID, models.CacheChange{Threshold: ptr(79), LifeHours: ptr(0), MaxEntries: ptr(10_001)})
	require.Len(t, fault.As(err).Fields, 3)
	_, err = other.SetResponseCache(t.Context(), i.ID, models.CacheChange{Enabled: ptr(true)})
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = sc.SetResponseCache(t.Context(), i.ID, models.CacheChange{Enabled: ptr(true), MaxEntries: ptr(2)})
	require.NoError(t, err)
	on, err := sc.SetResponseCache(t.Context(), i.ID, models.CacheChange{LifeHours: ptr(2)})
	require.NoError(t, err)
	require.Equal(t, []any{true, 2, 2}, []any{on.Enabled, on.MaxEntries, on.LifeHours}, "what is not said stays")
	used, err := sc.CachesInUse(t.Context())
	require.NoError(t, err)
	require.Len(t, used, 1)

	keep := func(digest, answer string) {
		t.Helper()
		require.NoError(t, sc.KeepAnswer(t.Context(), models.CachedAnswer{InstanceID: i.ID, Digest: digest, Frame: "f", Answer: answer}, on.LifeHours))
		fake.Add(time.Second)
	}
	keep("a", "first")
	keep("a", "second")
	got, err := sc.CachedAnswer(t.Context(), i.ID, "a")
	require.NoError(t, err)
	require.Equal(t, "second", got.Answer, "the newer one")
	_, err = other.CachedAnswer(t.Context(), i.ID, "a")
	require.True(t, fault.Is(err, fault.NotFound), "another organization has no such answer")
	keep("long", string(make([]byte, models.MaxCachedAnswer+1)))
	_, err = sc.CachedAnswer(t.Context(), i.ID, "long")
	require.True(t, fault.Is(err, fault.NotFound))

	keep("b", "b")
	keep("c", "c")
	require.NoError(t, store.AsSystem("test").Trim(t.Context()))
	_, err = sc.CachedAnswer(t.Context(), i.ID, "a")
	require.True(t, fault.Is(err, fault.NotFound), "two are kept, the oldest goes")
	_, err = sc.CachedAnswer(t.Context(), i.ID, "b")
	require.NoError(t, err)

	for _, o := range []models.CacheOutcome{models.CacheExact, models.CacheSemantic, models.CacheMiss, models.CacheExact} {
		sc.CountCache(t.Context(), i.ID, o)
	}
	_, stats, err = sc.ResponseCache(t.Context(), i.ID)
	require.NoError(t, err)
	require.Equal(t, models.CacheStats{Hits: 3, SemanticHits: 1, Misses: 1, Entries: 2}, stats)
	require.InDelta(t, 75, stats.HitRate(), 1e-9)
	whole, err := sc.CacheStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, stats, whole)
	whole, err = other.CacheStats(t.Context())
	require.NoError(t, err)
	require.Zero(t, whole)

	fake.Add(2 * time.Hour)
	_, err = sc.CachedAnswer(t.Context(), i.ID, "c")
	require.True(t, fault.Is(err, fault.NotFound), "its time is over before anybody tidies")
	require.NoError(t, store.AsSystem("test").Trim(t.Context()))
	keep("d", "d")
	require.NoError(t, sc.EmptyCache(t.Context(), i.ID))
	_, stats, err = sc.ResponseCache(t.Context(), i.ID)
	require.NoError(t, err)
	require.Zero(t, stats)
}

func TestSecretsAreNotCached(t *testing.T) {
	t.Parallel()
	store := modelstest.Open(t, models.Options{Dir: t.TempDir(), Scrub: func(s string) string {
		if s == "the word is hunter2" {
			return "the word is [redacted]"
		}
		return s
	}})
	sc, _ := modelstest.Found(t, store, "Acme")
	i, err := sc.CreateInstance(t.Context(), models.NewInstance{Name: "one", Region: "local", Tier: "STARTER"})
	require.NoError(t, err)
	for n, answer := range []string{"the word is hunter2", "no word"} {
		require.NoError(t, sc.KeepAnswer(t.Context(), models.CachedAnswer{InstanceID: i.ID, Digest: fmt.Sprint(n), Answer: answer}, 1))
		_, err = sc.CachedAnswer(t.Context(), i.ID, fmt.Sprint(n))
		require.Equal(t, n == 0, fault.Is(err, fault.NotFound), answer)
	}
}

// An answer out of the cache is an entry of nothing that says what it saved, apart from what the router saved.
func TestCachedCallsInTheSums(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: id.New(), Purpose: "chat", Model: "m", CostNanos: 4, BaselineNanos: ptr(int64(9))}))
	require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: id.New(), Purpose: models.CachedCall, Model: "m", BaselineNanos: ptr(int64(7))}))
	require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: id.New(), Purpose: models.CachedCall, Model: "m"}))
	span := models.DaysUntil(time.Now(), time.UTC, 1)
	f := models.UsageFilter{From: span.From, Until: span.Until}
	cells, err := sc.Usage(t.Context(), f, "", nil)
	require.NoError(t, err)
	require.Len(t, cells, 1)
	s := cells[0].UsageSum
	require.Equal(t, []int64{3, 4, 1, 5, 2, 7}, []int64{s.Calls, s.CostNanos, s.Compared, s.SavedNanos(), s.Cached, s.CachedNanos})
	for only, n := range map[models.UsageOnly]int64{models.OnlyCached: 2, models.OnlyCompared: 1} {
		rows, err := sc.UsageEntries(t.Context(), f, only, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, int(n), only)
		require.Equal(t, n, only.Of(&s), only)
	}
	reports, err := store.AsSystem("test").CheckLedger(t.Context())
	require.NoError(t, err)
	for _, r := range reports {
		require.Empty(t, r.Problems)
	}
}
