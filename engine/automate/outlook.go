package automate

import (
	"slices"
	"strings"
	"time"

	"lobstead/engine/automate/when"
	"lobstead/models"
)

// shownRuns is how many times are shown before anything is saved, and after.
const shownRuns = 5

// Outlook is what people are shown of when something runs.
type Outlook struct {
	Webhook bool
	Words   string      // "every weekday at 09:00"; what a schedule cannot say in words is its cron expression
	Zone    string      // IANA; "" for a trigger
	Next    []time.Time // at most five, in the zone; none while it is paused, or when it is over
}

// Outlook tells when a plan would run.
func (p Plan) Outlook(now time.Time) Outlook {
	if p.Webhook {
		return Outlook{Webhook: true, Words: "when it is called"}
	}
	return Outlook{Words: p.Schedule.String(), Zone: p.Schedule.Zone.String(), Next: p.Schedule.Runs(now, shownRuns)}
}

// Glance tells when an automation runs, with the next run alone: what a list of many shows.
func Glance(a *models.Automation) Outlook {
	if a.Kind == models.AutomationWebhook {
		return Outlook{Webhook: true, Words: "when it is called"}
	}
	s, err := Schedule(a)
	if err != nil {
		return Outlook{Words: a.Expression, Zone: a.TimeZone}
	}
	o := Outlook{Words: s.String(), Zone: a.TimeZone}
	if a.NextAt != nil {
		o.Next = []time.Time{a.NextAt.In(s.Zone)}
	}
	return o
}

// Look is Glance with the runs after the next one.
func Look(a *models.Automation) Outlook {
	o := Glance(a)
	if s, err := Schedule(a); err == nil && a.NextAt != nil {
		o.Next = append(o.Next, s.Runs(*a.NextAt, shownRuns-1)...)
	}
	return o
}

// String says the time with its zone.
func (o Outlook) String() string {
	if o.Webhook {
		return o.Words
	}
	return o.Words + " (" + o.Zone + ")"
}

// Sentence is String with the next runs, in one line.
func (o Outlook) Sentence() string {
	if len(o.Next) == 0 {
		return o.String()
	}
	layout := "Mon 2 Jan 2006 15:04"
	if slices.ContainsFunc(o.Next, func(at time.Time) bool { return at.Second() != 0 }) {
		layout += ":05"
	}
	times := make([]string, len(o.Next))
	for n, at := range o.Next {
		times[n] = at.Format(layout)
	}
	return o.String() + ". Next: " + strings.Join(times, ", ")
}

// PerMonth is about how often a plan would run in thirty days.
func (p Plan) PerMonth(now time.Time) int {
	const month = 30 * 24 * time.Hour
	if p.Webhook || p.Schedule.Kind == when.Once {
		return 0
	}
	runs := p.Schedule.Runs(now, 60)
	if len(runs) == 0 {
		return 0
	}
	if last := runs[len(runs)-1]; len(runs) == 60 && last.Before(now.Add(month)) { // frequent: by the pace of the first ones
		return int(month / (last.Sub(now) / 60))
	}
	n := 0
	for _, at := range runs {
		if at.Before(now.Add(month)) {
			n++
		}
	}
	return n
}
