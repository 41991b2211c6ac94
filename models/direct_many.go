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
