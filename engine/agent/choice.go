package agent

import (
	"context"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
)

// wish is what the turn asks the door for.
func (x *run) wish(req llm.Request) door.Ask {
	return door.Ask{Instance: x.inst, Request: req, Quit: x.draining,
		Call: door.Call{Purpose: "chat", InstanceID: x.inst.ID, SessionID: x.turn.SessionID, TurnID: x.turn.ID}}
}

// choose has the door plan who answers. A plan holds for the turn, so that one voice speaks and the provider's prompt cache
// serves, until the context has outgrown its first model.
func (x *run) choose(ctx context.Context, req llm.Request) error {
	if x.plan != nil && (x.route.Model == x.base.Model || fits(req, x.route.Room())) {
		return nil
	}
	plan, err := x.Door.Plan(ctx, x.sc, x.wish(req))
	if err != nil && x.plan == nil && fault.Is(err, fault.TooLarge) { // let the model itself say so: the conversation is compacted then
		plan, err = x.Door.Plan(ctx, x.sc, door.Ask{Instance: x.inst})
	}
	if err != nil {
		return err
	}
	x.plan, x.route = &plan, plan.Routes[0]
	return nil
}
