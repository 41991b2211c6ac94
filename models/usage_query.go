package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// UsageBy is what a report is cut into, and what it can be narrowed by.
type UsageBy string

// The ways.
const (
	ByModel    UsageBy = "model"
	ByProvider UsageBy = "provider"
	ByInstance UsageBy = "instance"
	ByMember   UsageBy = "member"
	ByKey      UsageBy = "key"
	BySession  UsageBy = "session"
	ByPurpose  UsageBy = "purpose"
)

// UsageWays lists them.
var UsageWays = []UsageBy{ByModel, ByProvider, ByInstance, ByMember, ByKey, BySession, ByPurpose}

// column is the way's, in the ledger and in the sums; "" for a word that is none.
func (b UsageBy) column() string {
	return map[UsageBy]string{ByModel: "model", ByProvider: "provider", ByInstance: "instance_id", ByMember: "member_id", ByKey: "key_id",
		BySession: "session_id", ByPurpose: "purpose"}[b]
}

// UsageFilter says which settled calls count: those that began from From on and before Until, both at the beginning of a
// quarter of an hour, and that have these values. The empty value is that of calls without one.
type UsageFilter struct {
	From, Until time.Time
	Only        map[UsageBy]string
}

func (f *UsageFilter) narrow(db *gorm.DB) *gorm.DB {
	for _, way := range UsageWays {
		if v, ok := f.Only[way]; ok {
			db = db.Where(way.column()+" = ?", v)
		}
	}
	return db
}

// UsageCell is what one group came to in one step of time.
type UsageCell struct {
	Step int
	Key  string // of the group; "" for calls without one
	UsageSum
}

// Usage sums calls by step and group. Steps are the beginnings of the steps after the first, which begins with f.From; the
// last one ends with f.Until. A step without calls has no cell. by "" is one group.
func (sc *Scope) Usage(ctx context.Context, f UsageFilter, by UsageBy, steps []time.Time) ([]UsageCell, error) {
	column := by.column()
	switch {
	case by == "":
		column = "''"
	case column == "":
		return nil, fault.New(fault.Invalid, "usage.group", "Usage cannot be grouped by %s", by)
	}
	days, err := sc.inDays(ctx, &f, by, steps)
	if err != nil {
		return nil, err
	}
	q, at := sc.read(ctx).Model(&UsageQuarter{}), "quarter"
	if days {
		q, at = sc.read(ctx).Model(&UsageDay{}), "day"
	}
	rows := []UsageCell{}
	err = f.narrow(q).Where(at+" >= ? AND "+at+" < ?", f.From.Unix(), f.Until.Unix()).
		Select(stepOf(at, steps) + " AS step, " + column + " AS key, " + usageColumns).Group("1, 2").Order("1, 2").Scan(&rows).Error
	return rows, translate(err)
}

// stepOf is the number of a row's step. The numbers are ours: Postgres would take parameters for texts here.
func stepOf(at string, steps []time.Time) string {
	text := "CASE"
	for n, begins := range steps {
		text += fmt.Sprintf(" WHEN %s < %d THEN %d", at, begins.Unix(), n)
	}
	return text + fmt.Sprintf(" WHEN %s IS NOT NULL THEN %d END", at, len(steps))
}

// inDays tells whether sums by day answer: nobody asks for a conversation, and all borders are where days begin.
func (sc *Scope) inDays(ctx context.Context, f *UsageFilter, by UsageBy, steps []time.Time) (bool, error) {
	if _, session := f.Only[BySession]; session || by == BySession {
		return false, nil
	}
	o, err := first[Organization](sc.read(ctx).Select("usage_zone").Where("id = ?", sc.Org))
	if err != nil || o.UsageZone == "" {
		return false, err
	}
	zone := location(o.UsageZone)
	for _, t := range append([]time.Time{f.From, f.Until}, steps...) {
		if !BudgetDaily.around(t, zone).start.Equal(t) {
			return false, nil
		}
	}
	return true, nil
}

// UsageSpan is a stretch of time in equal steps of the organization's clock: hours, or days.
type UsageSpan struct {
	From, Until time.Time
	Starts      []time.Time // of the steps, oldest first; the first is From
	Zone        *time.Location
	Hourly      bool
}

// Steps are as Usage takes them.
func (s *UsageSpan) Steps() []time.Time { return s.Starts[1:] }

// HoursUntil is a span of n whole hours, the last of which holds now.
func HoursUntil(now time.Time, zone *time.Location, n int) UsageSpan {
	_, offset := now.In(zone).Zone()
	behind := time.Duration(((offset%3600)+3600)%3600) * time.Second
	last := now.Add(behind).Truncate(time.Hour).Add(-behind).UTC()
	s := UsageSpan{Zone: zone, Hourly: true, Until: last.Add(time.Hour)}
	for k := n - 1; k >= 0; k-- {
		s.Starts = append(s.Starts, last.Add(-time.Duration(k)*time.Hour))
	}
	s.From = s.Starts[0]
	return s
}

// DaysUntil is a span of n days, the last of which holds now.
func DaysUntil(now time.Time, zone *time.Location, n int) UsageSpan {
	y, m, d := now.In(zone).Date()
	s := UsageSpan{Zone: zone, Until: midnight(y, m, d+1, zone)}
	for k := n - 1; k >= 0; k-- {
		s.Starts = append(s.Starts, midnight(y, m, d-k, zone))
	}
	s.From = s.Starts[0]
	return s
}

// NeverUsed tells whether no call was ever settled.
func (sc *Scope) NeverUsed(ctx context.Context) (bool, error) {
	rows, err := all[UsageQuarter](sc.read(ctx).Select("quarter").Limit(1))
	return len(rows) == 0, err
}
