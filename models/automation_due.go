package models

import (
	"context"
	"time"
)

// DueAutomations finds schedules whose time has come, over all organizations, the longest due first.
func (sy *System) DueAutomations(ctx context.Context, limit int) ([]Automation, error) {
	return all[Automation](sy.read(ctx).Omit(notShown...).Where("state = 'active' AND fire_at IS NOT NULL AND fire_at <= ?", sy.store.now()).Order("fire_at, id").Limit(limit))
}

// NextDue is when the next schedule of any organization starts; nil: none is.
func (sy *System) NextDue(ctx context.Context) (*time.Time, error) {
	rows, err := all[Automation](sy.read(ctx).Select("fire_at").Where("state = 'active' AND fire_at IS NOT NULL").Order("fire_at").Limit(1))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].FireAt, nil
}

// Now is the store's time, by which it is told what is due.
func (s *Store) Now() time.Time { return s.now() }

// Now is the time of the scope's store.
func (sc *Scope) Now() time.Time { return sc.store.now() }
