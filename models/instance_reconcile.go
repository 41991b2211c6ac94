package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
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

// keptWishes is of how many wishes the steps are kept.
const keptWishes = 10

// ErrInstanceLease means that another reconciler holds an instance, or took it over.
var ErrInstanceLease = fault.New(fault.Conflict, "instance.leased", "Another worker is busy with this instance")

// unsettled holds for rows whose state is not what is wanted: a wish that nobody answered, and also an
// answered one whose sandbox could not be brought back later.
const unsettled = `(desired = 'deleted' OR generation <> observed_generation
	OR (desired = 'running' AND state NOT IN ('RUNNING', 'SUSPENDED'))
	OR (desired = 'stopped' AND state NOT IN ('STOPPED', 'SUSPENDED')))`

// UnsettledInstances finds wishes that nobody has fulfilled yet: the queue, rebuilt from rows.
func (sy *System) UnsettledInstances(ctx context.Context, limit int) ([]InstanceRef, error) {
	now := sy.store.now()
	out := []InstanceRef{}
	err := sy.read(ctx).Model(&Instance{}).Select("organization_id, id").
		Where(unsettled+" AND (retry_at IS NULL OR retry_at <= ?) AND (lease_until IS NULL OR lease_until <= ?)", now, now).
		Order("updated_at").Limit(limit).Scan(&out).Error
	return out, translate(err)
}

// ReleaseNode takes back what an earlier life of this node held, so that a restart need not wait for leases
// to run out. Owners are "node/…".
func (sy *System) ReleaseNode(ctx context.Context, node string) error {
	own := node + "/"
	return sy.tx(ctx, func(tx *gorm.DB) error {
		_, err := changed(tx.Model(&Instance{}).Where("substr(lease_owner, 1, ?) = ?", len([]rune(own)), own),
			map[string]any{"lease_owner": "", "lease_until": nil})
		return err
	})
}

// FindInstances reads those of the ids that any organization has.
func (sy *System) FindInstances(ctx context.Context, ids []string) ([]Instance, error) {
	out := []Instance{}
	for some := range slices.Chunk(ids, 500) {
		rows, err := all[Instance](sy.read(ctx).Where("id IN ?", some))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// LiveInstances lists what is wanted running and does not sleep, for the observer.
func (sy *System) LiveInstances(ctx context.Context) ([]Instance, error) {
	return all[Instance](sy.read(ctx).Where("desired = ? AND state = ? AND "+awake, WantRunning, Running))
}

// Writes here are transactions even when they are one statement. gorm's cache of prepared statements waits
// for a connection with its lock held: a lone statement that is prepared for the first time while a
// transaction has SQLite's one writer connection, and needs that lock, stands still for ever.

// LeaseInstance lets one reconciler work on an instance at a time: Conflict while another does.
func (sc *Scope) LeaseInstance(ctx context.Context, instanceID, owner string) (*Instance, error) {
	var i *Instance
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		now := sc.store.now()
		hit, err := changed(tx.Model(&Instance{}).
			Where("id = ? AND (lease_owner = ? OR lease_until IS NULL OR lease_until <= ?)", instanceID, owner, now),
			map[string]any{"lease_owner": owner, "lease_until": now.Add(ReconcileLease)})
		if err != nil {
			return err
		}
		if i, err = first[Instance](tx.Where("id = ?", instanceID)); err == nil && !hit {
			err = ErrInstanceLease
		}
		return err
	})
	return i, err
}

// ReleaseInstance gives the lease back.
func (sc *Scope) ReleaseInstance(ctx context.Context, instanceID, owner string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		_, err := changed(tx.Model(&Instance{}).Where("id = ? AND lease_owner = ?", instanceID, owner),
			map[string]any{"lease_owner": "", "lease_until": nil})
		return err
	})
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
		set, err := sc.observed(tx, i, o)
		return set, observedLine(o), err
	})
}

