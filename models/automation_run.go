package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// AutomationRun is one time that an automation ran, or should have.
type AutomationRun struct {
	ID             string
	OrganizationID string
	AutomationID   string
	Cause          RunCause
	DueAt          time.Time // the time it was for
	Missed         int       // due times before it that it stands for too
	Delivery       *string   // what repetitions of a call are told by
	State          RunState
	Reason         string // why it failed or was skipped
	SessionID      string // "" when it did not start
	TurnID         string
	CreatedAt      time.Time
	EndedAt        *time.Time
}

// RunCause is why a run began.
type RunCause string

// The causes: its time came, somebody pressed "Run now", or it was called from outside.
const (
	RunDue  RunCause = "due"
	RunNow  RunCause = "now"
	RunCall RunCause = "call"
)

// RunState is what came of a run.
type RunState string

// The states. A run is its turn's: it ends when that does.
const (
	RunRunning  RunState = "running"
	RunProduced RunState = "produced"
	RunFailed   RunState = "failed"
	RunSkipped  RunState = "skipped"
)

// keptRuns is how long runs are listed after they ended.
const keptRuns = 90 * 24 * time.Hour

// Run is what begins one.
type Run struct {
	Cause    RunCause
	Due      time.Time  // of a schedule: the NextAt that was seen
	Next     *time.Time // of a schedule: when it is due again; nil = never
	Missed   int
	Delivery string // of a call; "" = it cannot be told from others
	Text     string // what the agent is told
	Source   string // of the turn
}

// ErrNotDue means that a due time is another worker's, or that the automation was changed meanwhile.
var ErrNotDue = fault.New(fault.Conflict, "automation.not_due", "This automation is not due")

// StartRun starts a run as a turn in the automation's conversation. The claim of the due time, the run and the turn are one
// transaction: whoever is killed in it leaves nothing, and of several workers one has it. So there is no lease.
//
// A run that cannot start is recorded as failed, its conversation is told, and the fault comes back with it; one whose
// predecessor still runs is recorded as skipped, or for a button Conflict automation.running. ErrNotDue when there is nothing
// to start; of a call that was taken before, the run of then, with TurnID as it was.
func (sc *Scope) StartRun(ctx context.Context, automationID string, r Run) (*AutomationRun, error) {
	in := Input{Text: r.Text, Source: r.Source}
	err := in.check()
	if err == nil {
		err = sc.AgentsOn(ctx)
	}
	var run *AutomationRun
	if err == nil {
		err = sc.budgeted(ctx, sc.tx, func(tx *gorm.DB) error {
			var err error
			run, err = sc.startRun(tx, automationID, r, in)
			return err
		})
	}
	if err == nil || !refused(err) {
		return run, err
	}
	failed, noted := sc.failRun(ctx, automationID, r, err)
	if noted != nil {
		return nil, noted
	}
	return failed, err
}

// errRunning is what the button "Run now" is told.
var errRunning = fault.New(fault.Conflict, "automation.running", "This automation is running already")

// refused tells whether a run met a rule, and not a defect or a database that is away: those are tried again.
func refused(err error) bool {
	if errors.Is(err, ErrNotDue) || errors.Is(err, errRunning) || errors.Is(err, errTriggerOff) {
		return false
	}
	return slices.Contains([]fault.Kind{fault.Invalid, fault.Payment, fault.Forbidden, fault.Conflict, fault.TooMany}, fault.KindOf(err))
}

func (sc *Scope) startRun(tx *gorm.DB, automationID string, r Run, in Input) (*AutomationRun, error) {
	a, err := sc.claimRun(tx, automationID, r)
	if err != nil {
		return nil, err
	}
	if again, err := takenBefore(tx, a.ID, r); again != nil || err != nil {
		return again, err
	}
	running, err := all[AutomationRun](tx.Where("automation_id = ? AND state = ?", a.ID, RunRunning).Order("id").Limit(1))
	if err != nil {
		return nil, err
	}
	run := sc.newRun(a, r)
	if len(running) > 0 && r.Cause != RunCall { // calls wait for each other in the conversation
		if r.Cause == RunNow {
			return nil, errRunning
		}
		run.State, run.EndedAt = RunSkipped, &run.CreatedAt
		run.Reason = "The run of " + running[0].DueAt.In(location(a.TimeZone)).Format("2 January 15:04") + " was still under way"
		return run, tx.Create(run).Error
	}
	if err := sc.mayStillRun(tx, a); err != nil {
		return nil, err
	}
	if run.SessionID, err = sc.runSession(tx, a); err != nil {
		return nil, err
	}
	turn := &Turn{ID: id.New(), OrganizationID: sc.Org, SessionID: run.SessionID, Source: in.Source, State: TurnQueued, AutomationID: a.ID,
		CreatedBy: a.CreatedBy, KeyID: a.KeyID, CreatedAt: run.CreatedAt}
	if _, err := sc.As(Actor{UserID: a.CreatedBy, KeyID: a.KeyID, Name: a.Name}).acceptTurn(tx, turn, in); err != nil {
		return nil, err
	}
	run.TurnID = turn.ID
	if err := tx.Create(run).Error; err != nil || r.Cause != RunNow {
		return run, err
	}
	return run, sc.audit(tx, act{name: "automation.run", kind: "automation", id: a.ID, of: a.Name, after: map[string]any{"run": run.ID}}) // by whom, at its maker's cost
}

