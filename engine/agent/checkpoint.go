package agent

import (
	"context"
	"time"

	"lobstead/models"
)

// Checkpoints note what a turn changes in the workspace; engine/files has them. Their errors are for the log: no turn ends
// for one.
type Checkpoints interface {
	// Before is called with the sandbox up, before the first tool of a turn that may change files.
	Before(ctx context.Context, sc *models.Scope, i *models.Instance, turnID string) error
	// After is called when the turn has ended, or waits.
	After(ctx context.Context, sc *models.Scope, i *models.Instance, turnID string) error
}

// checkpointLimit bounds the look at a workspace when nobody waits for it any more.
const checkpointLimit = 15 * time.Second

// noteBefore looks at the workspace before a tool changes it. Turns without such a tool never come here.
func (x *run) noteBefore(ctx context.Context) {
	if x.Checkpoints == nil || x.noted {
		return
	}
	if _, err := x.hands.get(ctx); err != nil { // the tool will say so
		return
	}
	x.noted = true
	if err := x.Checkpoints.Before(ctx, x.sc, x.inst, x.turn.ID); err != nil && ctx.Err() == nil {
		x.Log.InfoContext(ctx, "agent: what this turn changes is not noted", "turn", x.turn.ID, "error", err)
	}
}

// noteAfter looks again when the answer is out. A turn that another worker began may have been noted there.
func (x *run) noteAfter() {
	if x.Checkpoints == nil || x.inst == nil || !x.noted && x.turn.Attempt <= 1 {
		return
	}
	ctx, done := context.WithTimeout(x.hard, checkpointLimit)
	defer done()
	if err := x.Checkpoints.After(ctx, x.sc, x.inst, x.turn.ID); err != nil {
		x.Log.InfoContext(ctx, "agent: what this turn changed is not noted", "turn", x.turn.ID, "error", err)
	}
}
