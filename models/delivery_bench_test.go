package models_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// benchOutbox is a store with n deliveries in some lanes.
func benchOutbox(b *testing.B, n, lanes int) (*models.System, []string) {
	b.Helper()
	store := modelstest.New(b)
	_, f := modelstest.Found(b, store, "Acme")
	sy, staff := store.AsSystem("bench"), models.Actor{UserID: f.User.ID, Name: "Staff", Staff: true, Reason: "a bench"}
	d, err := sy.AskTestMail(b.Context(), staff, "a@example.com", models.Mail{Subject: "s", Text: "t"})
	require.NoError(b, err)
	ids := []string{}
	for at := range n {
		id := fmt.Sprintf("d%09d", at)
		_, err := store.SQL().ExecContext(b.Context(), fmt.Sprintf(`INSERT INTO deliveries (id, kind, destination, lane, about_kind, about_id, idempotency_key, payload, has_secret, state, max_attempts, next_at, created_at)
			SELECT '%s', kind, destination, 'lane %d', about_kind, about_id, '%s', payload, has_secret, state, max_attempts, next_at, created_at FROM deliveries WHERE id = '%s'`, id, at%lanes, id, d.ID))
		require.NoError(b, err)
		ids = append(ids, id)
	}
	c, err := sy.ClaimDelivery(b.Context(), d.ID, "w", models.DeliveryKinds)
	require.NoError(b, err)
	_, err = sy.SettleDelivery(b.Context(), c, models.Attempt{Sent: true})
	require.NoError(b, err)
	return sy, ids
}

// BenchmarkDeliver is what a delivery costs the database: a claim, its end, and the look at what comes next, by one worker
// and by sixteen.
func BenchmarkDeliver(b *testing.B) {
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			sy, ids := benchOutbox(b, b.N, b.N)
			var at atomic.Int64
			var work sync.WaitGroup
			b.ResetTimer()
			for w := range workers {
				work.Go(func() {
					for n := int(at.Add(1)) - 1; n < len(ids); n = int(at.Add(1)) - 1 {
						c, err := sy.ClaimDelivery(b.Context(), ids[n], fmt.Sprint(w), models.DeliveryKinds)
						if err != nil {
							b.Error(err)
							return
						}
						d, err := sy.SettleDelivery(b.Context(), c, models.Attempt{Sent: true, Took: time.Millisecond})
						if err == nil {
							_, err = sy.NextDelivery(b.Context(), d)
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			work.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkSweepOutbox is one look for what is due: ten thousand rows behind a head that waits, and a thousand lanes.
func BenchmarkSweepOutbox(b *testing.B) {
	for _, lanes := range []int{1, 1000} {
		b.Run(fmt.Sprintf("rows=10000/lanes=%d", lanes), func(b *testing.B) {
			sy, _ := benchOutbox(b, 10_000, lanes)
			for b.Loop() {
				_, err := sy.DueDeliveries(b.Context(), models.DeliveryKinds, 500)
				require.NoError(b, err)
			}
		})
	}
}
