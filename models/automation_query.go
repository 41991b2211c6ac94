package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// notShown are the columns that lists and pages do without.
var notShown = []string{"secret_sealed", "old_secret_sealed"}

// Automations lists those of an instance, or of all ("") : what is due first comes first, then triggers, then what is over.
func (sc *Scope) Automations(ctx context.Context, instanceID string) ([]Automation, error) {
	q := sc.read(ctx).Omit(notShown...).Order("CASE WHEN next_at IS NULL THEN 1 ELSE 0 END, next_at, CASE state WHEN 'active' THEN 0 WHEN 'paused' THEN 1 ELSE 2 END, created_at DESC, id DESC")
	if instanceID != "" {
		q = q.Where("instance_id = ?", instanceID)
	}
	return all[Automation](q)
}

// Automation reads one.
func (sc *Scope) Automation(ctx context.Context, automationID string) (*Automation, error) {
	return first[Automation](sc.read(ctx).Omit(notShown...).Where("id = ?", automationID))
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

// LastRuns gives the newest run of each automation that has one, by the automation's id; of one instance, or of all with "".
func (sc *Scope) LastRuns(ctx context.Context, instanceID string) (map[string]AutomationRun, error) {
	// One look into the index for each automation; grouping would read every run of ninety days.
	newest := sc.read(ctx).Model(&Automation{}).Select("(SELECT max(r.id) FROM automation_runs r WHERE r.organization_id = automations.organization_id AND r.automation_id = automations.id)")
	if instanceID != "" {
		newest = newest.Where("instance_id = ?", instanceID)
	}
	rows, err := all[AutomationRun](sc.read(ctx).Where("id IN (?)", newest))
	out := make(map[string]AutomationRun, len(rows))
	for _, r := range rows {
		out[r.AutomationID] = r
	}
	return out, err
}

// Run reads one of an automation.
func (sc *Scope) Run(ctx context.Context, automationID, runID string) (*AutomationRun, error) {
	return first[AutomationRun](sc.read(ctx).Where("automation_id = ? AND id = ?", automationID, runID))
}

// RunFilter says which runs are listed, newest first; empty fields do not filter.
type RunFilter struct {
	AutomationID string
	From, To     time.Time // by when they began
	Ended        bool
	Timed        bool // of schedules alone
	Limit        int  // 0 = all
	Offset       int
}

func (f RunFilter) in(q *gorm.DB) *gorm.DB {
	if f.AutomationID != "" {
		q = q.Where("automation_id = ?", f.AutomationID)
	}
	if !f.From.IsZero() {
		q = q.Where("created_at >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		q = q.Where("created_at <= ?", f.To.UTC())
	}
	if f.Ended {
		q = q.Where("state <> ?", RunRunning)
	}
	if f.Timed {
		q = q.Where("cause IN ?", []RunCause{RunDue, RunNow})
	}
	return q
}

// RunList lists runs and tells how many there are without the limit.
func (sc *Scope) RunList(ctx context.Context, f RunFilter) ([]AutomationRun, int, error) {
	var total int64
	if err := f.in(sc.read(ctx).Model(&AutomationRun{})).Count(&total).Error; err != nil {
		return nil, 0, translate(err)
	}
	q := f.in(sc.read(ctx)).Order("id DESC").Offset(f.Offset)
	if f.Limit > 0 {
		q = q.Limit(f.Limit)
	}
	rows, err := all[AutomationRun](q)
	return rows, int(total), err
}

// RunCost is what the runs of an automation cost since a moment.
type RunCost struct {
	AutomationID string
	Runs         int
	CostNanos    int64
}

// RunCosts sums the costs of runs that began since a moment, by automation.
func (sc *Scope) RunCosts(ctx context.Context, since time.Time) (map[string]RunCost, error) {
	var rows []RunCost
	err := sc.read(ctx).Model(&AutomationRun{}).Select("automation_id, count(*) AS runs, sum(cost_nanos) AS cost_nanos").Where("created_at >= ? AND turn_id <> ''", since.UTC()).
		Group("automation_id").Scan(&rows).Error
	out := make(map[string]RunCost, len(rows))
	for _, r := range rows {
		out[r.AutomationID] = r
	}
	return out, translate(err)
}

// RunCostOf is what a run of an automation cost lately, on average; false: none has ended yet.
func (sc *Scope) RunCostOf(ctx context.Context, automationID string) (int64, bool, error) {
	rows, err := all[AutomationRun](sc.read(ctx).Select("cost_nanos").Where("automation_id = ? AND state IN ? AND turn_id <> ''", automationID, []RunState{RunProduced, RunQuiet}).
		Order("id DESC").Limit(costSample))
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	var sum int64
	for _, r := range rows {
		sum += r.CostNanos
	}
	return sum / int64(len(rows)), true, nil
}

// failedInARow are the runs that failed since the last one of their automation that did not.
const failedInARow = `r.state = 'failed' AND r.id > coalesce((SELECT max(o.id) FROM automation_runs o
	WHERE o.organization_id = r.organization_id AND o.automation_id = r.automation_id AND o.state IN ('produced', 'quiet')), '')`

// RunFailures counts, by automation, the runs that failed since the last one that did not.
func (sc *Scope) RunFailures(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		AutomationID string
		Failures     int
	}
	err := sc.read(ctx).WithContext(rawContext(tenantContext(ctx, sc.Org))).Raw("SELECT automation_id, count(*) AS failures FROM automation_runs r WHERE r.organization_id = ? AND "+failedInARow+
		" GROUP BY automation_id", sc.Org).Scan(&rows).Error
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.AutomationID] = r.Failures
	}
	return out, translate(err)
}

// RunFailuresOf counts those of one automation.
func (sc *Scope) RunFailuresOf(ctx context.Context, automationID string) (int, error) {
	return sc.failuresOf(sc.read(ctx), automationID)
}

// failuresOf counts those of one automation.
func (sc *Scope) failuresOf(tx *gorm.DB, automationID string) (int, error) {
	n := 0
	err := within(tx).one("SELECT count(*) FROM automation_runs r WHERE r.organization_id = ? AND r.automation_id = ? AND "+failedInARow, []any{sc.Org, automationID}, &n)
	return n, err
}

// answersAtOnce is how many turns are asked about in one statement.
const answersAtOnce = 500

// Answers gives the last answer of each of these turns that has one, by the turn's id.
func (sc *Scope) Answers(ctx context.Context, turnIDs []string) (map[string]string, error) {
	out := map[string]string{}
	for len(turnIDs) > 0 {
		some := turnIDs[:min(len(turnIDs), answersAtOnce)]
		turnIDs = turnIDs[len(some):]
		log, err := all[Event](sc.read(ctx).Where("turn_id IN ? AND kind = ?", some, KindAssistant).Order("seq"))
		if err != nil {
			return nil, err
		}
		for _, e := range log {
			if m, err := Decode[AssistantMessage](e); err == nil && e.TurnID != nil {
				out[*e.TurnID] = m.Text
			}
		}
	}
	return out, nil
}
