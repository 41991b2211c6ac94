package agent

import (
	"crypto/sha256"
	"encoding/json"

	"lobstead/kit/fault"
	"lobstead/models"
)

// sameCalls is how often the same call may give the same result before the turn is stopped.
const sameCalls = 3

// loopGuard notices a turn that does not get anywhere: the same tool with the same input and the same result,
// again and again, with nothing new in between. Anything new starts the count afresh, so running the same
// tests after each edit is no loop, and neither is waiting for something that changes.
type loopGuard struct {
	seen  map[[32]byte]bool
	count map[[32]byte]int
}

func (g *loopGuard) note(c models.ToolCall, r models.ToolResult) error {
	text, _ := json.Marshal([]any{c.Tool, c.Input, r.Output, r.Error})
	key := sha256.Sum256(text)
	if !g.seen[key] {
		if g.seen == nil {
			g.seen = map[[32]byte]bool{}
		}
		g.seen[key] = true
		g.count = map[[32]byte]int{}
	}
	g.count[key]++
	if g.count[key] < sameCalls {
		return nil
	}
	return fault.New(fault.Conflict, "turn.loop", "Stopped: %s was called %d times with the same input and gave the same result each time", c.Tool, sameCalls)
}

// replay learns from the log of an earlier attempt; what that one let pass does not stop this one.
func (g *loopGuard) replay(log []models.Event) {
	calls := map[string]models.ToolCall{}
	for _, e := range log {
		switch e.Kind {
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				calls[c.CallID] = c
			}
		case models.KindResult:
			if r, err := models.Decode[models.ToolResult](e); err == nil && !r.Interrupted {
				_ = g.note(calls[r.CallID], r)
			}
		}
	}
}
