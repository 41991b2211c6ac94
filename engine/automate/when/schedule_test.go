package when_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/automate/when"
)

func runs(t *testing.T, s when.Schedule, after string, n int) []string {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", after, s.Zone)
	require.NoError(t, err)
	var out []string
	for _, r := range s.Runs(at, n) {
		out = append(out, r.Format("2006-01-02 15:04 MST"))
	}
	return out
}

// Over a change of the clock each wall-clock time comes once; one that does not exist is due when the clock has jumped.
func TestRunsOverAChangeOfTheClock(t *testing.T) {
	t.Parallel()
	cron := func(expr, zoneName string) when.Schedule {
		return when.Schedule{Kind: when.Cron, Expr: expr, Zone: zone(zoneName)}
	}
	for name, c := range map[string]struct {
		s     when.Schedule
		after string
		want  []string
	}{
		"forward: a time in the gap": {cron("30 2 * * *", "Europe/Berlin"), "2026-03-28 12:00", []string{"2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"}},
		"forward: half hours":        {cron("*/30 1-3 * * *", "Europe/Berlin"), "2026-03-29 01:15", []string{"2026-03-29 01:30 CET", "2026-03-29 03:00 CEST", "2026-03-29 03:30 CEST", "2026-03-30 01:00 CEST"}},
		"back: a time that is twice": {cron("30 2 * * *", "Europe/Berlin"), "2026-10-24 12:00", []string{"2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"}},
		"back: half hours":           {cron("*/30 * * * *", "Europe/Berlin"), "2026-10-25 01:45", []string{"2026-10-25 02:00 CEST", "2026-10-25 02:30 CEST", "2026-10-25 03:00 CET"}},
		"forward in America":         {cron("15 2 * * *", "America/New_York"), "2026-03-07 12:00", []string{"2026-03-08 03:00 EDT", "2026-03-09 02:15 EDT"}},
		"half an hour's change":      {cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03 12:00", []string{"2026-10-04 02:30 +11", "2026-10-05 02:15 +11"}},
		"no change":                  {cron("0 9 * * 1-5", "UTC"), "2026-11-20 09:00", []string{"2026-11-23 09:00 UTC", "2026-11-24 09:00 UTC"}},
		"the 31st":                   {cron("0 9 31 * *", "UTC"), "2026-11-20 09:00", []string{"2026-12-31 09:00 UTC", "2027-01-31 09:00 UTC", "2027-03-31 09:00 UTC"}},
		"a leap day":                 {cron("0 9 29 2 *", "UTC"), "2026-11-20 09:00", []string{"2028-02-29 09:00 UTC"}},
		"the last day":               {cron("0 9 L * *", "UTC"), "2027-01-31 09:00", []string{"2027-02-28 09:00 UTC", "2027-03-31 09:00 UTC"}},
		"every other day at nine": {when.Schedule{Kind: when.Every, N: 2, Unit: when.Days, At: time.Date(2026, 10, 22, 9, 0, 0, 0, berlin), Zone: berlin}, "2026-10-23 00:00",
			[]string{"2026-10-24 09:00 CEST", "2026-10-26 09:00 CET", "2026-10-28 09:00 CET"}},
		"every 45 minutes": {when.Schedule{Kind: when.Every, N: 45, Unit: when.Minutes, At: time.Date(2026, 10, 25, 1, 30, 0, 0, berlin), Zone: berlin}, "2026-10-25 01:30",
			[]string{"2026-10-25 02:15 CEST", "2026-10-25 02:00 CET", "2026-10-25 02:45 CET"}},
	} {
		require.NoError(t, c.s.Check(now), name)
		assert.Equal(t, c.want, runs(t, c.s, c.after, len(c.want)), name)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]when.Schedule{
		"no zone": {Kind: when.Cron, Expr: "0 9 * * *"}, "words": {Kind: when.Cron, Expr: "nonsense", Zone: berlin}, "never": {Kind: when.Cron, Expr: "0 0 30 2 *", Zone: berlin},
		"over": {Kind: when.Once, At: now, Zone: berlin}, "no span": {Kind: when.Every, Unit: when.Days, At: now, Zone: berlin}, "no kind": {Zone: berlin},
	} {
		assert.Error(t, s.Check(now), name)
	}
	assert.NoError(t, when.Schedule{Kind: when.Once, At: now.Add(time.Minute), Zone: berlin}.Check(now))
}

// Whatever the moment: the next time is later, no time is left out between the two, and asking in between gives the same.
func TestNextIsSteady(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := when.Schedule{Kind: when.Cron, Zone: zone(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}).Draw(t, "zone")),
			Expr: rapid.SampledFrom([]string{"*/20 * * * *", "30 2 * * *", "0 9-17/2 * * 1-5", "59 23 L * *", "0 0 * * 0"}).Draw(t, "expr")}
		from := time.Unix(rapid.Int64Range(1_760_000_000, 1_860_000_000).Draw(t, "from"), 0)
		next := s.Next(from)
		require.True(t, next.After(from))
		between := from.Add(time.Duration(rapid.Float64Range(0, 0.999).Draw(t, "share") * float64(next.Sub(from))))
		require.True(t, s.Next(between).Equal(next), "%s: from %s %s, from %s %s", s.Expr, from, next, between, s.Next(between))
	})
}
