package models

import (
	"slices"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// budgetNames find whom budgets of a scope are of; a revoked key spends nothing, so it is gone.
var budgetNames = map[BudgetScope]string{
	BudgetOfMember:   nameQueries[ByMember],
	BudgetOfKey:      nameQueries[ByKey] + " AND revoked_at IS NULL",
	BudgetOfInstance: nameQueries[ByInstance],
	BudgetOfSession:  nameQueries[BySession],
	BudgetOfSchedule: "SELECT id, name FROM automations WHERE organization_id = ? AND id IN ?",
}

// budgetTargets names whom budgets are of, by their ids within each scope; who is gone is missing.
func (sc *Scope) budgetTargets(db *gorm.DB, list ...Budget) (map[BudgetScope]map[string]string, error) {
	ids := map[BudgetScope][]string{}
	for n := range list {
		if b := &list[n]; b.Scope != BudgetOfOrganization && !slices.Contains(ids[b.Scope], b.TargetID) {
			ids[b.Scope] = append(ids[b.Scope], b.TargetID)
		}
	}
	out := map[BudgetScope]map[string]string{}
	for scope, of := range ids {
		names, err := sc.names(db, budgetNames[scope], of)
		if err != nil {
			return nil, err
		}
		out[scope] = names
	}
	return out, nil
}

// budgetTarget finds whom a new budget is of; NotFound when it is not of this organization.
func (sc *Scope) budgetTarget(tx *gorm.DB, b *Budget) (string, error) {
	names, err := sc.budgetTargets(tx, *b)
	if err != nil {
		return "", err
	}
	name, ok := names[b.Scope][b.TargetID]
	if !ok && b.Scope != BudgetOfOrganization {
		return "", fault.NotFoundf(string(b.Scope))
	}
	return name, nil
}

// budgetName is the name of whom a budget is of, "" for the organization and when they are gone.
func (sc *Scope) budgetName(tx *gorm.DB, b *Budget) (string, error) {
	names, err := sc.budgetTargets(tx, *b)
	return names[b.Scope][b.TargetID], err
}
