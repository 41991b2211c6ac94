package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// closeApproval writes the outcome, tells the log, and lets the turn go on.
func (sc *Scope) closeApproval(tx *gorm.DB, t *Turn, a *Approval, status ApprovalStatus, d Resolution) (*Approval, error) {
	if status == ApprovalApproved {
		if err := mayGoOn(tx, a.InstanceID); err != nil {
			return nil, err
		}
	}
	set := map[string]any{"status": status, "decided_at": sc.store.now()}
	by, verdict, reason := "", Deny, "Nobody decided in time"
	switch status {
	case ApprovalApproved:
		by, verdict, reason = sc.Actor.label(), Allow, "Approved by "+sc.Actor.label()
		set["lasts"], set["days"] = d.Lasts, d.Days
	case ApprovalDenied:
		by, reason = sc.Actor.label(), "Denied by "+sc.Actor.label()
		if d.Note != "" {
			reason += ": " + d.Note
		}
	case ApprovalWithdrawn:
		by, reason = sc.Actor.label(), "The turn was stopped by "+sc.Actor.label()
	}
	if by != "" {
		set["decided_by"], set["decided_name"], set["note"] = sc.Actor.UserID, clip(cleanText(by), 200), d.Note
	}
	if _, err := changed(tx.Model(&Approval{}).Where("id = ?", a.ID), set); err != nil {
		return nil, err
	}
	if err := sc.store.dropAbout(tx, aboutApproval, []string{a.ID}, "the call waits no more"); err != nil {
		return nil, err
	}
	if err := sc.notePolicy(tx, t.ID, []PolicyDecision{{CallID: a.CallID, Tool: a.Tool, Verdict: verdict, RuleName: "approval", Reason: reason}}); err != nil {
		return nil, err
	}
	_, err := sc.appendEvents(tx, t.SessionID, &t.ID, t.Attempt, Decided{ApprovalID: a.ID, CallID: a.CallID, Status: status, By: by, Note: d.Note, Lasts: d.Lasts, Days: d.Days})
	if err == nil && status != ApprovalWithdrawn {
		_, err = sc.resumeTurn(tx, t.ID, WaitApproval)
	}
	if err != nil {
		return nil, err
	}
	return first[Approval](tx.Where("id = ?", a.ID))
}

// mayGoOn refuses to let a call run in an instance that does not.
func mayGoOn(tx *gorm.DB, instanceID string) error {
	i, err := first[Instance](tx.Where("id = ?", instanceID))
	if err == nil && (i.Desired != WantRunning || i.State == Suspended) {
		err = fault.New(fault.Conflict, "instance.stopped", "The instance does not run").Hinting("Start it, then approve the call")
	}
	return err
}

// withdrawApprovals ends what a parked turn waits for, and answers its open calls: it is stopped.
func (sc *Scope) withdrawApprovals(tx *gorm.DB, t *Turn) error {
	rows, err := all[Approval](tx.Where("turn_id = ? AND status = 'pending'", t.ID))
	if err != nil || len(rows) == 0 {
		return err
	}
	for n := range rows {
		if _, err := sc.closeApproval(tx, t, &rows[n], ApprovalWithdrawn, Resolution{}); err != nil {
			return err
		}
	}
	log, err := all[Event](tx.Where("turn_id = ?", t.ID).Order("seq"))
	if err != nil {
		return err
	}
	var results []EventData
	for _, c := range OpenCalls(log) {
		results = append(results, ToolResult{CallID: c.CallID, Tool: c.Tool, Output: "not run: the turn was stopped first", Error: true, Interrupted: true})
	}
	_, err = sc.appendEvents(tx, t.SessionID, &t.ID, t.Attempt, results...)
	return err
}

// ExpireApproval denies what a turn waits for when its time is over. false: there was nothing to do.
func (sc *Scope) ExpireApproval(ctx context.Context, approvalID string) (bool, error) {
	hit := false
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		a, t, err := sc.lockApproval(tx, approvalID)
		if err != nil || a.Status != ApprovalPending || sc.store.now().Before(a.ExpiresAt) {
			return err
		}
		hit = true
		_, err = sc.closeApproval(tx, t, a, ApprovalTimedOut, Resolution{})
		return err
	})
	return hit, err
}

// BeginApproved marks an approved call as run, right before it is: once, and for exactly this call. false: it was run
// before, or is another one.
func (sc *Scope) BeginApproved(ctx context.Context, l Lease, approvalID, fingerprint string) (bool, error) {
	hit := false
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.hold(tx, l, map[string]any{}); err != nil {
			return err
		}
		var err error
		hit, err = changed(tx.Model(&Approval{}).Where("id = ? AND turn_id = ? AND status = ? AND fingerprint = ? AND begun_at IS NULL",
			approvalID, l.TurnID, ApprovalApproved, fingerprint), map[string]any{"begun_at": sc.store.now()})
		return err
	})
	return hit, err
}