// claimRun takes the automation for a run; of a due time by moving it on, which only one can.
func (sc *Scope) claimRun(tx *gorm.DB, automationID string, r Run) (*Automation, error) {
	if r.Cause == RunDue {
		set := map[string]any{"next_at": r.Next}
		if r.Next == nil {
			set["state"] = AutomationDone
		}
		hit, err := changed(tx.Model(&Automation{}).Where("id = ? AND state = ? AND next_at = ?", automationID, AutomationActive, r.Due), set)
		if err != nil || !hit {
			return nil, errOr(err, ErrNotDue)
		}
	}
	a, err := first[Automation](locked(tx).Omit(notShown).Where("id = ?", automationID))
	if err == nil && r.Cause == RunCall && a.State != AutomationActive {
		err = errTriggerOff
	}
	return a, err
}

// takenBefore finds the run of a call that came before, or of a due time that came again because the clock was set back. A
// call that failed to start may come again.
func takenBefore(tx *gorm.DB, automationID string, r Run) (*AutomationRun, error) {
	q := tx.Where("automation_id = ? AND delivery = ?", automationID, r.Delivery)
	switch {
	case r.Cause == RunDue:
		q = tx.Where("automation_id = ? AND cause = ? AND due_at = ?", automationID, RunDue, r.Due)
	case r.Delivery == "":
		return nil, nil
	}
	run, err := first[AutomationRun](q)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return run, err
}

func (sc *Scope) newRun(a *Automation, r Run) *AutomationRun {
	run := &AutomationRun{ID: id.New(), OrganizationID: sc.Org, AutomationID: a.ID, Cause: r.Cause, DueAt: r.Due, Missed: r.Missed, State: RunRunning, CreatedAt: sc.store.now()}
	if r.Delivery != "" {
		run.Delivery = &r.Delivery
	}
	return run
}

// mayStillRun holds back what was made by somebody who may not any more, or with a key that was revoked or has expired.
func (sc *Scope) mayStillRun(tx *gorm.DB, a *Automation) error {
	if a.CreatedBy == "" {
		return nil
	}
	raw := tx.WithContext(rawContext(tx.Statement.Context))
	var role Role
	err := raw.Raw("SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id = ? AND u.blocked_at IS NULL", sc.Org, a.CreatedBy).Scan(&role).Error
	if err != nil {
		return err
	}
	if !role.May(CanUseInstances) {
		return fault.New(fault.Forbidden, "automation.owner", "%s, who made it, may not use instances of this organization any more", a.CreatedName)
	}
	if a.KeyID == "" {
		return nil
	}
	key, err := first[APIKey](tx.Select("id", "revoked_at", "expires_at").Where("id = ?", a.KeyID))
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case key.RevokedAt != nil:
		return fault.New(fault.Forbidden, "automation.key", "The API key that made it was revoked")
	case key.ExpiresAt != nil && !key.ExpiresAt.After(sc.store.now()):
		return fault.New(fault.Forbidden, "automation.key", "The API key that made it has expired")
	}
	return nil
}

// runSession is the conversation of an automation's runs, made anew when it was deleted.
func (sc *Scope) runSession(tx *gorm.DB, a *Automation) (string, error) {
	if a.SessionID != "" {
		_, err := first[Session](tx.Select("id").Where("id = ?", a.SessionID))
		if !fault.Is(err, fault.NotFound) {
			return a.SessionID, err
		}
	}
	now := sc.store.now()
	s := &Session{ID: id.New(), OrganizationID: sc.Org, InstanceID: a.InstanceID, Title: clip(a.Name, 100), TitledBy: "person", Category: "automation", Status: "active",
		CreatedBy: a.CreatedBy, CreatedAt: now, UpdatedAt: now}
	if err := tx.Create(s).Error; err != nil {
		return "", err
	}
	_, err := changed(tx.Model(&Automation{}).Where("id = ?", a.ID), map[string]any{"session_id": s.ID})
	return s.ID, err
}

// failRun records that a run could not start, and says so in its conversation: once, while the reason stays the same.
func (sc *Scope) failRun(ctx context.Context, automationID string, r Run, why error) (*AutomationRun, error) {
	var run *AutomationRun
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		a, err := sc.claimRun(tx, automationID, r)
		if err != nil {
			return err
		}
		r.Delivery = "" // it may come again
		run = sc.newRun(a, r)
		run.State, run.EndedAt, run.Reason = RunFailed, &run.CreatedAt, sc.store.line(fault.As(why).Detail, 1000)
		last, err := all[AutomationRun](tx.Where("automation_id = ?", a.ID).Order("id DESC").Limit(1))
		if err != nil {
			return err
		}
		if err := tx.Create(run).Error; err != nil {
			return err
		}
		if err := sc.runFailed(tx, run); err != nil {
			return err
		}
		if len(last) > 0 && last[0].State == RunFailed && last[0].Reason == run.Reason {
			return nil
		}
		if run.SessionID, err = sc.runSession(tx, a); err != nil {
			return err
		}
		_, err = sc.appendEvents(tx, run.SessionID, nil, 0, Notice{Level: LogWarn, Text: "The run of " + run.DueAt.In(location(a.TimeZone)).Format("2 January 15:04") + " did not start: " + run.Reason})
		return err
	})
	return run, err
}
