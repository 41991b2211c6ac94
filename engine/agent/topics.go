package agent

import (
	"context"
	"strconv"
	"strings"

	"lobstead/kit/events"
	"lobstead/models"
)

// TurnsTopic carries a hint for every queued turn: the payload is "<organization> <turn>".
const TurnsTopic = "turns"

// SessionTopic is published after every append to a session's log and after every change of a turn's state.
// The payload is the session's last seq in decimal; empty when the publisher does not know it.
func SessionTopic(session string) string { return "session:" + session }

// TurnTopic asks the worker of a turn to look at its row at once: somebody pressed Stop.
func TurnTopic(turn string) string { return "turn:" + turn }

// OrgTopic says that something in an organization's lists changed.
func OrgTopic(org string) string { return "org:" + org }

// InboxTopic says that a turn of an organization waits for a person, or does no more.
func InboxTopic(org string) string { return "inbox:" + org }

// The kinds of live parts: "<kind>/<step>" for text and thinking, "output/<call id>" for a tool's output. A
// part "reset/<step>" has no text and says that the step is asked again: forget its text and thinking.
const (
	PartText     = "text"
	PartThinking = "thinking"
	PartOutput   = "output"
	PartReset    = "reset"
)

func hintTurn(ctx context.Context, bus *events.Bus, org, turn string) {
	bus.Publish(ctx, TurnsTopic, []byte(org+" "+turn))
}

func readTurnHint(payload []byte) (models.TurnRef, bool) {
	org, turn, ok := strings.Cut(string(payload), " ")
	return models.TurnRef{OrganizationID: org, ID: turn}, ok && org != "" && turn != ""
}

func hintSession(ctx context.Context, bus *events.Bus, session string, seq int64) {
	var payload []byte
	if seq > 0 {
		payload = strconv.AppendInt(nil, seq, 10)
	}
	bus.Publish(ctx, SessionTopic(session), payload)
}
