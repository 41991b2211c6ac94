package app_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
)

// instant is a model that answers at once, as often as it is asked.
type instant struct{}

func (instant) Name() string { return "instant" }
func (instant) Models(context.Context) ([]llm.Model, error) {
	return []llm.Model{{ID: "instant-1", Name: "Instant", ContextWindow: 100_000}}, nil
}
func (instant) Stream(_ context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if yield(llm.Chunk{Text: "An answer of a few words."}, nil) {
			yield(llm.Chunk{Done: &llm.Done{Model: r.Model, Stop: llm.StopEnd, Usage: llm.Usage{Input: 12, Output: 6}}}, nil)
		}
	}
}

// A call through the whole of the gateway, without a wire before or behind it, one after the other and sixteen at once.
func BenchmarkGatewayCall(b *testing.B) {
	w := apptest.Start(b, apptest.Options{Model: instant{}, NoWorker: true})
	call := func(tb testing.TB) {
		a := ask(w, standardPath, hello(standardPath, ""))
		require.Equal(tb, 200, a.Status, a.Body)
	}
	call(b)
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call(b)
		}
	})
	b.Run("sixteen", func(b *testing.B) {
		b.SetParallelism(8)
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				call(b)
			}
		})
	})
}
