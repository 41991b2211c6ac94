package chaostest

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// entry is one line of the ledger, or a message; what it is by is in of: organization, member, key, instance, session.
type entry struct {
	call, purpose, provider, model, failure string
	of                                      map[string]string
	input, output, cost                     int64
}

func (e *entry) units(unit string) int64 {
	switch unit {
	case "money":
		return e.cost
	case "tokens":
		return e.input + e.output
	}
	return 1
}

// ledger is what the database says of money at one moment at which nobody writes.
type ledger struct {
	reserved, settled, messages []entry
	open                        map[string][]hold // by call
	budgets                     []budgetRow
	quarters, days              map[[6]string][4]int64
	dayZone                     string
}

type hold struct {
	Balance string `json:"b"`
	Unit    string `json:"u"`
	Amount  int64  `json:"n"`
}

type budgetRow struct {
	scope, target, unit     string
	amount, spent, reserved int64
	balances                []string
}

// exec changes the database from outside.
func (b *book) exec(query string) {
	b.t.Helper()
	_, err := b.db.ExecContext(context.Background(), query)
	require.NoError(b.t, err, query)
}

func whole(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return n
}

func (h *house) books(b *book) *ledger {
	h.t.Helper()
	l := &ledger{open: map[string][]hold{}}
	n := func(s string) int64 { return whole(h.t, s) }
	for _, r := range b.rows(`SELECT kind, call_id, purpose, provider, model, failure, member_id, key_id, instance_id, session_id, input_tokens, output_tokens, cost_nanos FROM ledger_entries`) {
		e := entry{call: r[1], purpose: r[2], provider: r[3], model: r[4], failure: r[5], of: map[string]string{"organization": "", "member": r[6], "key": r[7], "instance": r[8], "session": r[9]},
			input: n(r[10]), output: n(r[11]), cost: n(r[12])}
		if r[0] == "settle" {
			l.settled = append(l.settled, e)
		} else {
			l.reserved = append(l.reserved, e)
		}
	}
	for _, r := range b.rows(`SELECT turn_id, member_id, key_id, instance_id, session_id FROM message_entries`) {
		l.messages = append(l.messages, entry{call: r[0], of: map[string]string{"organization": "", "member": r[1], "key": r[2], "instance": r[3], "session": r[4]}})
	}
	for _, r := range b.rows(`SELECT call_id, holds FROM reservations`) {
		var holds []hold
		require.NoError(h.t, json.Unmarshal([]byte(r[1]), &holds))
		l.open[r[0]] = holds
	}
	for _, r := range b.rows(`SELECT b.id, b.scope, b.target_id, b.unit, b.amount, coalesce(sum(x.spent), 0), coalesce(sum(x.reserved), 0) FROM budgets b LEFT JOIN budget_balances x ON x.budget_id = b.id
		GROUP BY b.id, b.scope, b.target_id, b.unit, b.amount`) {
		row := budgetRow{scope: r[1], target: r[2], unit: r[3], amount: n(r[4]), spent: n(r[5]), reserved: n(r[6])}
		for _, x := range b.rows(`SELECT id FROM budget_balances WHERE budget_id = '` + r[0] + `'`) {
			row.balances = append(row.balances, x[0])
		}
		l.budgets = append(l.budgets, row)
	}
	tally := func(query string) map[[6]string][4]int64 {
		out := map[[6]string][4]int64{}
		for _, r := range b.rows(query) {
			out[[6]string(r[:6])] = [4]int64{n(r[6]), n(r[7]), n(r[8]), n(r[9])}
		}
		return out
	}
	const key, sums = "provider, model, purpose, member_id, key_id, instance_id", ", sum(calls), sum(input_tokens), sum(output_tokens), sum(cost_nanos) FROM "
	l.quarters = tally("SELECT " + key + sums + "usage_quarters GROUP BY " + key)
	l.days = tally("SELECT " + key + sums + "usage_days GROUP BY " + key)
	l.dayZone = b.one(`SELECT usage_zone FROM organizations`)
	return l
}

// sound is what holds at any moment: balances are the sums of their entries and of what is under way, no call is charged
// twice or forgotten, no budget is overspent by more than one call, and the tallies are the sums of the entries.
func (l *ledger) sound(t testing.TB) {
	t.Helper()
	settled, tallies := map[string]bool{}, map[[6]string][4]int64{}
	for i := range l.settled {
		e := &l.settled[i]
		require.False(t, settled[e.call], "call %s is settled twice", e.call)
		settled[e.call] = true
		key := [6]string{e.provider, e.model, e.purpose, e.of["member"], e.of["key"], e.of["instance"]}
		s := tallies[key]
		tallies[key] = [4]int64{s[0] + 1, s[1] + e.input, s[2] + e.output, s[3] + e.cost}
	}
	for _, e := range l.reserved {
		_, open := l.open[e.call]
		require.NotEqual(t, settled[e.call], open, "call %s is under way and settled, or neither", e.call)
	}
	require.Equal(t, tallies, l.quarters)
	if l.dayZone != "" {
		require.Equal(t, tallies, l.days)
	}
	require.NotEmpty(t, l.budgets)
	for _, b := range l.budgets {
		b.compare(t, l)
	}
}

// compare holds one budget's balances against the entries.
func (b *budgetRow) compare(t testing.TB, l *ledger) {
	t.Helper()
	entries, spent, largest, held := l.settled, int64(0), int64(0), int64(0)
	if b.unit == "messages" {
		entries = l.messages
	}
	for i := range entries {
		if e := &entries[i]; e.of[b.scope] == b.target {
			spent += e.units(b.unit)
			largest = max(largest, e.units(b.unit))
		}
	}
	mine := map[string]bool{}
	for _, id := range b.balances {
		mine[id] = true
	}
	for _, holds := range l.open {
		for _, h := range holds {
			if mine[h.Balance] {
				held += h.Amount
			}
		}
	}
	require.Equal(t, spent, b.spent, "%+v: the entries and the balance", *b)
	require.Equal(t, held, b.reserved, "%+v: the calls under way and the balance", *b)
	if b.unit == "messages" {
		largest = 0 // a message is counted when it is accepted: there is no call whose end is unknown
	}
	require.LessOrEqual(t, b.spent, b.amount+largest, "%+v: more than the limit and one call", *b)
}

// atRest reads the books at a moment when nothing is under way: titles are still written after the turns.
func (h *house) atRest(b *book) *ledger {
	h.t.Helper()
	const lines = `SELECT count(*) FROM ledger_entries`
	for end := time.Now().Add(lastRound); ; time.Sleep(50 * time.Millisecond) {
		before := b.one(lines)
		if l := h.books(b); len(l.open) == 0 && b.one(lines) == before {
			return l
		}
		require.True(h.t, time.Now().Before(end), "a reservation outlives its call")
	}
}

// atRest is what holds when nothing is under way any more.
func (l *ledger) atRest(t testing.TB) {
	t.Helper()
	require.Empty(t, l.open)
	require.Len(t, l.settled, len(l.reserved))
	for _, b := range l.budgets {
		require.Zero(t, b.reserved, "%+v holds something", b)
		require.NotZero(t, b.spent, "%+v: nothing was spent of it", b)
	}
	require.NotEmpty(t, l.dayZone)
}

func (l *ledger) lost() (n int) {
	for _, e := range l.settled {
		if e.failure == "lost" {
			n++
		}
	}
	return n
}
