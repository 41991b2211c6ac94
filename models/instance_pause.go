package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// A paused instance runs on and takes messages: its sandbox is up, its files can be reached, what was begun is ended. Its turns wait
// until it is resumed. Pause is no state of the reconciler's: it is about the loop, not about the sandbox.

// PauseInstance lets an instance's turns wait; Conflict instance.paused when they do already, instance.not_active when it is stopped
// or failed.
func (sc *Scope) PauseInstance(ctx context.Context, instanceID string) (*Instance, error) {
	return sc.setPaused(ctx, instanceID, true)
}

// ResumeInstance lets them go on; Conflict instance.not_paused when they do. The caller wakes the workers.
func (sc *Scope) ResumeInstance(ctx context.Context, instanceID string) (*Instance, error) {
	return sc.setPaused(ctx, instanceID, false)
}

func (sc *Scope) setPaused(ctx context.Context, instanceID string, pause bool) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		switch {
		case i.Desired == WantDeleted:
			return nil, "", fault.New(fault.Invalid, "instance.deleting", "This instance is being deleted")
		case pause && i.PausedAt != nil:
			return nil, "", fault.New(fault.Conflict, "instance.paused", "This instance is paused already")
		case !pause && i.PausedAt == nil:
			return nil, "", fault.New(fault.Conflict, "instance.not_paused", "This instance is not paused")
		case pause && i.Standing() != AgentActive:
			return nil, "", fault.New(fault.Conflict, "instance.not_active", "This instance is %s: it has nothing to pause", i.Standing())
		}
		set, line, name := map[string]any{"paused_at": nil}, "Resumed by ", "instance.resumed"
		if pause {
			set["paused_at"], line, name = sc.store.now(), "Paused by ", "instance.paused"
		}
		return set, line + sc.Actor.label(), sc.audit(tx, act{name: name, kind: "instance", id: i.ID, of: i.Name})
	})
}

// Standing is how an agent is to be met, in the fleet API's four words: the instance's one state, what is wanted of it, and whether its
// loop is paused.
type Standing string

// The four.
const (
	AgentActive  Standing = "active"
	AgentPaused  Standing = "paused"
	AgentStopped Standing = "stopped"
	AgentError   Standing = "error"
)

// Standing derives it. One that is being brought up counts as active: messages are taken.
func (i *Instance) Standing() Standing {
	switch {
	case i.Desired != WantRunning || i.State == Suspended:
		return AgentStopped
	case i.State == Errored:
		return AgentError
	case i.PausedAt != nil:
		return AgentPaused
	}
	return AgentActive
}
