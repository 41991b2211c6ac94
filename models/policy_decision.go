package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// PolicyDecision is what was decided of one tool call, and by which rule. Rows are never changed; they go with their turn.
type PolicyDecision struct {
	ID             string
	OrganizationID string
	TurnID         string
	CallID         string
	Tool           string
	Verdict        Verdict
	RuleID         string // of a PolicyRule; "" = a rule of the program, a grant or a person
	RuleName       string
	Reason         string
	CreatedAt      time.Time
}

// TurnPolicy lists what was decided of a turn's calls, in order. A call that was asked for has two rows once it is decided.
func (sc *Scope) TurnPolicy(ctx context.Context, turnID string) ([]PolicyDecision, error) {
	return all[PolicyDecision](sc.read(ctx).Where("turn_id = ?", turnID).Order("id"))
}

// notePolicy writes decisions down inside a transaction.
func (sc *Scope) notePolicy(tx *gorm.DB, turnID string, rows []PolicyDecision) error {
	if len(rows) == 0 {
		return nil
	}
	for n := range rows {
		d := &rows[n]
		d.ID, d.OrganizationID, d.TurnID, d.CreatedAt = id.New(), sc.Org, turnID, sc.store.now()
		d.Tool, d.RuleName, d.Reason = clip(cleanText(d.Tool), 200), sc.store.line(d.RuleName, 1200), sc.store.line(d.Reason, 1000)
	}
	return tx.Create(&rows).Error
}