// observed gives the columns of an observation and writes a failure's line. What failed for an older wish
// is history: it must hold up the newer one neither by a pause nor by a state.
func (sc *Scope) observed(tx *gorm.DB, i *Instance, o Observed) (map[string]any, error) {
	now, set := sc.store.now(), map[string]any{}
	if o.Saw == SawFailure && o.Generation != 0 && o.Generation < i.Generation {
		return set, sc.logObserved(tx, i, o)
	}
	if next, ok := i.State.Next(o.Saw); ok && next != i.State {
		set["state"], set["state_since"] = next, now
		if next == Errored {
			if err := sc.agentFailed(tx, i, o.Reason); err != nil {
				return nil, err
			}
		}
	}
	if i.State != Suspended { // there it says why, until the suspension ends
		set["reason"] = sc.store.line(o.Reason, 1000)
	}
	switch o.Saw {
	case SawFailure:
		set["attempts"], set["retry_at"] = i.Attempts+1, now.Add(retryAfter(i.Attempts))
	case SawRunning, SawStopped:
		set["attempts"], set["retry_at"] = 0, nil
		if o.Generation > i.ObservedGeneration {
			set["observed_generation"] = o.Generation
		}
		if i.Waking() {
			set["asleep_for"] = 0
		}
	}
	if o.Isolation != nil {
		text, err := json.Marshal(o.Isolation)
		if err != nil {
			return nil, err
		}
		set["isolation"] = sc.store.storable(text)
	}
	return set, sc.logObserved(tx, i, o)
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

// Report is what the holder of an instance writes in one commit. On SQLite all commits queue for one
// writer, so a creation reports as little often as people can see.
type Report struct {
	Steps    []InstanceStep // all of one wish; those with the same name start over
	Observed *Observed
	Warning  string // a line of its history
	Release  bool   // give the lease back, unless a wish newer than Generation waits
	// Generation is the wish that was worked on.
	Generation int64
}

// ReportInstance writes a report and renews the lease. ErrInstanceLease when owner holds it no more: then
// nothing is written. The row comes back as it is now; its LeaseOwner tells whether the lease was kept.
func (sc *Scope) ReportInstance(ctx context.Context, instanceID, owner string, r Report) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		if i.LeaseOwner != owner {
			return nil, "", ErrInstanceLease
		}
		set, line := map[string]any{}, ""
		if err := sc.writeSteps(tx, i.ID, r); err != nil {
			return nil, "", err
		}
		if r.Warning != "" {
			if err := sc.log(tx, i.ID, LogWarn, r.Warning); err != nil {
				return nil, "", err
			}
		}
		if r.Observed != nil {
			var err error
			if set, err = sc.observed(tx, i, *r.Observed); err != nil {
				return nil, "", err
			}
			line = observedLine(*r.Observed)
		}
		if set["lease_until"] = sc.store.now().Add(ReconcileLease); r.Release && i.Generation <= r.Generation {
			set["lease_owner"], set["lease_until"] = "", nil
		}
		return set, line, nil
	})
}

// writeSteps replaces the steps of a wish by name, and forgets those of long past wishes.
func (sc *Scope) writeSteps(tx *gorm.DB, instanceID string, r Report) error {
	if len(r.Steps) == 0 {
		return nil
	}
	names := []string{}
	for n := range r.Steps {
		s := &r.Steps[n]
		s.OrganizationID, s.InstanceID, s.Generation, s.Detail = sc.Org, instanceID, r.Generation, sc.store.line(s.Detail, 1000)
		names = append(names, s.Name)
	}
	err := tx.Where("instance_id = ? AND (generation <= ? OR (generation = ? AND name IN ?))",
		instanceID, r.Generation-keptWishes, r.Generation, names).Delete(&InstanceStep{}).Error
	if err != nil {
		return err
	}
	return tx.Create(&r.Steps).Error
}

// Steps reads the steps of an instance's newest wish, in order.
func (sc *Scope) Steps(ctx context.Context, i *Instance) ([]InstanceStep, error) {
	return all[InstanceStep](sc.read(ctx).Where("instance_id = ? AND generation = ?", i.ID, i.Generation).Order("started_at, id"))
}

// RemoveInstance forgets an instance whose sandbox is gone, with everything below it and the budgets of all that; its ledger stays.
func (sc *Scope) RemoveInstance(ctx context.Context, instanceID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := sc.ownLedger(tx); err != nil { // no call is between its balance and its hold
			return err
		}
		gone := tx.Model(&Instance{}).Select("id").Where("id = ? AND desired = ?", instanceID, WantDeleted)
		for scope, targets := range map[BudgetScope]*gorm.DB{BudgetOfInstance: gone, BudgetOfSession: tx.Model(&Session{}).Select("id").Where("instance_id IN (?)", gone),
			BudgetOfSchedule: tx.Model(&Automation{}).Select("id").Where("instance_id IN (?)", gone)} {
			if err := tx.Where("scope = ? AND target_id IN (?)", scope, targets).Delete(&Budget{}).Error; err != nil {
				return err
			}
		}
		return tx.Where("id = ? AND desired = ?", instanceID, WantDeleted).Delete(&Instance{}).Error
	})
}

// TouchInstance notes that an instance was used.
func (sc *Scope) TouchInstance(ctx context.Context, instanceID string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		_, err := changed(tx.Model(&Instance{}).Where("id = ?", instanceID), map[string]any{"last_active_at": sc.store.now(), "asleep_for": woken})
		return err
	})
}
