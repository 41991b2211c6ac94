package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRows is the price of a list of 50. Goal: at most 100 µs and 300 allocations.
func BenchmarkRows(b *testing.B) {
	list, page, ctx := rows(50), table, context.Background()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		_ = page(list).Render(ctx, &buf)
	}
}

func BenchmarkFrame(b *testing.B) {
	p, ctx := frame("dark", "Overview", "/"), context.Background()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		_ = overview(p).Render(ctx, &buf)
	}
}

func TestRowsStayCheap(t *testing.T) {
	list, ctx := rows(50), context.Background()
	var buf bytes.Buffer
	n := testing.AllocsPerRun(20, func() {
		buf.Reset()
		_ = table(list).Render(ctx, &buf)
	})
	require.LessOrEqual(t, n, 300.0)
}
