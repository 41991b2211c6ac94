package agent

import (
	"context"

	"lobstead/kit/fault"
	"lobstead/models"
)

// Resolve is a person's decision on a call that waits; the turn goes on at once. The faults are those of models.Resolve.
func (t *Turns) Resolve(ctx context.Context, sc *models.Scope, approvalID string, d models.Resolution) (*models.Approval, error) {
	a, err := sc.Resolve(ctx, approvalID, d)
	if a != nil {
		t.resumed(ctx, sc, a.TurnID, a.SessionID)
	}
	return a, err
}

// ExpireApprovals denies what waited too long in an organization.
func (t *Turns) ExpireApprovals(ctx context.Context, sc *models.Scope) error {
	due, err := sc.DueApprovals(ctx)
	for n := 0; err == nil && n < len(due); n++ {
		var hit bool
		hit, err = sc.ExpireApproval(ctx, due[n].ID)
		if hit {
			t.resumed(ctx, sc, due[n].TurnID, due[n].SessionID)
		}
		if fault.Is(err, fault.NotFound) { // removed with its conversation meanwhile
			err = nil
		}
	}
	return err
}
