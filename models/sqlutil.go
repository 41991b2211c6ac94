package models

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lobstead/migrations"
)

// locked makes a read inside a transaction hold its rows until the end; SQLite's immediate transactions do
// that for the whole file already.
func locked(tx *gorm.DB) *gorm.DB {
	if tx.Name() == string(migrations.Postgres) {
		return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	return tx
}

// gormCase orders rows with column = value before the others.
func gormCase(column, value string) clause.OrderBy {
	return clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN " + column + " = ? THEN 0 ELSE 1 END", Vars: []any{value}}}
}
