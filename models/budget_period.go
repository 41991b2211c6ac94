package models

import (
	"context"
	"time"
	_ "time/tzdata" // an image without a zone database must not turn a day in Berlin into one in UTC

	"gorm.io/gorm"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/migrations"
)

// window is a period of a budget: from start, before end; a zero end is never reached.
type window struct{ start, end time.Time }

// allTime is the window of a total.
var allTime = window{start: time.Unix(0, 0).UTC()}

// around gives the window that holds now, with its borders in UTC.
func (p BudgetPeriod) around(now time.Time, zone *time.Location) window {
	y, m, d := now.In(zone).Date()
	switch p {
	case BudgetDaily:
		return window{midnight(y, m, d, zone), midnight(y, m, d+1, zone)}
	case BudgetMonthly:
		return window{midnight(y, m, 1, zone), midnight(y, m+1, 1, zone)}
	}
	return allTime
}

// midnight is the first instant of a day. Where the clocks change at midnight there is none, or there are two; then
// time.Date gives either side of it.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	const step, most = 15 * time.Minute, 100
	day := time.Date(y, m, d, 12, 0, 0, 0, zone).Day()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	for n := 0; t.Day() != day && n < most; n++ {
		t = t.Add(step)
	}
	for n := 0; t.Add(-step).Day() == day && n < most; n++ {
		t = t.Add(-step)
	}
	return t.UTC()
}

// location reads a stored zone; one that this machine does not know counts as UTC.
func location(name string) *time.Location {
	if l, err := clock.Zone(name); err == nil {
		return l
	}
	return time.UTC
}

// SetTimeZone says when the organization's days and months begin: an IANA name. Balances of the periods that begin at
// other times now are opened anew from the entries.
func (sc *Scope) SetTimeZone(ctx context.Context, name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" || len(name) > 64 {
		var is fault.Issues
		is.Custom("time_zone", "This is no time zone; one is called Europe/Berlin")
		return is.Err()
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := sc.ownLedger(tx); err != nil {
			return err
		}
		o, err := first[Organization](tx.Where("id = ?", sc.Org))
		if err != nil || o.TimeZone == name {
			return err
		}
		turning := tx.Model(&Budget{}).Select("id").Where("period <> ?", BudgetTotal)
		if err := tx.Where("budget_id IN (?)", turning).Delete(&BudgetBalance{}).Error; err != nil {
			return err
		}
		if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), map[string]any{"time_zone": name, "updated_at": sc.store.now()}); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "organization.time_zone", kind: "organization", id: o.ID, of: o.Name,
			before: map[string]any{"time_zone": o.TimeZone}, after: map[string]any{"time_zone": name}})
	})
}

// ownLedger keeps every entry of the organization out until the end of the transaction, those that are being written
// included, and gives its zone. Opening a balance needs that: its first sum must miss none. It is taken once a period
// and never by a call.
//
// It is an advisory lock and not the organization's row: those who share a row on Postgres pass by who waits to own it,
// for as long as there is one of them; advisory locks are given in turn.
func (sc *Scope) ownLedger(tx *gorm.DB) (*time.Location, error) {
	if err := sc.lockLedger(tx, "pg_advisory_xact_lock"); err != nil {
		return nil, err
	}
	zone, _, err := sc.zone(tx)
	return zone, err
}

// shareLedger is the other side of ownLedger: whoever writes entries holds it together with others, before anything is
// read or written that depends on balances.
func (sc *Scope) shareLedger(tx *gorm.DB) error {
	return sc.lockLedger(tx, "pg_advisory_xact_lock_shared")
}

// ledgerLock is the first half of the key; the organization is the other. Two that share a key wait for each other now
// and then, and that is all.
const ledgerLock = 71068

func (sc *Scope) lockLedger(tx *gorm.DB, how string) error {
	if tx.Name() != string(migrations.Postgres) { // SQLite's transactions follow each other
		return nil
	}
	return tx.WithContext(rawContext(tx.Statement.Context)).Exec("SELECT "+how+"(?::int, hashtext(?))", ledgerLock, sc.Org).Error
}

func (sc *Scope) zone(db *gorm.DB) (*time.Location, string, error) {
	o, err := first[Organization](db.Select("id", "time_zone").Where("id = ?", sc.Org))
	if err != nil {
		return nil, "", err
	}
	return location(o.TimeZone), o.TimeZone, nil
}
