package automate_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/models"
	"lobstead/models/modelstest"
)

var quietLog = slog.New(slog.DiscardHandler)

// crowd is a database with many schedules that are due at one time, over ten organizations.
func crowd(b *testing.B, many int) (*automate.Desk, *clock.Fake) {
	b.Helper()
	fake := clock.NewFake(sunday)
	store := modelstest.NewAt(b, fake)
	bus := events.Open(nil)
	b.Cleanup(bus.Close)
	due := sunday.Add(time.Hour)
	for org := range 10 {
		sc, _ := modelstest.Found(b, store, fmt.Sprintf("Acme %d", org))
		inst := modelstest.Instance(b, sc, "one")
		for n := range many / 10 {
			_, _, err := sc.CreateAutomation(b.Context(), models.NewAutomation{InstanceID: inst.ID, Name: fmt.Sprint("n", n), Prompt: "look", Kind: models.AutomationCron, Expression: "0 * * * *", TimeZone: "UTC", NextAt: &due})
			require.NoError(b, err)
		}
	}
	return &automate.Desk{Store: store, Bus: bus, Turns: &agent.Turns{Store: store, Bus: bus}}, fake
}

// BenchmarkTenThousandDue is ten thousand schedules that are due in one second: until the last of them has its run and turn.
func BenchmarkTenThousandDue(b *testing.B) {
	const many = 10_000
	for range b.N {
		b.StopTimer()
		desk, fake := crowd(b, many)
		fake.Add(time.Hour)
		b.StartTimer()
		began := time.Now()
		n, err := (&automate.Timer{Desk: desk, Log: quietLog}).Sweep(b.Context())
		require.NoError(b, err)
		require.Equal(b, many, n)
		b.ReportMetric(time.Since(began).Seconds(), "s/10k")
	}
}

// BenchmarkLateness is a timer by the real clock: how late a run is begun that is due at a time of its own.
func BenchmarkLateness(b *testing.B) {
	store := modelstest.New(b)
	bus := events.Open(nil)
	b.Cleanup(bus.Close)
	desk := &automate.Desk{Store: store, Bus: bus, Turns: &agent.Turns{Store: store, Bus: bus}}
	sc, _ := modelstest.Found(b, store, "Acme")
	inst := modelstest.Instance(b, sc, "one")
	const many = 200
	var all []*models.Automation
	first := time.Now().Add(4 * time.Second)
	for n := range many {
		at := first.Add(time.Duration(n) * 40 * time.Millisecond).UTC().Truncate(time.Millisecond)
		a, _, err := sc.CreateAutomation(b.Context(), models.NewAutomation{InstanceID: inst.ID, Name: fmt.Sprint("n", n), Prompt: "look", Kind: models.AutomationOnce, StartsAt: &at, NextAt: &at, TimeZone: "UTC"})
		require.NoError(b, err)
		all = append(all, a)
	}
	go (&automate.Timer{Desk: desk, Log: quietLog}).Run(b.Context())
	time.Sleep(time.Until(first.Add(many*40*time.Millisecond + time.Second)))
	var late []time.Duration
	for _, a := range all {
		runs, err := sc.Runs(b.Context(), a.ID, 2)
		require.NoError(b, err)
		require.Len(b, runs, 1)
		require.False(b, runs[0].CreatedAt.Before(runs[0].DueAt), "early")
		late = append(late, runs[0].CreatedAt.Sub(runs[0].DueAt))
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[many/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(late[many*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkCall is a call of a trigger until it is accepted, forty triggers in turn.
func BenchmarkCall(b *testing.B) {
	store := modelstest.New(b)
	bus := events.Open(nil)
	b.Cleanup(bus.Close)
	desk := &automate.Desk{Store: store, Bus: bus, Turns: &agent.Turns{Store: store, Bus: bus}}
	sc, _ := modelstest.Found(b, store, "Acme")
	inst := modelstest.Instance(b, sc, "one")
	type hook struct{ id, secret string }
	hooks := []hook{}
	for n := range 40 {
		a, token, err := desk.Create(b.Context(), sc, inst.ID, automate.Plan{Name: fmt.Sprint("t", n), Prompt: "look", Webhook: true, Options: automate.Options{Overlap: models.OverlapAllow}})
		require.NoError(b, err)
		hooks = append(hooks, hook{a.ID, token.Reveal()})
	}
	for n := 0; b.Loop(); n++ {
		h := hooks[n%len(hooks)]
		_, _, err := desk.Call(b.Context(), h.id, automate.Call{Secret: h.secret, Body: []byte(`{"action":"opened"}`)})
		require.NoError(b, err)
	}
}
