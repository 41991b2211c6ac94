package models

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"

	"lobstead/migrations"
)

// direct runs statements of a transaction without gorm: those of the ledger run for each call of a model, and building
// one takes gorm longer than running it takes the database. Nothing narrows them: each names the organization itself.
type direct struct {
	ctx      context.Context
	in       gorm.ConnPool
	postgres bool
}

func within(tx *gorm.DB) direct {
	return direct{tx.Statement.Context, tx.Statement.ConnPool, tx.Name() == string(migrations.Postgres)}
}

// exec gives how many rows a statement changed.
func (d direct) exec(query string, args ...any) (int64, error) {
	r, err := d.in.ExecContext(d.ctx, d.spelled(query), args...)
	if err != nil {
		return 0, translate(err)
	}
	n, err := r.RowsAffected()
	return n, translate(err)
}

// each reads the rows of a question one by one.
func (d direct) each(row func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := d.in.QueryContext(d.ctx, d.spelled(query), args...)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return translate(err)
		}
	}
	return translate(rows.Err())
}

// one reads a row; fault.NotFound without one.
func (d direct) one(query string, args []any, into ...any) error {
	found := false
	err := d.each(func(scan func(...any) error) error { found = true; return scan(into...) }, query, args...)
	if err == nil && !found {
		return translate(gorm.ErrRecordNotFound)
	}
	return err
}

// lock is what a question ends with whose rows are held until the end of the transaction: SQLite's own writers hold all.
func (d direct) lock(table string) string {
	if d.postgres {
		return " FOR UPDATE OF " + table
	}
	return ""
}

// lockFree is lock for rows of which those that another transaction holds are passed over.
func (d direct) lockFree(table string) string {
	if d.postgres {
		return d.lock(table) + " SKIP LOCKED"
	}
	return ""
}

var spellings sync.Map // of statements, by their text with question marks

// spelled numbers the places for values as Postgres wants them. No statement has a question mark elsewhere.
func (d direct) spelled(query string) string {
	if !d.postgres {
		return query
	}
	if s, ok := spellings.Load(query); ok {
		return s.(string) //nolint:forcetypeassert // stored below
	}
	var b strings.Builder
	for n, part := range strings.Split(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
	}
	spellings.Store(query, b.String())
	return b.String()
}

// insert adds a row.
func (d direct) insert(table, columns string, args ...any) error {
	_, err := d.exec("INSERT INTO "+table+" ("+columns+") VALUES "+values(len(args)), args...)
	return err
}

// values is the list of places for n values.
func values(n int) string { return "(" + list("?", n) + ")" }
