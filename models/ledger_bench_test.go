package models_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// BenchmarkLedger reserves and settles a call: one after the other, and sixteen in flight.
func BenchmarkLedger(b *testing.B) {
	for _, budgets := range []int{0, 1, 4} {
		for _, flight := range []int{1, 16} {
			b.Run(fmt.Sprintf("budgets=%d/flight=%d", budgets, flight), func(b *testing.B) {
				store := modelstest.New(b)
				sc, inst, session := conversation(b, store)
				scopes := []models.BudgetScope{models.BudgetOfOrganization, models.BudgetOfInstance, models.BudgetOfSession, models.BudgetOfMember}
				for n := range budgets {
					budget(b, sc, scopes[n], []string{"", inst.ID, session.ID, sc.Actor.UserID}[n], models.BudgetMoney, models.BudgetMonthly, 1<<40)
				}
				one := func() {
					c := models.Charge{CallID: id.New(), Purpose: "chat", InstanceID: inst.ID, SessionID: session.ID, Provider: "openai", Model: "m", InputTokens: 100, CostNanos: 1000}
					require.NoError(b, sc.Reserve(b.Context(), c))
					require.NoError(b, sc.Settle(b.Context(), c))
				}
				b.ReportAllocs()
				b.ResetTimer()
				if flight == 1 {
					for b.Loop() {
						one()
					}
				} else {
					b.SetParallelism(flight / 2)
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							one()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}
