package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestDecisionsAreReadByTurnAndForgotten(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Beta")
	nanos := int64(7)
	sc.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: "t1", Model: "a", Features: `[{"name":"code"}]`, BaselineNanos: &nanos})
	fake.Add(time.Hour)
	sc.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: "t1", Model: "b"})
	sc.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: "t2", Model: "c"})
	other.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: "t1", Model: "d"})
	rows, err := sc.TurnDecisions(t.Context(), "t1")
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "a", rows[0].Model)
	require.JSONEq(t, `[{"name":"code"}]`, rows[0].Features)
	require.EqualValues(t, 7, *rows[0].BaselineNanos)
	require.Nil(t, rows[1].BaselineNanos)
	newest, err := sc.Decisions(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, newest, 2)
	require.Equal(t, "c", newest[0].Model)
	fake.Add(models.DecisionLife - time.Minute)
	require.NoError(t, store.AsSystem("test").TrimDecisions(t.Context()))
	newest, err = sc.Decisions(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, newest, 2, "the one that is a minute too old is forgotten")
}

func TestRoutingAndOrders(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	r, err := sc.Routing(t.Context())
	require.NoError(t, err)
	require.False(t, r.Shadow)
	require.NoError(t, sc.SetRouting(t.Context(), models.Routing{Shadow: true}))
	require.NoError(t, sc.SetRouting(t.Context(), models.Routing{Shadow: true, HedgeMS: 800}))
	r, err = sc.Routing(t.Context())
	require.NoError(t, err)
	require.True(t, r.Shadow)
	require.Equal(t, 800, r.HedgeMS)
	require.True(t, fault.Is(sc.SetRouting(t.Context(), models.Routing{Shadow: true, HedgeMS: 10}), fault.Invalid))
	require.True(t, fault.Is(sc.SetRouting(t.Context(), models.Routing{Ceiling: "dear"}), fault.Invalid))
	require.NoError(t, sc.OrderBreaker(t.Context(), "openai", true))
	require.NoError(t, sc.OrderBreaker(t.Context(), "openai", false))
	require.NoError(t, sc.OrderBreaker(t.Context(), "anthropic", true))
	orders, err := sc.BreakerOrders(t.Context())
	require.NoError(t, err)
	require.Len(t, orders, 2)
	require.True(t, orders[0].ForcedOpen)
	require.False(t, orders[1].ForcedOpen, "the newest order holds")
	require.True(t, fault.Is(sc.OrderBreaker(t.Context(), "", true), fault.Invalid))
}

func TestCatalogueEdits(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sy, by := store.AsSystem("test"), models.Actor{Name: "Staff", Staff: true}
	in, out := int64(1_000_000), int64(2_000_000)
	require.NoError(t, sy.EditCatalogue(t.Context(), by, models.CatalogueEdit{Provider: "openai-compatible", Model: " Llama-4 ", Tier: "small", Input: &in, Output: &out}))
	require.NoError(t, sy.EditCatalogue(t.Context(), by, models.CatalogueEdit{Provider: "openai-compatible", Model: "llama-4", Tier: "standard", Input: &in, Output: &out}))
	rows, err := sy.CatalogueEdits(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "llama-4", rows[0].Model)
	require.Equal(t, "standard", rows[0].Tier)
	bad := int64(-1)
	for _, e := range []models.CatalogueEdit{{Provider: "nobody", Model: "m"}, {Provider: "openai"}, {Provider: "openai", Model: "m", Tier: "huge"},
		{Provider: "openai", Model: "m", Input: &in}, {Provider: "openai", Model: "m", Input: &bad, Output: &in}} {
		require.True(t, fault.Is(sy.EditCatalogue(t.Context(), by, e), fault.Invalid), "%+v", e)
	}
	require.NoError(t, sy.ForgetCatalogueEdit(t.Context(), by, "openai-compatible", "llama-4"))
	require.True(t, fault.Is(sy.ForgetCatalogueEdit(t.Context(), by, "openai-compatible", "llama-4"), fault.NotFound))
}
