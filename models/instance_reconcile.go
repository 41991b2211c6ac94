package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// InstanceStep is one step of bringing an instance to what is wanted, shown live on its page.
type InstanceStep struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Generation     int64
	Name           string
	State          StepState
	Detail         string
	StartedAt      time.Time
	FinishedAt     *time.Time
}

// StepState is how far a step is.
type StepState string

// The step states.
const (
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// InstanceRef names an instance over all organizations.
type InstanceRef struct{ OrganizationID, ID string }

// ReconcileLease is how long one reconciler holds an instance without renewing.
const ReconcileLease = 15 * time.Second

// UnsettledInstances finds wishes that nobody has fulfilled yet: the queue, rebuilt from rows.
func (sy *System) UnsettledInstances(ctx context.Context, limit int) ([]InstanceRef, error) {
	now := sy.store.now()
	out := []InstanceRef{}
	err := sy.read(ctx).Model(&Instance{}).Select("organization_id, id").
		Where("(desired = ? OR generation <> observed_generation) AND (retry_at IS NULL OR retry_at <= ?) AND (lease_until IS NULL OR lease_until <= ?)",
			WantDeleted, now, now).Order("updated_at").Limit(limit).Scan(&out).Error
	return out, translate(err)
}

// LiveInstances lists what is wanted running, for the observer.
func (sy *System) LiveInstances(ctx context.Context) ([]Instance, error) {
	return all[Instance](sy.read(ctx).Where("desired = ? AND state = ?", WantRunning, Running))
}

// KnownInstance tells whether any organization has an instance; a sandbox of an unknown one is an orphan.
func (sy *System) KnownInstance(ctx context.Context, instanceID string) (bool, error) {
	var n int64
	err := sy.read(ctx).Model(&Instance{}).Where("id = ?", instanceID).Count(&n).Error
	return n > 0, translate(err)
}

// LeaseInstance lets one reconciler work on an instance at a time: Conflict while another does.
func (sc *Scope) LeaseInstance(ctx context.Context, instanceID, owner string) (*Instance, error) {
	now := sc.store.now()
	hit, err := changed(sc.write(ctx).Model(&Instance{}).
		Where("id = ? AND (lease_owner = ? OR lease_until IS NULL OR lease_until <= ?)", instanceID, owner, now),
		map[string]any{"lease_owner": owner, "lease_until": now.Add(ReconcileLease)})
	if err != nil {
		return nil, err
	}
	i, err := sc.Instance(ctx, instanceID)
	if err == nil && !hit {
		err = fault.New(fault.Conflict, "instance.leased", "Another worker is busy with this instance")
	}
	return i, err
}

// ReleaseInstance gives the lease back.
func (sc *Scope) ReleaseInstance(ctx context.Context, instanceID, owner string) error {
	_, err := changed(sc.write(ctx).Model(&Instance{}).Where("id = ? AND lease_owner = ?", instanceID, owner),
		map[string]any{"lease_owner": "", "lease_until": nil})
	return err
}

// Observed is what a reconciler reports at the end of a try.
type Observed struct {
	Saw        Observation
	Generation int64 // the wish that this answers
	Reason     string
	Isolation  any // nil leaves it
}

// retryAfter is the pause before try n after a failure.
func retryAfter(attempts int) time.Duration {
	return min(2*time.Second<<min(attempts, 8), 5*time.Minute)
}

// Observe moves an instance by the table; a failure is tried again after a growing pause.
func (sc *Scope) Observe(ctx context.Context, instanceID string, o Observed) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		now, set := sc.store.now(), map[string]any{}
		if next, ok := i.State.Next(o.Saw); ok && next != i.State {
			set["state"], set["state_since"] = next, now
		}
		set["reason"] = clip(o.Reason, 1000)
		switch o.Saw {
		case SawFailure:
			set["attempts"], set["retry_at"] = i.Attempts+1, now.Add(retryAfter(i.Attempts))
		case SawRunning, SawStopped:
			set["attempts"], set["retry_at"] = 0, nil
			if o.Generation > i.ObservedGeneration {
				set["observed_generation"] = o.Generation
			}
		}
		if o.Isolation != nil {
			text, err := json.Marshal(o.Isolation)
			if err != nil {
				return nil, "", err
			}
			set["isolation"] = string(text)
		}
		return set, observedLine(o), sc.logObserved(tx, i, o)
	})
}

// observedLine is the history's line of a healthy move; failures are written with their own level.
func observedLine(o Observed) string {
	switch o.Saw {
	case SawRunning:
		return "Running"
	case SawStopped:
		return "Stopped"
	}
	return ""
}

func (sc *Scope) logObserved(tx *gorm.DB, i *Instance, o Observed) error {
	if o.Saw != SawFailure {
		return nil
	}
	return sc.log(tx, i.ID, LogError, o.Reason)
}

// BeginStep records that a step of a wish began; a repeated one starts over.
func (sc *Scope) BeginStep(ctx context.Context, i *Instance, name string) error {
	now := sc.store.now()
	return sc.tx(ctx, func(tx *gorm.DB) error {
		hit, err := changed(tx.Model(&InstanceStep{}).Where("instance_id = ? AND generation = ? AND name = ?", i.ID, i.Generation, name),
			map[string]any{"state": StepRunning, "detail": "", "started_at": now, "finished_at": nil})
		if err != nil || hit {
			return err
		}
		return tx.Create(&InstanceStep{ID: id.New(), OrganizationID: sc.Org, InstanceID: i.ID, Generation: i.Generation,
			Name: name, State: StepRunning, StartedAt: now}).Error
	})
}

// EndStep records how a step ended.
func (sc *Scope) EndStep(ctx context.Context, i *Instance, name string, state StepState, detail string) error {
	_, err := changed(sc.write(ctx).Model(&InstanceStep{}).Where("instance_id = ? AND generation = ? AND name = ?", i.ID, i.Generation, name),
		map[string]any{"state": state, "detail": clip(cleanText(detail), 1000), "finished_at": sc.store.now()})
	return err
}

// Steps reads the steps of an instance's newest wish, in order.
func (sc *Scope) Steps(ctx context.Context, i *Instance) ([]InstanceStep, error) {
	return all[InstanceStep](sc.read(ctx).Where("instance_id = ? AND generation = ?", i.ID, i.Generation).Order("started_at, id"))
}

// RemoveInstance forgets an instance whose sandbox is gone, with everything below it; its ledger stays.
func (sc *Scope) RemoveInstance(ctx context.Context, instanceID string) error {
	return translate(sc.write(ctx).Where("id = ? AND desired = ?", instanceID, WantDeleted).Delete(&Instance{}).Error)
}

// TouchInstance notes that an instance was used.
func (sc *Scope) TouchInstance(ctx context.Context, instanceID string) error {
	_, err := changed(sc.write(ctx).Model(&Instance{}).Where("id = ?", instanceID), map[string]any{"last_active_at": sc.store.now()})
	return err
}
