package models_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// each call's values that usage is cut by
var usageOf = map[models.UsageBy]func(e *models.LedgerEntry) string{
	models.ByModel: func(e *models.LedgerEntry) string { return e.Model }, models.ByProvider: func(e *models.LedgerEntry) string { return e.Provider },
	models.ByInstance: func(e *models.LedgerEntry) string { return e.InstanceID }, models.ByMember: func(e *models.LedgerEntry) string { return e.MemberID },
	models.ByKey: func(e *models.LedgerEntry) string { return e.KeyID }, models.BySession: func(e *models.LedgerEntry) string { return e.SessionID },
	models.ByPurpose: func(e *models.LedgerEntry) string { return e.Purpose },
}

// entriesOf reads all entries behind a number, as the page does.
func entriesOf(t *testing.T, sc *models.Scope, f models.UsageFilter, only models.UsageOnly) []models.LedgerEntry {
	t.Helper()
	out, after := []models.LedgerEntry{}, ""
	for {
		rows, err := sc.UsageEntries(t.Context(), f, only, after, 23)
		require.NoError(t, err)
		out = append(out, rows...)
		if len(rows) < 23 {
			return out
		}
		after = rows[22].Cursor()
	}
}

func sumOf(rows []models.LedgerEntry) models.UsageSum {
	s := models.UsageSum{}
	for n := range rows {
		e := &rows[n]
		s.Calls++
		s.InputTokens += int64(e.InputTokens)
		s.OutputTokens += int64(e.OutputTokens)
		s.CostNanos += e.CostNanos
		if e.Failed() {
			s.Errors++
		}
		if e.Unpriced {
			s.Unpriced++
		}
		if e.Failure == "" {
			models.NoteTook(&s.Took, e.Took())
		}
		if e.BaselineNanos != nil {
			s.Compared, s.ComparedNanos, s.BaselineNanos = s.Compared+1, s.ComparedNanos+e.CostNanos, s.BaselineNanos+*e.BaselineNanos
		}
	}
	return s
}

// randomCalls makes calls of every kind around a moment: answered, failed, cancelled, unpriced, routed, negative (a
// correction), without a reservation, orphaned, and some that stay under way.
func randomCalls(t *testing.T, sc *models.Scope, c *clock.Fake, r *rand.Rand, n int) {
	t.Helper()
	for k := range n {
		c.Add(time.Duration(r.Int64N(int64(50 * time.Minute))))
		baseline := r.Int64N(5000)
		charge := models.Charge{CallID: fmt.Sprintf("%d-%d", c.Now().UnixNano(), k), Purpose: []string{"chat", "title", "gateway"}[r.IntN(3)], InstanceID: []string{"", "a", "b"}[r.IntN(3)],
			SessionID: []string{"", "s1", "s2"}[r.IntN(3)], MemberID: []string{"m1", "m2"}[r.IntN(2)], KeyID: []string{"", "k"}[r.IntN(2)],
			Provider: []string{"openai", "gemini"}[r.IntN(2)], Model: []string{"x", "y", "z"}[r.IntN(3)], Unpriced: r.IntN(4) == 0}
		loose := r.IntN(5) == 0
		if !loose {
			require.NoError(t, sc.Reserve(t.Context(), charge))
			c.Add(time.Duration(r.Int64N(int64(40 * time.Second))))
		}
		charge.InputTokens, charge.OutputTokens, charge.CostNanos = r.IntN(1000), r.IntN(100), r.Int64N(10_000)
		switch r.IntN(8) {
		case 0:
			charge.Failure = "overloaded"
		case 1:
			charge.Failure = models.CancelledCall
		case 2:
			charge.CostNanos = -charge.CostNanos
		case 3, 4:
			charge.BaselineNanos = &baseline
		case 5:
			if !loose {
				continue // under way
			}
		case 6:
			if !loose {
				c.Add(2 * models.ReservationLease)
				done, err := sc.SettleOrphan(t.Context(), charge.CallID)
				require.NoError(t, err)
				require.True(t, done)
				continue
			}
		}
		require.NoError(t, sc.Settle(t.Context(), charge))
	}
}

