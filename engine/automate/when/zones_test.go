package when_test

import (
	"archive/zip"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/automate/when"
)

// everyZone reads the whole zone database that comes with Go.
func everyZone(t *testing.T) []*time.Location {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	all, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	require.NoError(t, err)
	defer func() { require.NoError(t, all.Close()) }()
	var out []*time.Location
	for _, f := range all.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		z, err := time.LoadLocation(f.Name)
		require.NoError(t, err)
		out = append(out, z)
	}
	require.Greater(t, len(out), 500)
	return out
}

// reached is how it should be, minute by minute: at each moment the wall-clock times come that the clock shows, or jumps
// over, for the first time.
func reached(zone *time.Location, from, to time.Time, due func(clock time.Time) bool) []string {
	var out []string
	reading := func(at time.Time) time.Time {
		at = at.In(zone)
		return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	}
	newest := reading(from)
	for at := from.Add(time.Minute); !at.After(to); at = at.Add(time.Minute) {
		fires := false
		for shown := reading(at); newest.Before(shown); {
			newest = newest.Add(time.Minute)
			fires = fires || due(newest)
		}
		if fires {
			out = append(out, at.UTC().Format(time.RFC3339))
		}
	}
	return out
}

// Around every change of the clock of every zone in three years, each wall-clock time comes exactly once: one that is
// jumped over at the jump, one that is shown twice at its first showing.
func TestEveryWallClockTimeOnceInEveryZone(t *testing.T) {
	t.Parallel()
	seen, changes := map[string]bool{}, 0
	for _, zone := range everyZone(t) {
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).In(zone)
		for {
			_, change := at.ZoneBounds()
			if change.IsZero() || change.Year() > 2028 {
				break
			}
			at = change.Add(time.Hour)
			_, before := change.Add(-time.Second).Zone()
			_, after := change.Zone()
			if key := fmt.Sprint(change.Unix(), before, after); !seen[key] { // else another zone changed in the same way
				seen[key] = true
				changes++
				around(t, zone, change)
			}
		}
	}
	require.Greater(t, changes, 50)
}

func around(t *testing.T, zone *time.Location, change time.Time) {
	t.Helper()
	from, to := change.Add(-5*time.Hour).Truncate(time.Minute), change.Add(5*time.Hour)
	inside := change.Add(-time.Hour).In(zone) // a time of day that is jumped over, or doubled, or next to that
	for expr, due := range map[string]func(time.Time) bool{
		"*/20 * * * *": func(c time.Time) bool { return c.Minute()%20 == 0 },
		"30 2 * * *":   func(c time.Time) bool { return c.Minute() == 30 && c.Hour() == 2 },
		fmt.Sprintf("15 %d * * *", inside.Hour()): func(c time.Time) bool { return c.Minute() == 15 && c.Hour() == inside.Hour() },
	} {
		s := when.Schedule{Kind: when.Cron, Expr: expr, Zone: zone}
		var got []string
		for next := s.Next(from); !next.After(to); next = s.Next(next) {
			got = append(got, next.UTC().Format(time.RFC3339))
		}
		require.Equal(t, reached(zone, from, to, due), got, "%s in %s around %s", expr, zone, change)
	}
}

var allZones = flag.Bool("zones", false, "look at every second around the changes of the clock of every zone, instead of four")

// The same with schedules of six fields, second by second.
func TestEverySecondOnce(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{zone("Europe/Berlin"), zone("America/New_York"), zone("Australia/Lord_Howe"), zone("Africa/Casablanca")}
	if *allZones {
		zones = everyZone(t)
	}
	seen, changes := map[string]bool{}, 0
	for _, zone := range zones {
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).In(zone)
		for {
			_, change := at.ZoneBounds()
			if change.IsZero() || change.Year() > 2028 {
				break
			}
			at = change.Add(time.Hour)
			_, before := change.Add(-time.Second).Zone()
			_, after := change.Zone()
			if key := fmt.Sprint(change.Unix(), before, after); !seen[key] {
				seen[key] = true
				changes++
				secondsAround(t, zone, change)
			}
		}
	}
	require.Greater(t, changes, 10)
	t.Logf("%d changes of the clock", changes)
}

func secondsAround(t *testing.T, zone *time.Location, change time.Time) {
	t.Helper()
	from, to := change.Add(-2*time.Hour), change.Add(2*time.Hour)
	for expr, step := range map[string]int{"*/30 * * * * *": 30, "15 */7 * * * *": 0} {
		s := when.Schedule{Kind: when.Cron, Expr: expr, Zone: zone}
		var got []string
		for next := s.Next(from); !next.After(to); next = s.Next(next) {
			got = append(got, next.UTC().Format(time.RFC3339))
		}
		require.Equal(t, reachedSeconds(zone, from, to, func(c time.Time) bool {
			if step > 0 {
				return c.Second()%step == 0
			}
			return c.Second() == 15 && c.Minute()%7 == 0
		}), got, "%s in %s around %s", expr, zone, change)
	}
}

// reachedSeconds is reached, second by second.
func reachedSeconds(zone *time.Location, from, to time.Time, due func(clock time.Time) bool) []string {
	var out []string
	reading := func(at time.Time) time.Time {
		at = at.In(zone)
		return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	}
	newest := reading(from)
	for at := from.Add(time.Second); !at.After(to); at = at.Add(time.Second) {
		fires := false
		for shown := reading(at); newest.Before(shown); {
			newest = newest.Add(time.Second)
			fires = fires || due(newest)
		}
		if fires {
			out = append(out, at.UTC().Format(time.RFC3339))
		}
	}
	return out
}
