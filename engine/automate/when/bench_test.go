package when_test

import (
	"testing"
	"time"

	"lobstead/engine/automate/when"
)

func BenchmarkNext(b *testing.B) {
	for _, expr := range []string{"0 * * * *", "*/10 * * * * *", "30 9 * * 1-5"} {
		zone, _ := time.LoadLocation("Europe/Berlin")
		s := when.Schedule{Kind: when.Cron, Expr: expr, Zone: zone}
		at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		b.Run(expr, func(b *testing.B) {
			for b.Loop() {
				s.Next(at)
			}
		})
	}
	b.Run("zone", func(b *testing.B) {
		for b.Loop() {
			_, _ = time.LoadLocation("Europe/Berlin")
		}
	})
}
