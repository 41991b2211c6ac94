// Package agent owns the brain: the verbs that start and stop turns, the workers that claim them by lease, and
// the loop that thinks, acts in the sandbox and writes the log. It holds no truth of its own: everything that
// must survive is an event, so any worker can go on where another one died. It knows neither HTTP nor SQL.
package agent

import (
	"context"
	"errors"
	"time"

	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Turns are the verbs that every edge uses: pages, the JSON APIs, channels, schedules.
type Turns struct {
	Store *models.Store
	Bus   *events.Bus
}

// Start accepts a message and wakes a worker at once. The faults are those of models.StartTurn.
func (t *Turns) Start(ctx context.Context, sc *models.Scope, sessionID string, in models.Input) (*models.Turn, *models.Event, error) {
	turn, event, err := sc.StartTurn(ctx, sessionID, in)
	if err != nil {
		return nil, nil, err
	}
	hintTurn(ctx, t.Bus, sc.Org, turn.ID)
	hintSession(ctx, t.Bus, sessionID, event.Seq)
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
	if turn.QueueMode == models.Interrupt {
		t.HearStops(ctx, sc, sessionID)
	}
	return turn, event, nil
}

// HearStops tells the workers of turns that were asked to stop. What it loses, their heartbeats find.
func (t *Turns) HearStops(ctx context.Context, sc *models.Scope, sessionID string) {
	open, err := sc.OpenTurns(ctx, sessionID)
	if err != nil {
		return
	}
	for _, turn := range open {
		if turn.State == models.TurnInterrupting {
			t.Bus.Publish(ctx, TurnTopic(turn.ID), nil)
		}
	}
}

// WakeInstance wakes workers for the turns of an instance that may go on. What it loses, the sweep finds.
func (t *Turns) WakeInstance(ctx context.Context, sc *models.Scope, instanceID string) error {
	ids, err := sc.QueuedTurns(ctx, instanceID, mostWoken)
	for _, id := range ids {
		hintTurn(ctx, t.Bus, sc.Org, id)
	}
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
	return err
}

// mostWoken bounds a burst.
const mostWoken = 200

// Accepted wakes a worker for a turn that another verb wrote, and tells who watches.
func (t *Turns) Accepted(ctx context.Context, org, sessionID, turnID string) {
	t.Written(ctx, org, sessionID, turnID)
	t.Bus.Publish(ctx, OrgTopic(org), nil)
}

// Written is Accepted for one of many turns: who wrote them tells the organization once for all. Without a turn, something else
// was written into the session.
func (t *Turns) Written(ctx context.Context, org, sessionID, turnID string) {
	if turnID != "" {
		hintTurn(ctx, t.Bus, org, turnID)
	}
	hintSession(ctx, t.Bus, sessionID, 0)
}

// Stop asks a turn to stop; its worker hears of it at once. Stopping what has ended changes nothing.
func (t *Turns) Stop(ctx context.Context, sc *models.Scope, turnID string) (*models.Turn, error) {
	turn, err := sc.InterruptTurn(ctx, turnID)
	if err != nil {
		return nil, err
	}
	t.Bus.Publish(ctx, TurnTopic(turnID), nil)
	hintSession(ctx, t.Bus, turn.SessionID, 0)
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
	t.Bus.Publish(ctx, InboxTopic(sc.Org), nil) // it may have waited for a person
	return turn, nil
}

// StopSession stops the turn of a session that a worker holds; what waits behind it stays. It gives nil when
// none runs.
func (t *Turns) StopSession(ctx context.Context, sc *models.Scope, sessionID string) (*models.Turn, error) {
	if _, err := sc.Session(ctx, sessionID); err != nil {
		return nil, err
	}
	open, err := sc.OpenTurns(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	for _, turn := range open {
		if turn.State.Held() {
			return t.Stop(ctx, sc, turn.ID)
		}
	}
	return nil, nil
}

// Await waits until a turn has ended. When ctx ends first it gives fault.Timeout, and a Conflict approval.required when the
// turn waits for a person; it goes on all the same.
func (t *Turns) Await(ctx context.Context, sc *models.Scope, turnID string) (*models.Turn, error) {
	turn, err := sc.Turn(ctx, turnID)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, tooLong(ctx)
	case err != nil || turn.State.Ended():
		return turn, err
	}
	sub := t.Bus.Subscribe(1, SessionTopic(turn.SessionID))
	defer sub.Close()
	poll := time.NewTicker(time.Second) // hints may be lost
	defer poll.Stop()
	for {
		turn, err = sc.Turn(ctx, turnID)
		switch {
		case ctx.Err() != nil:
			return nil, tooLong(ctx)
		case err != nil || turn.State.Ended():
			return turn, err
		case turn.WaitsFor == models.WaitApproval:
			return nil, fault.New(fault.Conflict, "approval.required", "A tool call of this turn waits for a person's approval").
				Hinting("Decide on it under Approvals, then read the session for the answer")
		}
		select {
		case <-ctx.Done():
			return nil, tooLong(ctx)
		case <-sub.C():
		case <-poll.C:
		}
	}
}

func tooLong(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(ctx.Err(), fault.Timeout, "turn.timeout", "The turn is still running: read its session for the answer")
	}
	return fault.Wrap(ctx.Err(), fault.Unavailable, "turn.left", "The wait was cancelled")
}

// Open begins a conversation by its first message. A message that is refused leaves no empty conversation.
func (t *Turns) Open(ctx context.Context, sc *models.Scope, n models.NewSession, in models.Input) (*models.Session, *models.Turn, error) {
	s, err := sc.CreateSession(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	turn, _, err := t.Start(ctx, sc, s.ID, in)
	if err != nil {
		_ = sc.DeleteSession(context.WithoutCancel(ctx), s.ID)
		return nil, nil, err
	}
	return s, turn, nil
}

// Changed tells who watches that a session was renamed, pinned, archived or removed.
func (t *Turns) Changed(ctx context.Context, sc *models.Scope, sessionID string) {
	hintSession(ctx, t.Bus, sessionID, 0)
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
}
