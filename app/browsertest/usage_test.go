package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// usedForAMonth writes calls of the last thirty days, of four models, with the sums that the program would have made.
func usedForAMonth(t *testing.T, s *server) {
	t.Helper()
	tx, err := s.database().Begin()
	require.NoError(t, err)
	var org, user string
	require.NoError(t, tx.QueryRow("SELECT organization_id, user_id FROM memberships LIMIT 1").Scan(&org, &user))
	models := []string{"claude-sonnet-5", "gpt-6-sol", "gpt-5-nano", "a-model-of-our-own-with-a-rather-long-name-70b"}
	for n := range 30 * 24 {
		at := time.Now().UTC().Add(-time.Duration(n) * time.Hour).Truncate(15 * time.Minute)
		if (n*7)%5 > 2 || at.Hour() < 6 && n > 3 {
			continue
		}
		m := n % 4
		calls, cost, failed := 1+n%4, int64(7_000_000*(m+1)+n*9000), 0
		if n%29 == 0 {
			failed = 1
		}
		for k := range calls {
			failure := ""
			if k < failed {
				failure = "overloaded"
			}
			began, ended := at.Add(time.Duration(k)*time.Second), at.Add(time.Duration(k)*time.Second+1500*time.Millisecond)
			_, err = tx.Exec(`INSERT INTO ledger_entries (id, organization_id, call_id, kind, purpose, member_id, provider, model, input_tokens, output_tokens, cost_nanos, failure, unpriced, reserved_at, created_at)
				VALUES (?, ?, ?, 'settle', 'chat', ?, 'openai', ?, ?, ?, ?, ?, ?, ?, ?)`, fmt.Sprintf("e%d-%d", n, k), org, fmt.Sprintf("c%d-%d", n, k), user, models[m], 1200+n, 150+n%90,
				cost/int64(calls), failure, m == 3, began.Format("2006-01-02 15:04:05.000000-07:00"), ended.Format("2006-01-02 15:04:05.000000-07:00"))
			require.NoError(t, err)
		}
		unpriced := 0
		if m == 3 {
			unpriced = calls
		}
		_, err = tx.Exec(fmt.Sprintf(`INSERT INTO usage_quarters (organization_id, quarter, provider, model, instance_id, session_id, member_id, key_id, purpose, calls, errors, unpriced, input_tokens,
			output_tokens, cost_nanos, compared, compared_nanos, baseline_nanos, took%d, took%d) VALUES (?, ?, 'openai', ?, '', '', ?, '', 'chat', ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, 1)`, 3+m, 7), org, at.Unix(), models[m], user,
			calls, failed, unpriced, calls*(1200+n), calls*(150+n%90), cost/int64(calls)*int64(calls), calls)
		require.NoError(t, err)
	}
	_, err = tx.Exec("UPDATE organizations SET usage_zone = '' WHERE id = ?", org) // the sums by day are to be made anew
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

// Usage from the empty page over a month of calls to the entries behind a number.
func TestUsageInABrowser(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/usage")
	b.has(".state")
	b.judge("usage-empty")
	usedForAMonth(t, s)
	b.open("/usage")
	b.has(".plot-svg")
	b.judge("usage")
	b.open("/usage?span=24h&by=member")
	b.judge("usage-day")
	b.open("/usage?by=purpose&model=gpt-6-sol")
	b.judge("usage-narrowed")
	b.open("/usage")
	total := b.text(`document.querySelector("tfoot .usage-sum").textContent`)
	b.follow("tfoot .usage-sum")
	b.until(`location.pathname === "/usage/entries"`)
	require.Contains(t, b.text(`document.querySelector(".lead").textContent`), strings.TrimSpace(total))
	b.judge("usage-entries")
	b.follow(`nav[aria-label=Pages] a`)
	b.until(`location.search.includes("after=")`)
	require.Equal(t, "200", b.text(`fetch(document.querySelector("[href^='/usage']") ? "/usage/export?span=30d" : "/").then(r => "" + r.status)`))
}
