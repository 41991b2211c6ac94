package models

import (
	"slices"
	"strings"

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

// foundingLock is the key of Postgres's advisory lock for lockFounding.
const foundingLock = 7106851493

// lockFounding makes transactions that found organizations follow each other: "no owner yet" and "this slug
// is free" must still hold when they commit.
func lockFounding(tx *gorm.DB) error { return advisory(tx, foundingLock) }

// advisory makes transactions of one kind follow each other on Postgres; on SQLite all do.
func advisory(tx *gorm.DB, key int) error {
	if tx.Name() == string(migrations.Postgres) {
		return tx.Exec("SELECT pg_advisory_xact_lock(?)", key).Error
	}
	return nil
}

// lockOrganization makes transactions that change several rows of an organization together follow each other;
// rows that only point to the organization are written meanwhile.
func (sc *Scope) lockOrganization(tx *gorm.DB) error {
	if tx.Name() != string(migrations.Postgres) {
		return nil
	}
	sc.store.inOrder(tx, sc.Org)
	_, err := first[Organization](tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Select("id").Where("id = ?", sc.Org))
	return err
}

// lockOrganizations locks several, in one order for all; who takes the founding lock too takes it after, as
// DeleteOrganization does.
func (sy *System) lockOrganizations(tx *gorm.DB, orgs []string) error {
	for _, org := range slices.Sorted(slices.Values(orgs)) {
		if err := sy.store.In(org).lockOrganization(tx); err != nil {
			return err
		}
	}
	return nil
}

// heldOrganization is lockOrganization that gives the row.
func (sc *Scope) heldOrganization(tx *gorm.DB) (*Organization, error) {
	sc.store.inOrder(tx, sc.Org)
	if tx.Name() == string(migrations.Postgres) {
		tx = tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
	}
	return first[Organization](tx.Where("id = ?", sc.Org))
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// maxSearch bounds what is searched for, in bytes: SQLite refuses very long patterns.
const maxSearch = 200

// like is a search for a text inside columns, whatever its case. The database lowers both sides: which
// letters it knows is its own affair, but a text always finds itself.
type like string

func likeAny(text string) like {
	return like("%" + likeEscape.Replace(clip(cleanText(text), maxSearch)) + "%")
}

// in is the condition over some columns; args are its arguments.
func (l like) in(columns ...string) string {
	out := []string{}
	for _, c := range columns {
		out = append(out, "lower("+c+`) LIKE lower(?) ESCAPE '\'`)
	}
	return "(" + strings.Join(out, " OR ") + ")"
}

func (l like) args(n int) []any { return slices.Repeat([]any{string(l)}, n) }

// gormCase orders rows with column = value before the others, each group as then says. One expression: gorm
// drops it when a second Order follows.
func gormCase(column, value, then string) clause.OrderBy {
	return clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN " + column + " = ? THEN 0 ELSE 1 END, " + then, Vars: []any{value}}}
}
