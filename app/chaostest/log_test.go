package chaostest

import (
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// book is the database as a reader from outside sees it.
type book struct {
	t  testing.TB
	db *sql.DB
}

func (h *house) book() *book {
	h.t.Helper()
	driver, dsn := "sqlite", "file:"+filepath.Join(h.dir, "lobstead.db")+"?_pragma=busy_timeout(5000)"
	for _, e := range h.env {
		if url, ok := strings.CutPrefix(e, "DATABASE_URL="); ok {
			driver, dsn = "pgx", url
		}
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = db.Close() })
	return &book{h.t, db}
}

// rows runs a query whose values are all texts.
func (b *book) rows(query string) [][]string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rows, err := b.db.QueryContext(ctx, query)
	require.NoError(b.t, err, query)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	require.NoError(b.t, err)
	var out [][]string
	for rows.Next() {
		cells, at := make([]sql.NullString, len(names)), make([]any, len(names))
		for n := range cells {
			at[n] = &cells[n]
		}
		require.NoError(b.t, rows.Scan(at...))
		row := make([]string, len(names))
		for n, c := range cells {
			row[n] = c.String
		}
		out = append(out, row)
	}
	require.NoError(b.t, rows.Err())
	return out
}

func (b *book) one(query string) string {
	b.t.Helper()
	rows := b.rows(query)
	if len(rows) == 0 {
		return ""
	}
	return rows[0][0]
}

// settled waits until no turn is open.
func (b *book) settled(limit time.Duration) {
	b.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		open := b.rows(`SELECT id, session_id, state, waits_for, wait_until, lease_owner, lease_until, CAST(attempt AS TEXT) FROM turns WHERE state NOT IN ('done', 'failed', 'interrupted')`)
		if len(open) == 0 {
			return
		}
		require.True(b.t, time.Now().Before(end), "turns that never end: %v, having said %v", open, b.rows(`SELECT turn_id, CAST(seq AS TEXT), kind, CAST(data AS TEXT) FROM events ORDER BY created_at DESC LIMIT 5`))
	}
}

// call is what the log says of one tool call.
type call struct {
	Session, Turn, Command string
	Results                int
	Done                   bool // the result is neither interrupted nor an error
}

// audit holds the whole log to its promises and gives the tool calls in it: numbers without gaps, one end for
// each turn, an end that says why, one result for each call.
func (b *book) audit() []call {
	b.t.Helper()
	last, ends := map[string]int{}, map[string]int{}
	calls := map[string]*call{}
	var order []*call
	for _, r := range b.rows(`SELECT session_id, turn_id, CAST(seq AS TEXT), kind, CAST(data AS TEXT) FROM events ORDER BY session_id, seq`) {
		last[r[0]]++
		require.Equal(b.t, number(b.t, r[2]), last[r[0]], "the log of %s has a gap or a repetition", r[0])
		var d struct {
			CallID      string `json:"call_id"`
			Error       bool
			Interrupted bool
			Input       struct{ Command string }
			State       string
			Reason      string
		}
		require.NoError(b.t, json.Unmarshal([]byte(r[4]), &d), r[4])
		key := r[1] + "/" + d.CallID
		switch r[3] {
		case "tool_call":
			require.Nil(b.t, calls[key], "a call is in the log twice")
			calls[key] = &call{Session: r[0], Turn: r[1], Command: d.Input.Command}
			order = append(order, calls[key])
		case "tool_result":
			require.NotNil(b.t, calls[key], "a result without a call")
			calls[key].Results++
			calls[key].Done = !d.Error && !d.Interrupted
		case "turn_ended":
			ends[r[1]]++
			if d.State != "done" {
				require.NotEmpty(b.t, d.Reason, "a turn ended %s without a reason", d.State)
			}
		}
	}
	for _, r := range b.rows(`SELECT id, CAST(last_seq AS TEXT) FROM sessions`) {
		require.Equal(b.t, number(b.t, r[1]), last[r[0]], "last_seq of %s", r[0])
	}
	for _, r := range b.rows(`SELECT id, state FROM turns`) {
		require.Equal(b.t, 1, ends[r[0]], "turn %s (%s) has so many ends", r[0], r[1])
	}
	out := make([]call, len(order))
	for n, c := range order {
		require.Equal(b.t, 1, c.Results, "call %q of turn %s has so many results", c.Command, c.Turn)
		out[n] = *c
	}
	return out
}

func number(t testing.TB, s string) int {
	t.Helper()
	var n int
	require.NoError(t, json.Unmarshal([]byte(s), &n))
	return n
}
