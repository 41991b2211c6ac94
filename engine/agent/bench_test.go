package agent_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/offline"
	"lobstead/kit/events"
	"lobstead/models"
)

func sscan(line string, from, n *int) (int, error) { return fmt.Sscanf(line, "@@ -%d,%d", from, n) }

// BenchmarkFirstPart is from the accepted message to the first piece of the offline model's answer, warm.
func BenchmarkFirstPart(b *testing.B) {
	g := newRig(b, nil)
	g.door = &door.Door{Offline: offline.New(offline.Options{})}
	g.run("a")
	g.await(g.start("hello"))
	var all []time.Duration
	for b.Loop() {
		s := g.newSession()
		shown := make(chan struct{}, 1)
		from := time.Now()
		turn := g.startIn(s.ID, "hello")
		cancel := g.bus.Listen(events.PartsTopic(turn.ID), func(events.Event) {
			select {
			case shown <- struct{}{}:
			default:
			}
		})
		if ps, _ := g.bus.Parts(b.Context(), turn.ID, 1); len(ps) == 0 {
			select {
			case <-shown:
			case <-time.After(5 * time.Second): // came and went between the two
			}
		}
		all = append(all, time.Since(from))
		cancel()
		g.await(turn)
	}
	report(b, all)
}

// BenchmarkToolRoundTrip is one tool call in a running turn: the model's call, the log, the sandbox's answer,
// the log, and the next question to the model.
func BenchmarkToolRoundTrip(b *testing.B) { toolRoundTrip(b, newRig(b, nil)) }

func toolRoundTrip(b *testing.B, g *rig) {
	var asked []time.Time
	n := 0
	g.model.answer = func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		asked = append(asked, time.Now())
		if n--; n >= 0 {
			emit(call(fmt.Sprint("c", n), "bash", fmt.Sprintf(`{"command":"echo %d"}`, n)))
			return nil
		}
		emit(text("done"))
		return nil
	}
	g.config = func(c *agent.Config) { c.MaxSteps = 1 << 30 }
	g.run("a")
	var all []time.Duration
	for b.Loop() {
		s := g.newSession()
		n, asked = 40, nil
		if end := g.await(g.startIn(s.ID, "go")); end.State != models.TurnDone {
			b.Fatal(end.Reason)
		}
		for i := 2; i < len(asked); i++ {
			all = append(all, asked[i].Sub(asked[i-1]))
		}
	}
	report(b, all)
}

func report(b *testing.B, all []time.Duration) {
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "ms-p50")
	b.ReportMetric(at(0.99), "ms-p99")
}
