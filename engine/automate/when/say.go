package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String says a schedule in words, without its zone: "every weekday at 09:00". What has no short words is shown as its cron
// expression.
func (s Schedule) String() string {
	switch s.Kind {
	case Once:
		return s.At.In(s.Zone).Format("on Monday 2 January 2006 at " + clockOf(s.At))
	case Every:
		said := fmt.Sprintf("every %d %s", s.N, s.Unit)
		if s.Unit == Days || s.Unit == Weeks {
			said += s.At.In(s.Zone).Format(" at " + clockOf(s.At))
		}
		return said
	}
	f := strings.Fields(s.Expr)
	if len(f) == 6 && f[0] == "0" {
		f = f[1:]
	}
	if len(f) != 5 {
		return saySeconds(f)
	}
	days, ok := sayDays(f[2], f[4])
	if day, month := sayDate(f[2], f[3], f[4]); month {
		days = day
	} else if !ok || f[3] != "*" {
		return s.Expr
	}
	minute, errMinute := strconv.Atoi(f[0])
	hour, errHour := strconv.Atoi(f[1])
	if errMinute == nil && errHour == nil {
		return fmt.Sprintf("%s at %02d:%02d", days, hour, minute)
	}
	pace, ok := sayPace(f[0], f[1])
	switch {
	case !ok:
		return s.Expr
	case days == "every day":
		return pace
	}
	return pace + ", " + days
}

// clockOf is how a time of day is shown: its seconds only when it has some.
func clockOf(at time.Time) string {
	if at.Second() != 0 {
		return "15:04:05"
	}
	return "15:04"
}

// saySeconds says a cron expression of six fields; all but the shortest are shown as they are.
func saySeconds(f []string) string {
	if len(f) == 6 && strings.Join(f[1:], " ") == "* * * * *" {
		if f[0] == "*" {
			return "every second"
		}
		if n, ok := strings.CutPrefix(f[0], "*/"); ok {
			return "every " + plural(n, "second")
		}
	}
	return strings.Join(f, " ")
}

// sayPace says the minutes and hours of what comes several times a day.
func sayPace(minute, hour string) (string, bool) {
	step, stepped := strings.CutPrefix(minute, "*/")
	switch {
	case minute == "*":
		step = "1"
	case minute == "0":
		return sayHours(hour)
	case !stepped:
		return "", false
	}
	said := "every " + plural(step, "minute")
	if hour == "*" {
		return said, true
	}
	from, to, ok := hourRange(hour)
	return fmt.Sprintf("%s from %02d:00 to %02d:59", said, from, to), ok
}

func sayHours(hour string) (string, bool) {
	span, step, stepped := strings.Cut(hour, "/")
	if !stepped {
		step = "1"
	}
	said := "every " + plural(step, "hour")
	if span == "*" {
		return said, true
	}
	from, to, ok := hourRange(span)
	return fmt.Sprintf("%s from %02d:00 to %02d:00", said, from, to), ok
}

func hourRange(field string) (from, to int, ok bool) {
	a, b, _ := strings.Cut(field, "-")
	from, errFrom := strconv.Atoi(a)
	to, errTo := strconv.Atoi(b)
	return from, to, errFrom == nil && errTo == nil
}

func plural(n, unit string) string {
	if n == "1" {
		return unit
	}
	return n + " " + unit + "s"
}

// sayDays says the days of a cron expression.
func sayDays(month, week string) (string, bool) {
	switch {
	case month == "*" && week == "*":
		return "every day", true
	case month == "*" && week == "1-5":
		return "every weekday", true
	case month == "*" && (week == "0,6" || week == "6,0"):
		return "every weekend", true
	case month == "*":
		return sayWeek(week)
	case week != "*":
		return "", false
	case month == "L":
		return "on the last day of the month", true
	}
	n, err := strconv.Atoi(month)
	return fmt.Sprintf("on the %s of the month", nth(n)), err == nil
}

// sayDate says one day of one month: "every year on 29 February".
func sayDate(day, month, week string) (string, bool) {
	d, errDay := strconv.Atoi(day)
	m, errMonth := strconv.Atoi(month)
	if errDay != nil || errMonth != nil || m < 1 || m > 12 || week != "*" {
		return "", false
	}
	return fmt.Sprintf("every year on %d %s", d, time.Month(m)), true
}

func sayWeek(field string) (string, bool) {
	if day, n, ok := strings.Cut(field, "#"); ok {
		name, known := dayName(day)
		count, err := strconv.Atoi(n)
		return fmt.Sprintf("on the %s %s of the month", nth(count), name), known && err == nil
	}
	if day, ok := strings.CutSuffix(field, "L"); ok {
		name, known := dayName(day)
		return fmt.Sprintf("on the last %s of the month", name), known
	}
	names := []string{}
	for _, day := range strings.Split(field, ",") {
		name, ok := dayName(day)
		if !ok {
			return "", false
		}
		names = append(names, name)
	}
	if len(names) == 1 {
		return "every " + names[0], true
	}
	return "every " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1], true
}

func dayName(field string) (string, bool) {
	n, err := strconv.Atoi(field)
	return time.Weekday(n).String(), err == nil && n >= 0 && n <= 6
}

func nth(n int) string {
	ending := "th"
	if n%100 < 11 || n%100 > 13 {
		ending = map[int]string{1: "st", 2: "nd", 3: "rd"}[n%10]
		if ending == "" {
			ending = "th"
		}
	}
	return strconv.Itoa(n) + ending
}
