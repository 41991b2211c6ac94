package models

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Standing is how an agent is to be met, in the fleet API's four words: the instance's one state, what is wanted of it, and whether its
// loop is paused. A paused instance runs on and takes messages: its sandbox is up, its files can be reached, what was begun is ended. Its
// turns wait until it is resumed, and those of a stopped one until it is started. Pause is no state of the reconciler's: it is about the loop, not about the sandbox.
type Standing string

// The four.
const (
	StandingActive  Standing = "active"
	StandingPaused  Standing = "paused"
	StandingStopped Standing = "stopped"
	StandingError   Standing = "error"
)

// Standing derives it. One that is being brought up counts as active: messages are taken.
func (i *Instance) Standing() Standing {
	switch {
	case i.Desired != WantRunning || i.State == Suspended:
		return StandingStopped
	case i.State == Errored:
		return StandingError
	case i.PausedAt != nil:
		return StandingPaused
	}
	return StandingActive
}

// Rests tells whether its turns do not begin: it is paused, or stopped. What was taken waits until it goes on.
func (i *Instance) Rests() bool { return i.PausedAt != nil || i.Desired == WantStopped }

// rests is Rests in SQL.
const rests = "(paused_at IS NOT NULL OR desired = 'stopped')"

// standings is the table of what each one wants.
var standings = map[Standing]struct {
	want   Desired
	paused bool
}{
	StandingActive: {WantRunning, false}, StandingPaused: {WantRunning, true}, StandingStopped: {WantStopped, false},
}

// MetStanding begins the code of a refusal by SetStanding; the standing that the instance was met in follows.
const MetStanding = "instance.standing."

// SetStanding brings an instance to a standing, from any other, or only from some; Conflict with MetStanding when it has another one.
// The caller tells the reconciler, and workers of turns that may go on.
func (sc *Scope) SetStanding(ctx context.Context, instanceID string, to Standing, from ...Standing) (*Instance, error) {
	goal, ok := standings[to]
	if !ok {
		var is fault.Issues
		is.NotOneOf("status", string(to), string(StandingActive), string(StandingPaused), string(StandingStopped))
		return nil, is.Err()
	}
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		now := i.Standing()
		switch {
		case i.Desired == WantDeleted:
			return nil, "", fault.NotFoundf("instance")
		case i.State == Suspended:
			return nil, "", fault.New(fault.Conflict, "instance.state", "This instance is suspended")
		case len(from) > 0 && !slices.Contains(from, now):
			return nil, "", fault.New(fault.Conflict, MetStanding+string(now), "This instance is %s", now)
		case now == to:
			return map[string]any{}, "", nil
		}
		set := map[string]any{"paused_at": nil}
		if goal.paused {
			set["paused_at"] = sc.store.now()
		}
		if i.Desired != goal.want || now == StandingError {
			set["desired"], set["generation"], set["attempts"], set["retry_at"], set["reason"] = goal.want, i.Generation+1, 0, nil, ""
		}
		return set, "Set to " + string(to) + " by " + sc.Actor.label(), sc.audit(tx, act{name: "instance.standing", kind: "instance", id: i.ID, of: i.Name,
			before: map[string]any{"status": now}, after: map[string]any{"status": to}})
	})
}
