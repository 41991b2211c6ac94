package models

import (
	"context"
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
	DueAt          time.Time  // the time it was for
	UntilAt        *time.Time // of times that were skipped one after the other: the last of them
	Missed         int        // other due times that it stands for too
	Delivery       *string    // what repetitions of a call are told by
	CallID         string     // the call that it was started by
	ReplayOf       string     // the run that it repeats
	State          RunState
	Reason         string // why it failed or was skipped
	SessionID      string // "" when it did not start
	TurnID         string
	CostNanos      int64
	CreatedAt      time.Time
	EndedAt        *time.Time
}

// RunCause is why a run began.
type RunCause string

// The causes: its time came, somebody pressed "Run now", it was called from outside, somebody repeated such a call, or tried
// one in the console.
const (
	RunDue    RunCause = "due"
	RunNow    RunCause = "now"
	RunCall   RunCause = "call"
	RunReplay RunCause = "replay"
	RunTest   RunCause = "test"
)

// RunState is what came of a run.
type RunState string

// The states. A run is its turn's: it ends when that does. Quiet is what had nothing to report, by its own word.
const (
	RunRunning  RunState = "running"
	RunProduced RunState = "produced"
	RunQuiet    RunState = "quiet"
	RunFailed   RunState = "failed"
	RunSkipped  RunState = "skipped"
)

// keptRuns is how long runs are listed after they ended.
const keptRuns = 90 * 24 * time.Hour

// Run is what begins one.
type Run struct {
	Cause    RunCause
	Due      time.Time  // of a schedule: the NextAt that was seen
	Until    time.Time  // of what is left out: the last due time; zero = Due
	Next     *time.Time // of a schedule: when it is due again; nil = never
	Missed   int
	Waits    bool   // it is made up for late: it waits for the run before, whatever the policy
	Skip     string // it does not run, for this reason
	Delivery string // of a call; "" = it cannot be told from others
	Call     *NewCall
	CallID   string // of a call that is repeated
	ReplayOf string // the run that it repeats
	Text     string // what the agent is told
	Source   string // of the turn
}

// ErrNotDue means that a due time is another worker's, or that the automation was changed meanwhile.
var ErrNotDue = fault.New(fault.Conflict, "automation.not_due", "This automation is not due")

