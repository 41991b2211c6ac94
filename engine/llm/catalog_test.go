package llm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
)

var day = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func TestLookup(t *testing.T) {
	for _, c := range []struct{ provider, model, id string }{
		{"openai", "gpt-5", "gpt-5"}, {"openai", "gpt-5-2025-08-07", "gpt-5"}, {"openai", "gpt-5-mini", "gpt-5-mini"}, {"openai", "GPT-4o", "gpt-4o"},
		{"anthropic", "claude-opus-5-5", "claude-opus-5-5"}, {"anthropic", "claude-opus-5-5-20261001", "claude-opus-5-5"}, {"anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"},
		{"gemini", "models/gemini-3.8-flash", "gemini-3.8-flash"}, {"google", "gemini-2.5-pro", "gemini-2.5-pro"},
		{"openrouter", "anthropic/claude-sonnet-5", "claude-sonnet-5"}, {"openrouter", "anthropic/claude-opus-5.5", "claude-opus-5-5"}, {"openrouter", "openai/gpt-6-sol:nitro", "gpt-6-sol"},
		{"my proxy", "gpt-6-sol", "gpt-6-sol"}, {"", "claude-sonnet-5", "claude-sonnet-5"},
	} {
		e, ok := llm.Lookup(c.provider, c.model)
		require.True(t, ok, c.model)
		require.Equal(t, c.id, e.ID, c.model)
	}
	for _, c := range [][2]string{{"openai", "lobster-9"}, {"ollama", "gpt-oss-20b"}, {"offline", "offline-1"}, {"openrouter", "auto"}, {"anthropic", "gpt-5"}} {
		_, ok := llm.Lookup(c[0], c[1])
		require.False(t, ok, c)
	}
	e, ok := llm.Lookup("openrouter", "mistralai/mistral-nemo:free")
	require.True(t, ok)
	require.True(t, e.Priced())
	require.Zero(t, e.Cost(llm.Usage{Input: 1000, Output: 1000}, day))
	source, made := llm.CatalogSource()
	require.Contains(t, source, "genai-prices")
	require.Regexp(t, `^\d{4}-\d\d-\d\d$`, made)
}

func TestDefaultsAreInTheCatalogue(t *testing.T) {
	for _, kind := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		e, ok := llm.Lookup(kind, llm.DefaultModel(kind))
		require.True(t, ok, kind)
		require.True(t, e.Tools && e.Images && e.Priced() && e.Context >= 200000, kind)
	}
	require.Empty(t, llm.DefaultModel("ollama"))
}

func TestCost(t *testing.T) {
	cost := func(provider, model string, u llm.Usage, at time.Time) int64 {
		e, ok := llm.Lookup(provider, model)
		require.True(t, ok)
		return e.Cost(u, at)
	}
	const cent = 10_000_000 // nano-dollars
	// Opus 5.5: 4 $ in, 20 $ out, 0.20 $ cache read, 5 $ cache write for a million.
	require.EqualValues(t, 2400*cent, cost("anthropic", "claude-opus-5-5", llm.Usage{Input: 1e6, Output: 1e6}, day))
	require.EqualValues(t, 100*(4*100_000+0.2*700_000+5*200_000)/1e6*cent, cost("anthropic", "claude-opus-5-5", llm.Usage{Input: 1e6, CacheRead: 700_000, CacheWrite: 200_000}, day))
	// reasoning is a part of the output and not paid twice
	require.EqualValues(t, 20_000, cost("anthropic", "claude-opus-5-5", llm.Usage{Output: 1, Reasoning: 1}, day))
	// a price list by date: Gemini 3.8 Flash doubles in 2027
	require.EqualValues(t, 75*cent, cost("gemini", "gemini-3.8-flash", llm.Usage{Input: 1e6}, day))
	require.EqualValues(t, 150*cent, cost("gemini", "gemini-3.8-flash", llm.Usage{Input: 1e6}, day.AddDate(0, 2, 0)))
	// by length: GPT-6 Sol above 272,000 tokens, for the whole call
	require.EqualValues(t, 272_000*2000, cost("openai", "gpt-6-sol", llm.Usage{Input: 272_000}, day))
	require.EqualValues(t, 272_001*4000, cost("openai", "gpt-6-sol", llm.Usage{Input: 272_001}, day))
	// rounded up, never to nothing
	require.EqualValues(t, 1, llm.Entry{Prices: []llm.Price{{Input: 1}}}.Cost(llm.Usage{Input: 1}, day))
	require.False(t, llm.Entry{}.Priced())
	require.Zero(t, llm.Entry{}.Cost(llm.Usage{Input: 9}, day))
}
