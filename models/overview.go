package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Overview is what the first page tells of an organization.
type Overview struct {
	ByState     map[InstanceState]int
	OpenTurns   int
	Turns24h    int
	TurnsByHour []int // of the last 24 hours, oldest first
	Spent       Spend // today, UTC
	FirstTokens []time.Duration
	Failures    []Turn // newest first
	Sessions    int
	Providers   int
	Messages    int
}

// Overview reads the organization's present state.
func (sc *Scope) Overview(ctx context.Context) (*Overview, error) {
	o := &Overview{ByState: map[InstanceState]int{}, TurnsByHour: make([]int, 24)}
	var states []struct {
		State InstanceState
		N     int
	}
	err := sc.read(ctx).Model(&Instance{}).Select("state, count(*) AS n").Group("state").Scan(&states).Error
	if err != nil {
		return nil, translate(err)
	}
	for _, s := range states {
		o.ByState[s.State] = s.N
	}
	now := sc.store.now()
	day := now.Add(-24 * time.Hour)
	for _, q := range []*gorm.DB{sc.read(ctx).Where("created_at > ?", day).Order("created_at").Limit(20000), sc.read(ctx).Where("created_at <= ? AND "+isOpen, day)} {
		turns, err := all[Turn](q.Select("id", "state", "created_at", "started_at", "first_token_at"))
		if err != nil {
			return nil, err
		}
		o.countTurns(turns, now)
	}
	if o.Failures, err = all[Turn](sc.read(ctx).Where("state = 'failed'").Order("id DESC").Limit(5)); err != nil {
		return nil, err
	}
	if o.Spent, err = sc.SpentSince(ctx, now.Truncate(24*time.Hour)); err != nil {
		return nil, err
	}
	o.Sessions, err = sc.count(ctx, &Session{})
	if err == nil {
		o.Providers, err = sc.count(ctx, &Provider{})
	}
	if err == nil {
		o.Messages, err = sc.count(ctx, &Turn{})
	}
	return o, err
}

func (o *Overview) countTurns(turns []Turn, now time.Time) {
	for _, t := range turns {
		if !t.State.Ended() {
			o.OpenTurns++
		}
		if age := now.Sub(t.CreatedAt); age < 24*time.Hour {
			o.Turns24h++
			o.TurnsByHour[23-int(age/time.Hour)]++
		}
		if t.FirstTokenAt != nil {
			o.FirstTokens = append(o.FirstTokens, t.FirstTokenAt.Sub(t.CreatedAt))
		}
	}
}

func (sc *Scope) count(ctx context.Context, model any) (int, error) {
	var n int64
	err := sc.read(ctx).Model(model).Count(&n).Error
	return int(n), translate(err)
}
