package when

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Alone reads a text that says nothing but a time: a cron expression of five or six fields, a date and time as "2026-11-30
// 17:00", or words as Parse reads them, also with "@every " before a span. What else stands there makes it Unclear.
func Alone(text string, now time.Time, zone *time.Location) (Schedule, error) {
	text = strings.TrimSpace(text)
	if IsCron(text) {
		s := Schedule{Kind: Cron, Expr: strings.Join(strings.Fields(text), " "), Zone: zone}
		return s, s.Check(now)
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if clock, err := time.Parse(layout, text); err == nil {
			s := Schedule{Kind: Once, At: wall(clock, zone), Zone: zone}
			if s.Check(now) != nil {
				return Schedule{}, Unclear("This time is over")
			}
			return s, nil
		}
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		if !at.After(now) {
			return Schedule{}, Unclear("This time is over")
		}
		return Schedule{Kind: Once, At: at.In(zone), Zone: zone}, nil
	}
	p, err := Parse(strings.Replace(text, "@every ", "every ", 1), now, zone)
	switch {
	case err != nil && looksLikeCron(text):
		if hint := wrongField(strings.Fields(text)); hint != "" {
			return Schedule{}, Unclear(hint)
		}
		return Schedule{}, Unclear("This is no cron expression: it has five fields, or six that begin with the second")
	case err != nil:
		return Schedule{}, err
	case strings.Trim(p.Task, " .,;:") != "":
		return Schedule{}, Unclear("“" + p.When + "” was understood, and “" + p.Task + "” is no time")
	}
	return p.Schedule, nil
}

// wrongField tells which field keeps five or six from being a cron expression; "" = their number does.
func wrongField(fields []string) string {
	names := []string{"second: it has 0 to 59", "minute: it has 0 to 59", "hour: it has 0 to 23", "day of a month: it has 1 to 31", "month: it has 1 to 12", "day of the week: it has 0 to 6, from sunday on"}
	if len(fields) < 5 || len(fields) > 6 {
		return ""
	}
	names = names[6-len(fields):]
	for n, field := range fields {
		alone := strings.Fields(strings.Repeat("* ", len(fields)))
		alone[n] = field
		if !IsCron(strings.Join(alone, " ")) && !year.MatchString(field) {
			return "“" + field + "” is no " + names[n]
		}
	}
	return ""
}

func looksLikeCron(text string) bool {
	return strings.ContainsAny(text, "*") || len(strings.Fields(text)) >= 5 && strings.Trim(text, "0123456789*/,-#L? \t") == ""
}

// Text writes a schedule so that Alone reads it again; the start of a span is not part of it.
func (s Schedule) Text() string {
	switch s.Kind {
	case Cron:
		return s.Expr
	case Once:
		return s.At.In(s.Zone).Format("2006-01-02 " + clockOf(s.At))
	}
	said := "every " + strconv.Itoa(s.N) + " " + string(s.Unit)
	if s.Unit == Days || s.Unit == Weeks {
		said += s.At.In(s.Zone).Format(" at " + clockOf(s.At))
	}
	return said
}

// LeadingCron finds a cron expression of five or six fields that a sentence begins with, after "cron:" or without: "*/5 * * * *
// check the site". The rest is what to do. expr is "" when it begins otherwise; Unclear when it could be five fields or six.
func LeadingCron(text string) (expr, task string, err error) {
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "cron:"); ok {
		text = text[len(text)-len(rest):]
	}
	fields := strings.Fields(text)
	fits := func(n int) bool { return len(fields) >= n && IsCron(strings.Join(fields[:n], " ")) }
	n := 0
	switch five, six := fits(5), fits(6); {
	case five && six && len(fields) > 6 && strings.Trim(fields[5], "0123456789") == "":
		return "", "", Unclear("The cron expression at the beginning could have five fields or six: give the time apart from the sentence")
	case six && (!five || !strings.ContainsFunc(fields[5], unicode.IsLetter)):
		n = 6
	case five:
		n = 5
	}
	return strings.Join(fields[:n], " "), strings.Join(fields[n:], " "), nil
}