// Every number is the sum of the entries that it links to, whatever the zone, the step and the filter.
func TestUsageIsTheSumOfItsEntries(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]time.Time{
		"UTC":                 time.Date(2026, 5, 1, 11, 7, 0, 0, time.UTC),
		"Asia/Kathmandu":      time.Date(2026, 5, 1, 11, 7, 0, 0, time.UTC),   // 5:45
		"Europe/Berlin":       time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC),  // the clocks go forward
		"America/New_York":    time.Date(2026, 10, 31, 22, 0, 0, 0, time.UTC), // and back
		"America/Santiago":    time.Date(2026, 9, 5, 1, 0, 0, 0, time.UTC),    // a day without a midnight
		"Australia/Lord_Howe": time.Date(2026, 4, 4, 2, 0, 0, 0, time.UTC),    // by half an hour
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clock.NewFake(at)
			store := modelstest.NewAt(t, c)
			sc, _ := modelstest.Found(t, store, "Acme")
			other, _ := modelstest.Found(t, store, "Rival")
			require.NoError(t, sc.SetTimeZone(t.Context(), name))
			r := rand.New(rand.NewPCG(7, uint64(len(name)))) //nolint:gosec // a test that can be repeated
			randomCalls(t, sc, c, r, 40)
			randomCalls(t, other, c, r, 5)
			compareUsage(t, sc, c.Now(), r) // from the quarters
			require.NoError(t, store.AsSystem("test").MakeUsageDays(t.Context()))
			randomCalls(t, sc, c, r, 40)
			compareUsage(t, sc, c.Now(), r) // from the days
			require.NoError(t, sc.SetTimeZone(t.Context(), "Asia/Kolkata"))
			randomCalls(t, sc, c, r, 10)
			compareUsage(t, sc, c.Now(), r) // the days are another zone's
			require.NoError(t, store.AsSystem("test").MakeUsageDays(t.Context()))
			compareUsage(t, sc, c.Now(), r)
			reports, err := store.AsSystem("test").CheckLedger(t.Context())
			require.NoError(t, err)
			for _, report := range reports {
				require.Empty(t, report.Problems)
			}
		})
	}
}

func compareUsage(t *testing.T, sc *models.Scope, now time.Time, r *rand.Rand) {
	t.Helper()
	zone, err := sc.TimeZone(t.Context())
	require.NoError(t, err)
	for _, span := range []models.UsageSpan{models.HoursUntil(now, zone, 24), models.DaysUntil(now, zone, 7), models.DaysUntil(now, zone, 30)} {
		for _, by := range append([]models.UsageBy{""}, models.UsageWays...) {
			f := models.UsageFilter{From: span.From, Until: span.Until, Only: map[models.UsageBy]string{}}
			if other := models.UsageWays[r.IntN(len(models.UsageWays))]; r.IntN(3) == 0 && other != by {
				f.Only[other] = []string{"", "x", "a", "chat", "s1"}[r.IntN(5)]
			}
			whole := models.UsageSum{}
			cells, err := sc.Usage(t.Context(), f, by, span.Steps())
			require.NoError(t, err)
			for _, cell := range cells {
				whole.Add(&cell.UsageSum)
				if r.IntN(6) > 0 {
					continue // some of them tell
				}
				behind := models.UsageFilter{From: span.Starts[cell.Step], Until: span.Until, Only: map[models.UsageBy]string{}}
				if cell.Step+1 < len(span.Starts) {
					behind.Until = span.Starts[cell.Step+1]
				}
				for way, v := range f.Only {
					behind.Only[way] = v
				}
				if by != "" {
					behind.Only[by] = cell.Key
				}
				rows := entriesOf(t, sc, behind, "")
				require.Equal(t, sumOf(rows), cell.UsageSum, "%s %q in step %d", by, cell.Key, cell.Step)
				for n := range rows {
					require.True(t, by == "" || usageOf[by](&rows[n]) == cell.Key)
				}
			}
			require.Equal(t, sumOf(entriesOf(t, sc, f, "")), whole, by)
			for _, only := range []models.UsageOnly{models.OnlyErrors, models.OnlyUnpriced, models.OnlyCompared} {
				require.Len(t, entriesOf(t, sc, f, only), int(only.Of(&whole)), only)
			}
		}
	}
}

func TestUsageSpans(t *testing.T) {
	t.Parallel()
	in := func(name string) *time.Location {
		l, err := time.LoadLocation(name)
		require.NoError(t, err)
		return l
	}
	now := time.Date(2026, 5, 1, 11, 7, 0, 0, time.UTC)
	h := models.HoursUntil(now, in("Asia/Kathmandu"), 24)
	require.Len(t, h.Starts, 24)
	require.Equal(t, "2026-05-01T10:15:00Z", h.Starts[23].Format(time.RFC3339), "16:00 there")
	require.Equal(t, h.Starts[23].Add(time.Hour), h.Until)
	d := models.DaysUntil(time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC), in("Europe/Berlin"), 3)
	require.Equal(t, 23*time.Hour, d.Starts[2].Sub(d.Starts[1]), "the day on which the clocks go forward")
	require.Equal(t, 24*time.Hour, d.Until.Sub(d.Starts[2]))
}

func TestTookPercentiles(t *testing.T) {
	t.Parallel()
	_, ok := (&models.Took{}).Percentile(.5)
	require.False(t, ok)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that can be repeated
	took, all := models.Took{}, []time.Duration{}
	for range 5000 {
		d := time.Duration(float64(200*time.Millisecond) * (1 + 100*r.Float64()*r.Float64()))
		all = append(all, d)
		models.NoteTook(&took, d)
	}
	for _, share := range []float64{.05, .5, .95, .99} {
		got, ok := took.Percentile(share)
		require.True(t, ok)
		want := percentile(all, share)
		require.InEpsilon(t, float64(want), float64(got), .5, "%v", share)
	}
	models.NoteTook(&took, time.Hour)
	got, _ := took.Percentile(1)
	require.Greater(t, got, 128*time.Second)
}

func percentile(all []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
