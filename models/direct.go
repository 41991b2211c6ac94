package models

import (
	"context"
	"slices"
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

// chunks are how many rows go into a statement: few lengths, since each is another statement that a connection keeps.
var chunks = []int{100, 10, 1}

func chunked[T any](rows []T, f func([]T) error) error {
	for len(rows) > 0 {
		n := chunks[slices.IndexFunc(chunks, func(c int) bool { return c <= len(rows) })]
		if err := f(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// insertAll adds rows, each with a value for every column.
func (d direct) insertAll(table, columns string, rows [][]any) error {
	return chunked(rows, func(some [][]any) error {
		_, err := d.exec("INSERT INTO "+table+" ("+columns+") VALUES "+list(values(len(some[0])), len(some)), slices.Concat(some...)...)
		return err
	})
}

// updateAll changes rows, each to its own values. Columns are "name type"; the first is the one that names the row.
func (d direct) updateAll(table string, columns []string, rows [][]any) error {
	names, places, set := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for n, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		names[n], places[n], set[n] = name, "?", name+" = v."+name
		if d.postgres { // else it takes them for text
			places[n] += "::" + kind
		}
	}
	one := "(" + strings.Join(places, ", ") + ")"
	return chunked(rows, func(some [][]any) error {
		_, err := d.exec("WITH v ("+strings.Join(names, ", ")+") AS (VALUES "+list(one, len(some))+") UPDATE "+table+" SET "+strings.Join(set[1:], ", ")+
			" FROM v WHERE "+table+"."+names[0]+" = v."+names[0], slices.Concat(some...)...)
		return err
	})
}

// mostAmong is how many ids among takes.
const mostAmong = 500

// among is a list of places for some ids, filled up to one of few lengths by repeating the last.
func among(ids []string) (places string, args []any) {
	lengths := []int{1, 10, 100, mostAmong}
	n := lengths[slices.IndexFunc(lengths, func(l int) bool { return len(ids) <= l })]
	for i := range n {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	return values(n), args
}

func list(one string, n int) string { return one + strings.Repeat(", "+one, n-1) }

// values is the list of places for n values.
func values(n int) string { return "(" + list("?", n) + ")" }
