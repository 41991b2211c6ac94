package agent

import (
	"context"
	"strings"

	"lobstead/kit/fault"
	"lobstead/models"
)

// work runs the steps of a turn until the model has answered. What is left to write is in x.tail.
func (x *run) work(ctx context.Context) error {
	if err := x.open(ctx); err != nil {
		return err
	}
	defer x.limitTime(x.cancel)()
	if x.turn.State == models.TurnInterrupting { // taken over from a worker that died while stopping
		x.tail = x.unanswered("interrupted: the server restarted while this was being stopped")
		return errStop
	}
	if err := x.resume(ctx); err != nil {
		return err
	}
	x.announceMessage(ctx)
	x.placeUploads(ctx)
	for {
		if err := x.mayGoOn(ctx); err != nil {
			return err
		}
		x.remind(ctx)
		if x.steps >= x.MaxSteps {
			return fault.New(fault.Conflict, "turn.steps", "Stopped after %d steps without an answer", x.steps)
		}
		x.steps++
		if final, err := x.affordable(ctx, x.step); final || err != nil {
			return err
		}
	}
}

// mayGoOn is asked between steps and calls: there a turn can stop without losing anything.
func (x *run) mayGoOn(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-x.draining:
		return errDrain
	default:
		return nil
	}
}

// open reads all that the turn needs.
func (x *run) open(ctx context.Context) error {
	var err error
	if x.inst, err = x.sc.Instance(ctx, x.turn.InstanceID); err != nil {
		return err
	}
	if err := mayRun(x.inst); err != nil && x.turn.State != models.TurnInterrupting {
		return err
	}
	if x.profile, err = x.sc.AgentProfile(ctx, x.inst.ID); err != nil {
		return err
	}
	x.rules = x.profile.Rules()
	if err := x.load(ctx); err != nil {
		return err
	}
	x.base, err = x.Door.Resolve(ctx, x.sc, x.inst)
	x.route = x.base
	return err
}

// mayRun refuses a turn of an instance that was stopped after the turn had begun: one that has not begun waits.
func mayRun(i *models.Instance) error {
	switch {
	case i.State == models.Suspended || i.Desired == models.WantDeleted:
		return fault.New(fault.Conflict, "instance.state", "The instance is %s", strings.ToLower(string(i.State)))
	case i.Desired == models.WantStopped:
		return fault.New(fault.Conflict, "instance.stopped", "The instance was stopped while this ran").Hinting("Start it and send the message again.")
	}
	return nil
}

// resume goes on from the log of earlier attempts. A call without a result is answered as interrupted: nobody
// knows how far it got, so it is for the model to look, and not for us to run it twice.
func (x *run) resume(ctx context.Context) error {
	mine := x.book.turnEvents(x.turn.ID)
	x.steps = lastStep(mine)
	x.guard.replay(mine)
	open := models.OpenCalls(mine)
	if len(open) == 0 {
		return nil
	}
	a, err := x.decided(ctx, open[0])
	switch {
	case err != nil:
		return err
	case a != nil:
		return x.goOn(ctx, open, a)
	}
	return x.append(ctx, models.TurnProgress{}, x.unanswered("interrupted: the server restarted while this ran; nobody knows how far it got")...)
}

// unanswered gives an interrupted result for each call of this turn that has none in the log.
func (x *run) unanswered(text string) []models.EventData {
	var out []models.EventData
	for _, c := range models.OpenCalls(x.book.turnEvents(x.turn.ID)) {
		out = append(out, models.ToolResult{CallID: c.CallID, Tool: c.Tool, Output: text, Error: true, Interrupted: true})
	}
	return out
}

// lastStep is how many model calls of the turn left something in the log.
func lastStep(log []models.Event) int {
	last := 0
	for _, e := range log {
		switch e.Kind {
		case models.KindAssistant:
			if m, err := models.Decode[models.AssistantMessage](e); err == nil {
				last = max(last, m.Step)
			}
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				last = max(last, c.Step)
			}
		}
	}
	return last
}
