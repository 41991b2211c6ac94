// Package automate owns what agents do by themselves: schedules, reminders and triggers. It reads what people write, says
// when something is due, and starts runs: a run is a turn in a conversation of the instance, through the ordinary door. The
// rows are models', times are engine/automate/when's. It must not know HTTP, and it keeps nothing that matters in memory.
package automate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/automate/when"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Schedule reads when a row is due. A trigger has none; models.AutomationWebhook gives an error.
func Schedule(a *models.Automation) (when.Schedule, error) {
	zone, err := clock.Zone(a.TimeZone)
	if err != nil {
		return when.Schedule{}, fault.Wrap(err, fault.Invalid, "schedule.zone", "This server does not know the time zone %s", a.TimeZone)
	}
	s := when.Schedule{Kind: when.Kind(a.Kind), Expr: a.Expression, Zone: zone}
	if a.StartsAt != nil {
		s.At = a.StartsAt.In(zone)
	}
	switch s.Kind {
	case when.Every:
		n, unit, _ := strings.Cut(a.Expression, " ")
		s.N, err = strconv.Atoi(n)
		s.Unit, s.Expr = when.Unit(unit), ""
	case when.Cron, when.Once:
	default:
		err = fault.New(fault.Invalid, "schedule.none", "A trigger has no times")
	}
	return s, err
}

// put writes a schedule as a row keeps it.
func put(n *models.NewAutomation, s when.Schedule, now time.Time) {
	n.Kind, n.Expression, n.StartsAt = models.AutomationKind(s.Kind), s.Expr, nil
	n.TimeZone, n.NextAt = s.Zone.String(), stored(s.Next(now))
	if s.Kind != when.Cron {
		n.StartsAt = stored(s.At)
	}
	if s.Kind == when.Every {
		n.Expression = fmt.Sprintf("%d %s", s.N, s.Unit)
	}
}

// stored is a time as the database has it; nil for none.
func stored(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
