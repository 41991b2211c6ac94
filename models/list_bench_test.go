package models_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// BenchmarkInstances reads a list of fifty.
func BenchmarkInstances(b *testing.B) {
	store := modelstest.New(b)
	sc, _ := modelstest.Found(b, store, "bench")
	layers := []map[string]any{}
	for n := range 16 {
		layers = append(layers, map[string]any{"name": fmt.Sprintf("layer number %d", n), "applied": true, "detail": "as the kernel gave it"})
	}
	for n := range 50 {
		i := modelstest.Instance(b, sc, fmt.Sprintf("agent-%d", n))
		_, err := sc.Observe(b.Context(), i.ID, models.Observed{Saw: models.SawRunning, Generation: i.Generation, Isolation: layers})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		rows, err := sc.Instances(b.Context())
		require.NoError(b, err)
		require.Len(b, rows, 50)
	}
}