// StartRun starts a run as a turn in the automation's conversation. The claim of the due time, the run and the turn are one
// transaction: whoever is killed in it leaves nothing, and of several workers one has it. So there is no lease.
//
// A run that cannot start is recorded as failed, its conversation is told, and the fault comes back with it; one whose
// predecessor still runs waits, is recorded as skipped, or runs beside it, as its policy says; for a button that may not wait,
// Conflict automation.running. ErrNotDue when there is nothing to start; of a call that was taken before, the run of then, with
// TurnID as it was.
func (sc *Scope) StartRun(ctx context.Context, automationID string, r Run) (*AutomationRun, error) {
	err := sc.AgentsOn(ctx)
	var run *AutomationRun
	if err == nil {
		how := sc.tx
		if r.noted() {
			how = sc.holding
		}
		err = sc.budgeted(ctx, how, func(tx *gorm.DB) error {
			var err error
			run, err = sc.startRun(tx, automationID, r)
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
	if slices.Contains([]string{ErrNotDue.Code, errRunning.Code, errTriggerOff.Code}, fault.As(err).Code) {
		return false
	}
	return slices.Contains([]fault.Kind{fault.Invalid, fault.Payment, fault.Forbidden, fault.Conflict, fault.TooMany}, fault.KindOf(err))
}

func (sc *Scope) startRun(tx *gorm.DB, automationID string, r Run) (*AutomationRun, error) {
	a, err := sc.claimRun(tx, automationID, r)
	if err != nil {
		return nil, err
	}
	if again, err := takenBefore(tx, a.ID, r); again != nil || err != nil {
		if err == nil && r.Cause == RunCall {
			err = sc.repeatedCall(tx, again.CallID)
		}
		return again, err
	}
	if r.Skip != "" {
		return sc.skipRun(tx, a, r, r.Skip)
	}
	running, err := all[AutomationRun](tx.Where("automation_id = ? AND state = 'running'", a.ID).Order("id").Limit(1)) // in the words of the index
	if err != nil {
		return nil, err
	}
	if len(running) > 0 && a.Overlap == OverlapSkip && !r.Waits {
		switch r.Cause {
		case RunNow:
			return nil, errRunning
		case RunDue:
			return sc.skipRun(tx, a, r, a.underWay(running[0].DueAt))
		}
	}
	if !sc.byHand(r) {
		if err := sc.mayStillRun(tx, a); err != nil {
			return nil, err
		}
	}
	run := sc.newRun(a, r)
	if r.Call != nil {
		if run.CallID, err = sc.keepCall(tx, a, r.Call); err != nil {
			return nil, err
		}
	}
	if a.Action != ActionTask {
		err = sc.act(tx, a, run, r)
	} else {
		err = sc.beginTurn(tx, a, run, r, len(running) > 0)
	}
	if err != nil || !r.noted() {
		return run, err
	}
	return run, sc.audit(tx, act{name: "automation.run", kind: "automation", id: a.ID, of: a.Name, after: map[string]any{"run": run.ID, "cause": r.Cause}})
}

// noted tells whether somebody began it by hand: the audit log says who.
func (r Run) noted() bool { return r.Cause != RunDue && r.Cause != RunCall }

// byHand tells whether the run is begun by a member, whose rights were looked at just now.
func (sc *Scope) byHand(r Run) bool { return r.noted() && sc.Actor.member() }

// answersFor is in whose name a run is, with their rights and at their cost: who begins it by hand, else who said last what the
// automation does.
func (sc *Scope) answersFor(a *Automation, r Run) Actor {
	if sc.byHand(r) {
		return Actor{UserID: sc.Actor.UserID, KeyID: sc.Actor.KeyID, Name: a.Name}
	}
	return a.answers()
}

func (a *Automation) answers() Actor { return Actor{UserID: a.CreatedBy, KeyID: a.KeyID, Name: a.Name} }

// underWay is why a due time is left out while the run of another goes on.
func (a *Automation) underWay(due time.Time) string {
	return "The run of " + due.In(location(a.TimeZone)).Format("2 January 15:04") + " was still under way"
}

// newRunTurn is the turn of a run; which instance it is of and its place in the conversation, who accepts it says.
func (a *Automation) newRunTurn(run *AutomationRun, source string, by Actor) *Turn {
	return &Turn{ID: id.New(), OrganizationID: a.OrganizationID, SessionID: run.SessionID, Source: source, State: TurnQueued, AutomationID: a.ID,
		CreatedBy: by.UserID, KeyID: by.KeyID, CreatedAt: run.CreatedAt}
}

// beginTurn writes a run with its turn. beside: another run is under way.
func (sc *Scope) beginTurn(tx *gorm.DB, a *Automation, run *AutomationRun, r Run, beside bool) error {
	in := Input{Text: r.Text, Source: r.Source}
	err := in.check()
	if err != nil {
		return err
	}
	if beside && a.Overlap == OverlapAllow && !r.Waits {
		run.SessionID, err = sc.openRunSession(tx, a)
	} else {
		run.SessionID, err = sc.runSession(tx, a)
	}
	if err != nil {
		return err
	}
	by := sc.answersFor(a, r)
	turn := a.newRunTurn(run, in.Source, by)
	if _, err := sc.As(by).acceptTurn(tx, turn, in); err != nil {
		return err
	}
	run.TurnID = turn.ID
	return tx.Create(run).Error
}

// act does what needs no turn.
func (sc *Scope) act(tx *gorm.DB, a *Automation, run *AutomationRun, r Run) error {
	if a.Action == ActionLog {
		if err := sc.log(tx, a.InstanceID, LogInfo, a.Name+": "+r.Text); err != nil {
			return err
		}
	}
	if err := tx.Create(run).Error; err != nil {
		return err
	}
	return sc.runOver(tx, run, RunProduced, "")
}

// claimRun takes the automation for a run; of a due time by moving it on, which only one can.
func (sc *Scope) claimRun(tx *gorm.DB, automationID string, r Run) (*Automation, error) {
	a, err := first[Automation](locked(tx).Omit(notShown...).Where("id = ?", automationID))
	switch {
	case r.Cause == RunDue && fault.Is(err, fault.NotFound):
		return nil, ErrNotDue
	case err != nil:
		return nil, err
	case r.Cause == RunCall:
		if a.State != AutomationActive {
			return nil, errTriggerOff
		}
		if held, err := sc.held(tx, a.InstanceID); err != nil || held {
			return nil, errOr(err, errAutomationsHeld)
		}
		return a, nil
	case r.Cause != RunDue:
		return a, nil
	}
	if a.State != AutomationActive || a.NextAt == nil || !a.NextAt.Equal(r.Due) {
		return nil, ErrNotDue
	}
	set := dueColumns(a.ID, a.JitterSeconds, r.Next)
	if r.Next == nil {
		set["state"] = AutomationDone
	}
	_, err = changed(tx.Model(&Automation{}).Where("id = ?", a.ID), set)
	return a, err
}

// takenBefore finds the run of a call that came before, or of a due time that came again because the clock was set back. A
// call that failed to start may come again.
func takenBefore(tx *gorm.DB, automationID string, r Run) (*AutomationRun, error) {
	q := tx.Where("automation_id = ? AND delivery = ?", automationID, r.Delivery)
	switch {
	case r.Cause == RunDue: // in the words of the index
		q = tx.Where("automation_id = ? AND cause = 'due' AND due_at <= ?", automationID, r.Due).Order("due_at DESC")
	case r.Delivery == "":
		return nil, nil
	}
	rows, err := all[AutomationRun](q.Limit(1))
	if err != nil || len(rows) == 0 || r.Cause == RunDue && rows[0].covered().Before(r.Due) {
		return nil, err
	}
	return &rows[0], nil
}

func (sc *Scope) newRun(a *Automation, r Run) *AutomationRun {
	run := &AutomationRun{ID: id.New(), OrganizationID: sc.Org, AutomationID: a.ID, Cause: r.Cause, DueAt: r.Due, Missed: r.Missed, CallID: r.CallID, ReplayOf: r.ReplayOf,
		State: RunRunning, CreatedAt: sc.store.now()}
	if r.Delivery != "" {
		run.Delivery = &r.Delivery
	}
	return run
}
