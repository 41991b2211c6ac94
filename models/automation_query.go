package models

import (
	"context"

	"gorm.io/gorm"
)

// endRun settles the run of a turn that ends, in the turn's own transaction.
func (sc *Scope) endRun(tx *gorm.DB, t *Turn, e TurnEnded) error {
	if t.AutomationID == "" {
		return nil
	}
	set := map[string]any{"state": RunProduced, "reason": "", "ended_at": sc.store.now()}
	if e.State != TurnDone {
		set["state"], set["reason"] = RunFailed, clip(e.Reason, 1000)
	}
	hit, err := changed(tx.Model(&AutomationRun{}).Where("turn_id = ?", t.ID), set)
	if err != nil || !hit || set["state"] != RunFailed {
		return err
	}
	return sc.runOfTurnFailed(tx, t.ID)
}

// Runs lists an automation's, newest first.
func (sc *Scope) Runs(ctx context.Context, automationID string, limit int) ([]AutomationRun, error) {
	return all[AutomationRun](sc.read(ctx).Where("automation_id = ?", automationID).Order("id DESC").Limit(limit))
}

// costSample is how many turns say what one costs.
const costSample = 20

// TurnCost is what a turn of an instance cost lately, on average, in nano-dollars; false: nobody knows yet.
func (sc *Scope) TurnCost(ctx context.Context, instanceID string) (int64, bool, error) {
	rows, err := all[Turn](sc.read(ctx).Select("cost_nanos").Where("instance_id = ? AND state = ?", instanceID, TurnDone).Order("created_at DESC").Limit(costSample))
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	var sum int64
	for _, t := range rows {
		sum += t.CostNanos
	}
	return sum / int64(len(rows)), true, nil
}

// LastRuns gives the newest run of each automation that has one, by the automation's id.
func (sc *Scope) LastRuns(ctx context.Context) (map[string]AutomationRun, error) {
	// One look into the index for each automation; grouping would read every run of ninety days.
	newest := sc.read(ctx).Model(&Automation{}).Select("(SELECT max(r.id) FROM automation_runs r WHERE r.organization_id = automations.organization_id AND r.automation_id = automations.id)")
	rows, err := all[AutomationRun](sc.read(ctx).Where("id IN (?)", newest))
	out := make(map[string]AutomationRun, len(rows))
	for _, r := range rows {
		out[r.AutomationID] = r
	}
	return out, err
}
