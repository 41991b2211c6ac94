package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// An agent whose settings say so (warmth_window_ms) has no sandbox while nobody needs one. Its state stays RUNNING, since it takes messages
// and answers: what needs the sandbox wakes it. Every new wish wakes it too, since it sleeps under the wish of then.

// Asleep tells that the sandbox is down, or about to be, because nobody needs it.
func (i *Instance) Asleep() bool {
	return i.AsleepFor != 0 && i.AsleepFor == i.Generation && i.Desired == WantRunning && i.State == Running
}

// Waking tells that it slept, and that its sandbox was not seen to run since: that it is down is no failure.
func (i *Instance) Waking() bool { return i.AsleepFor < 0 }

// woken ends the waking of an instance, in the words of an update.
var woken = gorm.Expr("CASE WHEN asleep_for < 0 THEN 0 ELSE asleep_for END")

// awake is Asleep's opposite in SQL.
const awake = "asleep_for <> generation"

// needsSandbox holds for turns that keep an instance awake: one that waits for a person may wait for days.
const needsSandbox = "state IN ('queued', 'running', 'interrupting')"

// SleepIdle puts to sleep what nobody used for as long as its settings say, and gives it. The caller tells the reconcilers.
func (sy *System) SleepIdle(ctx context.Context) ([]InstanceRef, error) {
	rows := []struct{ ID, OrganizationID, Settings string }{}
	err := sy.read(ctx).Raw(`SELECT i.id, i.organization_id, p.settings FROM agent_profiles p JOIN instances i ON i.id = p.instance_id
		WHERE p.settings LIKE '%"warmth_window_ms":%' AND i.desired = ? AND i.state = ? AND i.generation = i.observed_generation AND i.`+awake,
		WantRunning, Running).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	out := []InstanceRef{}
	for _, row := range rows {
		window := (&AgentProfile{Settings: row.Settings}).Rules().WarmthMillis
		if window == nil {
			continue
		}
		i, err := sy.store.In(row.OrganizationID).sleep(ctx, row.ID, time.Duration(*window*float64(time.Millisecond)))
		if err != nil {
			return out, err
		}
		if i.Asleep() {
			out = append(out, InstanceRef{row.OrganizationID, row.ID})
		}
	}
	return out, nil
}

func (sc *Scope) sleep(ctx context.Context, instanceID string, window time.Duration) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		used := i.StateSince
		if i.LastActiveAt != nil && i.LastActiveAt.After(used) {
			used = *i.LastActiveAt
		}
		if i.Desired != WantRunning || i.State != Running || i.Generation != i.ObservedGeneration || sc.store.now().Sub(used) < window {
			return nil, "", nil
		}
		var busy int64
		if err := tx.Model(&Turn{}).Where("instance_id = ? AND "+needsSandbox, i.ID).Count(&busy).Error; err != nil || busy > 0 {
			return nil, "", err
		}
		return map[string]any{"asleep_for": i.Generation}, "Asleep: nobody needed its sandbox for " + window.String(), nil
	})
}

// WakeInstance lets the sandbox of a sleeping instance be brought up, and notes that it is needed; false when it does not sleep. The caller
// brings it up, or tells the reconcilers.
func (sc *Scope) WakeInstance(ctx context.Context, instanceID string) (bool, error) {
	slept := false
	_, err := sc.changeInstance(ctx, instanceID, func(_ *gorm.DB, i *Instance) (map[string]any, string, error) {
		if slept = i.Asleep(); !slept {
			return nil, "", nil
		}
		return map[string]any{"asleep_for": -i.Generation, "last_active_at": sc.store.now()}, "Awake", nil
	})
	return slept, err
}
