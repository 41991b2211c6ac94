package models

import (
	"context"
	"time"
)

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
