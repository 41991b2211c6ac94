package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// manyEntries fills the ledger with n entries, half of them settled, over ninety days before now: 20 instances, 5 members,
// 5 models, conversations of 25 calls within half an hour. The sums are made by the statement of the migration.
func manyEntries(b *testing.B, store *models.Store, org string, n int, now time.Time) {
	b.Helper()
	db := store.Gorm(models.SystemContext(b.Context(), "bench"))
	tx := db.Begin()
	rows := make([]models.LedgerEntry, 0, 2000)
	flush := func() {
		require.NoError(b, tx.CreateInBatches(&rows, 200).Error)
		rows = rows[:0]
	}
	for call := range n / 2 {
		session := call / 25
		at := now.Add(-90 * 24 * time.Hour).Add(time.Duration(session) * (89 * 24 * time.Hour / time.Duration(max(1, n/50)))).Add(time.Duration(call%25) * 70 * time.Second).Truncate(time.Second)
		e := models.LedgerEntry{OrganizationID: org, CallID: fmt.Sprint("call", call), Purpose: "chat", InstanceID: fmt.Sprint("instance", session%20), SessionID: fmt.Sprint("session", session),
			MemberID: fmt.Sprint("member", session%5), Provider: "openai", Model: fmt.Sprint("model", session%4+call%25/24), InputTokens: 1000 + call%500, OutputTokens: 100, CostNanos: int64(1000 + call%777), CreatedAt: at, ReservedAt: at}
		if call%25 == 1 {
			e.Purpose = "title"
		}
		s := e
		e.ID, e.Kind, s.ID, s.Kind, s.CreatedAt = id.New(), models.Reserved, id.New(), models.Settled, at.Add(time.Duration(300+call%9000)*time.Millisecond)
		if rows = append(rows, e, s); len(rows) == cap(rows) {
			flush()
		}
	}
	flush()
	require.NoError(b, tx.Commit().Error)
	for _, s := range backfill(b, store) {
		_, err := store.SQL().ExecContext(b.Context(), s)
		require.NoError(b, err)
	}
}

// backfill is how the migration makes the sums of the entries that it finds.
func backfill(b testing.TB, store *models.Store) []string {
	b.Helper()
	files, err := migrations.For(store.Dialect())
	require.NoError(b, err)
	f, err := files.Open("0017_usage." + string(store.Dialect()) + ".sql")
	require.NoError(b, err)
	text := make([]byte, 1<<16)
	n, err := f.Read(text)
	require.NoError(b, err)
	_, insert, ok := strings.Cut(string(text[:n]), "INSERT INTO usage_quarters")
	require.True(b, ok)
	insert, _, _ = strings.Cut(insert, ";")
	return []string{"DELETE FROM usage_quarters", "INSERT INTO usage_quarters" + insert}
}

// BenchmarkUsage reads a month and three from a ledger with a million entries: from the sums, and from the entries
// themselves, which is what the sums are for.
func BenchmarkUsage(b *testing.B) {
	store := modelstest.New(b)
	sc, _ := modelstest.Found(b, store, "Acme")
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	manyEntries(b, store, sc.Org, 1_000_000, now)
	began := time.Now()
	require.NoError(b, store.AsSystem("bench").MakeUsageDays(b.Context()))
	b.Logf("the days were made in %s", time.Since(began))
	for _, days := range []int{1, 7, 30, 90} {
		f := models.UsageFilter{From: now.AddDate(0, 0, -days), Until: now}
		steps := []time.Time{}
		for n := range days {
			steps = append(steps, f.From.AddDate(0, 0, n))
		}
		for kind, cut := range map[string]struct {
			by    models.UsageBy
			steps []time.Time
		}{"by=model": {models.ByModel, steps[1:]}, "by=session": {models.BySession, nil}} {
			b.Run(fmt.Sprintf("sums/days=%d/%s", days, kind), func(b *testing.B) {
				for b.Loop() {
					_, err := sc.Usage(b.Context(), f, cut.by, cut.steps)
					require.NoError(b, err)
				}
			})
		}
		b.Run(fmt.Sprintf("quarters/days=%d/by=model", days), func(b *testing.B) { // as until the sweep has made the days
			require.NoError(b, store.Gorm(models.SystemContext(b.Context(), "bench")).Model(&models.Organization{}).Where("id = ?", sc.Org).Update("usage_zone", "").Error)
			for b.Loop() {
				_, err := sc.Usage(b.Context(), f, models.ByModel, steps[1:])
				require.NoError(b, err)
			}
			require.NoError(b, store.Gorm(models.SystemContext(b.Context(), "bench")).Model(&models.Organization{}).Where("id = ?", sc.Org).Update("usage_zone", "UTC").Error)
		})
		b.Run(fmt.Sprintf("entries/days=%d/by=model", days), func(b *testing.B) {
			for b.Loop() {
				out := []struct{ Calls, InputTokens, OutputTokens, CostNanos int64 }{}
				require.NoError(b, store.Gorm(models.TenantContext(b.Context(), sc.Org)).Model(&models.LedgerEntry{}).
					Select("model, count(*) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cost_nanos) AS cost_nanos").
					Where("kind = ? AND reserved_at >= ? AND reserved_at < ?", models.Settled, f.From, f.Until).Group("model").Scan(&out).Error)
			}
		})
		b.Run(fmt.Sprintf("list/days=%d", days), func(b *testing.B) {
			for b.Loop() {
				_, err := sc.UsageEntries(b.Context(), f, "", "", 100)
				require.NoError(b, err)
			}
		})
	}
}
