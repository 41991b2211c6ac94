package models

import (
	"slices"
	"strings"
)

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

// column is one of a table, by its name and what Postgres calls its type.
type column struct{ name, kind string }

// columns reads "name type, name type".
func columns(list string) []column {
	var out []column
	for c := range strings.SplitSeq(list, ", ") {
		name, kind, _ := strings.Cut(c, " ")
		out = append(out, column{name, kind})
	}
	return out
}

func joined(cols []column, f func(column) string) string {
	var out []string
	for _, c := range cols {
		out = append(out, f(c))
	}
	return strings.Join(out, ", ")
}

func (c column) plain() string { return c.name }

// insertAll adds rows, each with a value for every column.
func (d direct) insertAll(table string, cols []column, rows [][]any) error {
	into := "INSERT INTO " + table + " (" + joined(cols, column.plain) + ") "
	if d.postgres {
		return d.unnested(cols, rows, into+"SELECT * FROM ", "")
	}
	return chunked(rows, func(some [][]any) error {
		_, err := d.exec(into+"VALUES "+list(values(len(cols)), len(some)), slices.Concat(some...)...)
		return err
	})
}

// updateAll changes rows, each to its own values; the first column is the one that names the row.
func (d direct) updateAll(table string, cols []column, rows [][]any) error {
	set := "UPDATE " + table + " SET " + joined(cols[1:], func(c column) string { return c.name + " = v." + c.name }) + " FROM "
	where, names := " WHERE "+table+"."+cols[0].name+" = v."+cols[0].name, "v ("+joined(cols, column.plain)+")"
	if d.postgres {
		return d.unnested(cols, rows, set, " AS "+names+where)
	}
	return chunked(rows, func(some [][]any) error {
		_, err := d.exec("WITH "+names+" AS (VALUES "+list(values(len(cols)), len(some))+") "+set+"v"+where, slices.Concat(some...)...)
		return err
	})
}

// unnested runs a statement over rows that go to Postgres as one array for each column: it reads them a third faster than a list of
// values, and all numbers of rows are one statement.
func (d direct) unnested(cols []column, rows [][]any, before, after string) error {
	if len(rows) == 0 {
		return nil
	}
	arrays := make([]any, len(cols))
	for n := range cols {
		array := make([]any, len(rows))
		for r, row := range rows {
			array[r] = row[n]
		}
		arrays[n] = array
	}
	_, err := d.exec(before+"unnest("+joined(cols, func(c column) string { return "?::" + c.kind + "[]" })+")"+after, arrays...)
	return err
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
