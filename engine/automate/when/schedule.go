// Package when owns times: what people write of one, and when that is in the wall-clock time of a zone. It starts nothing and
// knows no database.
package when

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"lobstead/kit/fault"
)

// Kind is how a schedule repeats.
type Kind string

// The kinds: by the calendar, after equal spans, and once.
const (
	Cron  Kind = "cron"
	Every Kind = "every"
	Once  Kind = "once"
)

// Unit is what the span of an Every counts.
type Unit string

// The units. Seconds, minutes and hours are elapsed time; days and weeks keep the clock's time over a change of it.
const (
	Seconds Unit = "seconds"
	Minutes Unit = "minutes"
	Hours   Unit = "hours"
	Days    Unit = "days"
	Weeks   Unit = "weeks"
)

// Schedule is when something is due, in the wall-clock time of a zone. Times are whole seconds.
type Schedule struct {
	Kind Kind
	Expr string         // of a Cron: five fields, or six, of which the first is the second
	N    int            // of an Every: as many units
	Unit Unit           // of an Every
	At   time.Time      // of a Once: when; of an Every: the first time
	Zone *time.Location // never nil
}

// maxTries bounds how many wall-clock times are looked at for one that exists and is not over.
const maxTries = 1000

// Check tells whether a schedule can ever be due: a fault.Invalid schedule.wrong says why not.
func (s Schedule) Check(now time.Time) error {
	switch {
	case s.Zone == nil:
		return wrong("it has no time zone")
	case s.Kind == Cron && !IsCron(s.Expr):
		return wrong("%q is no cron expression of five or six fields", s.Expr)
	case s.Kind == Every && (s.N < 1 || s.N > maxSpan || spans[s.Unit] == 0 || s.At.IsZero()):
		return wrong("its span must be 1 to %d seconds, minutes, hours, days or weeks", maxSpan)
	case s.Next(now).IsZero():
		return wrong("it is never due")
	}
	return nil
}

// year tells a field that gronx would take for a year: six fields begin with seconds, always.
var year = regexp.MustCompile(`\d{4}`)

// IsCron tells whether a text is a cron expression of five fields, or of six that begin with the second.
func IsCron(expr string) bool {
	fields := strings.Fields(expr)
	switch {
	case strings.HasPrefix(expr, "@"), len(fields) != 5 && len(fields) != 6, year.MatchString(fields[len(fields)-1]):
		return false
	}
	return gronx.IsValid(strings.Join(fields, " "))
}

// maxSpan is how many units an Every may have.
const maxSpan = 100_000

func wrong(format string, args ...any) error {
	return fault.New(fault.Invalid, "schedule.wrong", "This schedule does not work: %s", fmt.Sprintf(format, args...))
}

var spans = map[Unit]time.Duration{Seconds: time.Second, Minutes: time.Minute, Hours: time.Hour, Days: 24 * time.Hour, Weeks: 7 * 24 * time.Hour}

// Span is what lies between two times of an Every whose unit is elapsed time.
func (s Schedule) Span() time.Duration { return spans[s.Unit] * time.Duration(s.N) }

// Next is the first time after a moment; zero = never again.
func (s Schedule) Next(after time.Time) time.Time {
	switch s.Kind {
	case Once:
		if s.At.After(after) {
			return s.At.In(s.Zone)
		}
	case Every:
		return s.nextSpan(after)
	case Cron:
		return s.nextCron(after)
	}
	return time.Time{}
}

// Runs are the next n times after a moment; fewer when there are no more.
func (s Schedule) Runs(after time.Time, n int) []time.Time {
	var out []time.Time
	for len(out) < n {
		if after = s.Next(after); after.IsZero() {
			break
		}
		out = append(out, after)
	}
	return out
}

// nextSpan counts from the first time on. Days are the calendar's, so that nine o'clock stays nine o'clock.
func (s Schedule) nextSpan(after time.Time) time.Time {
	span := spans[s.Unit] * time.Duration(s.N)
	if span <= 0 {
		return time.Time{}
	}
	passed := 0
	if since := after.Sub(s.At); since > 0 {
		passed = max(int(since/span)-1, 0) // a change of the clock makes a day an hour shorter
	}
	for range maxTries {
		at := s.nth(passed)
		if at.After(after) {
			return at
		}
		passed++
	}
	return time.Time{}
}

func (s Schedule) nth(n int) time.Time {
	if s.Unit != Days && s.Unit != Weeks {
		return s.At.Add(time.Duration(n) * spans[s.Unit] * time.Duration(s.N)).In(s.Zone)
	}
	days := n * s.N
	if s.Unit == Weeks {
		days *= 7
	}
	first := s.At.In(s.Zone)
	return wall(time.Date(first.Year(), first.Month(), first.Day()+days, first.Hour(), first.Minute(), first.Second(), 0, time.UTC), s.Zone)
}

// nextCron looks for wall-clock times, each of which comes once: where the clock goes back, the second pass of an hour
// brings nothing, and where it goes forward, a time that does not exist is due when the clock has jumped over it.
func (s Schedule) nextCron(after time.Time) time.Time {
	key := tick{s.Expr, s.Zone, after.Unix()}
	if at, ok := ticks.of(key); ok {
		return at
	}
	at := s.findCron(after)
	ticks.note(key, at)
	return at
}

func (s Schedule) findCron(after time.Time) time.Time {
	clock := newest(after.In(s.Zone))
	for range maxTries {
		next, err := gronx.NextTickAfter(s.Expr, clock, false)
		if err != nil {
			return time.Time{}
		}
		if at := wall(next, s.Zone); at.After(after) {
			return at
		}
		clock = next
	}
	return time.Time{}
}

// newest is the furthest time that a clock has shown up to a moment, as a time of no zone: after it went back, that is
// what it showed before.
func newest(at time.Time) time.Time {
	out := shown(at)
	if start, _ := at.ZoneBounds(); !start.IsZero() {
		if before := shown(start.Add(-time.Second)); before.After(out) {
			return before
		}
	}
	return out
}

// wall is the moment at which the clocks of a zone first show a time; for one that they never show, the moment when they
// jump over it.
func wall(clock time.Time, zone *time.Location) time.Time {
	at := time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
	start, end := at.ZoneBounds()
	if !shown(at).Equal(clock) { // the jump is at one of the two ends of what it was taken for
		if !start.IsZero() && shown(start).After(clock) {
			return start
		}
		return end
	}
	if !start.IsZero() { // the hour before the clocks went back shows the same times
		_, now := at.Zone()
		_, before := start.Add(-time.Second).Zone()
		if earlier := at.Add(time.Duration(now-before) * time.Second); earlier.Before(start) && shown(earlier).Equal(clock) {
			return earlier
		}
	}
	return at
}

// shown is what a clock shows, as a time of no zone.
func shown(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
}
