package models

import (
	"fmt"
	"strings"

	"lobstead/kit/fault"
)

// InstanceState is the life-cycle state that people and APIs see.
type InstanceState string

// The states of the contract (cloud-api.md, "Instance states").
const (
	Provisioning InstanceState = "PROVISIONING"
	Running      InstanceState = "RUNNING"
	Stopped      InstanceState = "STOPPED"
	Errored      InstanceState = "ERROR"
	Suspended    InstanceState = "SUSPENDED"
)

// Desired is what a person wants of an instance; the reconciler drives the state towards it.
type Desired string

// What can be wanted.
const (
	WantRunning Desired = "running"
	WantStopped Desired = "stopped"
	WantDeleted Desired = "deleted"
)

// Action is what a person asks of an instance.
type Action string

// The actions. Recover is ours: it gives an instance in ERROR another try.
const (
	Start   Action = "start"
	Stop    Action = "stop"
	Restart Action = "restart"
	Recover Action = "recover"
	Delete  Action = "delete"
)

// actions is the table of what may be asked in which state, and what is wanted after.
var actions = map[InstanceState]map[Action]Desired{
	Provisioning: {Delete: WantDeleted},
	Running:      {Stop: WantStopped, Restart: WantRunning, Delete: WantDeleted},
	Stopped:      {Start: WantRunning, Delete: WantDeleted},
	Errored:      {Recover: WantRunning, Delete: WantDeleted},
	Suspended:    {Delete: WantDeleted},
}

// rebuilding is the table of what a rebuild makes of a state: a stopped instance takes its new settings when it starts.
// What is missing cannot be rebuilt now.
var rebuilding = map[InstanceState]InstanceState{Running: Provisioning, Errored: Provisioning, Stopped: Stopped}

// rebuilt gives the state that a rebuild begins with.
func (s InstanceState) rebuilt() (InstanceState, error) {
	next, ok := rebuilding[s]
	switch {
	case ok:
		return next, nil
	case s == Provisioning:
		return "", fault.New(fault.Conflict, "instance.rebuilding", "This instance is being built already")
	}
	return "", fault.New(fault.Conflict, "instance.state", "Cannot rebuild an instance in %s state", s)
}

// Actions lists what may be asked in a state, in a stable order.
func (s InstanceState) Actions() []Action {
	out := []Action{}
	for _, a := range []Action{Start, Stop, Restart, Recover, Delete} {
		if _, ok := actions[s][a]; ok {
			out = append(out, a)
		}
	}
	return out
}

// May tells whether an action is allowed in a state.
func (s InstanceState) May(a Action) bool { _, ok := actions[s][a]; return ok }

// want gives what an action wants, or the fault that names what would be allowed.
func (s InstanceState) want(a Action) (Desired, error) {
	d, ok := actions[s][a]
	if ok {
		return d, nil
	}
	names := []string{}
	for _, x := range s.Actions() {
		names = append(names, string(x))
	}
	return "", fault.New(fault.Invalid, "instance.state", "Cannot %s instance in %s state", a, s).
		Hinting(fmt.Sprintf("Allowed now: %s", strings.Join(names, ", ")))
}

// Observation is what the reconciler found.
type Observation string

// Observations move the state; see observed.
const (
	SawStarting Observation = "starting" // began to bring it up
	SawRunning  Observation = "running"
	SawStopped  Observation = "stopped"
	SawFailure  Observation = "failure"
)

// observed is the table of the reconciler's moves. What is missing stays as it is: SUSPENDED ends only by
// billing, and a failure to stop shows as a reason, not as another state.
var observed = map[InstanceState]map[Observation]InstanceState{
	Provisioning: {SawStarting: Provisioning, SawRunning: Running, SawStopped: Stopped, SawFailure: Errored},
	Running:      {SawStarting: Running, SawRunning: Running, SawStopped: Stopped, SawFailure: Errored},
	Stopped:      {SawStarting: Provisioning, SawRunning: Running, SawStopped: Stopped, SawFailure: Errored},
	Errored:      {SawStarting: Provisioning, SawRunning: Running, SawStopped: Stopped, SawFailure: Errored},
	Suspended:    {SawStopped: Suspended},
}

// InstanceStates lists the states in the order of a healthy life.
var InstanceStates = []InstanceState{Provisioning, Running, Stopped, Errored, Suspended}

// Next gives the state after an observation; false when the table has no such move.
func (s InstanceState) Next(o Observation) (InstanceState, bool) {
	n, ok := observed[s][o]
	return n, ok
}
