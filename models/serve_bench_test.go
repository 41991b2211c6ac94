package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// BenchmarkServe reads what every call of the gateway reads before it is made.
func BenchmarkServe(b *testing.B) {
	store := modelstest.New(b)
	sc, _ := modelstest.Found(b, store, "Acme")
	_, key, err := sc.CreateAPIKey(b.Context(), models.NewAPIKey{Name: "bench"})
	require.NoError(b, err)
	sy := store.AsSystem("bench")
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, second(sy.ByAPIKey(b.Context(), key, "192.0.2.1")))
		}
	})
	b.Run("services=0", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, second(sc.Providers(b.Context())))
		}
	})
	_, err = sc.ConnectProvider(b.Context(), models.NewProvider{Kind: "ollama", Model: "m"}, "")
	require.NoError(b, err)
	b.Run("services=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, second(sc.Providers(b.Context())))
		}
	})
}
